"""Surrogate keys: the names under which caches in front can be told to forget an answer."""

from hashlib import sha256
from uuid import UUID

from service.changes import Change
from service.publication.memory import Basis

KEY_BYTES = 8


def surrogate_keys(basis: Basis) -> list[str]:
    """Give the keys that an answer can be purged by: its site's, then one for each article."""
    return [_site_key(basis.site.id), *(surrogate_key(change) for change in basis.changes)]


def surrogate_key(change: Change) -> str:
    """Name an article by a hash, since its own name may hold what no header can."""
    return f"gr-{_digest(change.site_id.bytes + change.article.encode())}"


def _site_key(site_id: UUID) -> str:
    return f"gr-{_digest(site_id.bytes)}"


def _digest(name: bytes) -> str:
    return sha256(name).digest()[:KEY_BYTES].hex()

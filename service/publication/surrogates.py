"""Surrogate keys: the names under which caches in front can be told to forget an answer."""

from hashlib import sha256
from uuid import UUID

from service.changes import WHOLE_SITE, Change
from service.publication.memory import Basis

KEY_BYTES = 8
# No article has a control character in its key.
_OF_ALL_ARTICLES = "\0"


def surrogate_keys(basis: Basis) -> list[str]:
    """Give the keys that an answer can be purged by: its site's, then one for each article."""
    return [_site_key(basis.site.id), *(surrogate_key(change) for change in basis.changes)]


def surrogate_key(change: Change) -> str:
    """Name an article by a hash, since its own name may hold what no header can.

    What tells of the whole site has a name of its own: under the site's, everything else would go too.
    """
    article = change.article if change.article != WHOLE_SITE else _OF_ALL_ARTICLES
    return f"gr-{_digest(change.site_id.bytes + article.encode())}"


def _site_key(site_id: UUID) -> str:
    return f"gr-{_digest(site_id.bytes)}"


def _digest(name: bytes) -> str:
    return sha256(name).digest()[:KEY_BYTES].hex()

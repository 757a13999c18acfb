"""From a valid submission to the draft of a comment: what a client may not set has its value from here."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from service.clock import new_id
from service.comments.rules import Status
from service.form.fields import Submission, make_fingerprint
from service.privacy.vault import Keyring
from service.rate_limiting.rules import Verdict
from service.sites.directory import KnownSite
from service.submission.limits import FLOOD_RULE
from service.submission.queries import Parent
from service.text.markup import MARKUP_VERSION
from service.wordpress.names import DECOY

Signal = dict[str, str]
ADDRESS_FLOOD: Signal = {
    "code": "address_flood",
    "detail": "This address sent more than ten times its limit from all networks together.",
}
DECOY_FILLED: Signal = {
    "code": "decoy_filled",
    "detail": f"The field `{DECOY}` was filled, which the forms of this site keep as a trap.",
}


class Key(msgspec.Struct, frozen=True):
    """An Idempotency-Key and the fields that came with it, as keyed hashes."""

    key_hash: bytes
    fields_hash: bytes


class Arrival(msgspec.Struct, frozen=True):
    """A valid submission, with where it goes, where it comes from, and whether it filled a trap."""

    site: KnownSite
    submission: Submission
    parent: Parent | None
    prefix: str
    key: Key | None = None
    is_decoyed: bool = False


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that is ready to be written; its e-mail address is sealed from here on."""

    site_id: UUID
    article: str
    parent: Parent | None
    key: Key | None
    # What the commenter chose of the row.
    columns: dict[str, object]
    id: UUID
    # The one that the article gets if this is its first comment.
    article_id: UUID
    html: str
    search: str
    status: Status
    signals: list[Signal]
    submitted_at: datetime
    fingerprint: bytes
    client_hash: bytes
    # The row of the sealed address.
    address: dict[str, Any]

    @property
    def place(self) -> tuple[UUID, str]:
        """Where the comment goes: the site, and the key of the article."""
        return self.site_id, self.article

    def as_row(self, article_id: UUID) -> dict[str, Any]:
        """Give the row of the comment, under the article that is there."""
        made = {name: getattr(self, name) for name in _MADE}
        return {
            **self.columns,
            **made,
            "article_id": article_id,
            "parent_id": self.parent.id if self.parent else None,
            "depth": self.parent.depth + 1 if self.parent else 0,
            "markup": MARKUP_VERSION,
            "visibility": "hidden",
            "version": 1,
            "edited": False,
            "decided_at": None if self.status == "pending" else self.submitted_at,
        }


# The columns that are called as they are here.
_OTHERS = {"article", "parent", "key", "columns", "address"}
_MADE = tuple(name for name in Draft.__struct_fields__ if name not in _OTHERS)


def make_key(keyring: Keyring, submission: Submission, idempotency_key: str) -> Key:
    """Make what is kept of a request under its Idempotency-Key."""
    return Key(
        keyring.mac("idempotency/key", idempotency_key.encode()),
        keyring.mac("idempotency/fields", *(one.encode() for one in submission.as_texts())),
    )


def make_draft(
    keyring: Keyring, arrival: Arrival, html: str, search: str, verdict: Verdict, now: datetime
) -> Draft:
    """Make the draft of a comment, with its text as HTML and what it is found by."""
    site, submission, address = arrival.site, arrival.submission, arrival.submission.email
    place = (site.id, submission.article, arrival.parent.id if arrival.parent else None)
    flood = [ADDRESS_FLOOD] if FLOOD_RULE in verdict.over else []
    day, comment_id, columns = now.date().isoformat().encode(), new_id(), submission.as_columns()
    return Draft(
        site_id=site.id,
        article=submission.article,
        parent=arrival.parent,
        key=arrival.key,
        columns=columns,
        id=comment_id,
        article_id=new_id(),
        html=html,
        search=search,
        status="spam" if arrival.is_decoyed else "pending",
        signals=[*flood, DECOY_FILLED] if arrival.is_decoyed else flood,
        submitted_at=now,
        fingerprint=make_fingerprint(keyring, *place, columns),
        client_hash=keyring.mac("client", day, arrival.prefix.encode()),
        address=keyring.seal_address(comment_id, site.id, address.original, address.folded),
    )

"""Reading a submission: every rule of every field, and every error at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from service.comments.texts import check_length, check_text, require_text
from service.errors import FieldError, FieldRefused
from service.http.fields import NOT_STORABLE, is_storable
from service.privacy.addresses import Address, check_address
from service.sites.directory import KnownSite
from service.sites.kinds import DECOY
from service.submission.links import check_url
from service.submission.schemas import MAX_NAME_CHARS
from service.text.normalising import normalise_line

# The box of `form.consent`, which the browser asks for.
CONSENT = "consent"
OUR_NAMES = ("article", "name", "email", "text", "url", "parent", "redirect_to")
# The field names of the WordPress comment form, which are taken wherever ours are.
WORDPRESS_NAMES = {
    "author": "name",
    "comment": "text",
    "comment_post_ID": "article",
    "comment_parent": "parent",
}
# WordPress sends this for a comment that answers none.
NO_PARENT = "0"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A submission whose every field is valid and normalised; `parent` is checked against the database."""

    article: str
    name: str
    email: Address
    text: str
    url: str | None
    parent: str | None
    has_filled_decoy: bool


def translate_names(fields: Mapping[str, Any], text_fields: Sequence[str] = ()) -> dict[str, Any]:
    """Give the fields under our own names; where several names came, ours counts.

    The first of the site's `text_fields` that holds something goes before WordPress's name of the text.
    """
    named = {ours: fields[theirs] for theirs, ours in WORDPRESS_NAMES.items() if theirs in fields}
    if real := next((fields[name] for name in text_fields if fields.get(name)), None):
        named["text"] = real
    if isinstance(parent := named.get("parent"), str | int) and str(parent) == NO_PARENT:
        del named["parent"]
    return {**named, **{name: fields[name] for name in OUR_NAMES if fields.get(name) is not None}}


def has_filled_decoy(fields: Mapping[str, Any], text_fields: Sequence[str]) -> bool:
    """Tell whether a form has something in the field that its page keeps as a trap.

    A browser sends the real field along though it is empty, so that a form without it comes from a page
    without a trap, where the site says that it has such pages: by naming `comment` among its fields.
    """
    if not text_fields or not fields.get(DECOY):
        return False
    elsewhere = {"text", *text_fields} - {DECOY}
    return DECOY not in text_fields or not elsewhere.isdisjoint(fields)


def check_submission(
    fields: Mapping[str, Any], site: KnownSite
) -> tuple[dict[str, Any], list[FieldError]]:
    """Check fields under our own names; gives the valid ones, normalised, and the others' errors."""
    checks: dict[str, Callable[[str], object]] = {
        "article": site.article_key,
        "name": lambda raw: check_length("name", normalise_line(raw), MAX_NAME_CHARS),
        "email": check_address,
        "text": lambda raw: check_text(raw, site.policy.max_text_chars),
        "url": check_url,
        "parent": lambda raw: raw.strip() or None,
    }
    valid: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, check in checks.items():
        try:
            valid[name] = _check(name, fields.get(name), check)
        except FieldRefused as refusal:
            errors.append(refusal.as_error(pointer=f"#/{name}"))
    redirect = fields.get("redirect_to")
    if redirect is not None and not (isinstance(redirect, str) and is_storable(redirect)):
        errors.append(FieldError("redirect_to_invalid", NOT_STORABLE, "#/redirect_to"))
    return valid, errors


def _check(name: str, raw: object, check: Callable[[str], object]) -> object:
    if raw is None and name in {"url", "parent"}:
        return None
    return check(require_text(name, raw))

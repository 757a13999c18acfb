"""What WordPress calls the fields of the form, which are taken under its names wherever ours are."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.form.fields import BY_NAME, FIELDS

# Our own, by WordPress's.
WORDPRESS_NAMES = {field.wordpress: field.name for field in FIELDS if field.wordpress}
# The name of the text, which is the trap where a plug-in has put the text elsewhere.
DECOY = BY_NAME["text"].wordpress
# By this name alone a form is known to be WordPress's.
ARTICLE = BY_NAME["article"].wordpress
# What a form means by these is fixed.
TAKEN_NAMES = {*BY_NAME, *WORDPRESS_NAMES} - {DECOY}


def translate_names(fields: Mapping[str, Any], text_fields: Sequence[str] = ()) -> dict[str, Any]:
    """Give the fields under our own names; where several names came, ours counts.

    The first of the site's `text_fields` that holds something goes before WordPress's name of the text.
    """
    named = {
        ours: fields[theirs]
        for theirs, ours in WORDPRESS_NAMES.items()
        if theirs in fields and not _is_none(BY_NAME[ours].wordpress_none, fields[theirs])
    }
    if real := next((fields[name] for name in text_fields if fields.get(name)), None):
        named["text"] = real
    return {**named, **{name: fields[name] for name in BY_NAME if fields.get(name) is not None}}


def _is_none(none: str, value: object) -> bool:
    return bool(none) and isinstance(value, str | int) and str(value) == none


def has_filled_decoy(fields: Mapping[str, Any], text_fields: Sequence[str]) -> bool:
    """Tell whether a form has something in the field that its page keeps as a trap.

    A browser sends the real field along though it is empty, so that a form without it comes from a page
    without a trap, where the site says that it has such pages: by naming `comment` among its fields.
    """
    if not text_fields or not fields.get(DECOY):
        return False
    elsewhere = {"text", *text_fields} - {DECOY}
    return DECOY not in text_fields or not elsewhere.isdisjoint(fields)

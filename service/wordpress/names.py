"""What WordPress calls the fields of the form, and what plug-ins do: `form.text_field`."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from msgspec import Meta

from service.form.fields import BY_NAME, FIELDS
from service.http.told import SAID, checked_by
from service.wordpress.plugin_fields import explain_plugin_field

# Our own, by WordPress's.
WORDPRESS_NAMES = {field.wordpress: field.name for field in FIELDS if field.wordpress}
# The name of the text, which is the trap where a plug-in has put the text elsewhere.
DECOY = BY_NAME["text"].wordpress
# By this name alone a form is known to be WordPress's.
ARTICLE = BY_NAME["article"].wordpress
# What a form means by these is fixed; but for the text, of which plug-ins change the name.
FORM_NAMES = frozenset((*BY_NAME, *WORDPRESS_NAMES))
# With 32 bytes a name, a thousand pages that have one each; it is read with the site at every request.
MAX_TEXT_FIELDS_CHARS = 33_000
# As names in pages are.
FIELD_NAME = r"[A-Za-z0-9_.:\[\]-]{1,64}"


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


def _is_none(nones: Sequence[str | int], value: object) -> bool:
    # `False` is equal to 0, and none of these.
    return any(type(value) is type(none) and value == none for none in nones)


def has_filled_decoy(fields: Mapping[str, Any], text_fields: Sequence[str]) -> bool:
    """Tell whether a form has something in the field that its page keeps as a trap.

    A browser sends the real field along though it is empty, so that a form without it comes from a page
    without a trap, where the site says that it has such pages: by naming `comment` among its fields.
    """
    if not text_fields or not fields.get(DECOY):
        return False
    elsewhere = {"text", *text_fields} - {DECOY}
    return DECOY not in text_fields or not elsewhere.isdisjoint(fields)


# Every submission asks for them, and they are the same for as long as nobody changes the site. The longest
# takes less than 1 MiB.
@lru_cache(maxsize=32)
def parse_text_fields(text: str) -> tuple[str, ...]:
    """Read the names of `form.text_field`; raises ValueError for a name that means something else.

    One that no text can be in is passed over: it may have been set before such names were refused.
    """
    names = _split_names(text)
    if taken := sorted((FORM_NAMES - {DECOY}).intersection(names)):
        raise ValueError(f"The field {taken[0]} means something else already.")
    if names and {*names} == {DECOY}:
        raise ValueError(f"{DECOY} alone is what is read anyway: name the other fields, or nothing.")
    return tuple(name for name in names if explain_plugin_field(name) is None)


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def check_text_fields(text: str) -> None:
    """Raise ValueError for names that are not to be set as `form.text_field`."""
    parse_text_fields(text)
    for name in _split_names(text):
        if meaning := explain_plugin_field(name):
            raise ValueError(f"The field {name} is {meaning}: nobody writes into it.")


TextFields = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT_FIELDS_CHARS,
        pattern=rf"^({FIELD_NAME}( *, *{FIELD_NAME})*)?(?!\n)$",
        description="Names of form fields that hold the real text, separated by commas.",
        examples=["d7dcf95a06"],
        extra={
            **checked_by(check_text_fields),
            SAID: "names of form fields, separated by commas",
        },
    ),
]

"""The setting `form.text_field`: the fields of saved forms that hold the real text, beside a trap."""

from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from service.http.told import SAID, checked_by
from service.wordpress.names import DECOY, TAKEN_NAMES
from service.wordpress.plugin_fields import explain_plugin_field

# With 32 bytes a name, a thousand pages that have one each; it is read with the site at every request.
MAX_TEXT_FIELDS_CHARS = 33_000
_FIELD_NAME = r"[A-Za-z0-9_.:\[\]-]{1,64}"


# Every submission asks for them, and they are the same for as long as nobody changes the site. The longest
# takes less than 1 MiB.
@lru_cache(maxsize=32)
def parse_text_fields(text: str) -> tuple[str, ...]:
    """Read the names of `form.text_field`; raises ValueError for a name that means something else.

    One that no text can be in is passed over: it may have been set before such names were refused.
    """
    names = _split_names(text)
    if taken := sorted(TAKEN_NAMES.intersection(names)):
        raise ValueError(f"The field {taken[0]} means something else already.")
    if names and {*names} == {DECOY}:
        raise ValueError(
            f"{DECOY} alone is what is read anyway: name the other fields, or nothing."
        )
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
        pattern=rf"^({_FIELD_NAME}( *, *{_FIELD_NAME})*)?(?!\n)$",
        description="Names of form fields that hold the real text, separated by commas.",
        examples=["d7dcf95a06"],
        extra={
            **checked_by(check_text_fields),
            SAID: "names of form fields, separated by commas",
        },
    ),
]

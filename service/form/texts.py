"""What is asked of a comment's text however it comes, beside the event loop where that takes long."""

from collections.abc import Callable
from typing import TypeVar

from service.concurrency.beside import do_beside
from service.errors import FieldRefused
from service.http.fields import REQUIRED
from service.text.markup import render_html, shows_anything
from service.text.normalising import has_visible, normalise_text

# The column sizes of a WordPress database, which the forms out there were made for.
MAX_TEXT_CHARS_CEILING = 65_525
# What is longer takes longer to render, or to check, than other requests should wait for.
MAX_CHARS_AT_ONCE = 4_096

T = TypeVar("T")


def check_length(field: str, value: str, max_chars: int) -> str:
    """Give a normalised value that a reader sees something of and that is no longer; raises FieldRefused."""
    if not has_visible(value):
        raise FieldRefused(f"{field}_required", REQUIRED)
    if len(value) > max_chars:
        detail = f"At most {max_chars:,} characters are taken; this has {len(value):,}."
        raise FieldRefused(f"{field}_too_long", f"{detail} Nothing was cut.")
    return value


def check_text(raw: str, max_chars: int) -> str:
    """Give the text of a comment in its stored form, of which something will be seen; raises FieldRefused."""
    text = check_length("text", normalise_text(raw), max_chars)
    if not shows_anything(text):
        raise FieldRefused("text_required", REQUIRED)
    return text


async def check_apart(check: Callable[[], T], text: object) -> T:
    """Check a text, or what comes with it: beside the event loop where that takes long."""
    is_long = isinstance(text, str) and len(text) > MAX_CHARS_AT_ONCE
    return await do_beside(check) if is_long else check()


async def render_apart(text: str) -> str:
    """Render a text, a long one beside the event loop."""
    return await check_apart(lambda: render_html(text), text)

"""The text of a comment: what is asked of it however it comes, and how a repeat of it is known."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from service.concurrency.beside import do_beside
from service.errors import FieldRefused
from service.http.fields import NOT_STORABLE, REQUIRED, is_storable
from service.http.wire import MAX_ARTICLE_CHARS
from service.privacy.vault import Keyring
from service.text.markup import render_html, shows_anything
from service.text.normalising import has_visible, normalise_text

# What a value may have before anything is done to it, in characters: what takes long takes as long as this.
MAX_RAW_CHARS = {
    "article": MAX_ARTICLE_CHARS,
    "url": 4_096,
    "redirect_to": 4_096,
    "name": 1_024,
    "email": 1_024,
    "text": 131_050,
}
MAX_OTHER_CHARS = 1_024
# What is longer takes longer to render, or to check, than other requests should wait for.
MAX_CHARS_AT_ONCE = 4_096

T = TypeVar("T")


def require_text(field: str, raw: object) -> str:
    """Give the value of a field that has to be there and to be a storable text; raises FieldRefused."""
    if raw is None:
        raise FieldRefused(f"{field}_required", REQUIRED)
    most = MAX_RAW_CHARS.get(field, MAX_OTHER_CHARS)
    if isinstance(raw, str) and len(raw) > most:
        detail = f"At most {most:,} characters are read; this has {len(raw):,}. Nothing was cut."
        raise FieldRefused(f"{field}_too_long", detail)
    if not isinstance(raw, str) or not is_storable(raw):
        raise FieldRefused(f"{field}_invalid", NOT_STORABLE)
    return raw


def cut_raw(field: str, raw: str) -> str:
    """Give as much of a value as is sent back: one character more than is read, so that it stays refused."""
    return raw[: MAX_RAW_CHARS.get(field, MAX_OTHER_CHARS) + 1]


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


def make_fingerprint(
    keyring: Keyring, site_id: UUID, article: str, parent_id: UUID | None, name: str, text: str
) -> bytes:
    """Give what a second comment of the same name and text in the same place would have as well."""
    place = (site_id.bytes, article.encode(), parent_id.bytes if parent_id else b"")
    return keyring.mac("fingerprint", *place, name.encode(), text.encode())

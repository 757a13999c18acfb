"""Free texts of moderators, brought into the form in which they are judged and stored, which is a reader's.

Of what nobody could see nothing is left, so that it is told as missing.
"""

import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import Meta

from service.http.told import find_bound, find_extra, is_storable, is_struct, unwrap
from service.http.wire import SEEN
from service.text.normalising import has_visible, normalise_line, normalise_remark

# The member of `Meta.extra` under which the type of a free text says so.
FREE_TEXT = "free_text"


class FreeText(msgspec.Struct, frozen=True):
    """How a free text is normalised, and how long one may be before that is done to it."""

    normalise: Callable[[str], str]
    max_raw_chars: int


# The bound of a reader's name, in the contract.
_LINE = FreeText(normalise_line, 1_024)


def one_line(max_chars: int) -> Meta:
    """Describe a free text of one line, of at most so many characters when it is normalised."""
    return _describe(max_chars, _LINE)


def one_line_or_none(max_chars: int) -> Meta:
    """Describe the same where it may be empty, which says that there is none."""
    return Meta(max_length=max_chars, extra={FREE_TEXT: _LINE})


def some_lines(max_chars: int) -> Meta:
    """Describe a free text of several lines, of at most so many characters when it is normalised."""
    return _describe(max_chars, FreeText(normalise_remark, 2 * max_chars))


def _describe(max_chars: int, kind: FreeText) -> Meta:
    return Meta(min_length=1, max_length=max_chars, extra={FREE_TEXT: kind}, extra_json_schema=SEEN)


def _tidy_text(raw: object, kind: FreeText) -> object:
    """Give a free text in its stored form; what is none, or too long to be looked at, as it is."""
    if not isinstance(raw, str) or len(raw) > kind.max_raw_chars or not is_storable(raw):
        return raw
    text = kind.normalise(raw)
    return text if has_visible(text) else ""


def tidy_texts(raw: Any, kind: Any) -> Any:
    """Give a decoded value with every free text of its kind in its stored form."""
    plain, metas = unwrap(kind)
    if free_text := find_extra(metas, FREE_TEXT):
        return _tidy_text(raw, free_text)
    if is_struct(plain) and isinstance(raw, Mapping):
        named = {name: inner for name, inner in _members(plain) if name in raw}
        return {**raw, **{name: tidy_texts(raw[name], inner) for name, inner in named.items()}}
    # One that is refused for its length has nothing done to what is in it.
    most = find_bound(metas, "max_length")
    if typing.get_origin(plain) is list and isinstance(raw, list) and len(raw) <= (most or len(raw)):
        return [tidy_texts(item, typing.get_args(plain)[0]) for item in raw]
    return raw


@cache
def _members(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """Give the members of a Struct in which there is a free text somewhere, each with its type."""
    return tuple(
        (member.encode_name, member.type)
        for member in msgspec.structs.fields(kind)
        if _holds_free_text(member.type)
    )


def _holds_free_text(kind: Any) -> bool:
    plain, metas = unwrap(kind)
    if find_extra(metas, FREE_TEXT):
        return True
    if is_struct(plain):
        return bool(_members(plain))
    return typing.get_origin(plain) is list and _holds_free_text(typing.get_args(plain)[0])

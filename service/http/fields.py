"""From plain values to commands: every invalid field is found and named at once."""

import re
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, replace

from service.errors import FieldError, FieldRefused, Invalid
from service.http.faults import Faults
from service.http.tidy import tidy_texts
from service.http.told import (
    CHECK,
    FIND,
    NOT_STORABLE,
    VERBATIM,
    describe_kind,
    find_bound,
    find_extra,
    is_storable,
    is_struct,
    unwrap,
)
from service.text.normalising import has_visible

S = TypeVar("S", bound=msgspec.Struct)

_INTEGER = re.compile("-?[0-9]+")
# By class, since every request asks for them, and making them takes a tenth of a millisecond.
_members = cache(msgspec.structs.fields)

REQUIRED = "This field is required."
NOT_AN_OBJECT = FieldError(code="body_invalid", detail="This has to be a JSON object.", pointer="#")
# No name that is known is longer, and no longer one is sent back.
MAX_TOLD_CHARS = 80


def convert_fields(
    raw: object,
    kind: type[S],
    *,
    lax: bool = False,
    in_query: bool = False,
    faults: Faults | None = None,
) -> S:
    """Read a decoded JSON value as a command, with its free texts in their stored form.

    `lax` lets texts stand for numbers and switches.
    What is missing or wrong is raised as Invalid; or it goes to `faults`, and is None in the command, which
    nobody sees after the block of those.
    """
    raw = tidy_texts(raw, kind)
    errors = find_errors(raw, kind, "#", lax=lax)
    if errors:
        told = as_parameters(errors) if in_query else errors
        if faults is None:
            raise Invalid(errors=told)
        faults.add(told)
    wrong = {(error.pointer or "").split("/")[1] for error in errors if error.pointer != "#"}
    given = raw if isinstance(raw, Mapping) else {}
    values: dict[str, Any] = {}
    # One by one, since the name of another may be one that nothing can encode.
    for member in _members(kind):
        name = member.encode_name
        if name in given and _escape(name) not in wrong:
            values[member.name] = msgspec.convert(given[name], member.type, strict=not lax)
        elif name in given or _is_required(member):
            values[member.name] = None
    return kind(**values)


def find_errors(
    raw: object, kind: Any, pointer: str, *, lax: bool = False, is_required: bool = False
) -> list[FieldError]:
    """List what is wrong with a value, members in the order of the command's fields."""
    plain, metas = unwrap(kind)
    if find := find_extra(metas, FIND):
        found: list[FieldError] = find(raw, pointer)
        return found
    if is_struct(plain):
        return list(_find_in_members(raw, plain, pointer, lax))
    errors = _find_in_size(raw, metas, pointer, is_required)
    errors = errors or list(_find_in_items(raw, plain, pointer, lax))
    return errors or _find_in_value(raw, kind, pointer, lax)


def _find_in_items(raw: object, plain: Any, pointer: str, lax: bool) -> Iterator[FieldError]:
    """Tell what is wrong in a list, or in an object of items of one type: with its names, and with those."""
    origin, kinds = typing.get_origin(plain), typing.get_args(plain)
    if origin is list and isinstance(raw, list):
        for place, item in enumerate(raw):
            yield from find_errors(item, kinds[0], f"{pointer}/{place}", lax=lax)
    elif origin is dict and isinstance(raw, Mapping):
        for name, item in raw.items():
            place_of_name = point_to(pointer, name)
            yield from find_errors(name, kinds[0], place_of_name)
            yield from find_errors(item, kinds[1], place_of_name, lax=lax)


def point_to(pointer: str, name: str) -> str:
    """Give the pointer of a member that a client named; of a name not to be repeated, its parent's."""
    return f"{pointer}/{_escape(name)}" if len(name) <= MAX_TOLD_CHARS and is_storable(name) else pointer


def _find_in_members(
    raw: object, kind: type[msgspec.Struct], pointer: str, lax: bool
) -> Iterator[FieldError]:
    if not isinstance(raw, Mapping):
        yield _wrong(pointer, "invalid", NOT_AN_OBJECT.detail)
        return
    for member in _members(kind):
        place = f"{pointer}/{_escape(member.encode_name)}"
        must_be = _is_required(member)
        if member.encode_name in raw:
            value = raw[member.encode_name]
            yield from find_errors(value, member.type, place, lax=lax, is_required=must_be)
        elif must_be:
            yield _wrong(place, "required", REQUIRED)


def _is_required(member: FieldInfo) -> bool:
    return member.default is msgspec.NODEFAULT and member.default_factory is msgspec.NODEFAULT


def _find_in_size(raw: object, metas: list[Meta], pointer: str, is_required: bool) -> list[FieldError]:
    """Tell what is too long before anything is done with it, and what is there and yet says nothing."""
    if not isinstance(raw, str | list | dict):
        return []
    most = find_bound(metas, "max_length")
    if most is not None and len(raw) > most:
        unit = "characters" if isinstance(raw, str) else "items"
        detail = f"At most {most:,} {unit} are taken; this has {len(raw):,}."
        return [_wrong(pointer, "too_long", detail)]
    if is_required and _says_nothing(raw, metas):
        return [_wrong(pointer, "required", REQUIRED)]
    if isinstance(raw, str) and find_bound(metas, "min_length") and _is_blank(raw, metas):
        return [_wrong(pointer, "invalid", "This says nothing: fill it in, or leave it out.")]
    return []


def _says_nothing(raw: str | list[object] | dict[str, object], metas: list[Meta]) -> bool:
    if isinstance(raw, str):
        return _is_blank(raw, metas)
    return all(isinstance(item, str) and _is_blank(item, []) for item in raw)


def _is_blank(text: str, metas: list[Meta]) -> bool:
    return not text if find_extra(metas, VERBATIM) else is_storable(text) and not has_visible(text)


def _find_in_value(raw: object, kind: Any, pointer: str, lax: bool) -> list[FieldError]:
    plain, metas = unwrap(kind)
    not_storable = [_wrong(pointer, "invalid", NOT_STORABLE)]
    if isinstance(raw, str) and not is_storable(raw):
        return not_storable
    try:
        msgspec.convert(raw, kind, strict=not lax)
        # A text may stand for a number that is written as one, and msgspec takes `1e1` too.
        is_right = not isinstance(raw, str) or plain is not int or bool(_INTEGER.fullmatch(raw))
    except UnicodeEncodeError:
        # So msgspec says of a lone surrogate where it looks for a number, or for the name of a member.
        return not_storable
    except msgspec.ValidationError:
        is_right = False
    if not is_right:
        return [_wrong(pointer, "invalid", f"This has to be {describe_kind(kind)}.")]
    # Not before: of the wrong kind it may be a megabyte of lists.
    if not _holds_storable(raw):
        return not_storable
    check = find_extra(metas, CHECK)
    try:
        # What may be absent may be null.
        if check and raw is not None:
            check(raw)
    except FieldRefused as refusal:
        return [refusal.as_error(pointer=pointer)]
    return []


def _holds_storable(raw: object) -> bool:
    """Tell whether every text in a value, names of members included, can be stored."""
    if isinstance(raw, str):
        return is_storable(raw)
    if isinstance(raw, Mapping):
        return all(_holds_storable(part) for pair in raw.items() for part in pair)
    return not isinstance(raw, list) or all(_holds_storable(item) for item in raw)


def _escape(name: str) -> str:
    """Escape a member's name for a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _wrong(pointer: str, code: str, detail: str) -> FieldError:
    names = [part for part in pointer.split("/")[1:] if not part.isdigit()]
    return FieldError(code=f"{names[-1] if names else 'body'}_{code}", detail=detail, pointer=pointer)


def as_parameters(errors: list[FieldError]) -> list[FieldError]:
    """Turn errors of members into errors of the query's parameters."""
    return [replace(error, pointer=None, parameter=(error.pointer or "#/").split("/")[1]) for error in errors]

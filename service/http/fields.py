"""From plain values to commands: every invalid field is found and named at once."""

import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import FieldInfo, fields

from service.errors import FieldError, Invalid
from service.http.wire import LINE

S = TypeVar("S", bound=msgspec.Struct)

# NUL passes SQLite and breaks PostgreSQL; a lone surrogate cannot be encoded at all.
# What msgspec says of a pattern is for programmers.
_SAID = {f"Expected `str` matching regex {LINE!r}": "Expected one line, without control characters"}
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")

NOT_AN_OBJECT = FieldError(code="body_invalid", detail="This has to be a JSON object.", pointer="#")


def is_storable(value: str) -> bool:
    """Tell whether a text holds neither NUL nor a lone surrogate."""
    return _FORBIDDEN.search(value) is None


def convert_fields(raw: object, kind: type[S], *, lax: bool = False) -> S:
    """Read a decoded JSON value as a command. `lax` lets texts stand for numbers and switches.

    Raises Invalid, with one error for each field that is missing or wrong.
    """
    errors = find_errors(raw, kind, "#", lax=lax)
    if errors:
        raise Invalid(errors=errors)
    return msgspec.convert(raw, kind, strict=not lax)


def find_errors(raw: object, kind: Any, pointer: str, *, lax: bool = False) -> list[FieldError]:
    """List what is wrong with a value, members in the order of the command's fields."""
    kind, constraints = _unwrap(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _find_in_members(raw, kind, pointer, lax)
    if typing.get_origin(kind) is list and isinstance(raw, list):
        if _is_too_long(raw, constraints):
            return _find_in_value(raw, constraints, pointer, lax)
        found = [
            error
            for place, item in enumerate(raw)
            for error in find_errors(item, typing.get_args(kind)[0], f"{pointer}/{place}", lax=lax)
        ]
        if found:
            return found
    return _find_in_value(raw, constraints, pointer, lax)


def _is_too_long(raw: list[object], constraints: Any) -> bool:
    """Tell whether a list has more items than it may, before any of them is looked at."""
    choices = typing.get_args(constraints) if _is_union(constraints) else (constraints,)
    found = [meta for choice in choices for meta in getattr(choice, "__metadata__", ())]
    limits = [meta.max_length for meta in found if isinstance(meta, msgspec.Meta)]
    return any(limit is not None and len(raw) > limit for limit in limits)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in {typing.Union, types.UnionType}


def _unwrap(kind: Any) -> tuple[Any, Any]:
    """Give the plain type below constraints and `| None`, and the type with its constraints."""
    whole = kind
    if _is_union(kind):
        choices = [
            choice
            for choice in typing.get_args(kind)
            if choice not in {type(None), msgspec.UnsetType}
        ]
        kind = choices[0] if len(choices) == 1 else kind
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind, whole


def _find_in_members(
    raw: object, kind: type[msgspec.Struct], pointer: str, lax: bool
) -> list[FieldError]:
    if not isinstance(raw, Mapping):
        return [
            NOT_AN_OBJECT if pointer == "#" else _wrong(pointer, "invalid", NOT_AN_OBJECT.detail)
        ]
    errors: list[FieldError] = []
    for member in fields(kind):
        place = f"{pointer}/{_escape(member.encode_name)}"
        value = raw.get(member.encode_name, msgspec.UNSET)
        found = [] if value is msgspec.UNSET else find_errors(value, member.type, place, lax=lax)
        # An empty text that will not do is one that is missing.
        if (value is msgspec.UNSET or (found and value == "")) and _is_required(member):
            found = [_wrong(place, "required", "This field is required.")]
        errors += found
    return errors


def _is_required(member: FieldInfo) -> bool:
    return member.default is msgspec.NODEFAULT and member.default_factory is msgspec.NODEFAULT


def _find_in_value(raw: object, kind: Any, pointer: str, lax: bool) -> list[FieldError]:
    try:
        msgspec.convert(raw, kind, strict=not lax)
    except msgspec.ValidationError as error:
        too_long = "length <=" in str(error)
        return [_wrong(pointer, "too_long" if too_long else "invalid", f"{_plain(str(error))}.")]
    # Not before: of the wrong kind it may be a megabyte of lists.
    if not _holds_storable(raw):
        return [_wrong(pointer, "invalid", "NUL and lone surrogates cannot be stored.")]
    return []


def _holds_storable(raw: object) -> bool:
    """Tell whether every text in a value, names of members included, can be stored."""
    if isinstance(raw, str):
        return is_storable(raw)
    if isinstance(raw, Mapping):
        return all(_holds_storable(part) for pair in raw.items() for part in pair)
    return not isinstance(raw, list) or all(_holds_storable(item) for item in raw)


def _plain(message: str) -> str:
    """Take the path out of a message of msgspec, since the pointer already says it."""
    plain = re.sub(r" - at `[^`]*`$", "", message)
    return _SAID.get(plain, plain)


def _escape(name: str) -> str:
    """Escape a member's name for a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _wrong(pointer: str, code: str, detail: str) -> FieldError:
    names = [part for part in pointer.split("/")[1:] if not part.isdigit()]
    return FieldError(
        code=f"{names[-1] if names else 'body'}_{code}", detail=detail, pointer=pointer
    )


def as_parameters(errors: list[FieldError]) -> list[FieldError]:
    """Turn errors of members into errors of the query's parameters."""
    return [
        FieldError(
            code=error.code,
            detail=error.detail,
            parameter=(error.pointer or "#/").split("/")[1],
            suggestion=error.suggestion,
        )
        for error in errors
    ]

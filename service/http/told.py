"""What a value has to be, told to people: from its type, and never in the words of a validator."""

import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeGuard

import msgspec
from msgspec import Meta

from service.errors import FieldRefused

# What a type tells of itself in the `extra` of its Meta, beside what msgspec checks of it.
SAID = "said"
"""What a value has to be, where the schema has a pattern: it follows `This has to be `."""
CHECK = "check"
"""What no schema can say: called with a value that fits the schema, it raises FieldRefused."""
FIND = "find"
"""Takes the whole finding over: called with any value and its pointer, it lists the errors."""
VERBATIM = "verbatim"
"""Of a text whose blanks count as well."""

NOT_STORABLE = "This has to be text: in UTF-8, and without the character NUL."
# NUL passes SQLite and breaks PostgreSQL; a lone surrogate cannot be encoded at all.
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_PLAIN: dict[Any, str] = {
    str: "text",
    bool: "`true` or `false`",
    list: "a list",
    dict: "a JSON object",
}


def is_storable(value: str) -> bool:
    """Tell whether a text holds neither NUL nor a lone surrogate."""
    return _FORBIDDEN.search(value) is None


def unwrap(kind: Any) -> tuple[Any, list[Meta]]:
    """Give the plain type below constraints and `| None`, and the constraints."""
    if typing.get_origin(kind) is typing.Annotated:
        plain, found = unwrap(typing.get_args(kind)[0])
        return plain, [*found, *(one for one in kind.__metadata__ if isinstance(one, Meta))]
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        absent = {type(None), msgspec.UnsetType}
        choices = [one for one in typing.get_args(kind) if one not in absent]
        return unwrap(choices[0]) if len(choices) == 1 else (kind, [])
    return kind, []


def is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    """Tell whether something is a Struct class."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def find_extra(metas: list[Meta], name: str) -> Any:
    """Give what a type tells of itself under a name; None where it does not."""
    return next((one.extra[name] for one in metas if one.extra and name in one.extra), None)


def find_bound(metas: list[Meta], name: str) -> Any:
    """Give a bound of a type, such as `max_length`; None where it has none."""
    return next((found for one in metas if (found := getattr(one, name)) is not None), None)


def checked_by(parse: Callable[[str], object]) -> dict[str, object]:
    """Have a setting checked by what reads it, whose ValueError says what would do."""

    def check(text: str) -> None:
        try:
            parse(text)
        except ValueError as error:
            raise FieldRefused("settings_invalid", str(error)) from None

    return {CHECK: check}


def describe_kind(kind: Any) -> str:
    """Say what a value has to be: `a whole number from 1 to 200`."""
    plain, metas = unwrap(kind)
    origin = typing.get_origin(plain) or plain
    if said := find_extra(metas, SAID):
        return str(said)
    if origin is Literal:
        return _list_choices(typing.get_args(plain))
    if origin is int:
        return " ".join(["a whole number", *_bounds(metas, "ge", "le")])
    if origin is str and (find_bound(metas, "min_length") or 0) > 1:
        return " ".join(["text", *_bounds(metas, "min_length", "max_length"), "characters long"])
    if origin is list:
        return " ".join(["a list", *_bounds(metas, "min_length", "max_length")])
    if is_struct(origin):
        return _PLAIN[dict]
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(describe_kind(one) for one in typing.get_args(plain))
    return _PLAIN[origin]


def _list_choices(choices: tuple[object, ...]) -> str:
    *first, last = (f"`{one}`" for one in choices)
    return f"{', '.join(first)} or {last}" if first else last


def _bounds(metas: list[Meta], lowest: str, highest: str) -> Iterator[str]:
    least, most = find_bound(metas, lowest), find_bound(metas, highest)
    if least is not None and most is not None:
        yield f"from {least:,} to {most:,}"
    elif least is not None:
        yield f"of at least {least:,}"
    elif most is not None:
        yield f"of at most {most:,}"

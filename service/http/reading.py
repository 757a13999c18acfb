"""Reading requests: bodies in three media types, and the query. Bounded before anything is parsed."""

import json
import re
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from service.concurrency.beside import do_beside
from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    FieldError,
    Invalid,
    MediaTypeNotSupported,
)
from service.http.faults import Faults
from service.http.fields import NOT_AN_OBJECT, convert_fields
from service.http.forms import FORMS, MULTIPART, URLENCODED, decode_form, media_type_of

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
AppRequest = Request[Any, Any, State]

MAX_BODY_BYTES = 1_048_576
# Decoding so much takes a few milliseconds at worst.
MAX_BODY_BYTES_AT_ONCE = 65_536
MAX_DEPTH = 16
# What we read has some hundreds at most. Each costs a hundred times its bytes, and all others wait meanwhile.
MAX_CONTAINERS = 10_000
MAX_KEY_CHARS = 255
# From then on an Idempotency-Key is as good as new.
KEEP_KEYS = timedelta(hours=24)

REPLAYED = {"Idempotency-Replayed": "true"}

JSON = "application/json"


def media_type(request: AppRequest) -> str:
    """Give the media type of the body without its parameters, in lower case."""
    return media_type_of(request.headers.get("content-type", ""))


def read_origin(request: AppRequest) -> str | None:
    """Read the Origin; several, which no browser sends, are together one that is nobody's."""
    sent = request.headers.getall("origin", [])
    return ", ".join(sent) if sent else None


async def read_command(request: AppRequest, kind: type[S], faults: Faults | None = None) -> S:
    """Read a JSON body as a command; an empty body counts as an empty object.

    Raises MediaTypeNotSupported, BodyNotReadable, or Invalid where there are no `faults` to gather that.
    """
    body = await read_body(request)
    if body and media_type(request) != JSON:
        raise MediaTypeNotSupported("Send the body as application/json.")

    def read(raw: bytes) -> S:
        return convert_fields(decode_json(raw) if raw else {}, kind, faults=faults)

    return await decode_apart(body, read)


async def read_fields(
    request: AppRequest,
    media: tuple[str, ...] = (JSON, *FORMS),
    *,
    keep_empty: Collection[str] = (),
    takes_windows_1252: bool = False,
) -> dict[str, Any]:
    """Read a body of one of the media types, by default of any of the three, as its members.

    Of a form each value is a text, the first of repeats counts, and an empty one counts as absent unless its
    name is in `keep_empty`. `takes_windows_1252` lets a form be in that where it is not UTF-8.
    """
    kind = media_type(request)
    if kind not in media:
        raise MediaTypeNotSupported(f"Send the body as {' or '.join(media)}.")
    body = await read_body(request)
    if kind == JSON:
        decoded = await decode_apart(body, decode_json)
        if not isinstance(decoded, dict):
            raise Invalid(errors=[NOT_AN_OBJECT])
        return decoded
    read = partial(decode_form, request.headers["content-type"])
    pairs = await decode_apart(body, partial(read, takes_windows_1252=takes_windows_1252))
    # Read backwards, so that the first of several repeats is the one that stays.
    return {name: value for name, value in reversed(pairs) if value.strip() or name in keep_empty}


async def read_body(request: AppRequest) -> bytes:
    """Read a whole body, once; raises BodyTooLarge or BodyNotReadable."""
    try:
        return await request.body()
    except RequestEntityTooLarge:
        raise BodyTooLarge from None
    except InternalServerException:
        # The framework's word for a client that has gone: no fault of ours, and nobody reads the answer.
        raise BodyNotReadable("The body ended too early.") from None


async def decode_apart(body: bytes, decode: Callable[[bytes], T]) -> T:
    """Decode a body; a large one beside the event loop, which it would hold for too long."""
    if len(body) <= MAX_BODY_BYTES_AT_ONCE:
        return decode(body)
    return await do_beside(decode, body)


async def read_form(request: AppRequest, kind: type[S]) -> S:
    """Read an HTML form of our own pages as a command."""
    if media_type(request) not in FORMS:
        raise MediaTypeNotSupported(f"Send the form as {URLENCODED} or {MULTIPART}.")
    return convert_fields(await read_fields(request), kind, lax=True)


def read_query(
    request: AppRequest,
    kind: type[S],
    faults: Faults | None = None,
    *,
    lists: tuple[str, ...] = (),
) -> S:
    """Read the query as a command; the first of repeats counts but for the names in `lists`.

    Errors name parameters. Raises Invalid where there are no `faults` to gather them.
    """
    values = query_values(request, lists)
    return convert_fields(values, kind, lax=True, in_query=True, faults=faults)


def query_values(request: AppRequest, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give the parameters of the query as they were sent, each by its name."""
    pairs = parse_qsl(
        request.scope["query_string"].decode("latin-1"),
        keep_blank_values=True,
        # Bad UTF-8 becomes lone surrogates, which no parameter may hold.
        errors="surrogateescape",
    )
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            values.setdefault(name, []).append(value)
        else:
            values.setdefault(name, value)
    return values


def read_idempotency_key(request: AppRequest, faults: Faults) -> str | None:
    """Read the Idempotency-Key; `faults` gather that it is empty or too long."""
    key = request.headers.get("idempotency-key")
    faults.add(check_idempotency_key(key))
    return key


def check_idempotency_key(key: str | None) -> list[FieldError]:
    """List what is wrong with an Idempotency-Key, if one was sent."""
    if key is None or 1 <= len(key) <= MAX_KEY_CHARS:
        return []
    detail = f"An Idempotency-Key has 1 to {MAX_KEY_CHARS} characters."
    code = "idempotency_key_too_long" if key else "idempotency_key_invalid"
    return [FieldError(code, detail, parameter="Idempotency-Key")]


def decode_json(body: bytes) -> object:
    """Decode JSON that is UTF-8, nested at most 16 deep and not made of very many parts.

    Raises BodyNotReadable. Lone surrogates pass, because it is a field that holds them: the caller names it.
    """
    if _has_many_containers(body):
        raise BodyNotReadable(f"The body has more than {MAX_CONTAINERS:,} arrays and objects.")
    try:
        decoded = _decode_leniently(body)
    except UnicodeDecodeError:
        raise BodyNotReadable("The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise BodyNotReadable("The body is not JSON.") from None
    if _depth(decoded) > MAX_DEPTH:
        raise BodyNotReadable(f"The body is nested deeper than {MAX_DEPTH}.")
    return decoded


def _decode_leniently(body: bytes) -> object:
    text = body.decode("utf-8")
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        # msgspec refuses escaped lone surrogates, which the standard library reads.
        return json.loads(text, parse_float=_read_number, parse_constant=_refuse_constant)


def _read_number(text: str) -> int | float:
    """Read 5.0 as the integer that it is (JSON Schema 2020-12, section 6.1.1)."""
    number = float(text)
    return int(number) if number.is_integer() else number


_DECODER = msgspec.json.Decoder(float_hook=_read_number)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


_MARKS = re.compile(rb'\\.|["\[{]', re.DOTALL)


def _has_many_containers(body: bytes) -> bool:
    """Tell whether JSON begins too many arrays and objects, without building any."""
    if body.count(b"[") + body.count(b"{") <= MAX_CONTAINERS:
        return False
    found, is_text = 0, False
    for mark in _MARKS.finditer(body):
        if mark[0] == b'"':
            is_text = not is_text
        elif not is_text and len(mark[0]) == 1:
            found += 1
    return found > MAX_CONTAINERS


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
        if depth > MAX_DEPTH:
            break
    return depth

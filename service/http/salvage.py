"""What was typed into a form that is refused, as far as it can be made out: for the page that says so."""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import suppress

import multipart
from litestar.exceptions import HTTPException

from service.errors import ServiceError
from service.http.forms import (
    MAX_FORM_FIELDS,
    MULTIPART,
    URLENCODED,
    Pairs,
    RawPairs,
    decode_windows_1252,
    find_parts,
    read_urlencoded,
)
from service.http.reading import (
    JSON,
    MAX_BODY_BYTES,
    AppRequest,
    decode_apart,
    decode_json,
    media_type,
)

_UTF_8 = getincrementaldecoder("utf-8")
_HALF_A_BYTE = re.compile(b"%[0-9A-Fa-f]?$")


async def salvage_fields(request: AppRequest, *, takes_windows_1252: bool = False) -> dict[str, str]:
    """Give the texts in a body, whether or not the body could be taken; of one too long, its beginning.

    What is not UTF-8 is Windows-1252 where that is taken, and else has marks for what cannot be read.
    """
    body, is_cut = await _read_beginning(request)

    def read(body: bytes) -> Pairs:
        if media_type(request) == JSON:
            return _from_json(body)
        raw = list(_find_pairs(request, body))
        if takes_windows_1252 and not _is_utf_8(raw, is_cut):
            return decode_windows_1252(raw)
        return [(one.decode("utf-8", "replace"), other.decode("utf-8", "replace")) for one, other in raw]

    # A lone surrogate cannot be sent back; read backwards, the first of repeats is the one that stays.
    return {
        name: value.encode("utf-8", "replace").decode()
        for name, value in reversed(await decode_apart(body, read))
        if value.strip()
    }


async def _read_beginning(request: AppRequest) -> tuple[bytes, bool]:
    """Give what there is of a body, and whether there was more."""
    try:
        return await request.body(), False
    except HTTPException:
        # Announced as too long, so nothing of it was read; or its sender has gone.
        return (await _read_up_to(request, MAX_BODY_BYTES) if request.is_connected else b""), True


async def _read_up_to(request: AppRequest, most_bytes: int) -> bytes:
    body = b""
    while len(body) < most_bytes:
        event = await request.receive()
        if event["type"] != "http.request":
            break
        body += event["body"]
        if not event.get("more_body", False):
            break
    return body[:most_bytes]


def _is_utf_8(raw: RawPairs, is_cut: bool) -> bool:
    # A line feed is part of no other character. What was cut may end within one.
    whole = b"\n".join(part for pair in raw for part in pair)
    try:
        _UTF_8().decode(whole, final=not is_cut)
    except UnicodeDecodeError:
        return False
    return True


def _from_json(body: bytes) -> Pairs:
    try:
        decoded = decode_json(body)
    except ServiceError:
        return []
    members = decoded.items() if isinstance(decoded, dict) else ()
    return [(name, value) for name, value in members if isinstance(value, str)]


def _find_pairs(request: AppRequest, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the fields of a form; what comes before a fault is what there is."""
    if media_type(request) == URLENCODED:
        # The last byte may be there by half.
        fields = _HALF_A_BYTE.sub(b"", body).split(b"&", MAX_FORM_FIELDS)[:MAX_FORM_FIELDS]
        yield from read_urlencoded(b"&".join(fields))
    elif media_type(request) == MULTIPART:
        with suppress(multipart.MultipartError, ServiceError, ValueError):
            yield from find_parts(request.headers["content-type"], body)

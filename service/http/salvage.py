"""What was typed into a form that is refused, as far as it can be made out: for the page that says so."""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl

import multipart
from litestar.exceptions import HTTPException

from service.errors import ServiceError
from service.http.forms import (
    MAX_FORM_FIELDS,
    MULTIPART,
    URLENCODED,
    Pairs,
    as_windows_1252,
    find_parts,
)
from service.http.reading import (
    JSON,
    MAX_BODY_BYTES,
    AppRequest,
    decode_apart,
    decode_json,
    media_type,
)

RawPairs = list[tuple[bytes, bytes]]
_UTF_8 = getincrementaldecoder("utf-8")
_HALF_A_BYTE = re.compile("%[0-9A-Fa-f]?$")


async def salvage_fields(
    request: AppRequest, *, takes_windows_1252: bool = False
) -> dict[str, str]:
    """Give the texts in a body, whether or not the body could be taken; of one too long, its beginning.

    What is not UTF-8 is Windows-1252 where that is taken, and else has marks for what cannot be read.
    """
    body, is_cut = await _read_beginning(request)
    content_type = request.headers.get("content-type", "")
    decode = partial(_decode, takes_windows_1252=takes_windows_1252, is_cut=is_cut)
    readers: dict[str, Callable[[bytes], Pairs]] = {
        JSON: _from_json,
        URLENCODED: lambda raw: decode(_from_urlencoded(raw)),
        MULTIPART: lambda raw: decode(_from_multipart(content_type, raw)),
    }
    read = readers.get(media_type(request))
    pairs = await decode_apart(body, read) if read else []
    # A lone surrogate cannot be sent back; read backwards, the first of repeats is the one that stays.
    return {
        name: value.encode("utf-8", "replace").decode()
        for name, value in reversed(pairs)
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


def _decode(raw: RawPairs, *, takes_windows_1252: bool, is_cut: bool) -> Pairs:
    if takes_windows_1252 and not _is_utf_8(raw, is_cut):
        return [
            (as_windows_1252(name.decode("latin-1")), as_windows_1252(value.decode("latin-1")))
            for name, value in raw
        ]
    return [
        (name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in raw
    ]


def _is_utf_8(raw: RawPairs, is_cut: bool) -> bool:
    parts = [part for pair in raw for part in pair]
    try:
        for place, part in enumerate(parts, start=1):
            # What was cut may end within a character.
            _UTF_8().decode(part, final=place < len(parts) or not is_cut)
    except UnicodeDecodeError:
        return False
    return True


def _from_urlencoded(body: bytes) -> RawPairs:
    # Every byte is a character of Latin-1: what they all are in is seen later. The last may be there by half.
    text = _HALF_A_BYTE.sub("", body.decode("latin-1"))
    fields = text.split("&", MAX_FORM_FIELDS)[:MAX_FORM_FIELDS]
    pairs = parse_qsl("&".join(fields), encoding="latin-1")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def _from_json(body: bytes) -> Pairs:
    try:
        decoded = decode_json(body)
    except ServiceError:
        return []
    members = decoded.items() if isinstance(decoded, dict) else ()
    return [(name, value) for name, value in members if isinstance(value, str)]


def _from_multipart(content_type: str, body: bytes) -> RawPairs:
    _, options = multipart.parse_options_header(content_type)
    pairs: RawPairs = []
    try:
        for pair in find_parts(body, options.get("boundary", "")):
            pairs.append(pair)
    except (multipart.MultipartError, ValueError):
        # What came before the fault is what there is.
        pass
    return pairs

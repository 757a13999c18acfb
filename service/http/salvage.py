"""What was typed into a form that is refused, as far as it can be made out: for the page that says so."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from urllib.parse import parse_qsl

import multipart
from litestar.exceptions import HTTPException

from service.errors import ServiceError
from service.http.reading import (
    JSON,
    MAX_BODY_BYTES,
    MAX_FORM_FIELDS,
    MULTIPART,
    URLENCODED,
    AppRequest,
    decode_apart,
    decode_json,
    media_type,
)

Pairs = list[tuple[str, str]]


async def salvage_fields(request: AppRequest) -> dict[str, str]:
    """Give the texts in a body, whether or not the body could be taken; of one too long, its beginning."""
    body = await _read_beginning(request)
    readers: dict[str, Callable[[bytes], Pairs]] = {
        JSON: _from_json,
        URLENCODED: _from_urlencoded,
        MULTIPART: partial(_from_multipart, request.headers.get("content-type", "")),
    }
    read = readers.get(media_type(request))
    pairs = await decode_apart(body, read) if read else []
    # A lone surrogate cannot be sent back; read backwards, the first of repeats is the one that stays.
    return {
        name: value.encode("utf-8", "replace").decode()
        for name, value in reversed(pairs)
        if value.strip()
    }


async def _read_beginning(request: AppRequest) -> bytes:
    try:
        return await request.body()
    except HTTPException:
        # Announced as too long, so nothing of it was read; or its sender has gone.
        return await _read_up_to(request, MAX_BODY_BYTES) if request.is_connected else b""


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


def _from_urlencoded(body: bytes) -> Pairs:
    fields = body.decode("utf-8", "replace").split("&", MAX_FORM_FIELDS)[:MAX_FORM_FIELDS]
    return parse_qsl("&".join(fields), errors="replace")


def _from_json(body: bytes) -> Pairs:
    try:
        decoded = decode_json(body)
    except ServiceError:
        return []
    members = decoded.items() if isinstance(decoded, dict) else ()
    return [(name, value) for name, value in members if isinstance(value, str)]


def _from_multipart(content_type: str, body: bytes) -> Pairs:
    _, options = multipart.parse_options_header(content_type)
    pairs: Pairs = []
    try:
        parser = multipart.MultipartParser(
            BytesIO(body),
            options.get("boundary", ""),
            spool_limit=MAX_BODY_BYTES,
            memory_limit=MAX_BODY_BYTES,
            part_limit=MAX_FORM_FIELDS,
        )
        for part in parser:
            if part.filename is None:
                pairs.append((part.name, part.raw.decode("utf-8", "replace")))
    except (multipart.MultipartError, ValueError):
        # What came before the fault is what there is.
        pass
    return pairs

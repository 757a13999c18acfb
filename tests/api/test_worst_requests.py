"""Whatever anybody sends to whatever route, the others hardly wait for it.

What is measured is the time that the event loop's thread spends at one go, so that a busy machine does not
count, beside what the longest submission that is legal takes in the same run.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from service.http.forms import FORMS, MULTIPART
from service.http.reading import JSON, MAX_BODY_BYTES
from service.server.reading import MAX_REQUEST_LINE_BYTES
from service.text.markup import render_html
from tests.cast import House

# Of what the longest legal submission takes; several times what was seen.
FACTOR = 2
MANY = MAX_BODY_BYTES
# Each is cut to the length that there is room for.
WORST = {
    "blanks": " " * MANY,
    "blanks of Unicode": "\u00a0" * MANY,
    "combining marks": "a" + "\u0301\u0316" * (MANY // 4),
    "joiners": "\u200d" * (MANY // 3),
    "overrides": "\u202e" * (MANY // 3),
    "parts of syllables": "\u1100\u1161\u11a8" * (MANY // 9),
    "families": "\U0001f468\u200d" * (MANY // 7),
    "ligatures that fall apart": "\ufdfa" * (MANY // 3),
    "tracking": "/x?" + "&utm_a" * (MANY // 6),
    "triplets": "%E9" * (MANY // 3),
    "schemes": "://" * (MANY // 3),
    "elements": "<b>" * (MANY // 3),
    "entities": "&amp;" * (MANY // 5),
    "marks": "*_`[(" * (MANY // 5),
    "quotations": "> " * (MANY // 2),
    "addresses": "http://a.b/ " * (MANY // 12),
    "at signs": "@" * MANY,
    "digits": "9" * MANY,
    "quotes": "\"'\\" * (MANY // 3),
}
SOME = ("blanks of Unicode", "combining marks", "triplets", "elements")
Sent = tuple[str, str, dict[str, Any]]


class Watch:
    """The longest time that the event loop's thread worked at one go."""

    def __init__(self) -> None:
        self.worst_seconds = 0.0

    async def look(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.worst_seconds = max(self.worst_seconds, now - before)
            before = now


@asynccontextmanager
async def watched() -> AsyncIterator[Watch]:
    watch = Watch()
    task = asyncio.create_task(watch.look())
    await asyncio.sleep(0)
    try:
        yield watch
        # What was done last without a pause counts too.
        await asyncio.sleep(0)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


sqlite = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)


@sqlite
@pytest.mark.parametrize(
    "kind",
    [pytest.param(one, marks=pytest.mark.more if one in SOME else pytest.mark.long, id=one) for one in WORST],
)
async def test_no_request_holds_the_others_up(house: House, kind: str) -> None:
    bound = FACTOR * await longest_legal(house)
    document = (await house.dave.get("/schema/openapi.json")).json()
    found = {}
    for method, url, content in worst_requests(document, WORST[kind]):
        async with watched() as watch:
            await house.alice.request(method, url, **content)
        if watch.worst_seconds > bound:
            found[method, url[:60], str(content)[:60]] = watch.worst_seconds / bound
    assert found == {}


async def longest_legal(house: House) -> float:
    """Give the seconds that the longest text takes which a site may allow, on whatever thread."""
    settings = {"settings": {"max_text_chars": 65_525}}
    changed = await house.alice.patch("/v1/sites/blog", json=settings)
    assert changed.status_code == 200, changed.text
    worst = []
    for number in range(3):
        text = f"{number} " + "*café* " * (65_500 // 7)
        async with watched() as watch:
            await house.submit(text=text)
        # It is rendered beside the loop, where whatever else is as long belongs too.
        started = time.thread_time()
        render_html(text)
        worst.append(max(watch.worst_seconds, time.thread_time() - started))
    return max(worst)


def worst_requests(document: Mapping[str, Any], worst: str) -> Iterator[Sent]:
    """Put something into each parameter and each member of a body of every operation, one at a time."""
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names = operation.get("parameters", ())
            for one in names:
                if url := place(path, one, worst):
                    yield method, url, {}
            url = path.replace("{site}", "blog").replace("{", "").replace("}", "")
            for media, body in operation.get("requestBody", {}).get("content", {}).items():
                schema = body["schema"]
                name = schema.get("$ref", "").rpartition("/")[2]
                for member in schemas.get(name, schema).get("properties", ()):
                    yield method, url, fill(media, member, worst)


def place(path: str, parameter: Mapping[str, Any], worst: str) -> str | None:
    """Give the address with as much of it as a request line holds; headers have other rules."""
    name = parameter["name"]
    room = MAX_REQUEST_LINE_BYTES - len(path) - 100
    typed = quote(worst[:room])[:room].rpartition("%")[0] or worst[:room]
    if parameter["in"] == "path":
        path = path.replace(f"{{{name}}}", typed)
    elif parameter["in"] == "query":
        path = f"{path}?{name}={typed}"
    else:
        return None
    return path.replace("{site}", "blog").replace("{", "").replace("}", "")


def fill(media: str, member: str, worst: str) -> dict[str, Any]:
    """Give a body that is nearly as large as it may be."""
    fields = {"article": "/post", "name": "Dave", "email": "dave@mail.example", "text": "A text."}
    room = MAX_BODY_BYTES - 1_000
    value = worst.encode()[:room].decode(errors="ignore")
    headers = {"content-type": media}
    if media == JSON:
        content = json.dumps({**fields, member: value}, ensure_ascii=False)
        while len(content.encode()) > MAX_BODY_BYTES:
            value = value[: len(value) // 2]
            content = json.dumps({**fields, member: value}, ensure_ascii=False)
        return {"content": content, "headers": headers}
    assert media in FORMS
    if media == MULTIPART:
        return {"files": {member: (None, value)}}
    fields.pop(member, None)
    raw = value.encode().replace(b"&", b"%26")[:room]
    return {
        "content": urlencode(fields).encode() + f"&{member}=".encode() + raw,
        "headers": headers,
    }

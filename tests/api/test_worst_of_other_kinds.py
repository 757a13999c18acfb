"""What else may take long: headers, queries, JSON of the wrong shape, and pages of long comments.

The measure is that of `test_worst_requests`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from service.form.fields import BY_NAME
from service.http.forms import MULTIPART, URLENCODED
from service.http.reading import JSON
from service.server.reading import MAX_HEADERS_BYTES, MAX_REQUEST_LINE_BYTES
from tests.api.test_worst_requests import FACTOR, MANY, longest_legal, sqlite, watched
from tests.cast import House

pytestmark = pytest.mark.more

VIEWS = ("include", "page", "widget")
# What nobody sends who wants something, in each header that the service reads.
HEADERS = {
    "accept": ("text/html;q=0,", "text/html;" + "q;", "a,"),
    "accept-encoding": ("br;q=0.0,", "a,", ";"),
    "accept-language": ("de-AT;q=0.1,", "q=0.", ","),
    "authorization": ("Bearer ", "x"),
    "content-type": ('multipart/form-data; boundary="', "application/json;", 'a="\\'),
    "cookie": ("greenroom=x;", "=;", ";"),
    "idempotency-key": ("x",),
    "if-none-match": ("W/,", '"x",', ","),
    "last-event-id": ("9",),
    "origin": ("https://a.", "//", "@"),
    "referer": ("https://blog.example/#", "https://[", "%"),
    "x-csrf-token": ("x",),
    "x-forwarded-for": ("127.0.0.1,", "[::1]:1,", ",", "["),
    "x-request-id": ("x", "."),
}
ROUTES = [
    ("GET", "/v1/sites/blog/comments?article=/post"),
    ("GET", "/v1/sites/blog/comments.html?article=/post"),
    ("GET", "/v1/moderation/comments"),
    ("GET", "/receipts/x"),
    ("GET", "/moderation"),
    ("POST", "/v1/sites/blog/comments"),
    ("POST", "/sites/blog/wp-comments-post.php"),
    ("POST", "/receipts/x/edit"),
    ("POST", "/v1/session"),
    ("OPTIONS", "/v1/sites/blog/comments"),
]


@sqlite
async def test_no_header_holds_the_others_up(house: House) -> None:
    bound = FACTOR * await longest_legal(house)
    found = {}
    for name, kinds in HEADERS.items():
        for kind in kinds:
            headers = {name: (kind * MAX_HEADERS_BYTES)[: MAX_HEADERS_BYTES - 200]}
            for method, url in ROUTES:
                async with watched() as watch:
                    await house.client("127.0.0.1").request(method, url, headers=headers)
                if watch.worst_seconds > bound:
                    found[name, kind, method, url] = watch.worst_seconds / bound
    assert found == {}


# JSON of a kind that no field has, as much as a body holds.
SHAPES: dict[str, Any] = {
    "numbers": [0] * (MANY // 3),
    "texts": [""] * (MANY // 5),
    "objects": [{}] * (MANY // 5),
    "members": {f"{number:x}": 0 for number in range(MANY // 12)},
    "wide and deep": [[[[[[[[[[[[[0]]]]]]]]]]]]] * (MANY // 30),
    "a number": 10 ** (4_000),
}


@sqlite
@pytest.mark.parametrize(
    "shape",
    [pytest.param(one, marks=() if one == "numbers" else pytest.mark.long, id=one) for one in SHAPES],
)
async def test_no_json_holds_the_others_up(house: House, shape: str) -> None:
    bound = FACTOR * await longest_legal(house)
    document = (await house.dave.get("/schema/openapi.json")).json()
    found = {}
    for method, url, member in list_members(document):
        if member is not None:
            body = json.dumps({member: SHAPES[shape]}, separators=(",", ":"))
            async with watched() as watch:
                await house.alice.request(method, url, headers={"content-type": JSON}, content=body)
            if watch.worst_seconds > bound:
                found[method, url, member] = watch.worst_seconds / bound
    assert found == {}


def list_members(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Give each member that a JSON body of any operation may have, and one that none has."""
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
            name = schema.get("$ref", "").rpartition("/")[2]
            url = path.replace("{site}", "blog").replace("{", "").replace("}", "")
            for member in [*schemas.get(name, schema).get("properties", ()), "unknown"]:
                yield method, url, member if schema else None


@sqlite
@pytest.mark.parametrize("query", ["&", "=&", "article=&", "a=1&", "%26=%3D&", ";", "article=+&"])
async def test_no_query_holds_the_others_up(house: House, query: str) -> None:
    bound = FACTOR * await longest_legal(house)
    document = (await house.dave.get("/schema/openapi.json")).json()
    long = (query * MAX_REQUEST_LINE_BYTES)[: MAX_REQUEST_LINE_BYTES - 200]
    found = {}
    for path, operations in document["paths"].items():
        url = path.replace("{site}", "blog").replace("{", "").replace("}", "")
        if "get" in operations and not url.endswith("/stream"):
            for asked in (f"{url}?{long}", f"{url}?article={'+' * 3_980}&" + "article=" * 1_000):
                async with watched() as watch:
                    await house.alice.get(asked)
                if watch.worst_seconds > bound:
                    found[asked[:60]] = watch.worst_seconds / bound
    many = "/v1/sites/blog/counts?" + f"article={'+' * 3_980}&" * 4
    async with watched() as watch:
        await house.dave.get(many)
    assert (found, watch.worst_seconds < bound) == ({}, True)


@sqlite
async def test_no_page_holds_the_others_up_however_long_its_comments_are(house: House) -> None:
    bound = FACTOR * await longest_legal(house)
    text = "*some* text & more " * (65_000 // 19)
    taken = [await house.submit(article="/long", text=f"{number} {text}") for number in range(40)]
    found = {}
    reads = [
        ("alice", "/v1/moderation/comments?site=blog&limit=100"),
        ("alice", "/v1/moderation/comments?q=more&limit=100"),
        *(
            ("dave", f"/v1/sites/blog/{answer}")
            for answer in (
                "comments?article=/long&limit=200",
                *(f"comments.html?article=/long&limit=200&view={view}" for view in VIEWS),
                "comments.atom?article=/long",
                "comments.atom",
                "counts?article=/long",
            )
        ),
    ]
    for number, (name, url) in enumerate(reads):
        if number == 2:
            await house.approve(*(one.id for one in taken))
        async with watched() as watch:
            answer = await getattr(house, name).get(url, headers={"accept-encoding": "identity"})
        assert answer.status_code == 200, url
        if watch.worst_seconds > bound:
            found[url] = watch.worst_seconds / bound
    assert found == {}


# What takes long to read, under the media type that it is of.
BODIES = [
    (JSON, json.dumps({"text": SHAPES["wide and deep"]}, separators=(",", ":")).encode()),
    (JSON, b'{"text": "' + b"\\ud800" * (MANY // 7) + b'"}'),
    (URLENCODED, b"comment=" + b"a%41\xc3\xa9" * (MANY // 7)),
    (f"{MULTIPART}; boundary=b", b"--b\r\n\r\n" + b"\r\n--" * (MANY // 5)),
]


@sqlite
@pytest.mark.parametrize("refusal", ["origin", "media type", "size", "site"])
async def test_no_form_that_is_refused_holds_the_others_up(house: House, refusal: str) -> None:
    """Its page reads what it can of it all the same."""
    bound = FACTOR * await longest_legal(house)
    site = "nowhere" if refusal == "site" else "blog"
    found = {}
    for number, (media, body) in enumerate(BODIES):
        headers = {"content-type": "text/x" if refusal == "media type" else media}
        if refusal == "origin":
            headers["origin"] = "https://evil.example"
        async with watched() as watch:
            answer = await house.dave.post(
                f"/sites/{site}/wp-comments-post.php",
                headers=headers,
                content=body + b" " * 1_000_000 if refusal == "size" else body,
            )
        assert answer.status_code in {403, 404, 413, 415}
        if watch.worst_seconds > bound:
            found[number] = watch.worst_seconds / bound
    assert found == {}


# Each grows or is put in order as it is normalised, and has as many characters as are read.
HEAVY = ["\U0001d160", "\ufb2c", "\u0301\u0327", "\u1100\u1161\u11a8"]


@sqlite
@pytest.mark.parametrize("unit", HEAVY, ids=ascii)
async def test_no_text_that_is_looked_at_holds_the_others_up(house: House, unit: str) -> None:
    # What is done beside the loop takes a twentieth, and what is not a third and more.
    bound = await longest_legal(house) / 6
    receipt = f"/v1/receipts/{(await house.submit()).receipt.token}"
    text, found = (unit * MANY)[: BY_NAME["text"].max_raw_chars], {}
    form = urlencode({"article": "/post", "name": "D", "email": "d@mail.example"}).encode()
    json_body = json.dumps(house.comment(text=text), ensure_ascii=False).encode()
    for method, url, media, content in (
        ("POST", "/v1/sites/blog/comments", JSON, json_body),
        ("POST", "/v1/sites/blog/preview", JSON, json_body),
        ("PATCH", receipt, JSON, json_body),
        ("POST", "/v1/sites/blog/comments", URLENCODED, form + b"&text=" + text.encode()),
    ):
        async with watched() as watch:
            answer = await house.dave.request(method, url, headers={"content-type": media}, content=content)
        assert answer.status_code in {200, 202, 409, 422}
        if watch.worst_seconds > bound:
            found[url, media] = watch.worst_seconds / bound
    assert found == {}

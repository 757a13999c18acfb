"""Bodies in three media types: what is read, what is bounded, and what cannot be read at all."""

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.answers import codes_of, problem_of
from tests.cast import SUBMIT, House

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MEBIBYTE = 1_048_576


async def send(house: House, body: bytes, content_type: str | None) -> httpx.Response:
    headers = {"content-type": content_type} if content_type else None
    return await house.dave.post(SUBMIT, content=body, headers=headers)


async def refuse(house: House, status: int, body: bytes, content_type: str | None) -> None:
    async with house.nothing_changes():
        problem_of(await send(house, body, content_type), status)


def multipart(*parts: bytes, boundary: str = "frontier") -> tuple[bytes, str]:
    lines = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return lines + b"--%s--\r\n" % boundary.encode(), f"multipart/form-data; boundary={boundary}"


def part(name: str, value: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


async def test_the_same_fields_are_taken_in_all_three_media_types(house: House) -> None:
    bodies = {
        JSON: json.dumps(house.comment(text="Grüße in JSON")).encode(),
        "application/json; charset=utf-8": json.dumps(house.comment(text="With charset")).encode(),
        "Application/JSON": json.dumps(house.comment(text="In capitals")).encode(),
        URLENCODED: urlencode(house.comment(text="Grüße & urlencoded")).encode(),
    }
    body, content_type = multipart(
        *(part(name, value) for name, value in house.comment(text="Grüße, 2 + 2").items())
    )
    for kind, one in {**bodies, content_type: body}.items():
        answer = await send(house, one, kind)
        assert answer.status_code == 202, (kind, answer.text)
    texts = [(await house.look(one)).text for one in await ids_of_pending(house)]
    assert texts == [
        "Grüße in JSON",
        "With charset",
        "In capitals",
        "Grüße & urlencoded",
        "Grüße, 2 + 2",
    ]


async def ids_of_pending(house: House) -> list[str]:
    queue = (await house.bob.get("/v1/moderation/comments")).json()
    return [comment["id"] for comment in queue["comments"]]


async def test_another_content_type_is_415(house: House) -> None:
    for content_type in (None, "", "text/plain", "text/json", "application/xml", "*/*"):
        await refuse(house, 415, json.dumps(house.comment()).encode(), content_type)


async def test_a_body_over_one_mebibyte_is_413(house: House) -> None:
    await refuse(house, 413, b'"' + b"a" * MEBIBYTE + b'"', JSON)
    await refuse(house, 413, b"text=" + b"a" * MEBIBYTE, URLENCODED)


async def test_a_body_of_one_mebibyte_is_read(house: House) -> None:
    rest = json.dumps(house.comment()).encode()
    padding = b'{"padding":"' + b"a" * (MEBIBYTE - len(rest) - len(b'{"padding":"",') + 1) + b'",'
    body = padding + rest.removeprefix(b"{")
    assert len(body) == MEBIBYTE
    assert (await send(house, body, JSON)).status_code == 202


async def test_a_body_without_a_length_is_bounded_as_well(house: House) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 100_000

    answer = await house.dave.post(SUBMIT, content=stream(), headers={"content-type": JSON})
    problem_of(answer, 413)


UNREADABLE = {
    "empty": (b"", JSON),
    "not JSON": (b"{", JSON),
    "two values": (b"{} {}", JSON),
    "single quotes": (b"{'a': 1}", JSON),
    "NaN": (b'{"a": NaN}', JSON),
    "JSON in Latin-1": ('{"text": "ü"}'.encode("latin-1"), JSON),
    "JSON in UTF-16": ('{"text": "u"}'.encode("utf-16"), JSON),
    "a surrogate in raw bytes": (b'{"text": "\xed\xa0\x80"}', JSON),
    "too deep": (b'{"a":' * 17 + b"1" + b"}" * 17, JSON),
    "far too deep": (b"[" * 200_000 + b"]" * 200_000, JSON),
    "very many arrays": (b'{"x":[' + b"[]," * 10_000 + b"[]]}", JSON),
    "very many objects, and texts": (b'{"x":["\\"{",' + b'{"[":"]"},' * 10_000 + b"{}]}", JSON),
    "a form in Latin-1": ("text=ü".encode("latin-1"), URLENCODED),
    "percent-encoded Latin-1": (b"text=%FC", URLENCODED),
    "very many fields": (b"a=b&" * 1_000, URLENCODED),
    "no boundary": (b"x", "multipart/form-data"),
    "no parts": (b"x", "multipart/form-data; boundary=b"),
    "no end": (multipart(part("text", "x"))[0][:-20], "multipart/form-data; boundary=frontier"),
    "a part without headers": multipart(b"\r\nx"),
    "a part in Latin-1": multipart(part("text", "") + b"\xfc"),
}


async def test_what_cannot_be_parsed_as_its_type_says_is_400(house: House) -> None:
    async with house.nothing_changes():
        found = {case: await send(house, *UNREADABLE[case]) for case in UNREADABLE}
    for case, answer in found.items():
        assert (case, answer.status_code) == (case, 400)
        problem_of(answer, 400)


async def test_sixteen_levels_are_still_read(house: House) -> None:
    deep = json.dumps(house.comment()).removesuffix("}") + ', "x": ' + "[" * 15 + "]" * 15 + "}"
    assert (await send(house, deep.encode(), JSON)).status_code == 202


async def test_a_text_may_have_as_many_brackets_as_it_likes(house: House) -> None:
    await house.set("max_text_chars=65525")
    for text in ("[" * 60_000, '"[' * 30_000, "\\{" * 30_000, '\\"[' * 20_000):
        assert (await house.submit(text=text)).status == "pending"


async def test_json_that_is_no_object_is_invalid(house: House) -> None:
    async with house.nothing_changes():
        for body in (b"[]", b"null", b'"text"', b"1", b"true"):
            answer = await send(house, body, JSON)
            assert codes_of(problem_of(answer, 422)) == {"#": "body_invalid"}, body


async def test_repeats_of_a_form_field_after_the_first_are_ignored(house: House) -> None:
    pairs = [("text", "first"), *house.comment(text="second").items(), ("text", "third")]
    encoded = await send(house, urlencode(pairs).encode(), URLENCODED)
    parts = await send(house, *multipart(*(part(*pair) for pair in [("name", "Ann"), *pairs])))
    assert (await house.look(encoded.json()["id"])).text == "first"
    looked_at = await house.look(parts.json()["id"])
    assert (looked_at.text, looked_at.name) == ("first", "Ann")


async def test_an_empty_form_value_counts_as_absent(house: House) -> None:
    empty = dict.fromkeys(("url", "parent", "redirect_to", "comment_parent"), "")
    encoded = await house.dave.post(SUBMIT, data={**house.comment(), **empty})
    assert encoded.status_code == 202
    pairs = [("text", ""), *house.comment(text="not empty").items()]
    answer = await send(house, urlencode(pairs).encode(), URLENCODED)
    assert (await house.look(answer.json()["id"])).text == "not empty"


async def test_a_file_in_a_form_is_ignored(house: House) -> None:
    files = {
        "attachment": ("a.txt", b"\xff\xfe", "text/plain"),
        "text": ("b.txt", b"file", "text/plain"),
    }
    answer = await house.dave.post(SUBMIT, data=house.comment(text="typed"), files=files)
    assert (await house.look(answer.json()["id"])).text == "typed"


KEYS = st.sampled_from(["article", "name", "email", "text", "url", "parent", "comment", "author"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
BOUNDED = settings(
    max_examples=30,
    # The house is the same for every example on purpose: what one leaves, the next has to bear.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@BOUNDED
@given(fields=st.dictionaries(KEYS | st.text(max_size=10), VALUES, max_size=8))
async def test_no_json_whatever_is_in_it_is_our_fault(house: House, fields: dict[str, object]) -> None:
    body = json.dumps({**house.comment(), **fields}).encode()
    assert (await send(house, body, JSON)).status_code in {202, 400, 409, 422}


@BOUNDED
@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from([JSON, URLENCODED, "multipart/form-data; boundary=b"]),
)
async def test_no_bytes_whatever_they_are_called_are_our_fault(
    house: House, body: bytes, content_type: str
) -> None:
    assert (await send(house, body, content_type)).status_code in {400, 422}

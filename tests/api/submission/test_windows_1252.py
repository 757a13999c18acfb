"""Forms of saved pages that are not UTF-8: the whole body is read as Windows-1252, and shown so again."""

import time
from urllib.parse import quote_from_bytes

import httpx
import pytest

from service.http.forms import decode_form
from service.http.reading import MAX_BODY_BYTES
from tests.answers import problem_of
from tests.api.submission.test_form_answers import Inputs
from tests.cast import SUBMIT, House

DROP_IN = "/sites/blog/wp-comments-post.php"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
REST = {"author": b"Ren\xe9", "email": b"rene@mail.example", "comment_post_ID": b"17"}
Body = tuple[bytes, str]


def urlencoded(fields: dict[str, bytes]) -> Body:
    pairs = (f"{name}={quote_from_bytes(value)}" for name, value in fields.items())
    return "&".join(pairs).encode(), URLENCODED


def raw(fields: dict[str, bytes]) -> Body:
    """Give a form as no browser sends it: bytes that are not ASCII stand in it as they are."""
    return b"&".join(name.encode() + b"=" + value for name, value in fields.items()), URLENCODED


def multipart(fields: dict[str, bytes]) -> Body:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--b--\r\n", MULTIPART


async def post(house: House, body: Body, url: str = DROP_IN) -> httpx.Response:
    content, kind = body
    return await house.dave.post(url, content=content, headers={"content-type": kind})


@pytest.mark.parametrize("encode", [urlencoded, multipart])
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (b"caf\xe9 \x80 5 \x93quoted\x94", "café € 5 “quoted”"),
        # What is UTF-8 in all its fields is read as that.
        ("café ☕".encode(), "café ☕"),
        # The encoding is that of the whole form: here the name is not UTF-8, and so the text is not either.
        ("é".encode() + b" \xe9", "Ã© é"),
        # Of undefined bytes each is the control of its number, and that goes as any other does.
        (b"a\x81b\x8dc\x8fd\x90e\x9df \xff", "abcdef ÿ"),
        # A browser sends so what the page's encoding has no byte for, and nothing else.
        (b"\xe9 I &#9829; &#128169; it", "é I ♥ 💩 it"),
        (b"\xe9 &#233; &#8364; &#xe9; &eacute; &#55357; &#9999999;",) * 2,
    ],
)
async def test_what_cannot_be_utf_8_is_read_as_windows_1252(
    house: House, encode: type, sent: bytes, stored: str | bytes
) -> None:
    name = b"Ren\xc3\xa9" if stored == "café ☕" else REST["author"]
    answer = await post(house, encode({"comment": sent, **REST, "author": name}))
    assert answer.status_code == 303, answer.text
    (comment,) = (await house.state())["comment"]
    expected = stored if isinstance(stored, str) else stored.decode("cp1252")
    assert (comment["text"], comment["name"]) == (expected, "René")


@pytest.mark.parametrize("encode", [urlencoded, raw, multipart])
async def test_what_was_typed_is_shown_right_and_can_be_sent_from_there(house: House, encode: type) -> None:
    sent = {"comment": b"caf\xe9 \x99", **REST, "email": b"no"}
    refused = await post(house, encode(sent))
    assert refused.status_code == 422
    page = Inputs(refused.text).values
    assert (page["text"], page["name"]) == ("café ™", "René")
    again = await house.dave.post(DROP_IN, data={**page, "email": "rene@mail.example"})
    assert again.status_code == 303
    assert (await house.state())["comment"][0]["text"] == "café ™"


async def test_what_cannot_be_taken_at_all_is_shown_right_too(house: House) -> None:
    foreign = {"origin": "https://evil.example", "content-type": URLENCODED}
    content, _ = urlencoded({"comment": b"caf\xe9", **REST})
    refused = await house.dave.post(DROP_IN, content=content, headers=foreign)
    assert refused.status_code == 403
    assert Inputs(refused.text).values["text"] == "café"


@pytest.mark.parametrize("end", ["é", "€"])
@pytest.mark.parametrize("encoded", ["utf-8", "cp1252"])
@pytest.mark.parametrize("more", range(3))
async def test_a_text_that_is_cut_within_a_character_keeps_its_encoding(
    house: House, end: str, encoded: str, more: int
) -> None:
    long = ("é" + "x" * more + end * 600_000).encode(encoded)
    body = urlencoded({"author": "René".encode(encoded), "comment": long})
    refused = await post(house, body)
    assert refused.status_code == 413
    shown = Inputs(refused.text).values
    assert shown["name"] == "René"
    assert shown["text"].startswith("é" + "x" * more + end * 1_000)


@pytest.mark.parametrize("encode", [urlencoded, raw, multipart])
async def test_everywhere_else_it_is_refused(house: House, encode: type) -> None:
    body = encode({"comment": b"caf\xe9", **REST})
    problem = problem_of(await post(house, body, SUBMIT), 400)
    assert problem.detail == "The form is not UTF-8."
    refused = await house.dave.post(
        DROP_IN, content=b'{"comment": "caf\xe9"}', headers={"content-type": "application/json"}
    )
    assert refused.status_code == 400


async def test_the_name_of_a_field_and_a_file_are_in_whatever_they_are(house: House) -> None:
    content, kind = multipart({"comment": b"Hello.", **REST})
    more = (
        b'--b\r\nContent-Disposition: form-data; name="gr\xf6\xdfe"\r\n\r\n1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="\xe9.png"\r\n\r\n\xff\xd8\r\n'
    )
    answer = await post(house, (more + content, kind))
    assert answer.status_code == 303
    assert (await house.state())["comment"][0]["name"] == "René"


@pytest.mark.parametrize("encode", [raw, multipart])
def test_it_is_read_about_as_fast_as_utf_8(encode: type) -> None:
    """Beside the event loop it is read in steps that let no other thread run: none of them may be long."""

    def seconds(text: bytes) -> float:
        body, kind = encode({"comment": text * (MAX_BODY_BYTES // len(text))})
        started = time.thread_time()
        decode_form(kind, body, takes_windows_1252=True)
        return time.thread_time() - started

    latin = min(seconds("café “or” ".encode("cp1252")) for _ in range(3))
    assert latin < 8 * min(seconds("café “or” ".encode()) for _ in range(3))

"""A preview is what the comment will look like, by the same renderer and bounds; nothing is stored."""

import httpx
import pytest

from service.text.normalising import has_visible
from tests.answers import codes_of, problem_of
from tests.cast import House
from tests.visible_text import read_visible

PREVIEW = "/v1/sites/blog/preview"


async def test_a_preview_is_the_html_that_the_comment_will_have(house: House) -> None:
    text = "**bold** and https://a.example/b。\n- one\n- two"
    async with house.nothing_changes():
        answer = await house.dave.post(PREVIEW, json={"text": text})
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.headers["cache-control"] == "no-store"
    await house.publish(text=text)
    (shown,) = (await house.read()).comments
    assert answer.json() == {"html": shown.html}


async def test_a_text_of_any_length_is_rendered(house: House) -> None:
    await house.set("max_text_chars=65525")
    answer = await house.dave.post(PREVIEW, json={"text": "a\n" * 30_000})
    assert answer.json()["html"].count("<br>") == 29_999


async def test_it_refuses_what_a_submission_refuses(house: House) -> None:
    await house.set("max_text_chars=10")
    codes = {
        "": "text_required",
        "\u2800": "text_required",
        "x" * 11: "text_too_long",
        "\x00": "text_invalid",
    }
    for text, code in codes.items():
        problem = problem_of(await house.dave.post(PREVIEW, json={"text": text}), 422)
        assert codes_of(problem) == {"#/text": code}
    problem = problem_of(await house.dave.post(PREVIEW, json={}), 422)
    assert codes_of(problem) == {"#/text": "text_required"}


@pytest.mark.parametrize(
    "text",
    ["> \u2800", "> > \u3164", "*\u0301*", "**\u115f**", "_\u0e31_", "***\ufe0f***", "`\u2800`"],
)
async def test_marks_around_nothing_are_seen_wherever_a_text_is_shown(house: House, text: str) -> None:
    html = (await house.dave.post(PREVIEW, json={"text": text})).json()["html"]
    assert has_visible(read_visible(html))
    published = await house.publish(text=text)
    pending = await house.submit(text="One.", article="/other")
    await house.edit(pending, text)
    for comment in (published, pending):
        assert (await house.look(comment.id)).html == html


@pytest.mark.parametrize(
    ("path", "headers", "content", "status"),
    [
        ("/v1/sites/nowhere/preview", {}, b"{}", 404),
        (PREVIEW, {"origin": "https://foreign.example"}, b"{}", 403),
        (PREVIEW, {"content-type": "application/x-www-form-urlencoded"}, b"text=a", 415),
        (PREVIEW, {}, b'{"text": "' + b"a" * (1 << 20) + b'"}', 413),
        (PREVIEW, {}, b"{", 400),
    ],
)
async def test_what_is_refused_before_and_what_cannot_be_read(
    house: House, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    sent = {"content-type": "application/json", **headers}
    problem_of(await house.dave.post(path, content=content, headers=sent), status)


async def test_a_network_has_sixty_a_minute(house: House) -> None:
    for number in range(60):
        text = {"text": "a"} if number % 2 else {"text": ""}
        assert (await house.dave.post(PREVIEW, json=text)).status_code in {200, 422}
    limited = await house.dave.post(PREVIEW, json={"text": ""})
    problem_of(limited, 429)
    assert limited.headers["ratelimit-policy"] == '"preview";q=60;w=60'


async def test_the_sites_of_a_page_may_ask_from_it(house: House) -> None:
    origin = {"origin": "https://blog.example"}
    answer = await house.dave.post(PREVIEW, json={"text": "a"}, headers=origin)
    assert answer.headers["access-control-allow-origin"] == origin["origin"]

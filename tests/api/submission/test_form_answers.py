"""What a browser's form gets: a redirect that never leaves the site, or a page with what was typed."""

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from service.text.languages import LANGUAGES, Language, read_words
from tests.answers import codes_of, problem_of
from tests.cast import PUBLIC_URL, SUBMIT, House

URLENCODED = "application/x-www-form-urlencoded"
DROP_IN = "/sites/blog/wp-comments-post.php"
HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


class Inputs(HTMLParser):
    """Collects the values of a page's fields, and its form's target."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.action = ""
        self._in: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag == "input":
            self.values[given["name"]] = given.get("value", "")
        if tag == "textarea":
            self._in = given["name"]
            self.values[self._in] = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.values[self._in] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._in:
            # A browser drops the line break that follows the tag (HTML, section 13.2.6.4.7).
            self.values[self._in] = self.values[self._in].removeprefix("\n")
            self._in = None


async def post_form(house: House, *, referer: str | None = None, **fields: str) -> httpx.Response:
    headers = {"accept": HTML, **({"referer": referer} if referer else {})}
    return await house.dave.post(SUBMIT, data=house.comment(**fields), headers=headers)


async def test_a_form_that_accepts_html_is_answered_by_a_redirect(house: House) -> None:
    answer = await post_form(house, redirect_to="https://blog.example/post/#comments")
    assert answer.status_code == 303
    assert answer.headers["location"] == "https://blog.example/post/#comments"
    assert answer.headers["cache-control"] == "no-store"
    assert len((await house.state())["comment"]) == 1


async def test_without_a_wish_it_leads_to_the_receipts_page(house: House) -> None:
    answer = await post_form(house)
    location = answer.headers["location"]
    assert location.startswith(f"{PUBLIC_URL}/receipts/")
    assert (await house.dave.get(location)).status_code == 200


async def test_a_multipart_form_is_answered_in_the_same_way(house: House) -> None:
    parts = {name: (None, value) for name, value in house.comment(redirect_to="/thanks").items()}
    answer = await house.dave.post(SUBMIT, files=parts, headers={"accept": HTML})
    assert (answer.status_code, answer.headers["location"]) == (303, "https://blog.example/thanks")


async def test_json_and_forms_that_do_not_accept_html_get_json(house: House) -> None:
    as_json = await house.try_submit(headers={"accept": HTML}, redirect_to="/thanks")
    anything = await house.dave.post(
        SUBMIT, data=house.comment(redirect_to="/thanks"), headers={"accept": "*/*"}
    )
    for answer in (as_json, anything):
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")


async def test_a_relative_wish_resolves_against_the_referer_if_allowed(house: House) -> None:
    expected = {
        None: "https://blog.example/thanks",
        "https://www.blog.example/post/": "https://www.blog.example/thanks",
        "https://evil.example/post/": "https://blog.example/thanks",
        "nonsense": "https://blog.example/thanks",
    }
    found = {}
    for referer in expected:
        answer = await post_form(house, referer=referer, redirect_to="/thanks")
        found[referer] = answer.headers["location"]
    assert found == expected


async def test_a_place_on_the_page_needs_the_page(house: House) -> None:
    page = "https://www.blog.example/post/?a=b"
    found = {}
    for referer in (
        page,
        f"{page}#top",
        "https://www.blog.example/",
        "https://evil.example/a",
        None,
    ):
        answer = await post_form(house, referer=referer, redirect_to="#comments")
        found[referer] = answer.headers["location"].replace(f"{PUBLIC_URL}/receipts/", "receipt of ")
    assert found.pop(page) == found.pop(f"{page}#top") == f"{page}#comments"
    assert all(place.startswith("receipt of ") for place in found.values()), found


@pytest.mark.parametrize("accepted", ["text/html;q=0", "text/html; q=0.000, */*", "text/htmlx"])
async def test_who_refuses_a_page_gets_none(house: House, accepted: str) -> None:
    answer = await house.dave.post(SUBMIT, data=house.comment(), headers={"accept": accepted})
    assert answer.status_code == 202


async def test_a_redirect_says_that_it_is_a_repeat(house: House) -> None:
    comment, headers = house.comment(), {"accept": HTML, "idempotency-key": "once"}
    first, second = [await house.dave.post(SUBMIT, data=comment, headers=headers) for _ in range(2)]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]


TREACHEROUS = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:\\\\evil.example",
    "https://blog.example@evil.example/",
    "https://user@blog.example/",
    "https://blog.example.evil.example/",
    "https://blog.example:8443/",
    "http://blog.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/a\tb",
    "/a\r\nSet-Cookie: x=y",
    "/a\x00b",
    "https://[evil",
)


async def test_any_other_wish_is_as_if_absent(house: House) -> None:
    found = {}
    for wish in TREACHEROUS:
        answer = await post_form(house, redirect_to=wish)
        assert answer.status_code == 303, wish
        found[wish] = answer.headers["location"].rpartition("/")[0]
    assert found == dict.fromkeys(TREACHEROUS, f"{PUBLIC_URL}/receipts")


NO_WISHES: list[Any] = [5, {}, [], True, "\x00", "/\ud800"]


async def test_in_json_a_wish_has_to_be_a_text(house: House) -> None:
    async with house.nothing_changes():
        for wish in NO_WISHES:
            content = json.dumps(house.comment(redirect_to=wish, email="x"))
            headers = {"content-type": "application/json"}
            refused = await house.dave.post(SUBMIT, content=content, headers=headers)
            assert codes_of(problem_of(refused, 422)) == {
                "#/email": "email_invalid",
                "#/redirect_to": "redirect_to_invalid",
            }
            page = await house.dave.post(DROP_IN, content=content, headers=headers)
            assert page.status_code == 422
    taken = await house.try_submit(redirect_to=None)
    assert taken.status_code == 202
    # Of a form it is as if absent, like every wish that leads nowhere.
    answer = await post_form(house, redirect_to="/\x00", text="Another.")
    assert answer.headers["location"].startswith(f"{PUBLIC_URL}/receipts/")


async def test_errors_are_a_page_with_what_was_typed_still_in_the_fields(house: House) -> None:
    typed = house.comment(
        article="/a?x=1&y=2",
        name='"><script>alert(1)</script>',
        email="ann.secret@gmail,com",
        text="</textarea><script>alert(1)</script>\nsecond line",
        url="nowhere",
        redirect_to="/thanks",
    )
    async with house.nothing_changes():
        answer = await house.dave.post(SUBMIT, data=typed, headers={"accept": HTML})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    page = Inputs(answer.text)
    assert {name: page.values[name] for name in typed} == typed
    # It leads to where it stands, at whichever server that is.
    assert page.action == ""
    assert "<script" not in answer.text


async def test_the_page_names_what_is_wrong_and_what_may_be_meant(house: House) -> None:
    answer = await post_form(house, email="ann@gmail,com", text=" ")
    # Once in the summary, and once at the field.
    assert answer.text.count("Did you mean gmail.com?") == 2
    assert answer.text.count("This field is required.") == 2


@pytest.mark.parametrize("language", LANGUAGES)
async def test_whatever_is_wrong_is_said_in_the_language_of_the_reader(
    house: House, language: Language
) -> None:
    words = read_words(language)
    await house.try_submit(text="First.", headers={"idempotency-key": "used"})
    form = urlencode(house.comment(text="Second.")).encode()
    too_long = {"idempotency-key": "k" * 256}
    for content, kind, more, said in (
        (form + b"&x=1" * 200, URLENCODED, {}, "field_invalid"),
        (form, "text/plain", {}, "field_invalid"),
        (form, URLENCODED, {"idempotency-key": "used"}, "failed"),
        (form, URLENCODED, too_long, "field_too_long"),
        (b"[]", "application/json", {}, "field_invalid"),
    ):
        headers = {"accept-language": language, "content-type": kind, **more}
        page = await house.dave.post(DROP_IN, content=content, headers=headers)
        told = await house.dave.post(SUBMIT, content=content, headers={"content-type": kind, **more})
        problem = problem_of(told, page.status_code)
        assert words[said] in page.text
        for words_of_ours in (problem.detail, *(one.detail for one in problem.errors or [])):
            assert words_of_ours not in page.text


async def test_a_page_keeps_the_status_of_the_error(house: House) -> None:
    await house.submit(text="twice")
    duplicate = await post_form(house, text="twice")
    await house.set("limit.site=1/day")
    await house.submit()
    limited = await post_form(house)
    data, headers = house.comment(), {"accept": HTML}
    unknown = await house.dave.post("/v1/sites/nowhere/comments", data=data, headers=headers)
    foreign = await house.dave.post(SUBMIT, data=data, headers={**headers, "origin": "https://evil.example"})
    statuses = [answer.status_code for answer in (duplicate, limited, unknown, foreign)]
    assert statuses == [409, 429, 404, 403]
    for answer in (duplicate, limited, unknown, foreign):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
    assert "retry-after" in limited.headers
    assert Inputs(limited.text).values["email"] == "dave@mail.example"


async def test_a_corrected_page_can_be_sent_as_it_is(house: House) -> None:
    refused = await post_form(house, email="dave", redirect_to="/thanks", article="https://blog.example/a/")
    page = Inputs(refused.text)
    answer = await house.dave.post(
        refused.url.join(page.action),
        data={**page.values, "email": "dave@mail.example"},
        headers={"accept": HTML},
    )
    assert answer.headers["location"] == "https://blog.example/thanks"
    (stored,) = (await house.state())["article"]
    assert stored["key"] == "/a"


async def test_the_page_lets_nothing_in_but_its_own_styles(house: House) -> None:
    answer = await post_form(house, email="dave")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    # A browser holds the redirect after the form to `form-action` too.
    origins = "https://blog.example https://www.blog.example"
    assert f"form-action 'self' {origins} {PUBLIC_URL};" in policy
    assert f"style-src {PUBLIC_URL};" in policy
    assert f'href="{PUBLIC_URL}/static/greenroom.css"' in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_wish_in_other_letters_is_sent_encoded(house: House) -> None:
    answer = await post_form(house, redirect_to="/ü✓?x=é#да")
    assert answer.status_code == 303
    expected = "https://blog.example/%C3%BC%E2%9C%93?x=%C3%A9#%D0%B4%D0%B0"
    assert answer.headers["location"] == expected

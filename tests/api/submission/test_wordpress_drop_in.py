"""The form of a saved WordPress page: always answered as a browser wants it, and nothing typed is lost."""

from typing import Any

import httpx
import pytest

from tests.api.submission.test_form_answers import Inputs
from tests.cast import PUBLIC_URL, SUBMIT, House

DROP_IN = "/sites/blog/wp-comments-post.php"
NOWHERE = "/sites/nowhere/wp-comments-post.php"
EVIL = {"origin": "https://evil.example"}
TYPED = "All that I typed, <b>marked</b> & with ümlauts."
FORM = {
    "comment": TYPED,
    "author": "Dave",
    "email": "dave@mail.example",
    "url": "https://dave.example/",
    "submit": "Post Comment",
    "comment_post_ID": "17",
    "comment_parent": "0",
    "akismet_comment_nonce": "0123456789",
    "ak_js": "1700000000000",
    "ak_hp_textarea": "",
}


async def post(house: House, **fields: str) -> httpx.Response:
    return await house.dave.post(DROP_IN, data={**FORM, **fields})


def bodies(**fields: str) -> list[dict[str, Any]]:
    """Give the same fields in each of the three encodings."""
    form = {**FORM, **fields}
    parts = {name: (None, value) for name, value in form.items()}
    return [{"data": form}, {"files": parts}, {"json": form}]


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/json", "image/png"])
async def test_every_body_is_answered_by_a_redirect_whatever_is_accepted(house: House, accept: str) -> None:
    for number in range(3):
        body = bodies(comment=f"Number {number}.")[number]
        answer = await house.dave.post(DROP_IN, headers={"accept": accept}, **body)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(f"{PUBLIC_URL}/receipts/")
        assert answer.headers["cache-control"] == "no-store"
    (article,) = (await house.state())["article"]
    assert article["key"] == "17"
    assert [row["status"] for row in (await house.state())["comment"]] == ["pending"] * 3


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_every_error_is_a_page_whatever_is_accepted(house: House, accept: str) -> None:
    async with house.nothing_changes():
        for body in bodies(email="dave"):
            answer = await house.dave.post(DROP_IN, headers={"accept": accept}, **body)
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert Inputs(answer.text).values["text"] == TYPED


async def test_it_takes_nothing_but_posts(house: House) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = await house.dave.request(method, DROP_IN)
        assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST"), method
    assert (await house.dave.post(DROP_IN + "/", data=FORM)).status_code == 303


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        (
            "https://www.blog.example/post/?p=17&x=%C3%A9#respond",
            "https://www.blog.example/post/?p=17&amp;x=%C3%A9",
        ),
        ("https://blog.example/", "https://blog.example/"),
        (None, "https://blog.example"),
        ("https://evil.example/", "https://blog.example"),
        ("https://blog.example@evil.example/", "https://blog.example"),
        ("https://blog.example/wp-comments-post.php", "https://blog.example"),
        ("javascript:alert(1)", "https://blog.example"),
    ],
)
async def test_who_opens_it_is_told_what_it_is_and_led_back(
    house: House, referer: str | None, back: str
) -> None:
    headers = {"accept": "text/html", "accept-language": "de"}
    headers |= {"referer": referer} if referer else {}
    answer = await house.dave.get(DROP_IN, headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="de"' in answer.text
    assert f'href="{back}">Zurück zu ' in answer.text
    # It may stand at the address of the site, and so takes its styles from ours.
    assert f'href="{PUBLIC_URL}/static/greenroom.css"' in answer.text
    head = await house.dave.head(DROP_IN, headers=headers)
    assert (head.status_code, head.content) == (405, b"")
    assert head.headers["allow"] == "OPTIONS, POST"
    assert (await house.dave.get(NOWHERE, headers=headers)).status_code == 404
    options = await house.dave.options(DROP_IN)
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")


async def test_it_leads_to_where_the_form_wishes(house: House) -> None:
    answer = await post(house, redirect_to="/post/#comments")
    assert answer.headers["location"] == "https://blog.example/post/#comments"


async def test_limits_and_keys_are_those_of_the_other_way(house: House) -> None:
    key = {"idempotency-key": "one"}
    first = await house.dave.post(DROP_IN, data=FORM, headers=key)
    again = await house.dave.post(DROP_IN, data=FORM, headers=key)
    other = await house.dave.post(SUBMIT, data=FORM, headers=key)
    assert first.headers["location"] == again.headers["location"] == other.json()["receipt"]["url"]
    await house.set("limit.site=1/day")
    await house.submit()
    limited = await post(house, comment="Another one.")
    assert limited.status_code == 429
    assert limited.headers["ratelimit"].startswith('"site";r=0;t=')
    # The day is said where it is another one.
    assert "2026-05-02" in limited.text


async def prepare(house: House, status: int) -> None:
    """Bring the site to where the form will be refused with a status."""
    if status == 409:
        assert (await post(house)).status_code == 303
    if status == 429:
        await house.set("limit.site=1/day")
        await house.submit()
    if status == 422:
        await house.set("comments=closed")


@pytest.mark.parametrize(
    ("status", "url", "headers", "fields"),
    [
        (403, DROP_IN, EVIL, {}),
        (409, DROP_IN, {}, {}),
        (413, DROP_IN, {}, {"ak_zzz": "x" * 1_100_000}),
        (422, DROP_IN, {}, {}),
        (429, DROP_IN, {}, {}),
    ],
)
async def test_what_was_typed_is_there_after_every_refusal(
    house: House, status: int, url: str, headers: dict[str, str], fields: dict[str, str]
) -> None:
    await prepare(house, status)
    async with house.nothing_changes():
        answer = await house.dave.post(url, data={**FORM, **fields}, headers=headers)
    assert answer.status_code == status
    found = Inputs(answer.text).values
    expected = {"text": TYPED, "name": "Dave", "email": "dave@mail.example", "url": FORM["url"]}
    assert {name: found.get(name) for name in expected} == expected
    # What cannot be sent again is there to be copied.
    assert ("readonly" in answer.text) == (status in {403, 422})
    assert ("<form" in answer.text) == (status in {409, 413, 429})


async def test_what_was_typed_is_still_there_where_the_site_is_unknown(house: House) -> None:
    for body in (*bodies(), *bodies(comment="", w3x=TYPED)):
        answer = await house.dave.post(NOWHERE, **body)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        values = Inputs(answer.text).values
        assert (values["text"], values["name"]) == (TYPED, "Dave")
        assert "<b>marked" not in answer.text
        # It can be copied; to send it again would change nothing.
        assert "<form" not in answer.text


async def test_it_is_there_for_whoever_asks_too_often_for_a_site_that_is_none(house: House) -> None:
    statuses = []
    for _ in range(15):
        answer = await house.dave.post(NOWHERE, data=FORM)
        statuses.append(answer.status_code)
        assert Inputs(answer.text).values["text"] == TYPED
    assert {*statuses} == {404, 429}


LATIN = b"comment=caf%E9 noir&author=Dave&" + b"&".join(b"x=1" for _ in range(300))
CUT = b'--b\r\ncontent-disposition: form-data; name="comment"\r\n\r\nPart one\r\n--b\r\nno'
SURROGATE = b'{"comment": "\\ud800!", "email": 5}'


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (LATIN, "application/x-www-form-urlencoded", "café noir"),
        (CUT, "multipart/form-data; boundary=b", "Part one"),
        (CUT, "multipart/form-data", ""),
        (b'{"comment": "half', "application/json", ""),
        (b"[1]", "application/json", ""),
        (SURROGATE, "application/json", "?!"),
        (b"comment=x", "text/plain", None),
    ],
)
async def test_what_cannot_be_read_is_shown_as_far_as_it_can(
    house: House, body: bytes, content_type: str, text: str | None
) -> None:
    answer = await house.dave.post(DROP_IN, content=body, headers={"content-type": content_type})
    assert answer.status_code in {400, 415, 422}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Inputs(answer.text).values.get("text") == text


async def test_who_answers_a_comment_of_the_old_site_can_send_it_by_itself(house: House) -> None:
    refused = await post(house, comment_parent="4711")
    assert refused.status_code == 422
    page = Inputs(refused.text)
    assert "parent" not in page.values
    assert "stands by itself" in refused.text
    assert (await house.dave.post(DROP_IN, data=page.values)).status_code == 303
    assert (await house.state())["comment"][0]["parent_id"] is None


async def test_the_page_leads_back_to_where_it_stands(house: House) -> None:
    refused = await post(house, email="ann@gmail,com", comment="")
    assert Inputs(refused.text).action == ""
    assert "/sites/" not in refused.text
    assert f'href="{PUBLIC_URL}/static/greenroom.css"' in refused.text
    policy = refused.headers["content-security-policy"]
    assert f"style-src {PUBLIC_URL}; img-src {PUBLIC_URL};" in policy
    allowed = f"'self' https://blog.example https://www.blog.example {PUBLIC_URL}"
    assert f"form-action {allowed}; frame-ancestors 'none'" in policy
    assert refused.headers["x-robots-tag"] == "noindex"
    # With the default the browser would say neither where it comes from nor where to lead it back.
    assert refused.headers["referrer-policy"] == "same-origin"


async def test_the_page_names_the_fields_that_have_to_change(house: House) -> None:
    page = (await post(house, email="ann@gmail,com", comment="", url="ftp://x.example")).text
    assert "<title>Your comment was not sent" in page
    assert 'role="alert"' in page
    for name, told in (
        ("text", "Comment: This field is required."),
        ("email", "E-mail: This is not a valid e-mail address. Did you mean gmail.com?"),
        ("url", "Website: Only web addresses that begin with http:// or https:// are taken."),
    ):
        assert f'<a href="#{name}">{told}</a>' in page
        assert f'id="{name}-error"' in page
    assert 'aria-describedby="email-note email-error"' in page
    assert page.count('aria-invalid="true"') == 3
    for purpose in ("name", "email", "url"):
        assert f'autocomplete="{purpose}"' in page


async def test_the_page_speaks_the_reader_s_language(house: House) -> None:
    headers = {"accept-language": "ar, en;q=0.5"}
    form = {**FORM, "email": "dave"}
    arabic = await house.dave.post(DROP_IN, data=form, headers=headers)
    assert '<html lang="ar" dir="rtl">' in arabic.text
    await house.set("language=de", "max_text_chars=10")
    german = await post(house)
    assert '<html lang="de" dir="ltr">' in german.text
    assert "10" in german.text
    assert "{limit}" not in german.text


async def test_a_foreign_page_may_not_post_and_the_site_s_own_may(house: House) -> None:
    allowed = {"origin": "https://www.blog.example"}
    answer = await house.dave.post(DROP_IN, data=FORM, headers=allowed)
    assert answer.status_code == 303
    assert answer.headers["access-control-allow-origin"] == allowed["origin"]
    foreign = await house.dave.post(DROP_IN, data=FORM, headers=EVIL)
    assert foreign.status_code == 403
    assert "access-control-allow-origin" not in foreign.headers

"""What a comment's fields have to be, what becomes of them, and what the answer tells."""

import re
from collections.abc import Mapping
from uuid import UUID

import msgspec
import pytest

from service.errors import Problem
from tests.answers import codes_of, problem_of
from tests.cast import PUBLIC_URL, SUBMIT, House
from tests.in_process import START

FIELDS = ("article", "name", "email", "text")
ARTICLE = "https://blog.example/post/"


async def test_a_submission_is_held_and_answered_with_a_receipt(house: House) -> None:
    answer = await house.try_submit(article=ARTICLE, text="I like this.")
    assert answer.status_code == 202
    taken = answer.json()
    token = taken["receipt"]["token"]
    assert taken == {
        "id": taken["id"],
        "status": "pending",
        "article": "/post",
        "submitted_at": START.isoformat().replace("+00:00", "Z"),
        "receipt": {"token": token, "url": f"{PUBLIC_URL}/receipts/{token}"},
        "hints": [],
    }
    assert UUID(taken["id"]).version == 7
    assert str(UUID(taken["id"])) == taken["id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_pending_comment_shows_nowhere(house: House) -> None:
    pending = await house.submit()
    page = await house.read()
    assert (page.count, page.comments) == (0, [])
    single = await house.dave.get(f"/v1/sites/blog/comments/{pending.id}")
    problem_of(single, 404)


async def test_all_invalid_fields_are_named_at_once(house: House) -> None:
    problem = await house.refused(
        422,
        article="https://evil.example/a",
        name=5,
        email="nobody",
        text="   ",
        url="ftp://files.example/",
        parent="1",
    )
    assert codes_of(problem) == {
        "#/article": "article_not_allowed",
        "#/name": "name_invalid",
        "#/email": "email_invalid",
        "#/text": "text_required",
        "#/url": "url_not_allowed",
        "#/parent": "parent_invalid",
    }


@pytest.mark.parametrize("body", [{}, dict.fromkeys(FIELDS), dict.fromkeys(FIELDS, "")], ids=str)
async def test_what_is_absent_null_or_empty_is_required(house: House, body: Mapping[str, str | None]) -> None:
    async with house.nothing_changes():
        answer = await house.dave.post(SUBMIT, json=body)
    assert codes_of(problem_of(answer, 422)) == {f"#/{field}": f"{field}_required" for field in FIELDS}


WRONG = [1, 1.5, True, [], ["a"], {}, {"a": "b"}, "a\x00b", "a\ud800b", "\udfff"]


async def test_a_wrong_type_nul_or_lone_surrogate_is_invalid(house: House) -> None:
    fields = (*FIELDS, "url", "parent")
    for value in WRONG:
        problem = await house.refused(422, **dict.fromkeys(fields, value))
        assert codes_of(problem) == {f"#/{field}": f"{field}_invalid" for field in fields}, value


async def test_a_length_is_taken_up_to_its_limit_and_refused_over_it(house: House) -> None:
    domain = "@mail.example"
    # A local part has at most 64 characters, so the domain is what makes an address long.
    labels = ".".join(["d" * 60] * 4)
    longest = {
        "article": "a" * 512,
        "name": "é" * 245,
        "text": "😀" * 10_000,
        "url": "https://dave.example/" + "a" * (2_000 - len("https://dave.example/")),
    }
    for field, value in longest.items():
        await house.submit(**{field: value})
        problem = await house.refused(422, **{field: value + "a"})
        assert codes_of(problem) == {f"#/{field}": f"{field}_too_long"}
    await house.submit(email="d" * 64 + domain)
    too_long = await house.refused(422, email=f"dave.dave.dave@{labels}.example")
    assert codes_of(too_long) == {"#/email": "email_too_long"}


async def test_a_site_may_set_the_length_of_texts_up_to_the_ceiling(house: House) -> None:
    await house.set("max_text_chars=65525")
    await house.submit(text="a" * 65_525)
    assert codes_of(await house.refused(422, text="a" * 65_526)) == {"#/text": "text_too_long"}


async def test_the_length_is_that_of_the_normalised_text(house: House) -> None:
    await house.set("max_text_chars=10")
    composed = "e\u0301" * 4 + "\r\n" + "x" * 5
    looked_at = await house.look((await house.submit(text=f" \n{composed}\u200b\x07  ")).id)
    assert looked_at.text == "éééé\nxxxxx"


async def test_names_and_texts_are_normalised_before_they_are_stored(house: House) -> None:
    taken = await house.submit(
        name=" Da\u202eve\u00ad\x00"[:-1] + "\r\nD. ",
        text="\ufeffa\tb\r\nc\u2066d\x1be\u200df\U000e0041 👩\u200d💻\u2060\n\n",
    )
    looked_at = await house.look(taken.id)
    assert looked_at.name == "Dave D."
    assert looked_at.text == "a\tb\ncde\u200df 👩\u200d💻"


async def test_where_nothing_visible_remains_the_field_is_required(house: House) -> None:
    for unseen in ("\u200b", " \u3164 ", "\u2800", "\U000e0041\U000e0042", "\u202e\u202c", "\x07"):
        assert codes_of(await house.refused(422, name=unseen, text=unseen)) == {
            "#/name": "name_required",
            "#/text": "text_required",
        }


async def test_markup_nested_too_deep_is_flattened_and_never_refused(house: House) -> None:
    taken = await house.publish(text=">" * 40 + " deep")
    (shown,) = (await house.read()).comments
    assert shown.id == taken.id
    assert shown.html is not None
    assert shown.html.count("<blockquote>") <= 16
    assert "deep" in shown.html


async def test_raw_html_is_shown_as_the_text_that_was_typed(house: House) -> None:
    await house.publish(text="<script>alert(1)</script> **bold**")
    (shown,) = (await house.read()).comments
    assert shown.html == "<p>&lt;script&gt;alert(1)&lt;/script&gt; <strong>bold</strong></p>"


async def test_a_url_is_http_or_https_only(house: House) -> None:
    expected = {
        "javascript:alert(1)": "url_not_allowed",
        "mailto:dave@mail.example": "url_not_allowed",
        "data:text/html,x": "url_not_allowed",
        "about me": "url_invalid",
        "https://user@dave.example/": "url_invalid",
        "https://dave.example/ a": "url_invalid",
        'https://dave.example/"onload="x': "url_invalid",
    }
    found = {}
    for url in expected:
        found[url] = codes_of(await house.refused(422, url=url)).get("#/url")
    assert found == expected
    for url in (
        "http://dave.example",
        "https://dave.example:8443/a?b=c#d",
        "HTTPS://Dave.Example/",
    ):
        taken = await house.submit(url=url)
        assert (await house.look(taken.id)).url == url


async def test_an_error_suggests_what_may_have_been_meant(house: House) -> None:
    problem = await house.refused(422, email="ann@gmail,com")
    assert suggestions(problem) == {"#/email": "gmail.com"}


async def test_forms_that_begin_with_a_scheme_lose_no_comment(house: House) -> None:
    for url, kept in {"http://": None, "www.dave.example": "https://www.dave.example"}.items():
        assert (await house.look((await house.submit(url=url)).id)).url == kept


def suggestions(problem: Problem) -> dict[str | None, str | None]:
    return {one.pointer: one.suggestion for one in problem.errors or []}


async def test_a_hint_names_a_domain_and_never_the_address(house: House) -> None:
    answer = await house.try_submit(email="ann.secret@gmial.com")
    assert answer.json()["hints"] == [
        {"pointer": "#/email", "code": "email_typo_suspected", "suggestion": "gmail.com"}
    ]
    assert "ann.secret" not in answer.text


async def test_no_error_repeats_the_address(house: House) -> None:
    for email in ("ann.secret@", "ann.secret@gmail,com", "ann.secret", "ann.secret@a@b", "x" * 300):
        problem = await house.refused(422, email=email)
        assert email not in msgspec.json.encode(problem).decode()
        assert "ann.secret" not in msgspec.json.encode(problem).decode()


async def test_an_internationalised_address_is_taken(house: House) -> None:
    await house.submit(email="žofie@bücher.example")
    await house.submit(email="дейв@почта.example")


async def test_whether_an_address_is_known_is_not_told(house: House) -> None:
    first = await house.try_submit(email="ann@mail.example")
    again = await house.try_submit(email="ann@mail.example")
    moderator = await house.try_submit(email="bob@moderators.example")
    for answer in (first, again, moderator):
        assert answer.status_code == 202
        assert sorted(answer.json()) == sorted(first.json())
        assert (answer.json()["hints"], answer.json()["status"]) == ([], "pending")


async def test_unknown_members_are_ignored_and_nothing_else_can_be_set(house: House) -> None:
    wishes = {
        "id": "0199f0a0-0000-7000-8000-000000000000",
        "status": "approved",
        "visibility": "visible",
        "badge": "moderator",
        "version": 9,
        "edited": True,
        "html": "<b>x</b>",
        "risk": 0,
        "signals": [{"code": "x"}],
        "site_id": "x",
        "submitted_at": "2001-01-01T00:00:00Z",
        "decided_at": "2001-01-01T00:00:00Z",
        "notify": True,
    }
    taken = await house.submit(**wishes)
    looked_at = await house.look(taken.id)
    assert taken.id != wishes["id"]
    assert (looked_at.status, looked_at.version, looked_at.site) == ("pending", 1, "blog")
    assert (looked_at.risk, looked_at.signals) == (None, [])
    assert looked_at.submitted_at == START
    await house.approve(taken.id)
    (shown,) = (await house.read()).comments
    assert (shown.badge, shown.edited, shown.created_at) == (None, False, START)


async def test_the_address_lies_nowhere_in_clear(house: House) -> None:
    await house.submit(email="Ann.Secret@Mail.Example")
    rows = repr(await house.state()).casefold()
    assert not re.search(r"ann\.secret|mail\.example", rows)


async def test_an_article_of_another_host_is_not_allowed(house: House) -> None:
    assert (await house.submit(article="https://www.blog.example/a/")).article == ("//www.blog.example/a")
    for article in ("https://elsewhere.example/a", "//evil.example/a", "https://u@blog.example/"):
        problem = await house.refused(422, article=article)
        assert codes_of(problem) == {"#/article": "article_not_allowed"}


async def test_an_unknown_site_is_404(house: House) -> None:
    for slug in ("nowhere", "BLOG", "%00", "blog%20", "x" * 64):
        await house.refused(404, site=slug)


async def test_a_trailing_slash_on_the_route_is_tolerated(house: House) -> None:
    answer = await house.dave.post(f"{SUBMIT}/", json=house.comment())
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("field", "most"),
    [("article", 4_096), ("url", 4_096), ("name", 1_024), ("email", 1_024), ("text", 131_050)],
)
async def test_a_raw_value_is_bounded_before_anything_is_done_to_it(
    house: House, field: str, most: int
) -> None:
    """Blanks would be taken away, and nothing be left of them to be too long."""
    good = {"article": "/post", "name": "Dave", "email": "dave@mail.example", "text": "A text."}
    start = {**good, "url": "https://dave.example"}[field]
    await house.submit(**{**good, field: start.ljust(most)})
    problem = await house.refused(422, **{field: start.ljust(most + 1)})
    assert [(one.code, one.pointer) for one in problem.errors or ()] == [(f"{field}_too_long", f"#/{field}")]

"""The comments as HTML: for pages to take in, to frame, and for the widget."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import html5lib
import httpx
import pytest

from tests.cast import PUBLIC_URL, House

FRAGMENT = "/v1/sites/blog/comments.html"
HOSTILE = '"><img src=x onerror=alert(1)></script><!-- {{7*7}}'


async def get_fragment(house: House, **query: str) -> httpx.Response:
    answer = await house.dave.get(FRAGMENT, params={"article": "/post", **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


def data_of(html: str) -> Any:
    """Give what stands in the element of data."""
    [found] = re.findall(r'<script type="application/(?:ld\+)?json">(.*?)</script>', html, re.DOTALL)
    return json.loads(found)


async def test_approved_comments_stand_under_what_they_answer(house: House) -> None:
    first = await house.publish(text="A *question*?")
    reply = await house.publish(text="An answer.", parent=first.id)
    await house.submit(text="Not yet.")
    html = (await get_fragment(house)).text
    assert html.index(f"comment-{first.id}") < html.index(f"comment-{reply.id}")
    assert "<em>question</em>" in html
    assert "Not yet." not in html
    assert "mail.example" not in html
    assert "Comments (<span" in html


@pytest.mark.parametrize("view", ["include", "page", "widget"])
async def test_no_text_breaks_out(house: House, view: str) -> None:
    comment = await house.publish(name=HOSTILE, text=HOSTILE)
    await house.alice.patch("/v1/sites/blog", json={"title": HOSTILE})
    html = (await get_fragment(house, view=view, redirect_to=HOSTILE, lang=HOSTILE[:30])).text
    document = html5lib.parse(html, namespaceHTMLElements=False)
    assert [one for one in document.iter("img") if one.get("onerror")] == []
    scripts = [one.get("type") for one in document.iter("script") if one.get("src") is None]
    assert scripts == ["application/json" if view == "widget" else "application/ld+json"]
    assert data_of(html)
    alone = await get_fragment(house, view=view, parent=comment.id)
    answered = html5lib.parse(alone.text, namespaceHTMLElements=False)
    assert [one for one in answered.iter("img") if one.get("onerror")] == []


@pytest.mark.parametrize("view", ["include", "page", "widget"])
async def test_where_the_form_leads_stands_in_it_and_in_links_as_it_was_asked_for(
    house: House, view: str
) -> None:
    await house.publish()
    redirect_to = f"/a?b=1&c=\u00e4 +%20{HOSTILE}"
    html = (await get_fragment(house, view=view, redirect_to=redirect_to)).text
    document = html5lib.parse(html, namespaceHTMLElements=False)
    [field] = [one for one in document.iter("input") if one.get("name") == "redirect_to"]
    assert field.get("value") == redirect_to
    links = [one.get("href", "") for one in document.iter("a") if one.get("part") == "link reply"]
    asked = [parse_qs(urlsplit(link).query)["redirect_to"] for link in links]
    assert asked == ([] if view == "widget" else [[redirect_to]])


async def test_the_form_works_by_its_own_fields(house: House) -> None:
    html = (await get_fragment(house)).text
    document = html5lib.parse(html, namespaceHTMLElements=False)
    [form] = document.iter("form")
    assert form.get("action") == f"{PUBLIC_URL}/v1/sites/blog/comments"
    hidden = {
        one.get("name", ""): one.get("value", "") for one in form.iter("input") if one.get("type") == "hidden"
    }
    typed = {"text": "By form.", "name": "Dave", "email": "dave@mail.example"}
    answer = await house.dave.post(
        "/v1/sites/blog/comments", data={**hidden, **typed}, headers={"accept": "text/html"}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("view", ["include", "page", "widget"])
async def test_the_site_s_word_about_privacy_stands_in_the_form(house: House, view: str) -> None:
    assert 'part="soft privacy"' not in (await get_fragment(house, view=view, limit="1")).text
    await house.set(f"form.privacy_text={HOSTILE}", "form.privacy_url=https://blog.example/p?a&b")
    html = (await get_fragment(house, view=view)).text
    document = html5lib.parse(html, namespaceHTMLElements=False)
    [said] = [one for one in document.iter("p") if one.get("part") == "soft privacy"]
    assert "".join(said.itertext()).split() == [*HOSTILE.split(), "Privacy", "policy"]
    assert [link.get("href") for link in said.iter("a")] == ["https://blog.example/p?a&b"]
    assert 'name="consent"' not in html


@pytest.mark.parametrize("view", ["include", "page", "widget"])
async def test_a_site_may_want_a_box_to_be_ticked(house: House, view: str) -> None:
    await house.set("form.consent=required")
    html = (await get_fragment(house, view=view)).text
    document = html5lib.parse(html, namespaceHTMLElements=False)
    [box] = [one for one in document.iter("input") if one.get("name") == "consent"]
    assert (box.get("type"), box.get("required"), box.get("checked")) == ("checkbox", "", None)
    assert "I agree that what I enter here is stored" in html
    # Whoever sends no form of ours is asked for nothing.
    await house.submit(text="By an API client.")


async def test_each_language_is_kept_by_itself(house: House) -> None:
    assert "Leave a reply" in (await get_fragment(house)).text
    assert 'lang="ar" dir="rtl"' in (await get_fragment(house, lang="ar-EG")).text
    assert 'lang="en" dir="ltr"' in (await get_fragment(house, lang="tlh")).text
    for tag, language in (
        ("de_DE", "de"),
        ("pt_BR.UTF-8", "pt"),
        (" fr ", "fr"),
        ("zh_Hans", "zh"),
    ):
        assert f'lang="{language}"' in (await get_fragment(house, lang=tag)).text
    await house.set("language=de")
    assert 'lang="de"' in (await get_fragment(house, lang="vo")).text


async def test_a_closed_article_has_no_form(house: House) -> None:
    await house.publish()
    assert "<form" in (await get_fragment(house)).text
    closed = {"article": "/post", "state": "closed"}
    assert (await house.alice.post("/v1/sites/blog/articles", json=closed)).is_success
    html = (await get_fragment(house)).text
    assert "<form" not in html
    assert "Comments are closed." in html
    assert "Reply" not in html


async def test_a_page_leads_to_the_next_one(house: House) -> None:
    for number in range(3):
        await house.publish(text=f"Number {number}.")
    html = (await get_fragment(house, limit="2")).text
    assert "Number 2." not in html
    [more] = re.findall(r'part="link more" href="([^"]+)"', html)
    page = await house.dave.get(more.replace("&amp;", "&").removeprefix(PUBLIC_URL))
    assert "Number 2." in page.text
    assert page.text.startswith("<!doctype html>")


async def test_only_a_visible_comment_of_the_article_can_be_answered(house: House) -> None:
    comment = await house.publish(name="Ann")
    assert "Reply to Ann" in (await get_fragment(house, parent=comment.id)).text
    pending = await house.submit()
    for parent in (pending.id, "nonsense", "0"):
        answer = await house.dave.get(FRAGMENT, params={"article": "/post", "parent": parent})
        assert answer.status_code == 404
    elsewhere = await house.dave.get(FRAGMENT, params={"article": "/other", "parent": comment.id})
    assert elsewhere.status_code == 404


async def test_search_engines_are_told_in_their_words(house: House) -> None:
    first = await house.publish(text="Fish & *chips*", name="Ann", url="https://ann.example")
    reply = await house.publish(text="Yes.", parent=first.id)
    data = data_of((await get_fragment(house)).text)
    assert data["@type"] == "WebPage"
    assert data["url"] == "https://blog.example/post"
    one, two = data["comment"]
    assert one["text"] == "Fish & chips"
    assert one["author"] == {"@type": "Person", "name": "Ann", "url": "https://ann.example"}
    assert two["@id"].endswith(f"#comment-{reply.id}")
    assert two["parentItem"]["@id"].endswith(f"#comment-{first.id}")


async def test_the_site_s_pages_may_frame_it_and_nobody_else(house: House) -> None:
    answer = await get_fragment(house, view="page")
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://blog.example https://www.blog.example" in policy
    assert "default-src 'none'" in policy
    again = await house.dave.get(
        FRAGMENT,
        params={"article": "/post", "view": "page"},
        headers={"if-none-match": answer.headers["etag"]},
    )
    assert again.status_code == 304


async def test_nothing_unseen_changes_it(house: House) -> None:
    await house.publish()
    before = (await get_fragment(house)).headers["etag"]
    await house.submit()
    assert (await get_fragment(house)).headers["etag"] == before


async def test_the_forms_of_two_articles_in_one_page_have_nothing_in_common(house: House) -> None:
    comment = await house.publish()
    links = f"parent={comment.id}#"
    both = [(await get_fragment(house, article=key)).text for key in ("/post", "/other")]
    document = html5lib.parse("".join(both), namespaceHTMLElements=False)
    ids = [one.get("id") for one in document.iter() if one.get("id")]
    assert len({*ids}) == len(ids)
    for form in document.iter("form"):
        own = {one.get("id") for one in form.iter()}
        named = [one.get("for") for one in form.iter("label") if one.get("for")]
        described = [one.get("aria-describedby", "").split() for one in form.iter()]
        assert len(named) == 4
        assert own.issuperset([*named, *(one for several in described for one in several)])
    # A link to reply opens the article's own page, where the form is called the same.
    (place,) = re.findall(rf"{links}([^\"]+)\"", both[0])
    alone = await get_fragment(house, parent=comment.id, view="page")
    assert f'<form part="form" id="{place}"' in alone.text
    assert place in ids


@pytest.mark.parametrize("view", ["include", "page", "widget"])
async def test_the_form_is_sent_as_utf_8_whatever_the_page_is_in(house: House, view: str) -> None:
    html = (await get_fragment(house, view=view)).text
    assert re.search(r'<form [^>]*accept-charset="utf-8"', html)


@pytest.mark.parametrize(
    ("query", "status"), [("article=", 422), ("article=/post&limit=0", 422), ("around=zz", 404)]
)
async def test_a_refusal_may_stand_in_the_frame_too(house: House, query: str, status: int) -> None:
    answer = await house.dave.get(f"/v1/sites/blog/comments.html?{query}&view=page")
    assert answer.status_code == status
    [policy] = answer.headers.get_list("content-security-policy")
    assert "frame-ancestors 'self' https://blog.example" in policy

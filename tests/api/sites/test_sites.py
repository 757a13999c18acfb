"""Sites: who may see, make and change one, and what of it never changes again."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlmodel import col, update

from service.accounts.tables import Moderator
from tests.answers import problem_of
from tests.cast import House

SITES = "/v1/sites"
BLOG = "/v1/sites/blog"
DEFAULTS = {
    "limit.ip": "10/minute",
    "limit.address": "5/minute",
    "limit.article": "120/minute",
    "limit.site": "1200/minute",
    "max_text_chars": 10_000,
    "max_depth": 8,
    "edit_window_seconds": 900,
    "receipt_days": 180,
    "trailing_slash": "drop",
    "host_aliases": "",
    "articles": "open",
    "comments": "open",
    "language": "en",
    "form.text_field": "",
    "form.privacy_text": "",
    "form.privacy_url": "",
    "form.consent": "none",
    "reasons": {},
}
NEW = {"slug": "new", "title": "New", "origins": ["https://NEW.example:443/", "http://b.example"]}


async def make_admin(house: House, name: str) -> None:
    async with house.database.writing() as session:
        chosen = update(Moderator).where(col(Moderator.name) == name)
        await session.exec(chosen.values(is_admin=True))


def codes(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


async def test_a_site_is_shown_with_every_setting_and_one_s_role(house: House) -> None:
    shown = (await house.charlie.get(f"{SITES}/elsewhere")).json()
    assert shown == {
        "id": shown["id"],
        "slug": "elsewhere",
        "title": "Elsewhere",
        "origins": ["https://elsewhere.example"],
        "settings": DEFAULTS,
        "role": "owner",
    }
    roles = {"alice": "owner", "bob": "moderator", "vera": "viewer"}
    for name, role in roles.items():
        client: httpx.AsyncClient = getattr(house, name)
        [listed] = (await client.get(SITES)).json()["sites"]
        assert (listed["slug"], listed["role"]) == ("blog", role)


async def test_an_admin_makes_sites_and_is_owner_of_all(house: House) -> None:
    async with house.nothing_changes():
        assert (await house.alice.post(SITES, json=NEW)).status_code == 403
    await make_admin(house, "Alice")
    made = await house.alice.post(SITES, json=NEW)
    assert made.status_code == 201
    assert (await house.alice.get(made.headers["location"])).json() == made.json()
    assert made.json()["origins"] == ["https://new.example", "http://b.example"]
    assert made.json()["role"] == "owner"
    slugs = [site["slug"] for site in (await house.alice.get(SITES)).json()["sites"]]
    assert slugs == ["blog", "elsewhere", "new"]
    assert (await house.try_submit(site="new")).status_code == 202
    again = await house.alice.post(SITES, json=NEW)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/site-exists")


async def test_of_several_who_make_one_site_at_once_one_does_and_the_others_are_told(
    house: House,
) -> None:
    await make_admin(house, "Alice")
    answers = await asyncio.gather(*(house.alice.post(SITES, json=NEW) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 5
    types = {one.json()["type"] for one in answers if one.status_code == 409}
    assert types == {"/problems/site-exists"}


async def test_a_new_site_s_fields_are_all_checked_at_once(house: House) -> None:
    await make_admin(house, "Alice")
    async with house.nothing_changes():
        answer = await house.alice.post(SITES, json={"slug": "No Slug", "title": ""})
        assert codes(answer) == {
            "#/slug": "slug_invalid",
            "#/title": "title_required",
            "#/origins": "origins_required",
        }
        for slug in ("", "a" * 64, "ä", "a_b", "a\n", "A"):
            assert "#/slug" in codes(await house.alice.post(SITES, json={**NEW, "slug": slug}))
        for origin in ("new.example", "https://", "ftp://a.example", "https://a.example/path", "*"):
            wrong = {**NEW, "origins": ["https://right.example", origin]}
            assert codes(await house.alice.post(SITES, json=wrong)) == {"#/origins/1": "origins_invalid"}, (
                origin
            )


async def test_only_an_owner_changes_a_site_and_only_what_is_named(house: House) -> None:
    async with house.nothing_changes():
        for client in (house.bob, house.vera):
            assert (await client.patch(BLOG, json={"title": "Mine"})).status_code == 403
    before = (await house.alice.get(BLOG)).json()
    after = (await house.alice.patch(BLOG, json={"title": "Renamed"})).json()
    assert after == {**before, "title": "Renamed"}
    after = (await house.alice.patch(BLOG, json={"settings": {"max_depth": 2}})).json()
    assert after["settings"] == {**before["settings"], "max_depth": 2}
    after = (await house.alice.patch(BLOG, json={"origins": ["https://new.example"]})).json()
    assert after["origins"] == ["https://new.example"]
    assert (await house.alice.get(BLOG)).json() == after


async def test_a_setting_that_is_none_or_out_of_bounds_changes_nothing(house: House) -> None:
    wrong: list[tuple[str, Any]] = [
        *(("limit.ip", value) for value in ("0/minute", "10", "10/week", "x", "1000001/second", 5)),
        *(("max_text_chars", value) for value in (0, 65_526, "x", None, 1.5, True)),
        *(("max_depth", value) for value in (-1, 101)),
        *(("receipt_days", value) for value in (0, 3_651)),
        *(("edit_window_seconds", value) for value in (-1, 2_592_001)),
        *(("trailing_slash", "on"), ("articles", "closed"), ("comments", "listed")),
        *(("reason.Bad Code", "text"), ("reason.code", ""), ("reason.code", "x" * 501)),
        *(("colour", "green"), ("limit_ip", "10/minute"), ("", 1)),
    ]
    async with house.nothing_changes():
        for name, value in wrong:
            settings = {"max_depth": 3, name: value}
            answer = await house.alice.patch(BLOG, json={"settings": settings})
            pointers = codes(answer)
            assert set(pointers.values()) == {"settings_invalid"}, (name, value)


async def test_every_wrong_origin_and_setting_is_named_at_once(house: House) -> None:
    origins = ["*", "https://right.example", "ftp://a.example"]
    answer = await house.alice.patch(BLOG, json={"origins": origins})
    assert set(codes(answer)) == {"#/origins/0", "#/origins/2"}
    settings = {"max_depth": -1, "limit.ip": "x", "receipt_days": 7}
    answer = await house.alice.patch(BLOG, json={"settings": settings})
    assert set(codes(answer)) == {"#/settings/max_depth", "#/settings/limit.ip"}


async def test_settings_are_few_and_hold_only_what_can_be_stored(house: House) -> None:
    many = {f"reason.r{number}": "Text." for number in range(51)}
    async with house.nothing_changes():
        for settings in (
            many,
            {"reasons": {name.removeprefix("reason."): text for name, text in many.items()}},
            {"reason.rude": "nul \x00"},
            {"reason.rude": "\ud800"},
            {"reason.rude\x00": "Text."},
            {"reasons": {"\udfff": "Text."}},
        ):
            body = json.dumps({"settings": settings})
            headers = {"content-type": "application/json"}
            codes(await house.alice.patch(BLOG, content=body, headers=headers))


async def test_cursors_walk_every_site_by_its_slug(house: House) -> None:
    await make_admin(house, "Alice")
    await house.alice.post(SITES, json={**NEW, "slug": "a-new-one"})
    slugs: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await house.alice.get(SITES, params={"limit": 1, **cursor})).json()
        slugs += [site["slug"] for site in page["sites"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert slugs == ["a-new-one", "blog", "elsewhere"]
    for wrong in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}):
        assert (await house.alice.get(SITES, params=wrong)).status_code == 422


@pytest.mark.parametrize(
    ("article", "fixed", "free"),
    [
        ("https://www.blog.example/", {"host_aliases": "www.blog.example"}, None),
        ("/post", {"trailing_slash": "keep"}, {"host_aliases": "www.blog.example"}),
        ("/", None, {"trailing_slash": "keep", "host_aliases": "www.blog.example"}),
        ("42", None, {"trailing_slash": "keep", "host_aliases": "www.blog.example"}),
    ],
)
async def test_no_setting_opens_an_article_that_was_closed_under_another_key(
    house: House, article: str, fixed: Any, free: Any
) -> None:
    closed = await house.alice.post(f"{BLOG}/articles", json={"article": article, "state": "closed"})
    key = closed.json()["article"]
    if fixed:
        problem = problem_of(await house.alice.patch(BLOG, json={"settings": fixed}), 409)
        assert problem.type == "/problems/setting-fixed"
        assert problem.detail.endswith(f" {key}.")
    if free:
        changed = await house.alice.patch(BLOG, json={"settings": free})
        assert changed.status_code == 200, changed.text
    assert (await house.try_submit(article=article)).status_code == 422


async def test_trailing_slash_cannot_change_once_there_are_comments(house: House) -> None:
    await house.set("trailing_slash=keep")
    kept = await house.submit(article="/post/")
    assert kept.article == "/post/"
    async with house.nothing_changes():
        refused = await house.alice.patch(BLOG, json={"settings": {"trailing_slash": "drop"}})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/setting-fixed")
    # What it is already may be said again, beside other changes.
    await house.set("trailing_slash=keep", "max_depth=1")
    await house.set("trailing_slash=keep", site="elsewhere")


async def test_pages_on_aliases_of_the_first_host_are_its_own(house: House) -> None:
    await house.set("host_aliases=old.example, www.blog.example")
    kept = await house.publish(article="http://old.example/post/")
    assert kept.article == "/post"
    for asked in ("https://www.blog.example/post", "//old.example/post", "/post"):
        assert [one.id for one in (await house.read(asked)).comments] == [kept.id]
    # Which pages may send is the origins' matter.
    refused = await house.try_submit(headers={"origin": "http://old.example"})
    assert refused.status_code == 403
    async with house.nothing_changes():
        fixed = await house.alice.patch(BLOG, json={"settings": {"host_aliases": ""}})
        both = {"settings": {"host_aliases": "", "trailing_slash": "keep", "max_depth": -1}}
        wrong = await house.alice.patch(BLOG, json=both)
    assert (fixed.status_code, fixed.json()["type"]) == (409, "/problems/setting-fixed")
    assert [(one["pointer"], one["code"]) for one in wrong.json()["errors"]] == [
        ("#/settings/max_depth", "settings_invalid"),
        ("#/settings/trailing_slash", "settings_not_allowed"),
        ("#/settings/host_aliases", "settings_not_allowed"),
    ]
    await house.set("host_aliases=old.example, www.blog.example", "max_depth=1")


async def test_titles_and_texts_for_authors_have_the_form_of_a_reader_s_text(house: House) -> None:
    settings = {"reason.rude": " Please\u202e be kind.\u200b "}
    changed = await house.alice.patch(BLOG, json={"title": " My\tblog\u200b", "settings": settings})
    assert changed.json()["title"] == "My blog"
    assert changed.json()["settings"]["reasons"] == {"rude": "Please be kind."}
    for blank in ("", " ", "\u200b", "\u2800"):
        async with house.nothing_changes():
            title = await house.alice.patch(BLOG, json={"title": blank})
            for name, value in (("reason.rude", blank), ("reasons", {"rude": blank})):
                text = await house.alice.patch(BLOG, json={"settings": {name: value}})
                assert set(codes(text).values()) == {"settings_invalid"}
        assert codes(title) == {"#/title": "title_invalid"}

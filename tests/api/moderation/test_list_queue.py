"""The queue: what waits, what was decided, and what a moderator is told of each comment."""

from base64 import b64encode
from typing import Any

import httpx
import pytest

from tests.cast import House

pytestmark = pytest.mark.both

QUEUE = "/v1/moderation/comments"


async def list_queue(client: httpx.AsyncClient, **query: str | int) -> dict[str, Any]:
    answer = await client.get(QUEUE, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def ids(client: httpx.AsyncClient, **query: str | int) -> list[str]:
    return [comment["id"] for comment in (await list_queue(client, **query))["comments"]]


async def test_it_lists_what_is_pending_the_oldest_first(house: House) -> None:
    first, second, third = [(await house.submit()).id for _ in range(3)]
    await house.approve(second)
    assert await ids(house.bob) == [first, third]


async def test_each_comment_has_exactly_the_members_of_the_contract(house: House) -> None:
    parent = await house.publish()
    reply = await house.submit(parent=parent.id, url="https://dave.example/", text="*Yes*")
    [comment] = (await list_queue(house.bob))["comments"]
    assert comment == {
        "id": reply.id,
        "site": "blog",
        "article": "/post",
        "parent": parent.id,
        "name": "Dave",
        "email_hint": "d…@m….example",
        "url": "https://dave.example/",
        "text": "*Yes*",
        "html": comment["html"],
        "status": "pending",
        "version": 1,
        "edit": False,
        "proposed": None,
        "submitted_at": "2026-05-01T12:00:00Z",
        "decided_at": None,
        "risk": None,
        "signals": [],
        "author": {"approved": 1, "rejected": 0, "spam": 0},
        "claim": None,
    }
    assert "<em>Yes</em>" in comment["html"]


async def test_a_hint_shows_one_character_of_parts_with_four_or_more(house: House) -> None:
    # A part of three would be half given away by its first character.
    hints = {
        "dave@mail.example": "d…@m….example",
        "bob@mail.example": "…@m….example",
        "dave@abc.org": "d…@….org",
        "ann@abc.org": "…@….org",
    }
    submitted = {(await house.submit(email=email)).id: email for email in hints}
    for comment in (await list_queue(house.bob))["comments"]:
        email = submitted[comment["id"]]
        assert comment["email_hint"] == hints[email]
        assert email not in str(comment)


async def test_it_filters_by_every_status(house: House) -> None:
    submitted = {one: await house.submit() for one in ("pending", "approved", "rejected", "spam")}
    withdrawn = await house.submit()
    await house.approve(submitted["approved"].id)
    await house.reject(submitted["rejected"].id)
    await house.spam(submitted["spam"].id)
    await house.withdraw(withdrawn)
    for status, comment in {**submitted, "withdrawn": withdrawn}.items():
        assert await ids(house.bob, status=status) == [comment.id]
    assert await ids(house.bob, status="erased") == []


async def test_counts_cover_the_sites_and_no_other_filter(house: House) -> None:
    approved = await house.submit(article="/a")
    await house.submit(article="/b")
    await house.submit(site="elsewhere", article="/a")
    await house.approve(approved.id)
    expected = {"pending": 1, "approved": 1, "rejected": 0, "spam": 0, "withdrawn": 0, "erased": 0}
    for query in ({}, {"site": "blog"}, {"article": "/nowhere"}, {"status": "spam", "q": "xy"}):
        assert (await list_queue(house.bob, **query))["counts"] == expected


async def test_it_filters_by_an_article_in_any_spelling_of_its_key(house: House) -> None:
    wanted = await house.submit(article="/2026/caf%C3%A9")
    await house.submit(article="/other")
    for spelling in (
        "/2026/café",
        "/2026/caf%C3%A9/",
        "https://blog.example/2026/café?utm_source=x",
    ):
        assert await ids(house.bob, site="blog", article=spelling) == [wanted.id]
    assert await ids(house.bob, article="/2026/café") == [wanted.id]
    answer = await house.bob.get(QUEUE, params={"site": "blog", "article": "https://evil.example/"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "article"


async def test_q_finds_words_in_name_and_text_whatever_their_case(house: House) -> None:
    by_text = await house.submit(text="A Needle in the hay")
    by_name = await house.submit(name="Needlewoman")
    await house.submit(text="Hay only")
    assert await ids(house.bob, q="needle") == [by_text.id, by_name.id]


async def test_q_has_no_regard_to_accents_and_width_either(house: House) -> None:
    angry = await house.submit(text="So viel ÄRGER\nin der Straße.", name="Łukasz Ｆｕｌｌ")
    for asked in (
        "ärger",
        "ARGER",
        "a\u0308rger",
        "ＡＲＧＥＲ",
        "arger  in",
        "STRASSE",
        "lukasz full",
    ):
        assert await ids(house.bob, q=asked) == [angry.id], asked
    # What stands in another part begins anew.
    assert await ids(house.bob, q="full so") == []


async def test_q_finds_the_hosts_that_are_linked_to(house: House) -> None:
    by_url = await house.submit(url="https://Spam.Example/path")
    by_link = await house.submit(text="Buy [here](https://shop.spam.example/a) now.")
    by_script = await house.submit(url="https://b\u00fccher.example/")
    assert await ids(house.bob, q="spam.example") == [by_url.id, by_link.id]
    assert await ids(house.bob, q="b\u00dcCHER.ex") == [by_script.id]
    assert await ids(house.bob, q="xn--bcher") == [by_script.id]
    assert await ids(house.bob, q="/path") == []


async def test_q_says_something_in_two_characters_or_more(house: House) -> None:
    for asked in ("", "x", "x" * 201, "  ", "\u0301\u0308", "\u0640\u064b"):
        answer = await house.bob.get(QUEUE, params={"q": asked})
        assert answer.status_code == 422, asked
        assert answer.json()["errors"][0]["parameter"] == "q"


async def test_q_takes_wildcards_of_the_database_as_written(house: House) -> None:
    await house.submit(text="100 acb words and letters")
    for wildcard in ("%", "_", "\\", "100%", "a_b", "[a-z]", "*", "?"):
        wanted = await house.submit(text=f"before {wildcard} after")
        found = await ids(house.bob, q=f"re {wildcard} a")
        assert found == [wanted.id]
    assert len(await ids(house.bob, q="0%")) == 1


async def test_q_never_searches_addresses(house: House) -> None:
    await house.submit(email="dave.needle@mail.example")
    assert await ids(house.bob, q="needle") == []


async def test_cursors_walk_every_comment_once_and_in_order(house: House) -> None:
    submitted = [(await house.submit()).id for _ in range(5)]
    for order in ("oldest", "newest", "risk"):
        seen: list[str] = []
        query: dict[str, str | int] = {"order": order, "limit": 2}
        for size in (2, 2, 1):
            page = await list_queue(house.bob, **query)
            assert len(page["comments"]) == size
            seen += [comment["id"] for comment in page["comments"]]
            query["cursor"] = page["next"]
        assert seen == (submitted[::-1] if order == "newest" else submitted)
        assert query["cursor"] is None


async def test_a_cursor_stays_right_when_its_comment_was_decided_meanwhile(house: House) -> None:
    submitted = [(await house.submit()).id for _ in range(4)]
    page = await list_queue(house.bob, limit=2)
    await house.approve(submitted[0], submitted[1])
    assert await ids(house.bob, limit=2, cursor=page["next"]) == submitted[2:]


async def test_a_cursor_of_another_order_or_a_made_up_one_is_refused(house: House) -> None:
    for _ in range(2):
        await house.submit()
    cursor = (await list_queue(house.bob, limit=1))["next"]
    for query in (
        {"order": "newest", "cursor": cursor},
        {"cursor": "nonsense"},
        {"cursor": "ÿ"},
        {"cursor": cursor + "A"},
    ):
        answer = await house.bob.get(QUEUE, params=query)
        assert answer.status_code == 422, query
        [error] = answer.json()["errors"]
        assert (error["code"], error["parameter"]) == ("cursor_invalid", "cursor")


async def test_every_wrong_parameter_is_named_at_once(house: House) -> None:
    query = {"status": "lost", "order": "random", "limit": "0"}
    answer = await house.bob.get(QUEUE, params=query)
    assert answer.status_code == 422
    assert {error["parameter"] for error in answer.json()["errors"]} == set(query)
    for limit in ("201", "-1", "x", "1.5"):
        assert (await house.bob.get(QUEUE, params={"limit": limit})).status_code == 422


async def test_authors_are_counted_per_site_by_address_and_not_by_name(house: House) -> None:
    dave = {"email": "dave@mail.example"}
    approved, rejected, spam = [await house.submit(name=f"D{n}", **dave) for n in range(3)]
    await house.approve(approved.id)
    await house.reject(rejected.id)
    await house.spam(spam.id)
    waiting = await house.submit(name="Someone", email="DAVE@Mail.Example")
    namesake = await house.submit(name="D0", email="another@mail.example")
    await house.submit(site="elsewhere", **dave)
    listed = {one["id"]: one["author"] for one in (await list_queue(house.bob))["comments"]}
    assert listed[waiting.id] == {"approved": 1, "rejected": 1, "spam": 1}
    assert listed[namesake.id] == {"approved": 0, "rejected": 0, "spam": 0}
    [foreign] = (await list_queue(house.charlie))["comments"]
    assert foreign["author"] == {"approved": 0, "rejected": 0, "spam": 0}


async def test_a_change_of_mind_moves_the_author_s_count_too(house: House) -> None:
    one = await house.submit()
    await house.approve(one.id)
    await house.spam(one.id)
    assert (await house.look(one.id)).author.approved == 0
    assert (await house.look(one.id)).author.spam == 1
    await house.requeue(one.id)
    assert (await house.look(one.id)).author.spam == 0


async def test_a_viewer_may_look_and_a_stranger_sees_only_their_own_site(house: House) -> None:
    ours = await house.submit()
    theirs = await house.submit(site="elsewhere")
    assert await ids(house.vera) == [ours.id]
    assert await ids(house.charlie) == [theirs.id]
    assert await ids(house.charlie, article="/post") == [theirs.id]
    assert (await house.charlie.get(QUEUE, params={"site": "blog"})).status_code == 404
    assert (await house.charlie.get(QUEUE, params={"site": "nowhere"})).status_code == 404


async def test_one_comment_comes_with_all_that_was_done_to_it(house: House) -> None:
    submitted = await house.submit()
    await house.reject(submitted.id, reason="abusive")
    await house.approve(submitted.id)
    detail = (await house.bob.get(f"{QUEUE}/{submitted.id}")).json()
    steps = [(line["action"], line["from"], line["to"], line["reason"]) for line in detail["log"]]
    assert steps == [
        ("reject", "pending", "rejected", "abusive"),
        ("approve", "rejected", "approved", None),
    ]
    [listed] = (await list_queue(house.bob, status="approved"))["comments"]
    assert detail == {**listed, "log": detail["log"]}


async def test_another_spelling_of_an_id_is_not_found(house: House) -> None:
    submitted = await house.submit()
    for spelling in (
        submitted.id.upper(),
        submitted.id.replace("-", ""),
        f"{{{submitted.id}}}",
        "x",
    ):
        assert (await house.bob.get(f"{QUEUE}/{spelling}")).status_code == 404


async def test_a_forged_cursor_without_a_rank_is_refused(house: House) -> None:
    forged = b64encode(b'["risk","00000000-0000-7000-8000-000000000000",null]').decode()
    query = {"order": "risk", "cursor": forged.rstrip("=")}
    answer = await house.bob.get("/v1/moderation/comments", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "cursor_invalid"

"""Settings changed on the command line: each takes effect in a process that is already running."""

import asyncio
from typing import Any

from tests.cast import House
from tests.servers import run_greenroom
from tests.waiting import until

CHANGES = {
    "limit.ip": "7/minute",
    "limit.address": "3/hour",
    "limit.article": "5/day",
    "limit.site": "6/second",
    "max_text_chars": "20",
    "max_depth": "1",
    "edit_window_seconds": "0",
    "receipt_days": "1",
    "trailing_slash": "keep",
    "articles": "listed",
}


async def greenroom(house: House, *arguments: str) -> None:
    """Run a command beside the house, on its database."""
    environment = {"GREENROOM_DATABASE_URL": house.settings.database_url}
    folder = house.settings.data_dir.parent
    done = await asyncio.to_thread(run_greenroom, folder, environment, *arguments)
    assert done.returncode == 0, done.stderr


async def settings_of(house: House) -> dict[str, Any]:
    settings: dict[str, Any] = (await house.alice.get("/v1/sites/blog")).json()["settings"]
    return settings


async def refusing_rule(house: House, **fields: Any) -> str:
    """Submit until a limit refuses, and name its rule."""
    for _ in range(12):
        answer = await house.try_submit(**fields)
        if answer.status_code == 429:
            return answer.headers["ratelimit-policy"]
        assert answer.status_code == 202, answer.text
    return "none"


async def test_every_setting_reaches_a_running_process(house: House) -> None:
    await house.alice.get("/v1/sites/blog")
    await greenroom(house, "site", "set", "blog", *(f"{k}={v}" for k, v in CHANGES.items()))

    async def have_arrived() -> bool:
        shown = await settings_of(house)
        return {name: str(shown[name]) for name in CHANGES} == CHANGES

    await until(have_arrived)
    await listed_articles_alone_are_open(house)
    await limits_are_the_new_ones(house)
    await house.set("limit.ip=off", "limit.address=off", "limit.article=off", "limit.site=off")
    await texts_depth_and_receipts_are_the_new_ones(house)


async def listed_articles_alone_are_open(house: House) -> None:
    assert (await house.try_submit(article="/post/")).status_code == 422
    for article in ("/post/", "/post"):
        state = {"article": article, "state": "open"}
        listed = await house.alice.post("/v1/sites/blog/articles", json=state)
        assert listed.json()["article"] == article


async def limits_are_the_new_ones(house: House) -> None:
    assert await refusing_rule(house, article="/post/") == '"address";q=3;w=3600'
    emails = (f"reader{number}@mail.example" for number in range(20))
    refused = ""
    while not refused.startswith('"article"'):
        answer = await house.try_submit(article="/post/", email=next(emails))
        refused = answer.headers.get("ratelimit-policy", "")
    assert refused == '"article";q=5;w=86400'
    await house.set("limit.article=off", "limit.address=off", "limit.site=off")
    assert await refusing_rule(house, article="/post") == '"ip";q=7;w=60'
    await house.set("limit.ip=off", "limit.site=1/day")
    assert await refusing_rule(house, article="/post") == '"site";q=1;w=86400'


async def texts_depth_and_receipts_are_the_new_ones(house: House) -> None:
    long = await house.try_submit(article="/post", text="x" * 21)
    assert long.json()["errors"][0]["code"] == "text_too_long"
    top = await house.publish(article="/post", text="top")
    reply = await house.publish(article="/post", text="reply", parent=top.id)
    deeper = await house.try_submit(article="/post", text="deeper", parent=reply.id)
    assert deeper.json()["errors"][0]["code"] == "parent_invalid"
    receipt = f"/v1/receipts/{top.receipt.token}"
    assert (await house.dave.get(receipt)).json()["can"] == ["withdraw"]
    house.clock.advance(days=1, seconds=1)
    assert (await house.dave.get(receipt)).status_code == 404


async def test_comments_can_be_closed_for_a_whole_site(house: House) -> None:
    published = await house.publish()
    await house.set("comments=closed")
    async with house.nothing_changes():
        closed = await house.try_submit()
    assert closed.status_code == 422
    assert (await house.dave.get("/v1/sites/blog/form?article=/post")).json()["open"] is False
    assert [one.id for one in (await house.read()).comments] == [published.id]


async def test_a_reason_has_the_site_s_words_for_the_author(house: House) -> None:
    settings = {"reason.off_topic": "Please stay with the post.", "reason.rant": "Too angry."}
    await house.alice.patch("/v1/sites/blog", json={"settings": settings})
    for code, statement in (("off_topic", "Please stay with the post."), ("rant", "Too angry.")):
        submitted = await house.submit()
        await house.reject(submitted.id, reason=code)
        shown = (await house.dave.get(f"/v1/receipts/{submitted.receipt.token}")).json()
        assert (shown["reason"], shown["statement"]) == (code, statement)

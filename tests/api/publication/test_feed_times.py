"""Feeds go by when comments became public, and say when readers last came to see something else."""

from sqlmodel import update

from service.comments.tables import Article, Comment
from tests.api.moderation.test_renew_markup import make_old, renew
from tests.api.publication.test_show_feed import ATOM, ids, read, texts
from tests.cast import House


async def times(house: House, article: str | None = None) -> list[tuple[str, ...]]:
    """Give when the feed was updated, and when each entry was published and updated, as hour and minute."""
    feed = await read(house, article)
    elements = [feed, *feed.findall(f"{ATOM}entry")]
    found = [[text[11:16] for text in texts(one, "published", "updated") if text] for one in elements]
    return [tuple(one) for one in found]


async def test_what_became_public_last_comes_first_whenever_it_was_written(house: House) -> None:
    held, late = await house.submit(), await house.submit()
    house.clock.advance(hours=1)
    shown = await house.publish()
    house.clock.advance(hours=1)
    await house.approve(late.id)
    for article in ("/post", None):
        assert ids(await read(house, article)) == [late.id, shown.id]
        assert await times(house, article) == [
            ("14:00",),
            ("14:00", "14:00"),
            ("13:00", "13:00"),
        ]
    house.clock.advance(hours=1)
    await house.approve(held.id)
    assert ids(await read(house)) == [held.id, late.id, shown.id]
    # The list goes by ids all the same.
    assert [one.id for one in (await house.read()).comments] == [held.id, late.id, shown.id]


async def test_updated_moves_with_each_change_that_readers_see(house: House) -> None:
    one, two = await house.publish(), await house.publish()
    house.clock.advance(minutes=10)
    await house.edit(two, "Corrected.")
    for article in ("/post", None):
        assert await times(house, article) == [("12:00",), *[("12:00", "12:00")] * 2]
    house.clock.advance(minutes=10)
    await house.approve(two.id)
    for article in ("/post", None):
        assert await times(house, article) == [("12:20",), ("12:00", "12:20"), ("12:00", "12:00")]
    house.clock.advance(minutes=10)
    await house.reject(two.id)
    for article in ("/post", None):
        assert await times(house, article) == [("12:30",), ("12:00", "12:00")]
    house.clock.advance(minutes=10)
    await house.approve(two.id)
    for article in ("/post", None):
        assert ids(await read(house, article)) == [two.id, one.id]
        assert await times(house, article) == [("12:40",), ("12:40", "12:40"), ("12:00", "12:00")]


async def test_what_comes_back_with_what_it_answers_became_public_then(house: House) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    await house.reject(root.id)
    house.clock.advance(hours=1)
    other = await house.publish()
    house.clock.advance(hours=1)
    await house.approve(root.id)
    for article in ("/post", None):
        assert ids(await read(house, article)) == [reply.id, root.id, other.id]
        assert (await times(house, article))[1] == ("14:00", "14:00")


async def test_what_an_older_version_let_through_was_published_by_its_decision(
    house: House,
) -> None:
    first, second = await house.submit(), await house.submit()
    house.clock.advance(hours=1)
    await house.approve(second.id)
    house.clock.advance(hours=1)
    await house.approve(first.id)
    async with house.database.writing() as session:
        await session.exec(update(Comment).values(published_at=None, changed_at=None))
        await session.exec(update(Article).values(changed_at=None))
    for article in ("/post", None):
        assert ids(await read(house, article)) == [first.id, second.id]
        assert await times(house, article) == [
            ("14:00",),
            ("14:00", "14:00"),
            ("13:00", "13:00"),
        ]


async def test_a_feed_from_which_all_has_gone_says_when(house: House) -> None:
    shown = await house.publish()
    house.clock.advance(hours=1)
    await house.withdraw(shown)
    for article in ("/post", None):
        assert await times(house, article) == [("13:00",)]


async def test_what_another_process_renders_anew_shows_without_word_of_it(house: House) -> None:
    one = await house.publish(text="5*3*2 = 30")
    await make_old(house, one.id, "<p>5<em>3</em>2 = 30</p>")
    for article in ("/post", None):
        assert "<em>" in await content(house, article)
    house.clock.advance(hours=1)
    await renew(house)
    house.app.process.cache.mark_stale()
    for article in ("/post", None):
        assert await content(house, article) == "<p>5*3*2 = 30</p>"
        assert (await times(house, article))[1] == ("12:00", "13:00")


async def content(house: House, article: str | None) -> str:
    return (await read(house, article)).findtext(f"{ATOM}entry/{ATOM}content", "")

"""What comments are found by follows their texts, also where an older version wrote these."""

from uuid import UUID

import pytest
from sqlmodel import SQLModel, col, update

from service.comments.tables import Comment, ProposedEdit
from tests.api.moderation.test_renew_markup import PAGE, make_old, renew, shown
from tests.cast import House
from tests.waiting import until_tidied

pytestmark = pytest.mark.both


async def leave_unsearched(house: House, search: str | None = None) -> None:
    """Leave all comments and edits as an older version, which knows of no search, has them."""
    await until_tidied()
    async with house.database.writing() as session:
        for table in (Comment, ProposedEdit):
            rows = SQLModel.metadata.tables[str(table.__tablename__)]
            await session.exec(update(rows).values(search=search))


async def find(house: House, words: str, status: str = "pending") -> list[str]:
    answer = await house.bob.get("/v1/moderation/comments", params={"q": words, "status": status})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["comments"]]


async def test_a_correction_is_found_by_its_text_and_the_comment_by_the_one_that_stands(
    house: House,
) -> None:
    held, first, second = (
        await house.submit(text="Öl"),
        await house.publish(),
        await house.publish(),
    )
    await house.edit(held, "Fett")
    assert (await find(house, "öl"), await find(house, "FETT")) == ([], [held.id])
    for one in (first, second):
        await house.edit(one, f"Äpfel {one.id}")
    assert await find(house, "apfel") == [first.id, second.id]
    await house.approve(first.id)
    await house.reject(second.id)
    assert await find(house, "apfel") == []
    assert await find(house, "apfel", status="approved") == [first.id]


async def test_what_an_older_version_wrote_is_found_as_it_is_and_soon_in_any_spelling(
    house: House,
) -> None:
    held, published = await house.submit(text="Ärger"), await house.publish(text="Gut.")
    await house.edit(published, "Ärgerlich")
    await leave_unsearched(house)
    before = (await house.dave.get(PAGE)).headers["etag"]
    assert await find(house, "Ärger") == [held.id, published.id]
    assert await find(house, "argerlich") == []
    await renew(house)
    assert await find(house, "ARGER") == [held.id, published.id]
    assert (await house.look(published.id)).edit
    assert (await house.dave.get(PAGE)).headers["etag"] == before


async def test_what_an_older_process_edits_meanwhile_is_found_by_its_new_text(house: House) -> None:
    pending = await house.submit(text="Eins.")
    await house.edit(pending, "Zwei.")
    await leave_unsearched(house, search="dave\neins.")
    await renew(house)
    assert (await find(house, "eins"), await find(house, "ZWEI")) == ([], [pending.id])


async def test_a_rendering_that_was_refused_does_not_come_again_with_the_search(
    house: House,
) -> None:
    published = await house.publish(text="[Edit]: thanks")
    await make_old(house, published.id, "<p></p>")
    await renew(house)
    await house.decide("reject", published.id)
    await leave_unsearched(house)
    await renew(house)
    assert await find(house, "THANKS", status="approved") == [published.id]
    assert await shown(house) == [("<p></p>", False)]
    assert not (await house.look(published.id)).edit


async def test_an_erased_text_leaves_nothing_to_be_found(house: House) -> None:
    comment = await house.submit(text="Geheimnis")
    await until_tidied()
    async with house.database.writing() as session:
        gone = update(Comment).where(col(Comment.id) == UUID(comment.id))
        await session.exec(gone.values(name="", url=None, text="", html="", search=None))
    await renew(house)
    assert await find(house, "geheimnis") == []
    async with house.database.reading() as session:
        row = await session.get_one(Comment, UUID(comment.id))
        assert row.search == "\n"

"""What becomes of submissions that are written together, on both databases."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from service.clock import new_id
from service.comments.errors import DuplicateComment
from service.comments.tables import StatusTally
from service.errors import IdempotencyKeyReused
from service.privacy.tables import DataKey
from service.sites.directory import KnownSite, load_site
from service.submission.drafts import Draft, Key
from service.submission.storing import Stored, store_drafts
from tests.cast import House
from tests.in_process import START


class Desk:
    """Makes drafts of comments on `blog` and stores them in one transaction."""

    def __init__(self, house: House, site: KnownSite, key_id: UUID) -> None:
        self._house = house
        self._site = site
        self._key_id = key_id

    def draft(self, text: str, *, key: Key | None = None, status: Any = "pending") -> Draft:
        """Make a draft of a comment, by default of one as all are that come in."""
        comment_id = new_id()
        return Draft(
            site_id=self._site.id,
            article="/post",
            parent=None,
            key=key,
            columns={"name": "Dave", "url": None, "text": text},
            id=comment_id,
            article_id=new_id(),
            html=text,
            search=text,
            status=status,
            signals=[],
            submitted_at=START,
            fingerprint=sha256(text.encode()).digest(),
            client_hash=b"hash",
            address={
                "id": comment_id,
                "site_id": self._site.id,
                "key_id": self._key_id,
                "sealed": b"sealed",
                "author_index": b"author",
            },
        )

    async def store(self, *drafts: Draft) -> Sequence[object]:
        return await self._house.database.write(lambda connection: store_drafts(connection, drafts))

    async def stored(self) -> list[str]:
        """Give the texts in the database, which has to have an address and a count for each."""
        state = await self._house.state()
        comments, addresses = state["comment"], state["sealed_address"]
        assert {row["id"] for row in comments} <= {row["id"] for row in addresses}
        async with self._house.database.reading() as session:
            tallies = (await session.exec(select(StatusTally.total))).all()
        assert sum(tallies) == len(comments)
        return sorted(row["text"] for row in comments)


@pytest.fixture
async def desk(house: House) -> Desk:
    async with house.database.reading() as session:
        site = await load_site(session, "blog")
        assert site
        key_id = (await session.exec(select(DataKey.id).where(DataKey.purpose == "address"))).one()
    return Desk(house, site, key_id)


async def test_what_is_twice_in_a_batch_is_stored_once(desk: Desk) -> None:
    outcomes = await desk.store(*(desk.draft(text) for text in ("One.", "Two.", "One.")))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "DuplicateComment",
        "Stored",
        "Stored",
    ]
    assert await desk.stored() == ["One.", "Two."]


async def test_what_was_stored_before_is_a_duplicate_and_the_rest_of_its_batch_is_stored(
    desk: Desk,
) -> None:
    await desk.store(desk.draft("One."))
    again, new = await desk.store(desk.draft("One."), desk.draft("Two."))
    assert isinstance(again, DuplicateComment)
    assert isinstance(new, Stored)
    assert await desk.stored() == ["One.", "Two."]


async def test_a_row_that_the_database_refuses_fails_alone(desk: Desk) -> None:
    outcomes = await desk.store(desk.draft("One."), desk.draft("Bad.", status="nonsense"), desk.draft("Two."))
    assert [type(outcome) for outcome in outcomes] == [Stored, IntegrityError, Stored]
    assert await desk.stored() == ["One.", "Two."]


async def test_a_key_that_another_process_took_first_is_answered_from_its_row(desk: Desk) -> None:
    key = Key(b"key", b"fields")
    first = desk.draft("One.", key=key)
    await desk.store(first)
    replayed, reused, other = await desk.store(
        desk.draft("One.", key=key),
        desk.draft("Another.", key=Key(b"key", b"other fields")),
        desk.draft("Two.", key=Key(b"another key", b"fields")),
    )
    assert replayed == Stored(first.id, START, replayed=True)
    assert isinstance(reused, IdempotencyKeyReused)
    assert isinstance(other, Stored)
    assert await desk.stored() == ["One.", "Two."]


async def test_a_duplicate_keeps_no_key(desk: Desk, house: House) -> None:
    await desk.store(desk.draft("One."))
    async with house.nothing_changes():
        await desk.store(desk.draft("One.", key=Key(b"key", b"fields")))

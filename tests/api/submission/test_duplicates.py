"""The same name and text under the same article and parent is taken once."""

import asyncio

import pytest

from service.errors import Problem
from tests.answers import problem_of
from tests.cast import House

pytestmark = pytest.mark.both

TEXT = "First!"


async def refuse_duplicate(house: House, **fields: str | None) -> Problem:
    problem = await house.refused(409, text=TEXT, **fields)
    assert problem.type == "/problems/duplicate-comment"
    return problem


async def test_a_repeat_is_409_whatever_the_address(house: House) -> None:
    await house.submit(text=TEXT)
    await refuse_duplicate(house)
    problem = await refuse_duplicate(house, email="ann@mail.example", url="https://ann.example")
    assert problem.errors is None


async def test_a_repeat_under_another_key_is_a_duplicate(house: House) -> None:
    await house.try_submit(text=TEXT, headers={"idempotency-key": "one"})
    async with house.nothing_changes():
        other_key = await house.try_submit(text=TEXT, headers={"idempotency-key": "two"})
        no_key = await house.try_submit(text=TEXT)
    problem_of(other_key, 409)
    problem_of(no_key, 409)


async def test_it_is_the_normalised_name_text_and_article_that_count(house: House) -> None:
    await house.submit(text=TEXT, name="José")
    await refuse_duplicate(house, name=" Jose\u0301 ", article="https://blog.example/post/?utm_source=x")


async def test_another_name_text_article_parent_or_site_is_no_duplicate(house: House) -> None:
    parent = await house.publish(text=TEXT)
    await house.submit(text=TEXT, name="Ann")
    await house.submit(text=f"{TEXT}!")
    await house.submit(text=TEXT, article="/other")
    await house.submit(text=TEXT, parent=parent.id)
    await house.submit(text=TEXT, site="elsewhere")
    await refuse_duplicate(house, parent=parent.id)


async def test_it_stays_a_duplicate_whatever_moderators_decide(house: House) -> None:
    first = await house.submit(text=TEXT)
    for decide in (house.approve, house.reject, house.spam):
        await decide(first.id)
        await refuse_duplicate(house)


async def test_the_same_may_be_sent_again_once_the_first_is_withdrawn(house: House) -> None:
    first = await house.submit(text=TEXT)
    await house.withdraw(first)
    again = await house.submit(text=TEXT)
    assert again.id != first.id
    await refuse_duplicate(house)


async def test_the_same_sent_fifty_times_at_once_is_taken_once(house: House) -> None:
    answers = await asyncio.gather(*(house.try_submit(text=TEXT) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 49
    assert len((await house.state())["comment"]) == 1

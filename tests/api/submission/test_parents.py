"""A parent is a visible comment of the same article; every other one is refused in the same words."""

import msgspec
import pytest

from service.errors import Problem
from tests.answers import codes_of
from tests.cast import House

pytestmark = pytest.mark.both

MISSING = "0199f0a0-0000-7000-8000-000000000000"


async def refuse_parent(house: House, parent: str, **fields: str) -> Problem:
    problem = await house.refused(422, parent=parent, **fields)
    assert codes_of(problem) == {"#/parent": "parent_invalid"}
    return problem


async def test_a_visible_comment_of_the_same_article_may_be_answered(house: House) -> None:
    parent = await house.publish()
    reply = await house.publish(parent=parent.id)
    (first, second) = (await house.read()).comments
    assert (first.id, first.parent) == (parent.id, None)
    assert (second.id, second.parent) == (reply.id, parent.id)


async def test_missing_pending_foreign_and_too_deep_are_told_in_the_same_words(
    house: House,
) -> None:
    await house.set("max_depth=1")
    root = await house.publish()
    deep = await house.publish(parent=root.id)
    refusals = {
        "missing": await refuse_parent(house, MISSING),
        "pending": await refuse_parent(house, (await house.submit()).id),
        "of another article": await refuse_parent(house, root.id, article="/other"),
        "of an unknown article": await refuse_parent(house, root.id, article="/unknown"),
        "of another site": await refuse_parent(house, root.id, site="elsewhere"),
        "too deep": await refuse_parent(house, deep.id),
        "no id": await refuse_parent(house, "1"),
    }
    bodies = {msgspec.json.encode(problem) for problem in refusals.values()}
    assert len(bodies) == 1, refusals


async def test_a_comment_that_is_not_visible_any_more_cannot_be_answered(house: House) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    for decide in (house.reject, house.spam, house.requeue):
        await decide(root.id)
        await refuse_parent(house, root.id)
        # Approved itself, but below what is not visible.
        await refuse_parent(house, reply.id)
    await house.approve(root.id)
    await house.submit(parent=reply.id)


async def test_a_tombstone_cannot_be_answered(house: House) -> None:
    root = await house.publish()
    await house.publish(parent=root.id)
    await house.withdraw(root)
    assert (await house.read()).comments[0].name is None
    await refuse_parent(house, root.id)


async def test_an_id_in_another_spelling_is_no_parent(house: House) -> None:
    root = await house.publish()
    for spelling in (
        root.id.upper(),
        root.id.replace("-", ""),
        f"{{{root.id}}}",
        f"urn:uuid:{root.id}",
    ):
        await refuse_parent(house, spelling)
    await house.submit(parent=f" {root.id} ")


async def test_by_default_replies_go_eight_deep(house: House) -> None:
    parent = await house.publish()
    for _ in range(8):
        parent = await house.publish(parent=parent.id)
    await refuse_parent(house, parent.id)


async def test_with_a_depth_of_zero_nothing_can_be_answered(house: House) -> None:
    root = await house.publish()
    await house.set("max_depth=0")
    await refuse_parent(house, root.id)

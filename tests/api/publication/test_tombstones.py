"""What stays of a thread when a comment in it goes, and comes back."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.comments.rules import LEGAL_FROM, RESULT, Action, Status
from service.submission.schemas import Submitted
from tests.cast import House

pytestmark = pytest.mark.both

SHAPE = (None, 0, 1, 1, 0, None)
"""A small tree: for each comment the place of the one that it answers."""


async def shown(house: House, article: str = "/post") -> list[str]:
    """Give the ids on the page; the count and the batch count have to be those of the visible."""
    page = await house.read(article)
    visible = [comment for comment in page.comments if comment.name is not None]
    counts = await house.dave.get("/v1/sites/blog/counts", params={"article": article})
    assert page.count == len(visible) == counts.json()["counts"][article]
    return [comment.id for comment in page.comments]


async def test_a_withdrawn_comment_with_visible_replies_leaves_a_tombstone(house: House) -> None:
    root = await house.publish(url="https://dave.example")
    reply = await house.publish(parent=root.id, name="Ann")
    await house.withdraw(root)
    page = await house.read()
    tombstone, below = page.comments
    assert page.count == 1
    assert (tombstone.id, tombstone.parent, tombstone.created_at) == (
        root.id,
        None,
        root.submitted_at,
    )
    assert (tombstone.name, tombstone.url, tombstone.avatar, tombstone.html) == (None,) * 4
    assert (tombstone.badge, tombstone.edited) == (None, False)
    assert (below.id, below.parent, below.name) == (reply.id, root.id, "Ann")


async def test_without_visible_replies_nothing_is_left(house: House) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    await house.submit(parent=root.id)
    await house.withdraw(root)
    assert await shown(house) == [root.id, reply.id]
    await house.reject(reply.id)
    assert await shown(house) == []
    await house.approve(reply.id)
    assert await shown(house) == [root.id, reply.id]


async def test_tombstones_stand_as_far_up_as_something_visible_is_below(house: House) -> None:
    root = await house.publish()
    middle = await house.publish(parent=root.id)
    leaf = await house.publish(parent=middle.id)
    await house.withdraw(middle)
    await house.withdraw(root)
    assert await shown(house) == [root.id, middle.id, leaf.id]
    await house.withdraw(leaf)
    assert await shown(house) == []


@pytest.mark.parametrize("hide", ["reject", "spam", "requeue"])
async def test_replies_go_and_come_with_a_parent_that_is_decided_anew(house: House, hide: Action) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    leaf = await house.publish(parent=reply.id)
    await act(house, hide, root)
    assert await shown(house) == []
    # What is withdrawn meanwhile counts once the parent is back.
    await house.withdraw(reply)
    await house.approve(root.id)
    assert await shown(house) == [root.id, reply.id, leaf.id]
    assert (await house.read()).count == 2


async def act(house: House, action: Action, comment: Submitted) -> None:
    if action == "withdraw":
        await house.withdraw(comment)
    elif action != "erase":
        await house.decide(action, comment.id)


class Thread:
    """A tree of comments with their statuses, and by the contract's words what shows of it."""

    def __init__(self, comments: list[Submitted]) -> None:
        self.comments = comments
        self.statuses: list[Status] = ["approved"] * len(comments)

    def lets_through(self, place: int | None) -> bool:
        """Tell whether nothing from here upwards hides what is below."""
        if place is None:
            return True
        is_open = self.statuses[place] in {"approved", "withdrawn"}
        return is_open and self.lets_through(SHAPE[place])

    def shows(self, place: int) -> bool:
        if not self.lets_through(place):
            return False
        replies = [reply for reply, parent in enumerate(SHAPE) if parent == place]
        return self.statuses[place] == "approved" or any(self.shows(reply) for reply in replies)

    def shown(self) -> list[str]:
        return [self.comments[place].id for place in range(len(SHAPE)) if self.shows(place)]

    def count(self) -> int:
        return sum(self.shows(place) and status == "approved" for place, status in enumerate(self.statuses))


async def grow(house: House, article: str) -> Thread:
    """Publish a tree of the shape under an article of its own."""
    comments: list[Submitted] = []
    for parent in SHAPE:
        answered = comments[parent].id if parent is not None else None
        comments.append(await house.publish(article=article, parent=answered))
    return Thread(comments)


STEPS = st.lists(
    st.tuples(
        st.integers(0, len(SHAPE) - 1),
        st.sampled_from(["approve", "reject", "spam", "requeue", "withdraw"]),
    ),
    min_size=3,
    max_size=12,
)
_article = iter(f"/thread/{number}" for number in range(1_000))


@settings(
    max_examples=5,
    # Shrinking walks the same threads a hundred times over; a failure prints its steps as they are.
    phases=[Phase.explicit, Phase.generate],
    # The house is the same for every example; each grows its thread under an article of its own.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
async def test_whatever_is_done_to_a_thread_the_page_is_as_the_contract_defines_it(
    house: House, steps: list[tuple[int, Action]]
) -> None:
    article = next(_article)
    thread = await grow(house, article)
    for place, action in steps:
        if thread.statuses[place] not in LEGAL_FROM[action]:
            continue
        await act(house, action, thread.comments[place])
        thread.statuses[place] = RESULT[action]
        assert await shown(house, article) == thread.shown()
        assert (await house.read(article)).count == thread.count()

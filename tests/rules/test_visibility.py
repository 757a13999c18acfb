"""What the public sees of a thread, held to the contract's words read literally."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.comments.rules import (
    LEGAL_FROM,
    RESULT,
    STATUSES,
    Status,
    ThreadNode,
    Visibility,
    decide_visibility,
    is_legal,
)


def see(node: ThreadNode, thread: dict[UUID, ThreadNode]) -> Visibility:
    """Say what becomes of a comment, by the definitions of `visible` and `tombstone`."""
    parent = thread.get(node.parent_id) if node.parent_id else None
    # Above stands nothing but what is approved or taken back by its author.
    lets_through = parent is None or _lets_through(parent, thread)
    if not lets_through or node.status in {"pending", "rejected", "spam"}:
        return "hidden"
    if node.status == "approved":
        return "visible"
    replies = [one for one in thread.values() if one.parent_id == node.id]
    shown = [see(one, thread) for one in replies]
    return "tombstone" if set(shown) - {"hidden"} else "hidden"


def _lets_through(node: ThreadNode, thread: dict[UUID, ThreadNode]) -> bool:
    if node.status not in {"approved", "withdrawn", "erased"}:
        return False
    parent = thread.get(node.parent_id) if node.parent_id else None
    return parent is None or _lets_through(parent, thread)


@st.composite
def threads(draw: st.DrawFn) -> list[ThreadNode]:
    """A tree of up to twelve comments in any order, each below the first or one of the later."""
    nodes: list[ThreadNode] = []
    for number in range(draw(st.integers(1, 12))):
        parent = draw(st.sampled_from(nodes)) if nodes else None
        nodes.append(
            ThreadNode(
                id=UUID(int=number),
                parent_id=parent.id if parent else None,
                depth=parent.depth + 1 if parent else 0,
                status=draw(st.sampled_from(STATUSES)),
            )
        )
    return draw(st.permutations(nodes))


@given(nodes=threads())
def test_it_is_what_the_contract_calls_visible_and_a_tombstone(nodes: list[ThreadNode]) -> None:
    thread = {node.id: node for node in nodes}
    assert decide_visibility(nodes) == {node.id: see(node, thread) for node in nodes}


@given(nodes=threads())
def test_a_shown_comment_stands_below_shown_ones_alone(nodes: list[ThreadNode]) -> None:
    seen = decide_visibility(nodes)
    for node in nodes:
        if seen[node.id] != "hidden" and node.parent_id is not None:
            assert seen[node.parent_id] != "hidden"


TABLE: dict[str, set[Status]] = {
    "approve": {"pending", "rejected", "spam"},
    "reject": {"pending", "approved", "spam"},
    "spam": {"pending", "approved", "rejected"},
    "requeue": {"approved", "rejected", "spam"},
    "withdraw": {"pending", "approved", "rejected", "spam"},
    "erase": set(STATUSES),
}


def test_the_table_of_legal_changes_is_the_contracts() -> None:
    assert {action: set(statuses) for action, statuses in LEGAL_FROM.items()} == TABLE
    assert RESULT.keys() == LEGAL_FROM.keys()


def test_no_action_but_erasing_leads_to_the_status_that_a_comment_has() -> None:
    for action, result in RESULT.items():
        assert action == "erase" or not is_legal(action, result)

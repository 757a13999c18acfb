"""Word of a change reaches everybody who listens."""

from collections.abc import Collection
from uuid import UUID

from service.changes import Change, Changes

CHANGE = Change(UUID(int=1), "/post")


def test_a_listener_that_fails_keeps_nothing_from_the_others() -> None:
    heard: list[Collection[Change]] = []

    def fail(_: Collection[Change]) -> None:
        raise KeyError("this one is broken")

    changes = Changes()
    for listener in (heard.append, fail, heard.append):
        changes.listen(listener)
    changes.tell([CHANGE])
    assert heard == [[CHANGE], [CHANGE]]

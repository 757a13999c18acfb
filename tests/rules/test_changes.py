"""Word of a change reaches everybody who listens."""

from collections.abc import Collection
from uuid import UUID

from service.changes import WHOLE_SITE, Change, Changes

SITE = UUID(int=1)
CHANGE = Change(SITE, "/post")
OF_SITE = Change(SITE, WHOLE_SITE)


def test_a_listener_that_fails_keeps_nothing_from_the_others() -> None:
    heard: list[Collection[Change]] = []

    def fail(_: Collection[Change]) -> None:
        raise KeyError("this one is broken")

    changes = Changes()
    for listener in (heard.append, fail, heard.append):
        changes.listen(listener)
    changes.tell([CHANGE])
    assert heard == [{CHANGE, OF_SITE}] * 2

"""Word of what has changed in public, passed on within the process once it is committed."""

from collections.abc import Callable, Collection
from typing import NamedTuple
from uuid import UUID

from service.telemetry.logs import get_logger

# Stands for all articles of a site together; none of them can be called so.
WHOLE_SITE = ""


class Change(NamedTuple):
    """Of this article of this site the public sees something else than before."""

    site_id: UUID
    article: str


_logger = get_logger(__name__)
Listener = Callable[[Collection[Change]], None]


class Changes:
    """Tells all who listen, one after the other; none of them may block."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have a listener called with what every later commit of this process changed."""
        self._listeners.append(listener)

    def tell(self, changes: Collection[Change]) -> None:
        """Pass changes on, and that of each site as a whole.

        They are committed by now, so nobody's failure may look like theirs.
        """
        changes = {*changes, *(Change(change.site_id, WHOLE_SITE) for change in changes)}
        for listener in self._listeners:
            try:
                listener(changes)
            except Exception as error:
                _logger.error("a change was not heard", exc_info=error)

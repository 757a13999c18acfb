"""What is known of the database from all that is done with it, and the few lines that the log gets of it."""

import time
from collections import defaultdict
from collections.abc import Callable

from service.database.faults import UNWRITABLE, Fault, describe, name_fault
from service.database.sqlite import DatabaseFile
from service.errors import Unavailable
from service.telemetry.logs import OnceAMinute, get_logger

# Who refuses all stores once the file is damaged; only a new start takes it back.
FILE = "file"
# Who refuses them because it tried.
TRIAL = "trial"
_logger = get_logger(__name__)


class Health:
    """Faults as they are met by this process. `file` is that of SQLite.

    Where `is_logged` is not set, somebody else tells the log.
    """

    def __init__(
        self,
        file: DatabaseFile | None,
        now_seconds: Callable[[], float] = time.monotonic,
        *,
        is_logged: bool = True,
    ) -> None:
        self.file = file
        self._is_logged = is_logged
        self._refused: dict[str, Fault] = {}
        self._met = defaultdict[Fault, OnceAMinute](lambda: OnceAMinute(now_seconds))
        self._has_to_tell_the_end = False

    @property
    def unwritable(self) -> Fault | None:
        """Why the last store of some kind of work failed, if it was for such a reason."""
        return next(iter(self._refused.values()), None)

    def note(self, error: Exception, *, stored_by: str | None = None) -> None:
        """Take note of what a unit of work failed with, and of its kind of work if it was to store."""
        fault = name_fault(error)
        if fault is None:
            return
        if fault == "damaged":
            # Somebody may have written over it: what is stored there may be lost, and make it worse.
            self._refused[FILE] = fault
        elif stored_by and fault in UNWRITABLE:
            self._refused[stored_by] = fault
        self.tell(fault, describe(error, fault))

    def refuse(self, fault: Fault) -> None:
        """Take note that nothing can be stored, found out by trying."""
        self._refused[TRIAL] = fault
        self.tell(fault, "trial")

    def stored(self, by: str) -> None:
        """Take note that one kind of work has stored something: others may need more room than that.

        For anything but room it speaks against the trial, which may fail of something that nobody needs.
        """
        if not self._refused:
            return
        if self._refused.get(TRIAL) != "full":
            self._refused.pop(TRIAL, None)
        self._refused.pop(by, None)
        self._tell_the_end()

    def recover(self) -> None:
        """Take note that what any store needs can be stored, found out by trying."""
        if self._refused:
            self._refused = {by: why for by, why in self._refused.items() if by == FILE}
            self._tell_the_end()

    def tell(self, fault: Fault, error: str) -> None:
        """Log a fault, unless that was done a moment ago: the next line says how often it was met."""
        met = self._met[fault]
        if not self._is_logged or not met.is_due():
            return
        self._has_to_tell_the_end |= fault in UNWRITABLE
        write = _logger.warning if fault == "busy" else _logger.error
        write("database fault", fault=fault, error=error, times=met.take())

    def _tell_the_end(self) -> None:
        if self._has_to_tell_the_end and not self._refused:
            self._has_to_tell_the_end = False
            _logger.warning("database takes writes again")

    def require_file(self) -> None:
        """Raise Unavailable when the file of SQLite was replaced: what is stored there, nobody finds."""
        if self.file is not None and self.file.was_replaced:
            self.tell("replaced", "restart the service")
            raise Unavailable("The database's file was replaced: the service has to be restarted.")

    def require_sound_file(self) -> None:
        """Raise Unavailable when the file of SQLite was replaced, or was found to be damaged."""
        self.require_file()
        if FILE in self._refused:
            raise Unavailable("The database's file is damaged: a backup has to be restored.")

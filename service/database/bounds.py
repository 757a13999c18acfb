"""How long the database may take for each kind of work, and how many connections each kind has."""

import msgspec

from service.concurrency.patience import PATIENCE_SECONDS


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of work waits for, in seconds; None is without a bound."""

    patience_seconds: float | None
    """For all that a unit of work does, from waiting for a connection to the commit."""
    lock_seconds: float
    """For a lock: who waits for a row longer is better told so than kept."""
    statement_seconds: float | None
    idle_seconds: float
    """How long a transaction may do nothing: its process is frozen or gone, and others want its locks."""

    @classmethod
    def within(cls, seconds: float) -> "Bounds":
        """Give the bounds of what has to be answered in so many seconds.

        What waits behind a frozen process outlives it, and the server gives up before we do: a connection
        that is given up is lost.
        """
        return cls(
            patience_seconds=seconds,
            idle_seconds=0.6 * seconds,
            lock_seconds=0.8 * seconds,
            statement_seconds=0.9 * seconds,
        )


REQUESTS = Bounds.within(PATIENCE_SECONDS)
# What somebody started by hand and waits for, such as a migration that makes an index.
MAINTENANCE = Bounds(patience_seconds=None, lock_seconds=10.0, statement_seconds=None, idle_seconds=10.0)
# Who asks whether the service is ready asks again soon, and turns elsewhere meanwhile.
READINESS = Bounds.within(2.0)


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections each kind of work has at most, so that none takes those of another."""

    pages: int = 5
    """Public reads."""
    submissions: int = 3
    """What a submission asks before it is stored: the site, the keys, the place. One more writes."""
    moderators: int = 5
    """Everything else."""

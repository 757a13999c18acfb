"""How long the database may take for each kind of work."""

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL allows a kind of work, in seconds; 0 is without a bound."""

    lock_seconds: int = 10
    """How long a statement waits for a lock: who waits for a row longer is better told so than kept."""
    statement_seconds: int = 30

    @property
    def options(self) -> str:
        """The bounds as options of a new connection."""
        return (
            f"-c lock_timeout={self.lock_seconds}s -c statement_timeout={self.statement_seconds}s"
        )


REQUESTS = Bounds()
# What somebody started by hand and waits for, such as a migration that makes an index.
MAINTENANCE = Bounds(statement_seconds=0)

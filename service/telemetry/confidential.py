"""What must not show itself: a base for Structs that hold addresses, passwords, tokens or keys."""

import msgspec


class Confidential(msgspec.Struct, frozen=True):
    """A Struct whose `repr`, which any log or traceback may hold, says its kind and nothing else."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

"""What must not show itself: a base for Structs that hold addresses, passwords, tokens or keys."""

from typing import Any

import msgspec


class Confidential(msgspec.Struct, frozen=True):
    """A Struct whose `repr`, which any log or traceback may hold, and that of rich say its kind alone."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

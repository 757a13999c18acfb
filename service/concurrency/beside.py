"""Work that is too long for the event loop, done beside it by one thread, one piece after the other.

More threads would do no more, since only one runs Python at a time, and the event loop would wait for each.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# It starts with its first piece, so that whatever forks before has none.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside")


async def do_beside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Give what `work` gives; whoever goes away while it waits for its turn has it left undone."""
    return await asyncio.get_running_loop().run_in_executor(_thread, lambda: work(*args, **kwargs))

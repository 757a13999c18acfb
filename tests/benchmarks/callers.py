"""Those who call a service all day: how they send, and how they were answered."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx

# Requests of one kind that are under way at once; what would be more is left out.
AT_ONCE = 20
# In the place of a status, where the connection ended without one.
CUT = 0
# These call from the machine itself, and are told more.
OPERATORS = {"metrics", "readiness"}
# What everybody does is drawn by lot, which hides nothing.
pick = random.Random(1)  # noqa: S311


def somewhere() -> dict[str, str]:
    """Give the header of a proxy by which a request comes from one address of many."""
    return {"x-forwarded-for": f"203.0.113.{pick.randrange(256)}"}


class Callers:
    """Some clients, and all that they were answered by kind of request."""

    def __init__(self, clients: Sequence[httpx.AsyncClient]) -> None:
        self.clients = clients
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds."""

    async def send(
        self,
        kind: str,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response | None:
        """Send a request and count its answer; gives None if there was none."""
        sent = {**(headers or {}), **({} if kind in OPERATORS else somewhere())}
        started = time.perf_counter()
        try:
            answer = await pick.choice(self.clients).request(method, path, headers=sent, **body)
        except httpx.TransportError:
            self.statuses[kind, CUT] += 1
            return None
        self.statuses[kind, answer.status_code] += 1
        self.took[kind].append(time.perf_counter() - started)
        return answer


async def repeat(work: Callable[[], Awaitable[object]], rate: float, ending: asyncio.Event) -> None:
    """Start work so often a second on average, until told to end, whether or not the one before is done."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def once() -> None:
        async with turns:
            await work()

    async with asyncio.TaskGroup() as group:
        while not ending.is_set():
            if not turns.locked():
                group.create_task(once())
            try:
                async with asyncio.timeout(pick.expovariate(rate)):
                    await ending.wait()
            except TimeoutError:
                pass

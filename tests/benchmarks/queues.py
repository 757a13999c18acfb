"""What a simulated installation is made of: parts with a queue in front, and groups that wait together."""

from collections import deque
from collections.abc import Callable, Generator
from heapq import heapreplace
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]
# Long work lets others in between, as Linux and the interpreter's lock do.
SLICE_SECONDS = 0.003


class Part:
    """Some servers with one queue in front, first come, first served; `busy` adds up the seconds of work."""

    def __init__(self, env: simpy.Environment, servers: int, speed: float = 1.0) -> None:
        self._env, self._speed = env, speed
        self._free_at = [0.0] * servers
        self.busy = 0.0

    def work(self, microseconds: float) -> Steps:
        left = microseconds / 1e6 / self._speed
        while left > 0:
            piece = min(left, SLICE_SECONDS)
            left -= piece
            ends = max(self._env.now, self._free_at[0]) + piece
            heapreplace(self._free_at, ends)
            self.busy += piece
            yield self._env.timeout(ends - self._env.now)

    def utilisation(self) -> float:
        return self.busy / len(self._free_at) / self._env.now


class Group:
    """What waits is done together, up to `most`, while the next ones gather."""

    def __init__(self, env: simpy.Environment, most: int, do: Callable[[int], Steps]) -> None:
        self._env, self._most, self._do = env, most, do
        self._waiting: deque[simpy.Event] = deque()
        self._is_busy = False
        self.sizes: list[int] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self) -> simpy.Event:
        done = self._env.event()
        self._waiting.append(done)
        if not self._is_busy:
            self._is_busy = True
            self._env.process(self._run())
        return done

    def _run(self) -> Steps:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(len(self), self._most))]
            self.sizes.append(len(taken))
            yield from self._do(len(taken))
            for one in taken:
                one.succeed()
        self._is_busy = False

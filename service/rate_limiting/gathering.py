"""Questions that come at the same moment, asked together: one round trip serves them all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Gathering(Generic[Q, A]):
    """Asks `ask_all` for the answers to all questions that came while its last call was under way.

    Nobody waits on purpose: a question that comes alone is asked alone.
    """

    def __init__(
        self, ask_all: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], max_together: int
    ) -> None:
        self._ask_all = ask_all
        self._max_together = max_together
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Give the answer to one question, or raise what its call raised."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_while_waiting())
        return await answer

    async def _ask_while_waiting(self) -> None:
        try:
            while self._waiting:
                await self._ask_next()
        finally:
            self._asking = None

    async def _ask_next(self) -> None:
        count = min(len(self._waiting), self._max_together)
        taken = [self._waiting.popleft() for _ in range(count)]
        # Who has gone meanwhile asks nothing any more.
        taken = [(question, answer) for question, answer in taken if not answer.done()]
        try:
            answers = await self._ask_all([question for question, _ in taken])
        except Exception as error:
            for _, waiter in taken:
                if not waiter.done():
                    waiter.set_exception(error)
        else:
            for (_, waiter), answer in zip(taken, answers, strict=True):
                if not waiter.done():
                    waiter.set_result(answer)

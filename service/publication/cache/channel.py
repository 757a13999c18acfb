"""The channel over Redis by which processes tell one another what has changed in public.

Nothing depends on it but speed: an entry of the cache is revalidated before it is two seconds old. A channel
that has gone silent is noticed within seconds all the same, and opened anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from secrets import token_hex

import msgspec

from service.changes import Change
from service.concurrency.tasks import running_beside
from service.redis.client import connect_redis
from service.redis.errors import describe_failure
from service.telemetry.metrics import Metrics
from service.telemetry.outages import Outage

CHANNEL = "greenroom:changes"
# A server that has said nothing for so long is asked, and given as long again to answer.
QUIET_SECONDS = 1.0
PAUSE_SECONDS = 0.5
TIMEOUT_SECONDS = 1.0
LAST_WORDS_SECONDS = 1.0
# Changes that may wait for a Redis that is gone; by then every process has found them by itself.
MAX_WAITING = 10_000


class Message(msgspec.Struct, frozen=True, array_like=True):
    """What one process tells the others."""

    sender: str
    changes: list[Change]


_DECODER = msgspec.msgpack.Decoder(Message)


class Channel:
    """One process's end, which has the cache of this process follow what others change."""

    def __init__(
        self,
        url: str,
        invalidate: Callable[[Collection[Change]], None],
        mark_stale: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._client = connect_redis(url, TIMEOUT_SECONDS)
        self._listener = connect_redis(url, TIMEOUT_SECONDS)
        self._invalidate = invalidate
        self._mark_stale = mark_stale
        self._metrics = metrics
        self._me = token_hex(8)
        self._waiting: set[Change] = set()
        self._wake = asyncio.Event()
        meanwhile = "changes are found within two seconds"
        self._not_told = Outage("Redis for telling of changes", meanwhile)
        self._not_heard = Outage("Redis for hearing of changes", meanwhile)

    def tell(self, changes: Collection[Change]) -> None:
        """Have the others hear of changes; returns at once."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.update(changes)
            self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell and hear for as long as the block lasts, and tell what still waits at its end."""
        try:
            async with running_beside(self._keep_telling(), self._keep_hearing()):
                yield
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self._tell_waiting()
            await self._client.aclose()

    async def _keep_telling(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._tell_waiting()

    async def _tell_waiting(self) -> None:
        changes, self._waiting = list(self._waiting), set()
        if not changes:
            return
        message = msgspec.msgpack.encode(Message(self._me, changes))
        # A connection that was idle may turn out to be gone; the second one is new.
        for is_last in (False, True):
            try:
                await self._client.publish(CHANNEL, message)
            # A cluster's client raises what is no error of Redis; none may end the telling.
            except Exception as error:
                if is_last:
                    self._not_told.note(describe_failure(error))
            else:
                self._not_told.over()
                return

    async def _keep_hearing(self) -> None:
        while True:
            try:
                await self._listen()
            # Whatever it is that fails there, a process has to go on hearing.
            except Exception as error:
                self._metrics.channel_degraded.set(1)
                self._not_heard.note(describe_failure(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        """Hear until the connection fails or falls silent; raises what it fails with."""
        # Opened anew each time: a cluster's client learns by it which nodes there are now.
        async with self._listener, self._listener.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            while True:
                message = await pubsub.get_message(timeout=QUIET_SECONDS)
                if message is None:
                    await pubsub.ping()
                    message = await pubsub.get_message(timeout=QUIET_SECONDS)
                if message is None:
                    raise TimeoutError
                self._take(message["type"], message["data"])

    def _take(self, kind: str, data: bytes) -> None:
        if kind == "subscribe":
            # What was said before this moment was said without us.
            self._mark_stale()
            self._metrics.channel_degraded.set(0)
            self._not_heard.over()
        elif kind == "message":
            # Something else on this Redis may use the name of our channel.
            with suppress(msgspec.MsgspecError, ValueError):
                message = _DECODER.decode(data)
                if message.sender != self._me:
                    self._invalidate(message.changes)

"""What the operations work with: one set of these per process, made when the service starts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar
from uuid import UUID

from litestar.connection import ASGIConnection
from sqlalchemy import Connection
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.passwords import Passwords
from service.changes import Changes
from service.clock import Clock
from service.concurrency.brief_memory import BriefMemory
from service.database import Database
from service.errors import (
    BodyTooLarge,
    MediaTypeNotSupported,
    NotFound,
    OriginNotAllowed,
    RateLimited,
)
from service.http.reading import AppRequest, read_origin
from service.http.running import process_of
from service.modlog.heads import LogHeads
from service.modlog.rules import Head
from service.privacy.vault import Keyring, Vault
from service.rate_limiting.clients import address_prefix, client_address
from service.rate_limiting.fallback import Limiter
from service.rate_limiting.leases import SharedLeases
from service.rate_limiting.rules import Limit, Refusal, Rule, Verdict
from service.settings import Settings
from service.sites.directory import KnownSite, SiteDirectory
from service.sites.policy import SitePolicy
from service.telemetry.logs import get_logger
from service.telemetry.metrics import Metrics
from service.work import Work

# What a change by a reader is refused with before its limits are asked.
BEFORE_LIMITS = (NotFound, OriginNotAllowed, BodyTooLarge, MediaTypeNotSupported)
# A page that holds more of what came with a form is as long as many others are together.
SHORT_ECHO_CHARS = 16_384
# A person who corrects a long text hardly sends it more often.
LONG_ECHOES = Limit(burst=10, period_seconds=60)
_DEFAULT_IP = SitePolicy().limit("ip")
_logger = get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


# Without a `repr`, which would show the parts of every part to whatever log it gets into.
@dataclass(kw_only=True, eq=False, repr=False)
class Services:
    """The parts of a running service."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    limiter: Limiter
    leases: SharedLeases
    directory: SiteDirectory
    passwords: Passwords
    log_heads: LogHeads
    metrics: Metrics
    standby: Database | None = None
    # Whether an article is closed, by site and key; None where there is no such article.
    articles: BriefMemory[tuple[UUID, str], bool | None] = field(default_factory=BriefMemory)
    changes: Changes = field(default_factory=Changes)

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that only reads, on the connections of moderators."""
        return self.database.reading()

    def looking_up(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that only reads, for what commenters wait for."""
        return self.database.submissions.reading()

    async def keyring(self) -> Keyring:
        """Give the keys of the vault; where a transaction is open already, `vault.keyring` takes it."""
        if known := self.vault.fresh():
            return known
        async with self.looking_up() as session:
            return await self.vault.keyring(session)

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that commits at the end of the block, for what is in no log."""
        return self.database.writing()

    @asynccontextmanager
    async def changing(self, actor_id: UUID | None) -> AsyncIterator[Work]:
        """Open a unit of work of a moderator, or of nobody by name; it commits at the end of the block."""
        async with self.database.writing() as session:
            keyring = await self.vault.keyring(session)
            connection = await session.run_sync(lambda sync: sync.connection())
            work = Work(connection, keyring, self.clock(), actor_id, session)
            yield work
            await session.flush()
            await work.run(Work.close)
        self._tell(work)
        await self._note_heads(work)

    async def change(
        self,
        actor_id: UUID | None,
        do: Callable[Concatenate[Work, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do in a unit of work what needs nothing but the database, and give what it gives.

        A block waits for each statement on the event loop, which costs more than the statement.
        """

        def write(connection: Connection) -> tuple[Work, T]:
            work = Work(connection, keyring, self.clock(), actor_id)
            done = do(work, *args, **kwargs)
            work.close()
            return work, done

        keyring = await self.keyring()
        work, done = await self.database.change(write, lambda written: self._tell(written[0]))
        await self._note_heads(work)
        return done

    def _tell(self, work: Work) -> None:
        """Tell those who listen what has changed in public."""
        if work.public:
            self.changes.tell(work.public)

    async def _note_heads(self, work: Work) -> None:
        for site_id, head in work.heads.items():
            await asyncio.to_thread(self._remember_head, site_id, head)

    def _remember_head(self, site_id: UUID, head: Head) -> None:
        try:
            self.log_heads.remember(site_id, head)
        except OSError as error:
            # What was asked for is done: a full disk must not make it look as if it were not.
            _logger.error("log head not written", error=type(error).__name__, code=error.errno)
            self.metrics.head_failures.inc()

    async def charge(self, rules: list[Rule]) -> Verdict:
        """Charge one try to every rule at once; raises RateLimited and charges none if one refuses."""
        verdict = await self.limiter.charge(rules)
        if verdict.refused:
            self.refuse(verdict.refused)
        return verdict

    def refuse(self, refusal: Refusal) -> NoReturn:
        """Raise RateLimited for a try that is one too many."""
        self.metrics.refusals.labels(refusal.rule).inc()
        raise RateLimited(headers=refusal.headers)

    async def charge_refusal(self, request: AppRequest) -> None:
        """Charge a request that is refused before its limits, over all sites; raises RateLimited."""
        prefix = self.client_prefix(request)
        await self.charge([Rule("ip", _DEFAULT_IP, prefix)] if _DEFAULT_IP else [])

    async def may_send_back(self, request: AppRequest, chars: int) -> bool:
        """Tell whether a page may hold so much of what came with a form that was refused.

        To send it back costs more than to send it, and nothing else bounds who is over every limit.
        """
        if chars <= SHORT_ECHO_CHARS:
            return True
        rule = Rule("echo", LONG_ECHOES, self.client_prefix(request))
        return (await self.limiter.charge([rule])).refused is None

    def client_prefix(self, request: AppRequest) -> str:
        """Give the prefix of the client's address that limits count by (IPv4 /32, IPv6 /64)."""
        peer = request.client.host if request.client else None
        forwarded = request.headers.getall("x-forwarded-for", [])
        return address_prefix(client_address(peer, forwarded, self.settings.trusted_proxies))

    def foreign_origin(self, request: AppRequest) -> str | None:
        """Give the Origin of a request that another site's page sent, and None for any other.

        Absent and `null` are no site's: servers send none, and pages that hide where they are send `null`.
        """
        origin = read_origin(request)
        if origin in {None, "null"} or self.is_own_origin(request, origin):
            return None
        return origin

    def require_origin(self, request: AppRequest, site: KnownSite) -> None:
        """Raise OriginNotAllowed for a request from a page that is neither ours nor the site's."""
        foreign = self.foreign_origin(request)
        if foreign is not None and foreign not in site.origins:
            raise OriginNotAllowed

    def is_own_origin(self, request: AppRequest, origin: str | None) -> bool:
        """Tell whether an Origin header names this service, by its public URL or as it was called.

        What is public by https has no page of its own by http, where somebody on the way may have made one.
        """
        called = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        return origin == self.settings.public_url or (
            origin == called and not (self.settings.is_https and called.startswith("http:"))
        )


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Give the parts of the service that answers a request."""
    services: Services = process_of(connection).services
    return services

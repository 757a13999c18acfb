"""What the command line does beside serving: each function is one command, on a database of its own."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.links import make_link
from service.accounts.members import create_moderator, set_role
from service.accounts.queries import find_moderator
from service.accounts.rules import Role
from service.accounts.tables import Moderator
from service.accounts.tokens import create_bearer_token
from service.app import start_services
from service.clock import read_clock
from service.database import MAINTENANCE, Database
from service.metrics import Metrics
from service.migrations.running import migrate
from service.modlog.operations import verify_chain
from service.modlog.rules import START, Flaw, Head
from service.modlog.tables import LogHead
from service.privacy.addresses import check_address
from service.privacy.rotation import Rotation, rotate_keys
from service.privacy.vault import NO_SITE
from service.services import Services
from service.settings import Settings
from service.sites import operations as sites
from service.sites.directory import KnownSite, load_site
from service.sites.policy import parse_setting
from service.sites.tables import Site

# A length beyond any that could be reached is a slip of the keyboard.
_HEAD = re.compile(r"([^:]+):([0-9]{1,12}):([0-9a-fA-F]{64})")


class CommandFailed(Exception):
    """A command cannot do what it was asked; the text says why."""


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[Services]:
    """Give the parts of the service to a command; limits are not its business."""
    alone = Settings(
        **{
            name: getattr(settings, name)
            for name in Settings.__struct_fields__
            if name != "redis_url"
        }
    )
    async with start_services(alone, read_clock, Metrics(), bounds=MAINTENANCE) as services:
        yield services


async def bring_up_to_date(settings: Settings) -> None:
    """Bring the schema up to date, and make the first keys."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url, bounds=MAINTENANCE)
    try:
        await migrate(database)
    finally:
        await database.close()
    async with working(settings):
        pass


async def create_site(services: Services, slug: str, title: str, origins: Sequence[str]) -> None:
    """Make a site; raises SlugInvalid, OriginInvalid or SiteExists."""
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        await sites.create_site(
            session,
            keyring,
            slug=slug,
            title=title,
            origins=origins,
            actor_id=None,
            now=services.clock(),
        )


async def set_site(services: Services, slug: str, pairs: Sequence[str]) -> None:
    """Change settings given as KEY=VALUE; `title` and `origins` (separated by commas) are among them."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandFailed(f"{pair!r} is not KEY=VALUE.")
        given[name] = value
    title = given.pop("title", None)
    origins = given.pop("origins", None)
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        site = await _get_site(session, slug)
        await sites.change_site(
            session,
            keyring,
            site.id,
            title=title,
            origins=origins.split(",") if origins is not None else None,
            settings={name: parse_setting(name, text) for name, text in given.items()},
            actor_id=None,
            now=services.clock(),
        )


async def add_moderator(
    services: Services,
    email: str,
    name: str,
    *,
    slug: str | None,
    role: Role | None,
    is_admin: bool,
    password: str | None,
) -> str | None:
    """Make an account, or give the existing one a role on the site.

    A new one without a password gets a one-time link. Raises CommandFailed, AccountExists.
    """
    address, now = check_address(email), services.clock()
    hashed = await services.passwords.hash(password) if password is not None else None
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        site = await _get_site(session, slug) if slug is not None else None
        known = await find_moderator(session, keyring, address)
        if known and site:
            _require_unchanged(known, name, hashed, is_admin)
            moderator = known
        else:
            moderator = await create_moderator(
                session,
                keyring,
                address,
                name=name,
                now=now,
                password_hash=hashed,
                is_admin=is_admin,
            )
        # The role and the link refer to the account by foreign keys that the session does not know of.
        await session.flush()
        if site:
            chosen = role or Role.MODERATOR
            await set_role(session, keyring, site.id, moderator.id, chosen, actor_id=None, now=now)
        return None if known or hashed else _new_link(services, session, moderator)


def _require_unchanged(
    moderator: Moderator, name: str, password_hash: str | None, is_admin: bool
) -> None:
    """Raise CommandFailed where a new role would come with something that it cannot change."""
    if moderator.name != name or password_hash or is_admin:
        raise CommandFailed(
            "This address has an account already, which stays as it is: "
            "give it a role with its own --name, and without --admin and --password-stdin."
        )


async def make_sign_in_link(services: Services, email: str) -> str:
    """Make a link for a moderator who has no password or forgot it; it works once, within a day."""
    async with services.writing() as session:
        return _new_link(services, session, await _get_moderator(services, session, email))


def _new_link(services: Services, session: AsyncSession, moderator: Moderator) -> str:
    token = make_link(session, moderator.id, services.clock())
    return f"{services.settings.public_url}/sign-in/{token}"


async def _get_moderator(services: Services, session: AsyncSession, email: str) -> Moderator:
    keyring = await services.vault.keyring(session)
    moderator = await find_moderator(session, keyring, check_address(email))
    if moderator is None:
        raise CommandFailed("There is no moderator with this address.")
    return moderator


async def _get_site(session: AsyncSession, slug: str) -> KnownSite:
    site = await load_site(session, slug)
    if site is None:
        raise CommandFailed(f"There is no site {slug!r}.")
    return site


async def make_bearer_token(
    services: Services, email: str, slug: str | None, role: Role | None, name: str
) -> str:
    """Make a bearer token for a moderator and give its text."""
    async with services.writing() as session:
        keyring = await services.vault.keyring(session)
        moderator = await _get_moderator(services, session, email)
        site = await _get_site(session, slug) if slug is not None else None
        _, text = await create_bearer_token(
            session,
            keyring,
            moderator.id,
            name=name,
            site_id=site.id if site else None,
            role=role,
            now=services.clock(),
        )
    return text


async def rotate(services: Services) -> Rotation:
    """Renew the keys of addresses while the service runs."""
    return await rotate_keys(services.database, services.vault, services.clock())


class Verified(msgspec.Struct, frozen=True):
    """One chain after it was checked: its name, the head that the database has, and its flaws."""

    name: str
    head: Head
    flaws: list[Flaw]

    @property
    def line(self) -> str:
        """The chain in one line, with its head in the form that --head takes."""
        state = f"{len(self.flaws)} flaws" if self.flaws else "whole"
        return f"{self.name}: {state}, {self.name}:{self.head.length}:{self.head.mac.hex()}"


async def verify_logs(services: Services, head: str | None) -> list[Verified]:
    """Check every chain; `head` is one more head to hold it to, as `SITE:LENGTH:HASH`."""
    given = dict([_parse_head(head)] if head else [])
    # Before the database is looked at, whose chains go on growing.
    remembered = services.log_heads.recall()
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
        slugs = dict((await session.exec(select(Site.id, Site.slug))).all())
        rows = (await session.exec(select(LogHead))).all()
        stored = {row.site_id: Head(row.length, row.mac) for row in rows}
        chains = {chain: _name_chain(chain, slugs) for chain in {*stored, *remembered, *slugs}}
        if unknown := set(given).difference(chains.values()):
            raise CommandFailed(f"There is no log of {unknown.pop()!r}.")
        results = []
        for chain, name in sorted(chains.items()):
            heads = [stored.get(chain), *remembered.get(chain, []), given.get(name)]
            flaws = await verify_chain(session, keyring, chain, [one for one in heads if one])
            results.append(Verified(name, stored.get(chain, Head(0, START)), flaws))
    return results


def _name_chain(chain: UUID, slugs: Mapping[UUID, str]) -> str:
    """Name a chain by its site; what is in parentheses is not a site that there is."""
    if chain == NO_SITE:
        return "(installation)"
    return slugs.get(chain, f"({chain})")


def _parse_head(text: str) -> tuple[str, Head]:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise CommandFailed("--head is SITE:LENGTH:HASH, as `greenroom log verify` prints it.")
    return found[1], Head(int(found[2]), bytes.fromhex(found[3]))

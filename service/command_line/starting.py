"""What is looked at before the service starts, and the one line that says with what it does."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from service.command_line.database_errors import explain, name_database
from service.command_line.refusals import Misconfigured
from service.rate_limiting.fallback import PROBE
from service.rate_limiting.redis import RedisLimiter
from service.redis.client import answers_without_tls, check_files, connect_redis
from service.redis.errors import NO_TLS, describe_failure, find_mistake
from service.services import Services
from service.settings import Settings, load_settings
from service.telemetry.logs import get_logger

CONNECT_SECONDS = 5
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_SECRETS = {"secret_key", "metrics_token"}
# They stand in the line by themselves.
_TOLD_APART = {"database_url", "redis_url"}
_logger = get_logger("greenroom")


class Found(msgspec.Struct, frozen=True):
    """What the service will work with."""

    database: str
    redis: str


async def look_around(settings: Settings, services: Services) -> Found:
    """Look at what the service needs; raises Misconfigured for what no waiting would mend.

    A Redis that is not reached is no reason: limits count for each process until it is.
    """
    async with services.reading() as session:
        database = await _describe_database(session, settings)
        if not settings.is_sqlite:
            await _require_rights(session)
    return Found(database, await _describe_redis(settings.redis_url))


def require_text(settings: Settings) -> None:
    """Raise Misconfigured for a PostgreSQL database that cannot hold every text."""
    if settings.is_sqlite:
        return
    # By the driver itself: where the encoding is none, what is built on it does not even connect. Imported
    # here, since SQLite has no use for it.
    import psycopg

    url = make_url(settings.database_url)
    # Never as one text, which libpq repeats with its password where it cannot read it.
    _, parts = url.get_dialect()().create_connect_args(url)
    try:
        with psycopg.connect(**{**parts, "connect_timeout": CONNECT_SECONDS}) as connection:
            encoding = connection.info.parameter_status("server_encoding")
    except psycopg.Error as error:
        raise Misconfigured(explain(error, url)) from None
    if encoding != "UTF8":
        raise Misconfigured(
            f"The {name_database(url)} has the encoding {encoding}, which cannot hold every text. "
            "Make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )


def announce(settings: Settings, found: Found, *, listens: str, workers: int) -> None:
    """Say in one line of the log what starts, and with what; no secret is in it."""
    _logger.info(
        "greenroom starts",
        version=version("greenroom"),
        listens=listens,
        workers=workers,
        database=found.database,
        redis=found.redis,
        settings=dict(_list_changes(settings)),
    )


def shared_folder() -> AbstractContextManager[str]:
    """Make a folder for what workers share; raises Misconfigured."""
    try:
        return TemporaryDirectory(prefix="greenroom-metrics-")
    except OSError:
        raise Misconfigured(
            "Workers add up their metrics in a temporary folder, and none can be made: "
            "set TMPDIR to a folder in which this account may write."
        ) from None


def _list_changes(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Give each setting that is not what it would be by itself, as far as it may be shown."""
    by_default = load_settings({})
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        if name not in _TOLD_APART and value != getattr(by_default, name):
            yield name, _show(name, value)


def _show(name: str, value: Any) -> Any:
    if name in _SECRETS:
        return "set"
    if name.endswith("_url"):
        return _without_login(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _without_login(url: str) -> str:
    """Give a URL without user, password and options, in which there may be further passwords."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


async def _describe_database(session: AsyncSession, settings: Settings) -> str:
    if settings.is_sqlite:
        found = sqlite3.sqlite_version
    else:
        # Debian adds the version of its package: "15.20 (Debian 15.20-0+deb12u1)".
        found = str(await session.scalar(text("SHOW server_version"))).partition(" (")[0]
    return f"{name_database(settings.database_url)}, version {found}"


async def _require_rights(session: AsyncSession) -> None:
    """Raise Misconfigured unless the role may do to every table what the service does."""
    checks = ", ".join(f"has_table_privilege(name, '{right}')" for right in _RIGHTS)
    rows = "unnest(CAST(:names AS text[])) AS name"
    query = text(f"SELECT name, {checks} FROM {rows}")  # noqa: S608 - It is made of constants.
    tables = sorted(SQLModel.metadata.tables)
    connection = await session.connection()
    for table, *granted in await connection.execute(query, {"names": tables}):
        lacking = [right for right, is_granted in zip(_RIGHTS, granted, strict=True) if not is_granted]
        if lacking:
            raise Misconfigured(
                f"The role in GREENROOM_DATABASE_URL may not {' or '.join(lacking)} on the table {table}: "
                f"GRANT {', '.join(_RIGHTS)} ON ALL TABLES IN SCHEMA public TO the role."
            )


async def _describe_redis(url: str | None) -> str:
    if url is None:
        return "none"
    try:
        check_files(url)
    except ValueError as error:
        raise Misconfigured(f"GREENROOM_REDIS_URL does not work: {error}.") from None
    client = connect_redis(url)
    try:
        # Of all that is asked of a Redis this needs the most rights and the newest version.
        await RedisLimiter(client, b"").charge([PROBE])
    except Exception as error:
        why = find_mistake(error) or (NO_TLS if await answers_without_tls(url) else None)
        if why:
            raise Misconfigured(f"GREENROOM_REDIS_URL does not work: {why}.") from None
        return f"{_without_login(url)}, not reached ({describe_failure(error)})"
    finally:
        await client.aclose()
    return f"{_without_login(url)}, reached"

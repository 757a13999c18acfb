"""What all tests share: a PostgreSQL and a Redis for the whole run, an empty piece of it each."""

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from hypothesis import settings as hypothesis_settings

from service.app import spare_collector
from service.settings import Settings
from tests.cast import PUBLIC_URL, Furnished, House, furnish, open_house
from tests.chromium import describe_chromium
from tests.met import record
from tests.processes import RightMissing, Server, ServerMissing
from tests.servers import (
    copied_database,
    find_memory_folder,
    fresh_database,
    start_private_postgres,
    start_private_redis,
    with_driver,
)

# A busy machine must not look like a fault: how long an example takes is not asserted either.
hypothesis_settings.register_profile("any machine", deadline=None)
hypothesis_settings.load_profile("any machine")

API = Path(__file__).parent / "api"
# What this run uses, by the server's name; a server that could not be had stands under `missing`.
used = pytest.StashKey[dict[str, str]]()
missing = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--met", metavar="FOLDER", help="write there what is met; see tests/met.py")


def pytest_configure(config: pytest.Config) -> None:
    if folder := config.option.met:
        config.add_cleanup(partial(record(), Path(folder)))
    if memory := find_memory_folder():
        # Each commit of a test waits for what its files lie on.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Provide both servers before pytest-xdist starts its workers, which inherit the variables."""
    config = session.config
    config.stash[used], config.stash[missing] = {}, {}
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    servers = ExitStack()
    config.add_cleanup(servers.close)
    _provide(config, servers, "PostgreSQL", "TEST_POSTGRES_URL", start_private_postgres)
    _provide(config, servers, "Redis", "TEST_REDIS_URL", start_private_redis)
    if config.stash[missing] and os.environ.get("CI"):
        pytest.exit(f"CI needs every server. {_describe_missing(config)}", returncode=1)


def _provide(
    config: pytest.Config,
    servers: ExitStack,
    name: str,
    variable: str,
    start: Callable[[], AbstractContextManager[Server]],
) -> None:
    where = ""
    if not os.environ.get(variable):
        try:
            os.environ[variable] = servers.enter_context(start()).url
        except ServerMissing as error:
            config.stash[missing][name] = f"{error}; install {name} or set {variable}"
            return
        servers.callback(os.environ.pop, variable)
        where = "private"
    url = os.environ[variable]
    version = _postgres_version(url) if name == "PostgreSQL" else _redis_version(url)
    config.stash[used][name] = f"{name} {version} ({where or _without_password(url)})"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make test-more` what the API answers on PostgreSQL as on SQLite."""
    for item in items:
        chosen = getattr(item, "callspec", None)
        is_on_postgres = chosen is not None and "postgresql" in chosen.params.values()
        is_of_api = item.path.is_relative_to(API)
        if is_of_api and is_on_postgres and not item.get_closest_marker("both"):
            item.add_marker("more")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip a test for which this machine lacks a server or a program; in CI, which installs them, it fails.

    What no installation brings, such as the right to mount a disk or the corpora, is skipped there too.
    """
    report = yield
    if call.excinfo and isinstance(lack := call.excinfo.value, ServerMissing):
        is_excused = isinstance(lack, RightMissing) or not os.environ.get("CI")
        if is_excused:
            report.outcome, report.longrepr = "skipped", (str(item.path), 1, str(lack))
    return report


def pytest_collection_finish() -> None:
    """Spare the collector what stays, as the service does: here it is a house after the other that goes."""
    spare_collector()


def pytest_report_header(config: pytest.Config) -> list[str]:
    lines = [] if hasattr(config, "workerinput") else [describe_chromium()]
    lines += [f"servers: {', '.join(config.stash[used].values())}"] if config.stash[used] else []
    return lines + ([_describe_missing(config)] if config.stash[missing] else [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[missing]:
        terminalreporter.write_sep("!", _describe_missing(config), red=True)


def _describe_missing(config: pytest.Config) -> str:
    return "NOT TESTED: " + "; ".join(f"{name} ({why})" for name, why in config.stash[missing].items())


def _postgres_version(url: str) -> str:
    with psycopg.connect(url) as connection:
        version = connection.info.parameter_status("server_version") or "of unknown version"
        # Debian adds the version of its package: "15.20 (Debian 15.20-0+deb12u1)".
        return version.partition(" (")[0]


def _redis_version(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        return str(client.info("server")["redis_version"])


def _without_password(url: str) -> str:
    return url.rpartition("@")[2].rpartition("//")[2]


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Give the URL of a PostgreSQL where databases may be created, or skip."""
    return _url_or_skip("TEST_POSTGRES_URL")


@pytest.fixture(scope="session")
def redis_server() -> str:
    """Give the URL of a Redis whose databases may be flushed, or skip."""
    return _url_or_skip("TEST_REDIS_URL")


def _url_or_skip(variable: str) -> str:
    if url := os.environ.get(variable):
        return url
    raise ServerMissing(f"no server on this machine, and {variable} is not set")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give a new, empty PostgreSQL database."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str, worker_id: str) -> str:
    """Give an empty Redis database that no other worker of pytest-xdist uses."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    url = urlsplit(redis_server)._replace(path=f"/{number}").geturl()
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a new, empty database of either kind, as a URL for SQLAlchemy's asynchronous engine."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'greenroom.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return with_driver(url)


def furnished_settings(data_dir: Path, url: str) -> Settings:
    """Give the settings of the house, in which a busy machine does not look like a silent database."""
    return Settings(data_dir=data_dir, database_url=url, public_url=PUBLIC_URL, database_patience_seconds=60)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def furnished(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Furnished]:
    """Give a database of either kind that holds the cast, once for all tests; it is only copied."""
    data_dir = tmp_path_factory.mktemp("furnished")
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{data_dir / 'greenroom.sqlite3'}"
        yield await furnish(furnished_settings(data_dir, url))
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as plain_url:
        url = with_driver(plain_url)
        yield await furnish(furnished_settings(data_dir, url))


@pytest.fixture
def furnished_url(furnished: Furnished, tmp_path: Path) -> Iterator[str]:
    """Give a copy of the furnished database; on SQLite its place in the data directory's copy."""
    with copied_database(furnished.settings, tmp_path / "data") as url:
        yield url


@pytest.fixture
async def house(furnished: Furnished, furnished_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Give the running service with the cast in it, on either database; see `tests.cast`."""
    async with open_house(furnished, furnished_url, tmp_path / "data") as house:
        yield house

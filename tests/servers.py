"""Real servers for tests: PostgreSQL, Redis and the service itself, as child processes.

Each listens on loopback at a port from the kernel, and ends with the test run, also a killed one.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import redis
from psycopg import sql

from service.settings import Settings
from tests.processes import (
    DEADLINE_SECONDS,
    MEMORY,
    REPOSITORY,
    Server,
    ServerMissing,
    bound_to_us,
    find_free_port,
    running,
)


@contextmanager
def start_private_postgres(*, is_durable: bool = False, also_at: str | None = None) -> Iterator[Server]:
    """Run a PostgreSQL of one's own; without `is_durable` it is faster and a crash may lose data.

    Raises ServerMissing. Its one account may do anything and needs no password. `also_at` is an address of
    this machine at which it listens, too, for those in the same network.
    """
    initdb, postgres = find_program("initdb"), find_program("postgres")
    account = _unprivileged_account()
    place = None if is_durable else find_memory_folder()
    # A PostgreSQL that was killed leaves children, which may still write while the folder goes.
    with TemporaryDirectory(prefix="greenroom-", dir=place, ignore_cleanup_errors=True) as folder:
        if account:
            shutil.chown(folder, account)
        create = [initdb, "--pgdata", f"{folder}/data", "--username=greenroom", "--auth=trust"]
        create += ["--encoding=UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*bound_to_us(account), *create], check=True, capture_output=True)
        if also_at:
            with Path(folder, "data", "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        with running(_make_postgres(folder, postgres, account, is_durable, also_at)) as server:
            yield server


@contextmanager
def start_private_standby(first: Server) -> Iterator[Server]:
    """Run a hot standby of a PostgreSQL that was started here. Raises ServerMissing."""
    copy, postgres = find_program("pg_basebackup"), find_program("postgres")
    account = _unprivileged_account()
    with TemporaryDirectory(
        prefix="greenroom-", dir=find_memory_folder(), ignore_cleanup_errors=True
    ) as folder:
        if account:
            shutil.chown(folder, account)
        take = [copy, "--pgdata", f"{folder}/data", "--dbname", first.url, "--write-recovery-conf"]
        take += ["--checkpoint=fast", "--no-sync"]
        subprocess.run([*bound_to_us(account), *take], check=True, capture_output=True)
        with running(_make_postgres(folder, postgres, account, is_durable=False)) as server:
            yield server


def _make_postgres(
    folder: str, program: str, account: str | None, is_durable: bool, also_at: str | None = None
) -> Server:
    port = find_free_port()
    settings = {
        "port": str(port),
        "listen_addresses": ",".join(["127.0.0.1", *([also_at] if also_at else [])]),
        "unix_socket_directories": "",
        # Several processes of the service, each with a pool, times the workers of the tests.
        "max_connections": "500",
        "fsync": "on" if is_durable else "off",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    return Server(
        [*bound_to_us(account), program, "-D", f"{folder}/data", *options],
        url=f"postgresql://greenroom@127.0.0.1:{port}/postgres",
        log_file=Path(folder, "log"),
        answers=_postgres_answers,
        # "Fast": it does not wait for clients that are still connected.
        stop_signal=signal.SIGINT,
    )


@contextmanager
def start_private_redis() -> Iterator[Server]:
    """Run a Redis of one's own with 64 databases, which forgets all when it stops.

    Raises ServerMissing.
    """
    program = find_program("redis-server")
    with TemporaryDirectory(prefix="greenroom-") as folder:
        port = find_free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--databases", "64", "--save", ""]
        server = Server(
            [*bound_to_us(), program, *options, "--dir", folder],
            url=f"redis://127.0.0.1:{port}/0",
            log_file=Path(folder, "log"),
            answers=redis_answers,
        )
        with running(server):
            yield server


@contextmanager
def start_service(
    folder: Path,
    environment: Mapping[str, str],
    *options: str,
    port: int | None = None,
    prefix: Sequence[str] | None = None,
) -> Iterator[Server]:
    """Run `greenroom serve` on a port of its own; `folder` gets its log and its data.

    `prefix` is what its command begins with, such as `like_the_image(folder)`.

    Several processes that share a database are several of these with one `GREENROOM_DATABASE_URL`
    and `GREENROOM_DATA_DIR`. The schema must be there: `type_command(…, "migrate")`.
    """
    port = port or find_free_port()
    serve = ["serve", "--host", "127.0.0.1", "--port", str(port), *options]
    server = Server(
        [*(prefix or bound_to_us()), sys.executable, "-m", "service", *serve],
        url=f"http://127.0.0.1:{port}",
        log_file=folder / f"service-{port}.log",
        answers=_service_answers,
        environment=service_environment(folder, environment),
    )
    with running(server):
        yield server


def run_greenroom(
    folder: Path, environment: Mapping[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line to its end, with its data in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env=service_environment(folder, environment),
        timeout=DEADLINE_SECONDS,
    )


def find_workers(server: Server) -> set[int]:
    """Find the processes that a service has started as its workers. Linux only."""
    found = set()
    for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
        # A child that has just ended has no command any more.
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"service.server.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(int(pid))
    return found


@contextmanager
def fresh_database(server_url: str, template: str = "template1") -> Iterator[str]:
    """Create a database on a PostgreSQL server as a copy of `template`, and drop it afterwards."""
    name = f"greenroom_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}")
    with psycopg.connect(server_url, autocommit=True) as connection:
        # Where nothing is synced, files are copied in half the time in which their pages are logged.
        is_known = connection.info.server_version >= 150_000
        how = sql.SQL("STRATEGY file_copy" if is_known else "")
        names = sql.Identifier(name), sql.Identifier(template)
        connection.execute(create.format(*names, how))
    yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server_url, autocommit=True) as connection:
        # A test may have left connections open; they must not keep the database.
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))


@contextmanager
def copied_database(settings: Settings, data_dir: Path) -> Iterator[str]:
    """Copy a database on PostgreSQL; on SQLite give its place in `data_dir`, which the caller copies."""
    if settings.is_sqlite:
        yield f"sqlite+aiosqlite:///{data_dir / 'greenroom.sqlite3'}"
        return
    place = urlsplit(settings.database_url)
    # Every server has this one, and who is connected to a template would be in its way.
    server = place._replace(scheme="postgresql", path="/postgres").geturl()
    with fresh_database(server, place.path.removeprefix("/")) as url:
        yield with_driver(url)


def with_driver(url: str) -> str:
    """Give the URL of a PostgreSQL database as SQLAlchemy's asynchronous engine wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def service_environment(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    # What a developer has configured in the shell must not reach a test.
    # Nor may each of the many processes be made to compile all modules anew, as this variable does.
    foreign = ("GREENROOM_", "PYTHONDONTWRITEBYTECODE")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # Nor do most tests have a proxy that would have to turn elsewhere, or a database that falls silent.
    quick = {"GREENROOM_DRAIN_SECONDS": "0", "GREENROOM_DATABASE_PATIENCE_SECONDS": "60"}
    return {**ours, **quick, "GREENROOM_DATA_DIR": str(folder / "data"), **given}


def find_program(name: str) -> str:
    """Find a server's program; raises ServerMissing."""
    # Debian keeps the programs of a PostgreSQL server out of the PATH; the newest version wins.
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *map(str, reversed(places))])
    if (found := shutil.which(name, path=path)) is None:
        raise ServerMissing(f"no program {name} on this machine")
    return found


def find_memory_folder() -> str | None:
    """Name a roomy folder in memory, where a database is created ten times as fast as on disk."""
    # TMPDIR is how one says where scratch files go; containers often have only 64 MiB here.
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > 1 << 30 else None


def _unprivileged_account() -> str | None:
    """Name the account to run PostgreSQL under, which refuses root; None means our own."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else "nobody"


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def redis_answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def _service_answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", trust_env=False).is_success
    except httpx.TransportError:
        return False

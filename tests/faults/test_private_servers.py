"""The servers that tests break on purpose: they start, fall silent, come back and leave nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from subprocess import PIPE
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from tests.processes import ENDED, REPOSITORY, Server, state_of, wait_until
from tests.servers import start_private_postgres, start_private_redis

Start = Callable[[], AbstractContextManager[Server]]


def ask_postgres(url: str) -> None:
    with psycopg.connect(url, connect_timeout=2) as connection:
        connection.execute("SELECT 1")


def ask_redis(url: str) -> None:
    with redis.Redis.from_url(url, socket_timeout=0.2) as client:
        client.ping()


BOTH = pytest.mark.parametrize(
    ("start", "ask"),
    [(start_private_postgres, ask_postgres), (start_private_redis, ask_redis)],
    ids=["postgresql", "redis"],
)
NO_ANSWER = (psycopg.OperationalError, redis.ConnectionError, redis.TimeoutError)


@BOTH
def test_a_stopped_server_is_gone_and_comes_back_at_the_same_url(
    start: Start, ask: Callable[[str], None]
) -> None:
    with start() as server:
        server.stop()
        with pytest.raises(NO_ANSWER):
            ask(server.url)
        server.restart()
        ask(server.url)


@BOTH
def test_a_frozen_server_is_silent_until_it_thaws(start: Start, ask: Callable[[str], None]) -> None:
    with start() as server:
        server.freeze()
        with pytest.raises(NO_ANSWER):
            ask(server.url)
        server.thaw()
        ask(server.url)


def test_a_frozen_postgresql_is_silent_on_open_connections_too() -> None:
    with start_private_postgres() as server, psycopg.connect(server.url) as connection:
        backend = connection.info.backend_pid
        server.freeze()
        assert state_of(backend) == "T"
        server.thaw()
        connection.execute("SELECT 1")


@BOTH
def test_a_killed_server_can_be_started_again(start: Start, ask: Callable[[str], None]) -> None:
    with start() as server:
        server.kill()
        assert not server.is_running
        server.restart()
        ask(server.url)


@pytest.fixture
def open_folder() -> Iterator[str]:
    """Give a folder that the account of PostgreSQL may pass through, unlike pytest's own."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - it holds no secret.
        yield folder


@pytest.mark.parametrize("start", ["start_private_postgres", "start_private_redis"])
def test_a_server_ends_with_a_test_run_that_is_killed(start: str, open_folder: str) -> None:
    script = f"""if True:
        from tests.servers import {start}
        with {start}() as server:
            print(server.pid, flush=True)
            input()
        """
    command = [sys.executable, "-c", script]
    # Nobody is left to remove the server's folder, so it lies in one of ours.
    environment = {**os.environ, "TMPDIR": open_folder}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=PIPE, stdout=PIPE) as run:
        assert run.stdout is not None
        server_pid = int(run.stdout.readline())
        run.kill()
    wait_until(lambda: state_of(server_pid) in ENDED, "the server to end")

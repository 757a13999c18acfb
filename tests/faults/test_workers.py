"""Several workers behind one port: each may die, freeze or be replaced, and the service goes on."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.disks import SmallDisk
from tests.keyboard import type_command
from tests.processes import Server, wait_until
from tests.servers import find_workers, start_private_redis, start_service

pytestmark = pytest.mark.more

# Nothing listens on this port; the kernel refuses at once.
NO_REDIS = "redis://127.0.0.1:1/0"
DEGRADED = "greenroom_rate_limiter_degraded 1.0"
SIGN_IN = {"email": "nobody@mail.example", "password": "correct horse battery"}


# Each is counted by its template, of which none has been asked for before.
PATHS = (
    "/embed.js",
    "/v1/sites/blog/form?article=/a",
    "/v1/sites",
    "/sign-in",
    "/desk",
    "/nothing",
)


@contextmanager
def two_workers(folder: Path, redis_url: str, **more: str) -> Iterator[Server]:
    assert type_command(folder, {}, "migrate").exit_code == 0
    environment = {"GREENROOM_REDIS_URL": redis_url, **more}
    with start_service(folder, environment, "--workers", "2") as server:
        wait_until(lambda: server.log_text().count("worker serves") == 2, "both workers")
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with two_workers(tmp_path, NO_REDIS) as server:
        yield server


def metrics(server: Server) -> str:
    """Read the metrics over a connection of its own, which either worker may answer."""
    return httpx.get(f"{server.url}/metrics", trust_env=False).text


def kill(pids: set[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_worker_that_counts_alone_shows_until_it_ends(tmp_path: Path) -> None:
    with start_private_redis() as redis, two_workers(tmp_path, redis.url) as server:
        assert DEGRADED not in metrics(server)
        redis.kill()
        wait_until(lambda: DEGRADED in metrics(server), "a worker that counts alone")
        httpx.post(f"{server.url}/v1/session", json=SIGN_IN, trust_env=False)
        assert all(DEGRADED in metrics(server) for _ in range(10))
        before = find_workers(server)
        assert len(before) == 2
        # What they said last stays behind in the folder that they share.
        kill(before)
        redis.start()
        wait_until(lambda: len(find_workers(server) - before) == 2, "new workers")
        wait_until(lambda: server.answers(server.url), "an answer")
        after = metrics(server)
        assert DEGRADED not in after
        assert "greenroom_rate_limiter_fallbacks_total 1.0" in after


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def ask_for_everything(server: Server) -> None:
    """Have each worker count what it has not counted before; whoever dies of it cuts a connection."""
    for _ in range(10):
        for path in PATHS:
            assert httpx.get(f"{server.url}{path}", trust_env=False).status_code < 500
        assert httpx.get(f"{server.url}/metrics", trust_env=False).status_code == 200


def replace_one(server: Server) -> None:
    """Kill a worker, and wait for another one that serves."""
    ready = server.log_text().count("worker serves")
    kill({min(find_workers(server))})
    wait_until(lambda: server.log_text().count("worker serves") > ready, "a new worker")


def test_a_full_temporary_disk_kills_no_worker(tmp_path: Path, disk: SmallDisk) -> None:
    with two_workers(tmp_path, NO_REDIS, TMPDIR=str(disk.folder)) as server:
        before = find_workers(server)
        disk.fill()
        ask_for_everything(server)
        assert find_workers(server) == before
        # It takes the files of the one that is gone.
        replace_one(server)
        ask_for_everything(server)
        assert "greenroom_workers 2.0" in metrics(server)
        # Of one that finds none the counts are missing, and nothing else.
        os.kill(server.pid, signal.SIGHUP)
        wait_until(lambda: not find_workers(server) & before, "the last of the old workers to go")
        ask_for_everything(server)
        assert "counts are missing" in server.log_text()


def test_a_temporary_folder_that_is_cleaned_takes_no_counts_away(tmp_path: Path, scratch: Path) -> None:
    with two_workers(tmp_path, NO_REDIS, TMPDIR=str(scratch)) as server:
        for _ in range(20):
            httpx.get(f"{server.url}/embed.js", trust_env=False)
        for folder in scratch.iterdir():
            shutil.rmtree(folder)
        ask_for_everything(server)
        counted = 'route="/embed.js",status="200"} 30.0'
        wait_until(lambda: counted in metrics(server), "the counts of both workers")
        replace_one(server)
        assert counted in metrics(server)
        wait_until(lambda: "greenroom_workers 2.0" in metrics(server), "both workers")


def test_workers_that_die_while_the_database_is_away_are_replaced_once_it_is_back(
    server: Server, tmp_path: Path
) -> None:
    database, away = tmp_path / "data" / "greenroom.sqlite3", tmp_path / "away"
    database.rename(away)
    kill(find_workers(server))
    # Two at once, and then one after the other that does not even start.
    wait_until(lambda: server.log_text().count("worker died") >= 4, "deaths in a row")
    away.rename(database)
    wait_until(lambda: server.answers(server.url), "an answer")
    server.stop()
    assert server.status == 0


def test_a_frozen_worker_is_killed_at_the_end_which_is_no_end_in_order(server: Server) -> None:
    frozen, other = find_workers(server)
    os.kill(frozen, signal.SIGSTOP)
    os.kill(server.pid, signal.SIGTERM)
    wait_until(lambda: not server.is_running, "the end")
    assert server.status == 1
    assert not Path(f"/proc/{frozen}").exists()
    assert not Path(f"/proc/{other}").exists()


def test_a_parent_that_is_killed_takes_its_workers_along(server: Server) -> None:
    workers = find_workers(server)
    # One that is frozen could not notice by itself.
    os.kill(min(workers), signal.SIGSTOP)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, workers)), "the workers to be gone")
    server.restart()


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has buried yet does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_cannot_start_does_not_replace_what_serves(server: Server, tmp_path: Path) -> None:
    before = find_workers(server)
    (tmp_path / "data" / "greenroom.sqlite3").rename(tmp_path / "away")
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: "the workers that are there stay" in server.log_text(), "the refusal")
    wait_until(lambda: find_workers(server) == before, "the new worker to be gone")
    assert server.answers(server.url)

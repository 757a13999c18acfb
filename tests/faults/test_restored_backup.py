"""A backup that was made while people decided, restored elsewhere: in which order its heads fit."""

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from service.command_line import commands
from service.command_line.log import Verified, accept_logs, verify_logs
from service.services import Services
from service.settings import Settings
from tests.cast import House
from tests.servers import find_program, fresh_database
from tests.waiting import until


class Backup:
    """Database, heads and secret key in a folder, in whatever order they are copied."""

    def __init__(self, house: House, folder: Path) -> None:
        self.settings = house.settings
        self.data = folder / "data"
        self.dump = folder / "dump"
        folder.mkdir(parents=True)
        self.data.mkdir(mode=0o700)
        shutil.copy(house.settings.data_dir / "secret.key", self.data)

    async def copy_heads(self) -> None:
        await asyncio.to_thread(
            shutil.copytree, self.settings.data_dir / "log-heads", self.data / "log-heads"
        )

    async def copy_database(self) -> None:
        await asyncio.to_thread(self._copy_database)

    def _copy_database(self) -> None:
        if not self.settings.is_sqlite:
            url = self.settings.database_url.replace("+psycopg", "")
            dump = [find_program("pg_dump"), "--format=custom", f"--file={self.dump}", url]
            subprocess.run(dump, check=True)
            return
        source = sqlite3.connect(self.settings.data_dir / "greenroom.sqlite3")
        with closing(source), closing(sqlite3.connect(self.data / "greenroom.sqlite3")) as target:
            source.backup(target)

    @contextmanager
    def restored(self, postgres_server: Callable[[], str]) -> Iterator[Settings]:
        """Put all back in a place of its own, and give the settings of a service there."""
        if self.settings.is_sqlite:
            url = f"sqlite+aiosqlite:///{self.data / 'greenroom.sqlite3'}"
            yield replace(self.settings, data_dir=self.data, database_url=url)
            return
        with fresh_database(postgres_server()) as url:
            restore = [find_program("pg_restore"), "--no-owner", f"--dbname={url}", str(self.dump)]
            subprocess.run(restore, check=True)
            url = url.replace("postgresql:", "postgresql+psycopg:")
            yield replace(self.settings, data_dir=self.data, database_url=url)


async def check(settings: Settings, how: Callable[[Services], Awaitable[list[Verified]]]) -> set[str]:
    """Check the logs of a service, and give the kinds of what is wrong."""
    async with commands.working(settings) as services:
        return {flaw.kind for chain in await how(services) for flaw in chain.flaws}


@asynccontextmanager
async def decisions(house: House) -> AsyncIterator[Callable[[], int]]:
    """Let Bob decide for as long as the block lasts; gives how often he did."""
    made, done = 0, asyncio.Event()

    async def keep_deciding() -> None:
        nonlocal made
        comment = await house.submit()
        while not done.is_set():
            await (house.requeue if made % 2 else house.approve)(comment.id)
            made += 1

    task = asyncio.create_task(keep_deciding())
    try:
        yield lambda: made
    finally:
        done.set()
        await task


async def make_backups(house: House, folder: Path) -> tuple[Backup, Backup]:
    """Make one backup with the heads first and one with the database first, with decisions in between."""
    right, wrong = Backup(house, folder / "right"), Backup(house, folder / "wrong")
    async with decisions(house) as count:

        async def three_more() -> None:
            enough = count() + 3

            async def are_made() -> bool:
                return count() >= enough

            await until(are_made)

        await three_more()
        await right.copy_heads()
        await three_more()
        await right.copy_database()
        await wrong.copy_database()
        await three_more()
        await wrong.copy_heads()
    return right, wrong


async def test_heads_fit_when_they_are_copied_before_the_database(
    house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    right, wrong = await make_backups(house, tmp_path / "backups")

    def postgres_server() -> str:
        url: str = request.getfixturevalue("postgres_server")
        return url

    with right.restored(postgres_server) as settings:
        assert await check(settings, verify_logs) == set()
    with wrong.restored(postgres_server) as settings:
        assert await check(settings, verify_logs) == {"cut off"}
        # What is restored is right, and there is a way to say so.
        await check(settings, accept_logs)
        assert await check(settings, verify_logs) == set()

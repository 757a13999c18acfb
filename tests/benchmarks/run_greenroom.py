"""Greenroom, in the manner of the harness's scripts for its peers.

`run_greenroom.py OUT.json [sqlite|postgres]`, with the folder of the harness and the root of this repository
in PYTHONPATH.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from service.command_line import commands
from tests.benchmarks.harness import Client, Request
from tests.benchmarks.machine import SERVER_CORE, on_core
from tests.benchmarks.seeding import Crowd
from tests.benchmarks.stage import Stage, open_big_stage, open_stage, page_path
from tests.installation import COMMENTS, SITE

pb: Any = importlib.import_module("peerbench")

OPEN: dict[str, Callable[[Path, Crowd], AbstractContextManager[Stage]]] = {
    "sqlite": open_stage,
    "postgres": open_big_stage,
}
JSON = {"Content-Type": "application/json"}
# What the peers are asked for as well, where they know pages at all.
PAGE = 100
DEFAULT_LIMITS = ["limit.ip=10/minute", "limit.address=5/minute"]
DEFAULT_LIMITS += ["limit.article=120/minute", "limit.site=1200/minute"]
BODY = {
    "article": "/w",
    "name": "Reader @USER@",
    "email": "reader@USER@@mail.example",
    "url": "https://site@USER@.example.org/",
    "text": "@SEQ@ " + pb.text(7, 285),
}


def main(out: str, database: str = "sqlite") -> None:
    with TemporaryDirectory() as name, OPEN[database](Path(name), Crowd({})) as stage:
        pb.ROOTS[:] = stage.roots
        with stage.connect() as client:
            for article in pb.ARTICLES:
                fill(stage, client, article)
        measure(f"greenroom-{database}", stage, Path(name))
    pb.save(out)


def fill(stage: Stage, client: Client, article: str) -> None:
    """Send the comments of the data set, and approve those that are to be."""
    approved = []
    for comment in pb.comments(article):
        body = {name: comment[name] for name in ("email", "text")}
        body |= {"article": f"/{article}", "name": comment["author"], "url": comment["website"]}
        request = Request(COMMENTS, "POST", json.dumps(body).encode(), JSON, 202)
        if comment["approved"]:
            approved.append(json.loads(client.send(request))["id"])
        else:
            client.send(request)
    for start in range(0, len(approved), PAGE):
        client.send(approve(stage, approved[start : start + PAGE]))


def approve(stage: Stage, comments: list[str]) -> Request:
    decisions = [{"comment": one, "version": 1, "action": "approve"} for one in comments]
    headers = {**JSON, "Authorization": f"Bearer {stage.token}"}
    body = json.dumps({"decisions": decisions}).encode()
    return Request("/v1/moderation/decisions", "POST", body, headers)


def measure(name: str, stage: Stage, folder: Path) -> None:
    """Everything that the peers are put through."""
    starts = [restart(stage) for _ in range(3)]
    pb.RESULTS[f"{name}/start"], pb.RESULTS[f"{name}/mem-idle"] = starts, pb.mem(pb.ROOTS)
    pb.reads(name, {one: stage.url + page_path(f"/{one}", limit=PAGE) for one in pb.ARTICLES})
    pb.RESULTS[f"{name}/mem-read"] = pb.mem(pb.ROOTS)
    template = folder / "body.json"
    template.write_text(json.dumps(BODY))
    given = {"PB_BODY": str(template), "PB_HEADERS": "Content-Type: application/json"}
    pb.writes(name, stage.url + COMMENTS, given, lambda run: len(find_stored(stage, run)))
    pb.RESULTS[f"{name}/mem-write"] = pb.mem(pb.ROOTS)
    sender = pb.Sender(stage.url + COMMENTS, json.dumps(BODY), JSON, is_taken)
    pb.crash(name, sender, stage.server.kill, lambda: restart(stage), lambda run: find_stored(stage, run))
    asyncio.run(set_limits(stage))
    restart(stage)
    pb.ratelimit(name, pb.Sender(stage.url + COMMENTS, json.dumps(BODY), JSON, is_taken))


def is_taken(status: int, _body: bytes) -> bool:
    return status == 202


def restart(stage: Stage) -> float:
    """Stop the service if need be and start it again; gives the seconds until it answered."""
    stage.server.stop()
    started = perf_counter()
    with on_core(SERVER_CORE):
        stage.server.start()
    pb.ROOTS[:] = stage.roots
    return perf_counter() - started


def find_stored(stage: Stage, run: str) -> set[str]:
    """Give the first words of the texts that a run stored."""
    url = make_url(stage.settings.database_url)
    driver = "sqlite" if stage.settings.is_sqlite else "postgresql+psycopg"
    engine = create_engine(url.set(drivername=driver))
    query: Any = text("SELECT text FROM comment WHERE text LIKE :start")
    with engine.connect() as connection:
        found = connection.execute(query, {"start": f"{run}%"}).scalars().all()
    engine.dispose()
    return {one.split(" ", 1)[0] for one in found}


async def set_limits(stage: Stage) -> None:
    async with commands.working(stage.settings) as services:
        await commands.set_site(services, SITE, DEFAULT_LIMITS)


if __name__ == "__main__":
    main(*sys.argv[1:])

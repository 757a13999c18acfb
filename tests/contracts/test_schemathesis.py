"""The service does what its own document says, whatever is sent: schemathesis with all its checks on.

SCHEMATHESIS_EXAMPLES sets how many examples of each operation are tried beside the systematic ones.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.command_line import commands
from service.settings import load_settings
from tests.processes import Server
from tests.servers import start_service

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CONFIGURATION = str(Path(__file__).with_name("schemathesis.toml"))
# Few, and the same ones each time: the suite stays fast, and a failure stays.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")
BOUNDED = ["--max-examples", EXAMPLES, "--generation-deterministic"]
OPEN_TO_ANYBODY = ("Public", "Receipts", "Operations")
# Schemathesis waits for the end of an answer.
ENDLESS = ("stream_comments",)
NO_LIMITS = ["limit.ip=off", "limit.address=off", "limit.article=off", "limit.site=off"]
ADMIN = "alice@desk.example"
COMMENTER = "dave@mail.example"


@dataclass(frozen=True)
class Served:
    """A running service with something of everything in it, and what to call that by."""

    server: Server
    token: str
    names: Mapping[str, str]


@pytest.fixture
async def served(tmp_path: Path, database_url: str) -> AsyncIterator[Served]:
    """Run a service in which every route with a parameter has something to find."""
    environment = {"GREENROOM_DATABASE_URL": database_url}
    token = await set_up(tmp_path, environment)
    with start_service(tmp_path, environment) as server:
        names = {"SITE": "blog", "SPARE_SITE": "spare", **furnish(server.url, token)}
        yield Served(server, token, names)


async def set_up(folder: Path, environment: Mapping[str, str]) -> str:
    """Make two sites with an admin and another member, and give the admin's token."""
    settings = load_settings({"GREENROOM_DATA_DIR": str(folder / "data"), **environment})
    await commands.bring_up_to_date(settings)
    async with commands.working(settings) as services:
        for slug in ("blog", "spare"):
            await commands.add_site(services, slug, slug, ["https://blog.example"])
            await commands.set_site(services, slug, NO_LIMITS)
        for email, is_admin in ((ADMIN, True), ("bob@desk.example", False)):
            await commands.add_moderator(
                services,
                email,
                email.partition("@")[0],
                slug="blog",
                role=None,
                is_admin=is_admin,
                password=None,
            )
        return await commands.make_bearer_token(services, ADMIN, None, None, "schemathesis")


def furnish(url: str, token: str) -> dict[str, str]:
    """Send three comments, approve one, and make a token; gives the names of all these."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as admin:
        queued, visible, followed = [submit(admin, text) for text in ("One.", "Two.", "Three.")]
        decision = {"comment": visible["id"], "version": 1, "action": "approve"}
        admin.post("/v1/moderation/decisions", json={"decisions": [decision]}).raise_for_status()
        members = admin.get("/v1/sites/blog/members").raise_for_status().json()["members"]
        spare_token = admin.post("/v1/tokens", json={"name": "spare"}).raise_for_status().json()
    return {
        "QUEUED": queued["id"],
        "VISIBLE": visible["id"],
        "RECEIPT": followed["receipt"]["token"],
        "MEMBER": members[1]["moderator"]["id"],
        "TOKEN": spare_token["details"]["id"],
    }


def submit(client: httpx.Client, text: str) -> dict[str, Any]:
    """Send a comment and give the answer."""
    fields = {"article": "/post", "name": "Dave", "email": COMMENTER, "text": text}
    answer = client.post("/v1/sites/blog/comments", json=fields).raise_for_status()
    submitted: dict[str, Any] = answer.json()
    return submitted


def run_schemathesis(served: Served, folder: Path, *options: str) -> None:
    """Let schemathesis call the service; it must find nothing, and no address may reach the log."""
    document = f"{served.server.url}/schema/openapi.json"
    run = [SCHEMATHESIS, "--config-file", CONFIGURATION, "run", document, "--checks", "all"]
    done = subprocess.run(
        [*run, *BOUNDED, "--no-color", *options],
        capture_output=True,
        text=True,
        check=False,
        # It leaves a folder behind in the one that it is called from.
        cwd=folder,
        env={**os.environ, **served.names},
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert COMMENTER not in served.server.log_text()


# PostgreSQL is the stricter one about what it stores, so it gets what strangers send.
@pytest.mark.more
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nothing_is_found_in_what_anybody_may_call(served: Served, tmp_path: Path) -> None:
    public = each("--include-tag", OPEN_TO_ANYBODY)
    run_schemathesis(served, tmp_path, *public, *each("--exclude-operation-id", ENDLESS))


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_found_as_an_admin(served: Served, tmp_path: Path) -> None:
    admin = ["--header", f"Authorization: Bearer {served.token}"]
    run_schemathesis(served, tmp_path, *admin, *each("--exclude-tag", OPEN_TO_ANYBODY))


def each(option: str, values: Iterable[str]) -> list[str]:
    """Repeat an option for each of its values."""
    return [part for value in values for part in (option, value)]

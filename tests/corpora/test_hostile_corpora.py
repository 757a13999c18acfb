"""What the worst of inputs become on their way from the form to every page that shows them."""

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.accounts.rules import Role
from service.app import create_app
from service.command_line import commands
from service.form.fields import MAX_NAME_CHARS
from service.settings import load_settings
from service.text.normalising import has_visible, normalise_line, normalise_text
from service.web import demo
from tests.cast import PUBLIC_URL, email_of, furnish
from tests.corpora.harmless import assert_harmless, assert_page_harmless
from tests.corpora.reading import find_corpus, read_addresses, read_attacks
from tests.in_process import alive
from tests.installation import decide, in_parallel, walk_pages

SUBMIT = f"/v1/sites/{demo.SITE}/comments"
NO_LIMITS = [f"limit.{name}=off" for name in ("ip", "address", "article", "site")]
CLIENTS = 16
# All 6,613 take minutes: `make test-long`. A prime, so that every family of payloads has its turn.
STEP = 1 if os.environ.get("GREENROOM_LONG_TESTS") else 29
# Receipts have a limit per IP; some of them are looked at, corrected and mistyped.
RECEIPTS = 12


class Stage:
    """The demonstration inside the test: a stranger's client, and a moderator's."""

    def __init__(self, dave: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
        self.dave = dave
        self.bob = bob
        self.receipts: list[str] = []

    async def submit(self, **fields: str) -> httpx.Response:
        comment = {"article": demo.ARTICLE, "name": "Dave", "text": "Hello.", **fields}
        return await self.dave.post(SUBMIT, json={"email": "dave@mail.example", **comment})

    async def attack(self, _: httpx.AsyncClient, payload: str) -> None:
        """Send a payload in every field that shows what was typed, rightly and with an error."""
        fields = {"name": payload[:MAX_NAME_CHARS], "text": payload, "url": payload}
        await self._mistype(**fields)
        answer = await self.submit(**fields)
        if answer.status_code == 422:
            assert refused_fields(answer) == {"url"}
            answer = await self.submit(**{**fields, "url": ""})
        # Some lines are there twice.
        assert answer.status_code in {202, 409}, answer.text
        if answer.status_code == 202 and len(self.receipts) < RECEIPTS:
            token = answer.json()["receipt"]["token"]
            self.receipts.append(token)
            assert_page_harmless((await self.dave.get(f"/receipts/{token}")).text)
            await self._mistype_edit(token, payload)

    async def _mistype(self, **fields: str) -> None:
        """Send a plain form with a bad address: its answer has what was typed still in the fields."""
        # The payloads were not made for these places, so each first closes the one that it is in.
        broken_out = {"text": f"</textarea>{fields['text']}", "name": f'">{fields["name"]}'}
        form = {"article": demo.ARTICLE, "email": "nobody", **fields, **broken_out}
        answer = await self.dave.post(SUBMIT, data=form, headers={"Accept": "text/html"})
        assert answer.status_code == 422
        assert_page_harmless(answer.text)

    async def _mistype_edit(self, token: str, payload: str) -> None:
        """Correct a comment to what is too long: the answer has what was typed still in the form."""
        form = {"text": f"</textarea>{payload}" + "x" * 10_000}
        answer = await self.dave.post(f"/receipts/{token}/edit", data=form)
        assert answer.status_code == 422
        assert_page_harmless(answer.text)

    async def propose(self, token: str, text: str) -> None:
        """Correct a published comment, and look at the page on which its author then sees both texts."""
        answer = await self.dave.patch(f"/v1/receipts/{token}", json={"text": text})
        assert answer.status_code == 200, answer.text
        assert_page_harmless((await self.dave.get(f"/receipts/{token}")).text)

    async def in_queue(self) -> list[dict[str, Any]]:
        """Give all that is pending, the oldest first."""
        return await walk_pages(self.bob, "/v1/moderation/comments", limit="200")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    settings = load_settings({"GREENROOM_DATA_DIR": str(tmp_path), "GREENROOM_PUBLIC_URL": PUBLIC_URL})
    furnished = await furnish(settings)
    async with commands.working(settings) as services:
        await commands.add_site(services, demo.SITE, "Demo", [PUBLIC_URL])
        await commands.set_site(services, demo.SITE, NO_LIMITS)
        await commands.add_moderator(
            services,
            email_of("bob"),
            "Bob",
            slug=demo.SITE,
            role=Role.MODERATOR,
            is_admin=False,
            password=None,
        )
    app: Any = create_app(settings, extra_routes=demo.ROUTERS)
    transport = httpx.ASGITransport(app)
    bearer = {"Authorization": f"Bearer {furnished.tokens['bob']}"}
    async with (
        alive(app),
        httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as dave,
        httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=bearer) as bob,
    ):
        yield Stage(dave, bob)


async def test_every_address_is_taken_or_called_invalid(stage: Stage) -> None:
    taken = []

    async def send(_: httpx.AsyncClient, job: tuple[int, str]) -> None:
        number, address = job
        answer = await stage.submit(email=address, text=f"Comment {number}.")
        if answer.status_code == 202:
            taken.append(address)
        else:
            assert refused_fields(answer) == {"email"}

    addresses = [address for address, _, _ in read_addresses()]
    await in_parallel([stage.dave] * CLIENTS, enumerate(addresses), send)
    assert len(addresses) == 164
    assert 0 < len(taken) == len(await stage.in_queue()) < len(addresses)


async def test_every_naughty_string_comes_back_as_normalised(stage: Stage) -> None:
    expected: dict[str, tuple[str, str]] = {}

    async def send(_: httpx.AsyncClient, job: tuple[int, str]) -> None:
        number, string = job
        name, text = normalise_line(string), normalise_text(string)
        # An article each, since two strings of one form would be a repeat.
        fields = {"article": f"/naughty-{number}", "name": string, "text": string}
        if len(name) > MAX_NAME_CHARS:
            assert refused_fields(await stage.submit(**fields)) == {"name"}
            name = fields["name"] = "Dave"
        answer = await stage.submit(**fields)
        if has_visible(text):
            assert answer.status_code == 202, answer.text
            expected[fields["article"]] = name, text
        else:
            assert refused_fields(answer) == {"name", "text"}

    strings = json.loads(find_corpus("sanitiser/naughty-strings.json").read_text())
    await in_parallel([stage.dave] * CLIENTS, enumerate(strings), send)
    assert {one["article"]: (one["name"], one["text"]) for one in await stage.in_queue()} == expected


async def test_every_attack_is_shown_harmlessly_wherever_it_is_shown(stage: Stage) -> None:
    attacks = read_attacks()[::STEP]
    await in_parallel([stage.dave] * CLIENTS, attacks, stage.attack)
    queue = await stage.in_queue()
    texts = {normalise_text(attack) for attack in attacks}
    assert {one["text"] for one in queue} == texts

    await expect_harmless_pages(stage.bob, "/moderation", "queued", len(queue))
    for start in range(0, len(queue), 100):
        await decide(stage.bob, "approve", 1, [one["id"] for one in queue[start : start + 100]])
    shown = await walk_pages(stage.dave, SUBMIT, article=demo.ARTICLE, limit="200")
    assert [one["id"] for one in shown] == [one["id"] for one in queue]
    assert_harmless("\n".join(one["html"] for one in shown))
    for url in filter(None, (one["url"] for one in shown)):
        assert url.lower().startswith(("http://", "https://"))
        assert_harmless(f'<a href="{url}">x</a>')
    await expect_harmless_fragments(stage.dave, len(queue))
    await expect_harmless_edits(stage, attacks)


async def expect_harmless_edits(stage: Stage, attacks: list[str]) -> None:
    """Correct published comments to further payloads: what moderators and then everybody sees is harmless."""
    for number, token in enumerate(stage.receipts):
        await stage.propose(token, f"{attacks[-1 - number]}\n\nCorrected {number}.")
    waiting = await stage.in_queue()
    assert len(waiting) == len(stage.receipts)
    assert_harmless("\n".join(one["proposed"]["html"] for one in waiting))
    await expect_harmless_pages(stage.bob, "/moderation", "queued", len(waiting))
    await decide(stage.bob, "approve", 3, [one["id"] for one in waiting])
    shown = await walk_pages(stage.dave, SUBMIT, article=demo.ARTICLE, limit="200")
    edited = [one["html"] for one in shown if one["edited"]]
    assert sorted(edited) == sorted(one["proposed"]["html"] for one in waiting)
    assert_harmless("\n".join(edited))


async def expect_harmless_pages(client: httpx.AsyncClient, path: str, kind: str, total: int) -> None:
    """Follow a list from page to page; no page may act, and they hold so many entries together."""
    seen, following = 0, path
    while following:
        answer = await client.get(following)
        assert answer.status_code == 200
        elements = assert_page_harmless(answer.text)
        seen += sum(element.attrib.get("class") == kind for element in elements)
        link = re.search(rf'href="({path}\?cursor=[^"]+)"', answer.text)
        following = link[1] if link else ""
    assert seen == total


# Data, in which nothing opens a tag, and the script that tells a frame's height.
OUR_SCRIPTS = re.compile(
    r'<script type="application/ld\+json">[^<]*</script>'
    r'|<script type="module" src="/static/frame.js"></script>'
)


async def expect_harmless_fragments(client: httpx.AsyncClient, total: int) -> None:
    """Follow the comments as HTML from page to page: no script is in them but our own."""
    seen, following = 0, f"{SUBMIT}.html?article={demo.ARTICLE}&limit=200"
    while following:
        answer = await client.get(following)
        assert answer.status_code == 200
        html = OUR_SCRIPTS.sub("", answer.text.replace(f'="{PUBLIC_URL}/', '="/'))
        elements = assert_page_harmless(html)
        seen += sum(element.attrib.get("part") == "item" for element in elements)
        link = re.search(r'part="link more" href="([^"]+)"', html)
        following = link[1].replace("&amp;", "&") if link else ""
    assert seen == total


def refused_fields(answer: httpx.Response) -> set[str]:
    """Give the fields that an answer calls invalid, which has to be a 422."""
    assert answer.status_code == 422, answer.text
    return {error["pointer"].removeprefix("#/") for error in answer.json()["errors"]}

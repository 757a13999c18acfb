"""Every operation of the service, done to one stage some times over, with the CPU time that each took."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

from service.http.cursors import Position, make_cursor
from tests.benchmarks.harness import Client, Request, Spent
from tests.benchmarks.seeding import SPAN, Crowd, make_id
from tests.benchmarks.stage import Stage, make_submission, page_path
from tests.installation import COMMENTS, SITE

# Few, so that the sizes take turns often; there are many rounds instead.
TIMES = 20
# A moderator's handful: there are as many pending ones at each size, and one may hold ten times as many.
HANDFUL = 20
COUNTED = 20
MAX_ROUNDS = 30
USUAL_LENGTH = 25
SHARE_OF_LONGEST = 0.1
# An article of the usual length fits into each of these, so that one page can be asked for in many ways.
LIMITS = range(USUAL_LENGTH + 1, 2 * USUAL_LENGTH + 1)
JSON = {"Content-Type": "application/json"}
LONGEST = "/long-0"
FIRST_ADDRESS = IPv4Address("10.0.0.1")


def make_crowd(size: int) -> Crowd:
    """Spread comments as on a real site: a few long threads, many short ones, some of each status."""
    articles: dict[str, int] = {}
    length, left = size * SHARE_OF_LONGEST, size
    while length > 2 * USUAL_LENGTH:
        articles[f"/long-{len(articles)}"] = int(length)
        left -= int(length)
        length /= 2
    short = {f"/short-{number}": USUAL_LENGTH for number in range(left // USUAL_LENGTH)}
    return Crowd(articles | short, pending=0.05, rejected=0.03, spam=0.02, replies=0.2)


class Visitor:
    """Does everything in turn; what public answers are asked for as misses was never asked for before."""

    def __init__(self, stage: Stage, crowd: Crowd, client: Client) -> None:
        self._client = client
        self._random = random.Random(0)  # noqa: S311 - The same questions at each size.
        self._short = [key for key in crowd.articles if key.startswith("/short")]
        self._bearer = {"Authorization": f"Bearer {stage.token}"}
        self._serial = iter(range(1_000_000))
        self._pages = self._make_pages()
        self._seen: list[str] = []

    def visit(self) -> Iterator[tuple[str, float]]:
        """Do one operation after the other and give the microseconds of CPU that it took."""
        yield from self._submissions()
        yield from self._public()
        yield from self._moderation()

    def _measure(self, requests: Sequence[Request]) -> Spent:
        return self._client.measure(requests)

    def _submissions(self) -> Iterator[tuple[str, float]]:
        bodies = [
            make_submission(self._random.choice(self._short), str(next(self._serial)), str(user))
            for user in range(TIMES)
        ]
        taken = self._measure([Request(COMMENTS, "POST", one, JSON, 202) for one in bodies])
        yield "submit", taken.cpu_microseconds
        receipts = [f"/v1/receipts/{json.loads(one)['receipt']['token']}" for one in taken.answers]
        looks = [Request(one, headers=self._somebody()) for one in receipts]
        yield "receipt", self._measure(looks).cpu_microseconds
        withdrawals = [Request(one, "DELETE", headers=self._somebody(), status=204) for one in receipts]
        yield "withdraw", self._measure(withdrawals).cpu_microseconds

    def _somebody(self) -> dict[str, str]:
        """Come from another address than anybody before."""
        return {"X-Forwarded-For": str(FIRST_ADDRESS + next(self._serial))}

    def _public(self) -> Iterator[tuple[str, float]]:
        pages = [next(self._pages) for _ in range(TIMES)]
        missed = self._measure([Request(one) for one in pages])
        yield "first page, miss", missed.cpu_microseconds
        yield "first page, hit", self._repeat(pages[0])
        deep = [self._make_deep_page() for _ in range(TIMES)]
        yield "deep page, miss", self._measure([Request(one) for one in deep]).cpu_microseconds
        yield "deep page, hit", self._repeat(deep[0])
        counts = [self._make_counts() for _ in range(TIMES)]
        yield "20 counts, miss", self._measure([Request(one) for one in counts]).cpu_microseconds
        yield "20 counts, hit", self._repeat(counts[0])
        chosen = [self._choose_unseen(json.loads(one)["comments"]) for one in missed.answers]
        single = [Request(f"/v1/sites/{SITE}/comments/{one}") for one in chosen]
        yield "one comment, miss", self._measure(single).cpu_microseconds
        yield "one comment, hit", self._repeat(single[0].path)

    def _repeat(self, path: str) -> float:
        """Ask for the same again and again."""
        return self._measure([Request(path)] * TIMES).cpu_microseconds

    def _make_pages(self) -> Iterator[str]:
        """Give first pages, each of them once: article by article, then anew in other words."""
        step = max(1, len(self._short) // (TIMES * MAX_ROUNDS))
        for limit in LIMITS:
            for order in ("oldest", "newest"):
                for article in self._short[::step]:
                    yield page_path(article, order=order, limit=limit)

    def _make_deep_page(self) -> str:
        """Start a page somewhere in the middle of the longest article."""
        at = datetime.now(UTC) - SPAN * self._random.uniform(0.3, 0.7)
        cursor = make_cursor(Position("oldest", make_id(self._random, at)))
        return page_path(LONGEST, order="oldest", limit=HANDFUL, cursor=cursor)

    def _make_counts(self) -> str:
        chosen = self._random.sample(self._short, COUNTED)
        return f"/v1/sites/{SITE}/counts?" + "&".join(f"article={one}" for one in chosen)

    def _choose_unseen(self, comments: list[dict[str, Any]]) -> str:
        chosen: str = next(one["id"] for one in comments if one["id"] not in self._seen)
        self._seen.append(chosen)
        return chosen

    def _moderation(self) -> Iterator[tuple[str, float]]:
        queue = f"/v1/moderation/comments?site={SITE}&limit={HANDFUL}"
        yield "queue, oldest first", self._list(queue)
        yield "queue, riskiest first", self._list(f"{queue}&order=risk")
        yield "claim 20, give them back", self._claim()
        waiting = json.loads(self._client.send(Request(queue, headers=self._bearer)))["comments"]
        decided = self._measure([self._decide(one) for one in waiting])
        yield "decide one", decided.cpu_microseconds
        undone = [self._undo(json.loads(one)["results"][0]) for one in decided.answers]
        yield "undo one", self._measure(undone).cpu_microseconds
        yield "page of the log", self._list(f"/v1/moderation/log?site={SITE}&limit={HANDFUL}")
        yield "stats", self._list(f"/v1/moderation/stats?site={SITE}")

    def _list(self, path: str) -> float:
        return self._measure([Request(path, headers=self._bearer)] * TIMES).cpu_microseconds

    def _claim(self) -> float:
        wanted = {"site": SITE, "limit": HANDFUL, "lease_seconds": 60}
        claim = self._command("POST", "claims", wanted)
        release = Request("/v1/moderation/claims", "DELETE", None, self._bearer, 204)
        return 2 * self._measure([claim, release] * (TIMES // 2)).cpu_microseconds

    def _decide(self, comment: dict[str, Any]) -> Request:
        decision = {"comment": comment["id"], "version": comment["version"], "action": "approve"}
        return self._command("POST", "decisions", {"decisions": [decision]})

    def _undo(self, result: dict[str, Any]) -> Request:
        assert result["outcome"] == "applied", result
        return self._command("POST", "undo", {"decisions": [result["decision"]]})

    def _command(self, method: str, what: str, body: dict[str, Any]) -> Request:
        headers = {**self._bearer, **JSON}
        return Request(f"/v1/moderation/{what}", method, json.dumps(body).encode(), headers)

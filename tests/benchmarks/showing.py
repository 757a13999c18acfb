"""How long after a moderator's answer every process shows what he decided, while all are under load."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks.harness import Client, Load, Pace, Request, sending
from tests.benchmarks.machine import LOAD_CORE, on_core
from tests.benchmarks.report import Table, show_number
from tests.benchmarks.stage import Stage, make_submission, page_path
from tests.installation import COMMENTS
from tests.processes import Server

DECISIONS = 150
TARGET_MILLISECONDS = 100
# Readers and commenters at each process, none of whom waits between two requests.
READERS, WRITERS = 4, 2
ARTICLE = "/decided"
DECIDE = "/v1/moderation/decisions"


def measure(stage: Stage, processes: Sequence[Server], pace: Pace) -> Table:
    """Approve a comment and requeue it again and again, and watch every process."""
    times = 20 if pace.name == "short" else DECISIONS
    table = Table(["a decision shows in every process", "p50, ms", "p99, ms", "most, ms", "target"])
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(one.url, [])) for one in processes]
        comment = _submit(clients[0])
        for name, load in (("idle", False), ("under load", True)):
            with _load(processes) if load else ExitStack(), on_core(LOAD_CORE):
                took = [_decide(stage.token, clients, comment, number) for number in range(2 * times)]
            table.add(name, *_describe(took), f"p99 at most {TARGET_MILLISECONDS} ms")
            comment = _submit(clients[0])
    return table


def _submit(client: Client) -> str:
    number = f"{time.time_ns():x}"
    body = make_submission(ARTICLE, number, "1")
    headers = {"Content-Type": "application/json"}
    taken = msgspec.json.decode(client.send(Request(COMMENTS, "POST", body, headers, 202)))
    comment: str = taken["id"]
    return comment


def _decide(token: str, clients: Sequence[Client], comment: str, number: int) -> float:
    """Decide by the first process, and give the seconds from its answer until all show it."""
    action = "requeue" if number % 2 else "approve"
    decision = {"comment": comment, "version": number + 1, "action": action}
    body = msgspec.json.encode({"decisions": [decision]})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    answer = clients[0].send(Request(DECIDE, "POST", body, headers))
    decided = time.perf_counter()
    assert b'"applied"' in answer, answer
    wanted = b'"count":0' if number % 2 else b'"count":1'
    for client in clients:
        while wanted not in client.send(Request(page_path(ARTICLE))):
            pass
    return time.perf_counter() - decided


def _describe(took: Sequence[float]) -> list[str]:
    ordered = sorted(took)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return [show_number(1e3 * seconds) for seconds in (p50, p99, ordered[-1])]


@contextmanager
def _load(processes: Sequence[Server]) -> Iterator[None]:
    """Keep every process busy with readers and commenters."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        template = Path(folder, "submission.json")
        template.write_bytes(make_submission("/busy"))
        for server in processes:
            page, form = server.url + page_path(ARTICLE), server.url + COMMENTS
            stack.enter_context(sending(Load(page, [], connections=READERS)))
            stack.enter_context(sending(Load(form, [], connections=WRITERS, body=template)))
        yield

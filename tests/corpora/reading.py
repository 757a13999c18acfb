"""Where the real data lies that some tests read; it is outside the repo and may be absent."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

_BESIDE_THE_REPO = Path(__file__).parents[2] / ".." / "shared" / "data"


def find_corpus(path: str) -> Path:
    """Give a file or folder of the corpora; without it the test is skipped."""
    found = Path(os.environ.get("GREENROOM_CORPORA") or _BESIDE_THE_REPO) / path
    if not found.exists():
        pytest.skip(f"no corpus {path}; set GREENROOM_CORPORA to the folder that has it")
    return found


def read_attacks() -> list[str]:
    """Give every line of the payloads for cross-site scripting."""
    return find_corpus("sanitiser/xss-payloads.txt").read_text(errors="replace").splitlines()


def read_addresses() -> Iterator[tuple[str, str, str]]:
    """Give address, diagnosis and category; pictures of controls stand for controls."""
    # It is a file that we put there ourselves, not input.
    suite = ElementTree.parse(find_corpus("email/isemail-tests.xml"))  # noqa: S314
    controls = {0x2400 + code: code for code in range(32)} | {0x2421: 0x7F}
    for test in suite.iter("test"):
        address = (test.findtext("address") or "").translate(controls)
        yield address, test.findtext("diagnosis", ""), test.findtext("category", "")


def read_comments() -> Iterator[str]:
    """Give the text of every real comment, as people wrote it."""
    for path in sorted(find_corpus("comments/youtube").glob("*.csv")):
        yield from _read_column(path, "CONTENT")
    yield from _read_column(find_corpus("comments/news/civil_comments_spans_train.csv"), "text")
    for path in sorted(find_corpus("comments/telegram").glob("*.txt")):
        yield from path.read_text(errors="replace").splitlines()
    news = find_corpus("comments/news/fox-news-comments.json").read_text()
    yield from (json.loads(line)["text"] for line in news.splitlines() if line.strip())


def _read_column(path: Path, name: str) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from (row[name] for row in csv.DictReader(file))

"""The widget's script: one small file, for pages of any origin, and what it loads when it is needed."""

import gzip
import re

from service.web.files import build_later, build_widget
from tests.cast import House

MAX_GZIP_BYTES = 12_000
MAX_LATER_GZIP_BYTES = 8_000


def test_it_is_small() -> None:
    assert len(gzip.compress(build_widget())) <= MAX_GZIP_BYTES
    assert len(gzip.compress(build_later())) <= MAX_LATER_GZIP_BYTES


async def test_what_comes_later_has_an_address_of_its_own_for_each_content(house: House) -> None:
    [address] = re.findall(r"embed-later\.js\?v=[0-9a-f]{8}", build_widget().decode())
    answer = await house.dave.get(f"/{address}", headers={"accept-encoding": "gzip"})
    assert answer.content == build_later()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "max-age=3600" in answer.headers["cache-control"]


def test_nothing_in_it_is_forbidden_by_a_strict_policy() -> None:
    script = (build_widget() + build_later()).decode()
    for forbidden in (
        "eval(",
        "new Function",
        "document.write",
        # What a script sets one by one is no inline style.
        "cssText",
        '"style"',
        "style=",
        "document.cookie",
    ):
        assert forbidden not in script, forbidden


async def test_pages_of_other_origins_may_load_it(house: House) -> None:
    answer = await house.dave.get("/embed.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-encoding"] == "gzip"
    assert "max-age=3600" in answer.headers["cache-control"]
    assert answer.num_bytes_downloaded <= MAX_GZIP_BYTES
    headers = {"if-none-match": answer.headers["etag"], "accept-encoding": "gzip"}
    assert (await house.dave.get("/embed.js", headers=headers)).status_code == 304

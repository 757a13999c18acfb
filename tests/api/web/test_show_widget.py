"""The widget's script: one file, small, for pages of any origin."""

import gzip

from service.web.files import build_widget
from tests.cast import House

MAX_GZIP_BYTES = 10_000


def test_it_is_small() -> None:
    assert len(gzip.compress(build_widget())) <= MAX_GZIP_BYTES


def test_nothing_in_it_is_forbidden_by_a_strict_policy() -> None:
    script = build_widget().decode()
    for forbidden in (
        "eval(",
        "new Function",
        "document.write",
        ".style",
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

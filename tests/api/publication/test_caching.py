"""What caches may do with public answers: strong tags, codings, and nothing unseen in them."""

import gzip
import re

import brotli
import httpx

from tests.answers import problem_of
from tests.cast import House

PAGE = "/v1/sites/blog/comments?article=/post"
LONG = "Long enough that a coding saves something. " * 30


async def get(house: House, url: str = PAGE, **headers: str) -> httpx.Response:
    sent = {"accept-encoding": "identity"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return await house.dave.get(url, headers=sent)


async def bytes_of(house: House, accepted: str) -> tuple[bytes, httpx.Headers]:
    """Give a page as it goes over the wire."""
    request = house.dave.build_request("GET", PAGE, headers={"accept-encoding": accepted})
    answer = await house.dave.send(request, stream=True)
    return b"".join([part async for part in answer.aiter_raw()]), answer.headers


async def test_every_public_answer_may_be_kept_for_two_seconds_and_checked_by_its_tag(
    house: House,
) -> None:
    taken = await house.publish()
    for url in (PAGE, f"/v1/sites/blog/comments/{taken.id}", "/v1/sites/blog/counts?article=/post"):
        answer = await get(house, url)
        assert answer.headers["cache-control"] == "public, max-age=0, s-maxage=2"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-credentials" not in answer.headers
        assert re.fullmatch(r'"[\w-]+"', answer.headers["etag"])
        again = await get(house, url, if_none_match=answer.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control", "vary", "access-control-allow-origin"):
            assert again.headers[name] == answer.headers[name]


async def test_an_error_is_never_kept(house: House) -> None:
    for url in ("/v1/sites/blog/comments", "/v1/sites/nowhere/comments?article=/a"):
        answer = await get(house, url)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_if_none_match_takes_lists_weak_tags_and_the_star(house: House) -> None:
    tag = (await get(house)).headers["etag"]
    for value in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        assert (await get(house, if_none_match=value)).status_code == 304, value
    for value in ('"other"', tag.strip('"'), "", "W/"):
        assert (await get(house, if_none_match=value)).status_code == 200, value


async def test_each_coding_has_a_tag_of_its_own_and_304_heeds_it(house: House) -> None:
    await house.publish(text=LONG)
    plain, headers = await bytes_of(house, "identity")
    assert "content-encoding" not in headers
    tags = {"identity": headers["etag"]}
    for coding, decode in {"gzip": gzip.decompress, "br": brotli.decompress}.items():
        coded, headers = await bytes_of(house, coding)
        assert headers["content-encoding"] == coding
        assert headers["vary"] == "Accept-Encoding"
        assert decode(coded) == plain
        assert len(coded) < len(plain)
        tags[coding] = headers["etag"]
    assert len(set(tags.values())) == 3
    for coding in tags:
        for of, tag in tags.items():
            answer = await get(house, accept_encoding=coding, if_none_match=tag)
            assert answer.status_code == (304 if of == coding else 200), (coding, of)


async def test_the_coding_is_the_one_that_the_reader_prefers(house: House) -> None:
    await house.publish(text=LONG)
    expected = {
        "gzip, deflate, br, zstd": "br",
        "gzip;q=1, br;q=0.5": "gzip",
        "br;q=0, gzip": "gzip",
        "GZIP": "gzip",
        "*": "br",
        "deflate": None,
        "gzip;q=0, *;q=0": None,
        "": None,
    }
    found = {}
    for accepted in expected:
        found[accepted] = (await bytes_of(house, accepted))[1].get("content-encoding")
    assert found == expected


async def test_the_same_page_has_the_same_bytes_and_tag(house: House) -> None:
    await house.publish(text=LONG)
    for coding in ("identity", "gzip", "br"):
        first, again = await bytes_of(house, coding), await bytes_of(house, coding)
        assert (first[0], first[1]["etag"]) == (again[0], again[1]["etag"])


async def test_nothing_unseen_changes_a_tag(house: House) -> None:
    shown = await house.publish()
    rejected = await house.submit()
    page, single = PAGE, f"/v1/sites/blog/comments/{shown.id}"
    tags = [(await get(house, url)).headers["etag"] for url in (page, single)]

    await house.submit()
    await house.reject(rejected.id)
    await house.spam(rejected.id, reason="advertising")
    await house.publish(article="/other")
    await house.submit(parent=shown.id)
    house.clock.advance(days=1)
    claim = {"site": "blog", "limit": 5, "lease_seconds": 60}
    assert (await house.bob.post("/v1/moderation/claims", json=claim)).status_code == 200

    assert [(await get(house, url)).headers["etag"] for url in (page, single)] == tags


async def test_what_is_seen_changes_the_tag_at_once(house: House) -> None:
    tags = [(await get(house)).headers["etag"]]
    shown = await house.publish()
    tags.append((await get(house)).headers["etag"])
    await house.publish(parent=shown.id)
    tags.append((await get(house)).headers["etag"])
    await house.withdraw(shown)
    tags.append((await get(house)).headers["etag"])
    assert len(set(tags)) == 4


async def test_an_avatar_is_drawn_from_the_name_alone_and_kept_for_long(house: House) -> None:
    first = await house.publish(name="Dave", email="dave@mail.example")
    other = await house.publish(name="dave", email="other@mail.example", url="https://x.example")
    ann = await house.publish(name="Ann", email="dave@mail.example")
    avatars = {comment.id: comment.avatar for comment in (await house.read()).comments}
    assert avatars[first.id] == avatars[other.id] != avatars[ann.id]

    picture = await house.dave.get(avatars[first.id] or "")
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    assert picture.text.startswith("<svg ")
    for wrong in ("0123456789abcdeF.svg", "0123456789abcdef.png", "0123.svg", "x.svg", "%00.svg"):
        problem_of(await house.dave.get(f"/avatars/{wrong}"), 404)


async def test_an_address_in_a_url_is_not_kept(house: House) -> None:
    """A form without a method sends what was typed to the page that shows the comments."""
    store = house.app.process.store
    for typed in ("dave@mail.example", "dave%40mail.example"):
        answer = await house.dave.get(f"/v1/sites/blog/comments.html?article=/post&email={typed}")
        assert answer.status_code == 200
    await house.dave.get("/v1/sites/blog/comments.html?article=/post")
    [(_, query)] = store._by_url
    assert query == b"article=/post"

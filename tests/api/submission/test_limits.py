"""The rate limits of submissions: which rule refuses, what it says, and what a try costs."""

from typing import Any

import httpx
import pytest

from tests.answers import problem_of
from tests.api.submission.test_form_answers import Inputs
from tests.cast import SUBMIT, House


async def refuse(house: House, by: httpx.AsyncClient | None = None, **fields: Any) -> httpx.Response:
    async with house.nothing_changes():
        answer = await house.try_submit(by=by, **fields)
    assert problem_of(answer, 429).type == "/problems/rate-limited"
    return answer


def rule_of(answer: httpx.Response) -> str:
    return answer.headers["ratelimit"].partition(";")[0].strip('"')


async def send_until_refused(house: House, **fields: Any) -> tuple[int, httpx.Response]:
    """Give how many were taken before the first 429; time stands still meanwhile."""
    taken = 0
    while (answer := await house.try_submit(site="elsewhere", **fields)).status_code == 202:
        taken += 1
    problem_of(answer, 429)
    return taken, answer


async def test_by_default_an_ip_may_send_ten_a_minute(house: House) -> None:
    await house.set("limit.address=off", site="elsewhere")
    taken, answer = await send_until_refused(house)
    assert taken == 10
    # One is free again every sixth second.
    assert answer.headers["retry-after"] == "6"
    assert answer.headers["ratelimit-policy"] == '"ip";q=10;w=60'
    assert answer.headers["ratelimit"] == '"ip";r=0;t=6'


async def test_by_default_an_address_may_send_five_a_minute_from_a_prefix(house: House) -> None:
    await house.set("limit.ip=off", site="elsewhere")
    taken, answer = await send_until_refused(house)
    assert taken == 5
    assert answer.headers["ratelimit-policy"] == '"address";q=5;w=60'
    await house.set("limit.address=1/day", site="elsewhere")
    await house.submit(site="elsewhere")
    assert rule_of(await refuse(house, site="elsewhere", email=" DAVE@Mail.Example")) == "address"
    # Another prefix or another address is not stopped by it.
    await house.submit(site="elsewhere", email="ann@mail.example")
    await house.submit(site="elsewhere", by=house.client("198.51.100.1"))


async def test_each_rule_can_be_the_one_that_refuses(house: House) -> None:
    for rule in ("ip", "address", "article", "site"):
        await house.set(f"limit.{rule}=1/day")
        email, article = f"{rule}@mail.example", f"/{rule}"
        await house.submit(email=email, article=article)
        assert rule_of(await refuse(house, email=email, article=article)) == rule
        await house.set(f"limit.{rule}=off")


async def test_the_prefix_of_an_ipv6_address_is_its_64_bits(house: House) -> None:
    await house.set("limit.ip=1/day")
    await house.submit(by=house.client("2001:db8:0:1::1"))
    await refuse(house, by=house.client("2001:db8:0:1:ffff::2"))
    await house.submit(by=house.client("2001:db8:0:2::1"))
    await house.submit(by=house.client("203.0.113.8"))
    await house.submit(by=house.client("203.0.113.9"))


async def test_a_forged_forwarding_header_is_not_believed(house: House) -> None:
    await house.set("limit.ip=1/day")
    await house.submit()
    forged = house.client()
    forged.headers["x-forwarded-for"] = "198.51.100.1"
    await refuse(house, by=forged)


async def test_an_invalid_or_unreadable_submission_costs_the_ip_alone(house: House) -> None:
    await house.set("limit.ip=3/day", "limit.address=1/day", "limit.article=1/day")
    await house.refused(422, name="")
    async with house.nothing_changes():
        unreadable = await house.dave.post(SUBMIT, content=b"{", headers={"content-type": "application/json"})
    problem_of(unreadable, 400)
    # Address and article still have their one try, and the IP its third.
    await house.submit()
    answer = await house.try_submit(name="")
    assert rule_of(answer) == "ip"
    problem_of(answer, 429)


FOREIGN = {"origin": "https://evil.example"}
# Each is refused before a site's limits are asked.
REFUSED = [
    ("POST", "/v1/sites/nowhere/comments", {}, b"{}", 404),
    ("POST", "/sites/nowhere/wp-comments-post.php", {}, b"", 404),
    ("POST", SUBMIT, FOREIGN, b"{}", 403),
    ("POST", "/sites/blog/wp-comments-post.php", FOREIGN, b"", 403),
    ("POST", SUBMIT, {"content-type": "application/json"}, b" " * 1_100_000, 413),
    ("POST", SUBMIT, {"content-type": "text/x"}, b"x", 415),
    ("POST", "/sites/blog/wp-comments-post.php", {"content-type": "text/x"}, b"x", 415),
    ("PATCH", "/v1/receipts/{token}", FOREIGN, b"{}", 403),
    ("DELETE", "/v1/receipts/{token}", FOREIGN, b"", 403),
    ("POST", "/receipts/{token}/edit", FOREIGN, b"", 403),
    ("POST", "/receipts/{token}/withdraw", FOREIGN, b"", 403),
]


@pytest.mark.parametrize(("method", "url", "headers", "body", "status"), REFUSED)
async def test_what_is_refused_before_the_limits_counts_for_the_network(
    house: House, method: str, url: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    # Of a receipt that there is: any other is 404 and costs what the use of one costs.
    url = url.replace("{token}", (await house.submit()).receipt.token)

    async def send() -> httpx.Response:
        return await house.dave.request(method, url, headers=headers, content=body)

    # On a slow machine some wear off meanwhile.
    answers = [await send() for _ in range(20)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:10] == [status] * 10
    assert {*statuses} == {status, 429}
    answer = answers[statuses.index(429)]
    assert answer.headers["ratelimit-policy"] == '"ip";q=10;w=60'
    assert answer.headers["retry-after"]


async def test_what_was_refused_does_not_cost_a_site_its_comments(house: House) -> None:
    await house.set("limit.ip=1/day")
    refused = [await house.try_submit(headers=FOREIGN) for _ in range(20)]
    assert {answer.status_code for answer in refused} == {403, 429}
    await house.submit()


async def test_what_was_typed_is_sent_back_in_bounds(house: House) -> None:
    """What makes a page the longest: each character of it is escaped by five."""
    longest = "&" * 1_000_000
    form = {"comment_post_ID": "17", "author": "Dave", "email": "dave@mail.example"}
    for name in ("comment", "author", "email", "url", "redirect_to", "comment_parent"):
        files = {**{key: (None, value) for key, value in form.items()}, name: (None, longest)}
        for site in ("blog", "nowhere"):
            url = f"/sites/{site}/wp-comments-post.php"
            answer = await house.dave.post(url, files=files)
            assert answer.headers["content-type"].startswith("text/html")
            assert len(answer.content) < 800_000, name


@pytest.mark.parametrize("limits", ["limit.ip=2/minute", "limit.ip=off"])
async def test_long_texts_are_sent_back_ten_times_a_minute(house: House, limits: str) -> None:
    """Whoever is over every limit would else have many times as much sent as was sent here."""
    await house.set(limits)

    async def send(text: str, by: httpx.AsyncClient = house.dave) -> str:
        url, form = "/sites/blog/wp-comments-post.php", {"comment": text}
        answer = await by.post(url, data=form)
        assert answer.status_code in {422, 429}
        return answer.text

    long = "&" * 20_000
    pages = [await send(long) for _ in range(12)]
    assert [Inputs(page).values.get("text") for page in pages] == [long] * 10 + [None] * 2
    assert max(map(len, pages[10:])) < 5_000
    assert Inputs(await send("A short one.")).values["text"] == "A short one."
    assert Inputs(await send(long, house.client("198.51.100.1"))).values["text"] == long
    house.clock.advance(seconds=60)
    assert Inputs(await send(long)).values["text"] == long


async def test_what_was_cut_for_the_page_is_never_taken_as_if_it_were_whole(house: House) -> None:
    form = house.comment(text="\u200b" * 200_000 + "x")
    page = await house.dave.post("/sites/blog/wp-comments-post.php", files=as_parts(form))
    sent_again = Inputs(page.text).values
    answer = await house.dave.post("/sites/blog/wp-comments-post.php", files=as_parts(sent_again))
    assert answer.status_code == 422


def as_parts(form: dict[str, str]) -> dict[str, tuple[None, str]]:
    return {name: (None, value) for name, value in form.items()}


async def test_a_refused_try_spends_no_other_rule(house: House) -> None:
    await house.set("limit.ip=2/day", "limit.article=1/day")
    await house.submit(article="/full")
    for _ in range(3):
        assert rule_of(await refuse(house, article="/full")) == "article"
    await house.submit(article="/other")


async def test_a_duplicate_costs_its_tries_as_any_valid_submission(house: House) -> None:
    await house.set("limit.ip=2/day")
    await house.submit(text="twice")
    await house.refused(409, text="twice")
    await refuse(house)


async def test_an_address_beyond_ten_times_its_limit_is_held_with_a_signal(house: House) -> None:
    await house.set("limit.address=1/day")
    prefixes = [house.client(f"198.51.100.{number}") for number in range(12)]
    taken = [await house.submit(by=client) for client in prefixes]
    signals = [[signal["code"] for signal in (await house.look(one.id)).signals] for one in taken]
    assert signals == [[]] * 10 + [["address_flood"]] * 2


async def test_limits_are_never_answered_with_403(house: House) -> None:
    await house.set("limit.site=1/day")
    await house.submit()
    answer = await refuse(house)
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["retry-after"]) > 0

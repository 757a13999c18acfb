"""Metrics: who may read them, and that no label ever holds what somebody sent."""

import re

import pytest

from tests.cast import DAVES_IP, House, email_of
from tests.scraping import scrape

# Nothing here depends on which database it is.
pytestmark = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
LABELS = re.compile(r'(\w+)="([^"]*)"')


def labels(metrics: str) -> dict[str, set[str]]:
    """Give every value of every label by its name."""
    found: dict[str, set[str]] = {}
    for name, value in LABELS.findall(metrics):
        found.setdefault(name, set()).add(value)
    return found


async def test_they_are_there_for_loopback_alone(house: House) -> None:
    assert (await house.dave.get("/metrics")).status_code == 404
    for header in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
        proxied = house.client("127.0.0.1", **{header: DAVES_IP})
        assert (await proxied.get("/metrics")).status_code == 404
    answer = await house.client("127.0.0.1").get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=1.0.0")


async def test_a_name_that_was_made_to_lead_to_this_machine_opens_nothing(house: House) -> None:
    """As that of a web page, which a browser on this machine would then ask for them."""
    local = house.client("127.0.0.1")
    for host in ("localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "127.0.0.2"):
        assert (await local.get("/metrics", headers={"host": host})).status_code == 200, host
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[", ""):
        assert (await local.get("/metrics", headers={"host": host})).status_code == 404, host


async def test_what_is_done_is_counted_under_templates(house: House) -> None:
    comment = await house.publish()
    await house.read()
    metrics = await scrape(house)
    for line in (
        'greenroom_http_requests_total{method="POST",route="/v1/sites/{site}/comments",status="202"} 1.0',
        'greenroom_http_requests_total{method="GET",route="/v1/sites/{site}/comments",status="200"} 1.0',
        'greenroom_submissions_total{outcome="taken"} 1.0',
        'greenroom_decisions_total{action="approve",outcome="applied"} 1.0',
    ):
        assert line in metrics
    assert comment.id not in metrics


async def test_no_label_holds_input(house: House) -> None:
    submitted = await house.publish(article="/a-path-of-an-article", email="dave@mail.example")
    await house.dave.get(f"/v1/receipts/{submitted.receipt.token}")
    await house.dave.get("/v1/sites/a-made-up-slug/comments?article=/x")
    await house.dave.get("/a-made-up-path/%F0%9F%90%9F")
    await house.dave.request("BREW", "/v1/session")
    await house.dave.get("/sign-in/a-made-up-token")
    await house.dave.get("/problems/a-made-up-problem")
    await house.dave.post("/v1/session", json={"email": email_of("bob"), "password": "wrong"})
    await house.bob.post("/v1/moderation/decisions", json={"decisions": [{"action": "a-made-up"}]})
    metrics = await scrape(house)
    for private in (
        *("a-made-up", "a-path-of-an-article", submitted.receipt.token, submitted.id),
        *("@", "mail.example", DAVES_IP, "BREW", "Dave", "Bob"),
    ):
        assert private not in metrics, private
    values = labels(metrics)
    templates = {route.template for route in house.app.table.routes}
    assert values["route"] <= {*templates, "unmatched"}
    assert {"other", "GET", "POST"} == values["method"]
    assert values["site"] == {"blog", "elsewhere"}


async def test_a_refusal_is_counted_by_the_name_of_its_rule(house: House) -> None:
    await house.set("limit.ip=1/day")
    await house.try_submit()
    await house.try_submit()
    assert 'greenroom_rate_limit_refusals_total{rule="ip"} 1.0' in await scrape(house)


async def test_length_and_head_of_each_log_show_a_cut_tail(house: House) -> None:
    await house.publish()
    [newest] = (await house.bob.get("/v1/moderation/log?limit=1")).json()["entries"]
    metrics = await scrape(house)
    length = re.search(r'greenroom_log_length{site="blog"} (\S+)', metrics)
    head = re.search(r'greenroom_log_head{site="blog"} (\S+)', metrics)
    assert length is not None
    assert head is not None
    assert int(float(length[1])) == newest["seq"]
    assert int(float(head[1])) == int(newest["hash"][:12], 16)

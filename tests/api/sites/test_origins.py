"""Changes of a site from a page that is neither the site's nor the service's own."""

import pytest

from tests.cast import House


@pytest.mark.parametrize("origin", ["https://evil.example", "https://elsewhere.example"])
async def test_a_change_from_another_site_s_page_is_refused(house: House, origin: str) -> None:
    answer = await house.alice.patch(
        "/v1/sites/blog", json={"title": "Taken over"}, headers={"Origin": origin}
    )
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/origin-not-allowed"
    assert (await house.alice.get("/v1/sites/blog")).json()["title"] != "Taken over"


@pytest.mark.parametrize("first", ["https://evil.example", "null", "https://blog.example"])
async def test_a_change_that_names_two_pages_is_refused(house: House, first: str) -> None:
    answer = await house.alice.patch(
        "/v1/sites/blog",
        json={"title": "Taken over"},
        headers=[("Origin", first), ("Origin", "https://blog.example")],
    )
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/origin-not-allowed"


async def test_a_change_from_the_site_s_own_page_is_taken(house: House) -> None:
    answer = await house.alice.patch(
        "/v1/sites/blog", json={"title": "Renamed"}, headers={"Origin": "https://blog.example"}
    )
    assert answer.status_code == 200

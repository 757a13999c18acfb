"""Reading the metrics of the service in a test."""

import httpx

from tests.cast import House
from tests.waiting import until


async def scrape(house: House) -> str:
    """Read the metrics whole: the database has a second to answer, which a busy machine may exceed."""
    answer: httpx.Response | None = None

    async def is_whole() -> bool:
        nonlocal answer
        answer = await house.client("127.0.0.1").get("/metrics")
        assert answer.status_code == 200
        return "greenroom_database_up 1.0" in answer.text

    await until(is_whole)
    assert answer is not None
    return answer.text

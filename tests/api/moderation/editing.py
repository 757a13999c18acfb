"""Comments with a correction that waits, for the tests of what moderators do about it."""

from typing import Any

from service.submission.schemas import Submitted
from tests.cast import House

DECISIONS = "/v1/moderation/decisions"


async def decide(
    house: House, action: str, version: int, *comments: Submitted, **more: str
) -> list[dict[str, Any]]:
    decisions = [{"comment": one.id, "version": version, "action": action, **more} for one in comments]
    answer = await house.bob.post(DECISIONS, json={"decisions": decisions})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def publish_edited(house: House, **fields: Any) -> Submitted:
    """Give an approved comment at version 3, beside whose text `Old.` a `*New.*` waits."""
    taken = await house.publish(**{"text": "Old.", **fields})
    await house.edit(taken, "*New.*")
    return taken


async def shown(house: House, article: str = "/post") -> list[tuple[str | None, bool]]:
    return [(one.html, one.edited) for one in (await house.read(article)).comments]

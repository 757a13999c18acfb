"""When several things are wrong, the one that stands first in the order of work is told."""

from tests.answers import problem_of
from tests.cast import SUBMIT, House

JSON = {"content-type": "application/json"}
FOREIGN = {"origin": "https://evil.example"}
TEXT = {"content-type": "text/plain"}


async def test_404_before_origin_before_media_type_before_parsing_before_fields(
    house: House,
) -> None:
    nowhere = "/v1/sites/nowhere/comments"
    big = b"{" * 1_100_000
    cases = (
        (nowhere, {**FOREIGN, **TEXT}, big, 404),
        (SUBMIT, {**FOREIGN, **TEXT}, big, 403),
        (SUBMIT, {**FOREIGN, **JSON}, b"{", 403),
        (SUBMIT, TEXT, b"{", 415),
        (SUBMIT, JSON, big, 413),
        (SUBMIT, JSON, b"{", 400),
        (SUBMIT, JSON, b"{}", 422),
    )
    async with house.nothing_changes():
        for url, headers, body, status in cases:
            problem_of(await house.dave.post(url, content=body, headers=headers), status)


async def test_fields_before_replay_before_limits_before_duplicates(house: House) -> None:
    key = {"idempotency-key": "k"}
    await house.set("limit.ip=2/day")
    await house.try_submit(text="first", headers=key)
    invalid = await house.try_submit(text="first", email="nobody", headers=key)
    problem_of(invalid, 422)
    # The limit is used up now: a replay still passes, a duplicate is not even looked for.
    assert (await house.try_submit(text="first", headers=key)).status_code == 202
    problem_of(await house.try_submit(text="first"), 429)

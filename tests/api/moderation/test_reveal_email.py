"""Revealing an address: rarely, by moderators only, and never without a trace."""

import httpx
import pytest

from tests.answers import codes_of, problem_of
from tests.cast import House


def reveals(comment_id: str) -> str:
    return f"/v1/moderation/comments/{comment_id}/email-reveals"


async def reveal(client: httpx.AsyncClient, comment_id: str, purpose: object = "To ask.") -> httpx.Response:
    return await client.post(reveals(comment_id), json={"purpose": purpose})


async def test_it_gives_the_address_as_it_was_typed_and_logs_who_and_why(house: House) -> None:
    comment = await house.submit(email="Dave.Miller@Mail.Example")
    answer = await reveal(house.bob, comment.id, "To ask for a source.")
    assert answer.status_code == 200
    assert answer.json() == {"email": "Dave.Miller@mail.example"}
    assert answer.headers["cache-control"] == "no-store"
    detail = (await house.bob.get(f"/v1/moderation/comments/{comment.id}")).json()
    [line] = detail["log"]
    assert line["action"] == "reveal"
    assert line["actor"]["name"] == "Bob"
    assert line["note"] == "To ask for a source."
    assert line["version"] is None
    assert detail["version"] == 1


async def test_a_purpose_is_required(house: House) -> None:
    comment = await house.submit()
    async with house.nothing_changes():
        for wrong in ("", None, 7, "x" * 2_001):
            answer = await reveal(house.bob, comment.id, wrong)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "#/purpose"


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\u200b\u2060", "\u2800", "\u3164", "\u202e"])
async def test_a_purpose_that_nobody_can_see_reveals_and_logs_nothing(house: House, blank: str) -> None:
    comment = await house.submit()
    async with house.nothing_changes():
        answer = await reveal(house.bob, comment.id, blank)
    assert codes_of(problem_of(answer, 422)) == {"#/purpose": "purpose_required"}


async def test_the_log_has_a_purpose_in_the_form_of_a_reader_s_text(house: House) -> None:
    comment = await house.submit()
    assert (await reveal(house.bob, comment.id, " To\u202e ask.\u200b\r\n ")).status_code == 200
    [line] = (await house.bob.get(f"/v1/moderation/comments/{comment.id}")).json()["log"]
    assert line["note"] == "To ask."


async def test_it_takes_the_role_of_a_moderator_on_that_site(house: House) -> None:
    comment = await house.submit()
    async with house.nothing_changes():
        assert (await reveal(house.vera, comment.id)).status_code == 403
        assert (await reveal(house.charlie, comment.id)).status_code == 404
        assert (await reveal(house.bob, "nonsense")).status_code == 404
    assert (await reveal(house.alice, comment.id)).status_code == 200


async def test_a_moderator_may_see_thirty_in_an_hour(house: House) -> None:
    comment = await house.submit()
    for _ in range(30):
        assert (await reveal(house.bob, comment.id)).status_code == 200
    async with house.nothing_changes():
        refused = await reveal(house.bob, comment.id)
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"reveal";q=30;w=3600'
    assert refused.headers["ratelimit"].startswith('"reveal";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 3600 / 30
    assert "@" not in refused.text
    # Each moderator has thirty of their own.
    assert (await reveal(house.alice, comment.id)).status_code == 200


async def test_what_one_may_not_see_costs_nothing(house: House) -> None:
    foreign = await house.submit(site="elsewhere")
    for _ in range(31):
        assert (await reveal(house.bob, foreign.id)).status_code == 404
    comment = await house.submit()
    assert (await reveal(house.bob, comment.id)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_address_is_shown_by_post_alone(house: House, method: str) -> None:
    comment = await house.submit()
    answer = await house.bob.request(method, reveals(comment.id))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"

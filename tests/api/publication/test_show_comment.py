"""One visible comment by its id; everything else is not found, in the same words."""

from tests.answers import problem_of
from tests.cast import House

MISSING = "0199f0a0-0000-7000-8000-000000000000"


async def test_a_visible_comment_is_shown_as_in_the_list(house: House) -> None:
    taken = await house.publish()
    answer = await house.dave.get(f"/v1/sites/blog/comments/{taken.id}")
    assert answer.status_code == 200
    page = (await house.dave.get("/v1/sites/blog/comments?article=/post")).json()
    assert [answer.json()] == page["comments"]


async def test_what_is_not_visible_is_404_in_the_same_words(house: House) -> None:
    root = await house.publish()
    reply = await house.publish(parent=root.id)
    await house.withdraw(root)
    hidden = await house.publish()
    below = await house.publish(parent=hidden.id)
    await house.reject(hidden.id)
    urls = [
        f"/v1/sites/blog/comments/{one}"
        for one in (MISSING, (await house.submit()).id, root.id, hidden.id, below.id)
    ]
    urls += [
        f"/v1/sites/elsewhere/comments/{reply.id}",
        f"/v1/sites/blog/comments/{reply.id.upper()}",
        f"/v1/sites/blog/comments/{reply.id.replace('-', '')}",
        "/v1/sites/blog/comments/1",
    ]
    answers = [await house.dave.get(url) for url in urls]
    for answer in answers:
        problem_of(answer, 404)
    assert len({answer.text for answer in answers}) == 1
    assert (await house.dave.get(f"/v1/sites/blog/comments/{reply.id}")).status_code == 200

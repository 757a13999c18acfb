"""One-time links: a page with one button, which signs in once and may set a password."""

import asyncio

import httpx

from service.command_line import commands
from tests.api.accounts.hashing import CountingHasher
from tests.cast import PASSWORD, PUBLIC_URL, House, email_of

NEW_PASSWORD = "another battery staple"


async def link_for(house: House, name: str) -> str:
    services = house.app.process.services
    return (await commands.make_sign_in_link(services, email_of(name))).removeprefix(PUBLIC_URL)


async def press(client: httpx.AsyncClient, link: str, password: str = "") -> httpx.Response:
    """Press the button of the page, with whatever is in its one field."""
    return await client.post(link, data={"password": password})


async def may_sign_in(client: httpx.AsyncClient, password: str) -> bool:
    account = {"email": email_of("bob"), "password": password}
    return (await client.post("/v1/session", json=account)).status_code == 200


async def test_opening_the_link_changes_nothing_and_shows_one_button(house: House) -> None:
    link = await link_for(house, "Bob")
    async with house.nothing_changes():
        for _ in range(3):
            page = await house.dave.get(link)
            await house.dave.head(link)
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert f'method="post" action="{link}"' in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers


async def test_posting_it_signs_in_once(house: House) -> None:
    link = await link_for(house, "Bob")
    answer = await press(house.dave, link)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/moderation"
    assert (await house.dave.get("/v1/moderation/comments")).status_code == 200
    again = await press(house.client(), link)
    assert again.status_code == 404
    assert "set-cookie" not in again.headers
    assert (await house.client().get(link)).status_code == 404


async def test_two_clicks_at_once_sign_in_once(house: House) -> None:
    link = await link_for(house, "Bob")
    clients = [house.client() for _ in range(5)]
    answers = await asyncio.gather(*(press(client, link) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404, 404]


async def test_a_password_may_be_set_with_it(house: House) -> None:
    link = await link_for(house, "Bob")
    assert (await press(house.dave, link, NEW_PASSWORD)).status_code == 303
    assert await may_sign_in(house.client(), NEW_PASSWORD)
    assert not await may_sign_in(house.client(), PASSWORD)


async def test_an_empty_password_leaves_the_old_one(house: House) -> None:
    await press(house.dave, await link_for(house, "Bob"))
    assert await may_sign_in(house.client(), PASSWORD)


async def test_a_password_that_is_too_short_leaves_the_link_unused(house: House) -> None:
    link = await link_for(house, "Bob")
    async with house.nothing_changes():
        page = await press(house.dave, link, "short")
    assert page.status_code == 422
    assert "short" not in page.text
    assert (await press(house.dave, link)).status_code == 303


async def test_it_ends_after_a_day(house: House) -> None:
    link = await link_for(house, "Bob")
    house.clock.advance(days=1)
    assert (await house.dave.get(link)).status_code == 404
    assert (await press(house.dave, link)).status_code == 404


async def test_a_link_that_never_was_costs_no_hash(house: House, hasher: CountingHasher) -> None:
    page = await press(house.dave, "/sign-in/nonsense", NEW_PASSWORD)
    assert page.status_code == 404
    assert hasher.made == 0


async def test_another_site_s_page_cannot_post_it(house: House) -> None:
    link = await link_for(house, "Bob")
    async with house.nothing_changes():
        # A frame that hides where it is sends `null`.
        for origin in ("https://evil.example", "null"):
            headers = {"origin": origin}
            assert (await house.dave.post(link, headers=headers)).status_code == 403
            assert (await house.dave.post("/sign-in", headers=headers)).status_code == 403
    assert (await press(house.client(origin=PUBLIC_URL), link)).status_code == 303


async def test_only_the_hash_of_a_link_is_stored(house: House) -> None:
    token = (await link_for(house, "Bob")).removeprefix("/sign-in/")
    assert token not in str(await house.state())


async def test_the_page_signs_in_with_a_password_too(house: House) -> None:
    assert (await house.dave.get("/sign-in")).status_code == 200
    account = {"email": email_of("bob"), "password": PASSWORD}
    wrong = await house.dave.post("/sign-in", data={**account, "password": "not the password"})
    assert wrong.status_code == 401
    assert email_of("bob") not in wrong.text
    mistyped = await house.dave.post("/sign-in", data={"email": "bob at moderators"})
    assert mistyped.status_code == 422
    assert "This is not an e-mail address of the form name@example.org." in mistyped.text
    right = await house.dave.post("/sign-in", data=account)
    assert (right.status_code, right.headers["location"]) == (303, "/moderation")
    assert (await house.dave.get("/moderation")).status_code == 200

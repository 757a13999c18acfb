"""The page that gives a form back says what the site says about privacy, and asks for consent only once."""

import re

import httpx

from tests.cast import SUBMIT, House

HTML = {"accept": "text/html"}


async def refuse(house: House, **fields: str) -> httpx.Response:
    answer = await house.dave.post(SUBMIT, data=house.comment(email="x", **fields), headers=HTML)
    assert answer.status_code == 422
    return answer


def box(page: httpx.Response) -> str:
    return "".join(re.findall(r'<input type="checkbox"[^>]*>', page.text))


async def test_it_stands_in_the_form_that_is_given_back(house: House) -> None:
    await house.set("form.privacy_text=We <keep> it.", "form.privacy_url=https://blog.example/p")
    page = await refuse(house)
    assert "We &lt;keep&gt; it." in page.text
    assert 'href="https://blog.example/p"' in page.text
    assert box(page) == ""


async def test_whoever_has_ticked_the_box_finds_it_ticked(house: House) -> None:
    await house.set("form.consent=required")
    assert " checked" in box(await refuse(house, consent="yes"))


async def test_a_browser_asks_whoever_has_not(house: House) -> None:
    await house.set("form.consent=required")
    page = await refuse(house)
    assert " required" in box(page)
    assert " checked" not in box(page)
    assert "novalidate" not in page.text


async def test_the_service_itself_asks_nobody(house: House) -> None:
    await house.set("form.consent=required")
    answer = await house.dave.post(SUBMIT, data=house.comment(), headers=HTML)
    assert answer.status_code == 303

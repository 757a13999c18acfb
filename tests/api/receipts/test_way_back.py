"""The page of a receipt leads back to the page that the form was on, and nowhere else."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.api.submission.test_form_answers import Inputs
from tests.cast import PUBLIC_URL, House

DROP_IN = "/sites/blog/wp-comments-post.php"
PAGE = "https://www.blog.example/2014/05/a-post/?x=1&y=2"
FORM = {
    "comment": "Hello.",
    "author": "Dave",
    "email": "dave@mail.example",
    "comment_post_ID": "17",
}


async def send(house: House, referer: str | None, **fields: str) -> str:
    """Post a form; gives where the browser is sent, without our own origin."""
    headers = {"referer": referer} if referer else {}
    answer = await house.dave.post(DROP_IN, data={**FORM, **fields}, headers=headers)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).removeprefix(PUBLIC_URL)


async def back_of(house: House, receipt: str) -> str:
    """Give where the page of a receipt leads back to."""
    answer = await house.dave.get(receipt)
    assert answer.status_code == 200
    link, _ = answer.text.split('">Back to ')
    return link.rpartition('href="')[2].replace("&amp;", "&")


async def test_it_leads_back_to_the_page_that_the_browser_named(house: House) -> None:
    receipt = await send(house, PAGE + "#respond")
    assert parse_qs(urlsplit(receipt).query) == {"from_page": [PAGE]}
    assert await back_of(house, receipt) == PAGE


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?p=17", "?p=17"),
        ("?page_id=17&lang=de", "?page_id=17&lang=de"),
        ("?p=17&email=ann@mail.example", ""),
        ("?email=ann%40mail.example", ""),
        ("?next=%3Femail%3Dann%2540mail.example", ""),
    ],
)
async def test_no_e_mail_address_goes_with_the_page(house: House, query: str, kept: str) -> None:
    receipt = await send(house, f"https://blog.example/a{query}")
    assert parse_qs(urlsplit(receipt).query) == {"from_page": [f"https://blog.example/a{kept}"]}
    assert await back_of(house, receipt) == f"https://blog.example/a{kept}"


async def test_it_does_so_after_the_comment_was_corrected_or_withdrawn(house: House) -> None:
    receipt = await send(house, PAGE)
    path, _, query = receipt.partition("?")
    for action, fields in (("edit", {"text": ""}), ("edit", {"text": "Better."}), ("withdraw", {})):
        shown = await house.dave.get(receipt)
        target = f"{path}/{action}?{query}"
        assert f'action="{target}"' in shown.text
        answer = await house.dave.post(target, data=fields)
        if answer.status_code == 422:
            assert f'action="{target}"' in answer.text
        else:
            assert (answer.status_code, answer.headers["location"]) == (303, receipt)
    assert await back_of(house, receipt) == PAGE


@pytest.mark.parametrize("action", ["edit", "withdraw"])
async def test_whoever_opens_what_the_page_posts_to_gets_the_page(house: House, action: str) -> None:
    """After a correction that was refused the address bar stands there."""
    receipt = await send(house, PAGE)
    path, _, query = receipt.partition("?")
    async with house.nothing_changes():
        for method in ("GET", "HEAD"):
            answer = await house.dave.request(
                method, f"{path}/{action}?{query}", headers={"accept": "text/html"}
            )
            assert (answer.status_code, answer.headers["location"]) == (303, receipt)
        unknown = await house.dave.get(f"/receipts/x/{action}", headers={"accept": "text/html"})
        assert (unknown.status_code, "<h1>" in unknown.text) == (404, True)
        refused = await house.dave.get(f"{path}/{action}")
        assert (refused.status_code, refused.headers["allow"]) == (405, "OPTIONS, POST")


async def test_a_form_that_was_refused_first_leads_back_to_its_page_too(house: House) -> None:
    refused = await house.dave.post(DROP_IN, data={**FORM, "email": "no"}, headers={"referer": PAGE})
    own = "https://www.blog.example/wp-comments-post.php"
    typed = {**Inputs(refused.text).values, "email": FORM["email"]}
    again = await house.dave.post(DROP_IN, data={**typed, "email": "no"}, headers={"referer": own})
    typed = {**Inputs(again.text).values, "email": FORM["email"]}
    answer = await house.dave.post(DROP_IN, data=typed, headers={"referer": own})
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"from_page": [PAGE]}
    # A place on the page is one of that page as well.
    placed = {**typed, "text": "Another.", "redirect_to": "#comments"}
    answer = await house.dave.post(DROP_IN, data=placed, headers={"referer": own})
    assert answer.headers["location"] == PAGE + "#comments"


@pytest.mark.parametrize(
    "referer",
    [
        None,
        "https://evil.example/post",
        "https://blog.example@evil.example/",
        "https://blog.example.evil.example/",
        "https://blog.example\\@evil.example/",
        "https://[",
        "javascript:alert(1)//https://blog.example/",
        "https://blog.example/" + "x" * 2_000,
        "https://blog.example/wp-comments-post.php",
    ],
)
async def test_nothing_leads_out_of_the_site(house: House, referer: str | None) -> None:
    receipt = await send(house, referer)
    assert "?" not in receipt
    assert await back_of(house, receipt) == "https://blog.example"
    # Nor does what somebody puts into the address of a receipt, or into a form.
    if referer:
        named = f"{receipt}?from_page={quote(referer)}"
        assert await back_of(house, named) == "https://blog.example"
        answer = await house.dave.post(f"{receipt}/withdraw?from_page={quote(referer)}")
        assert answer.headers["location"] == receipt
        other = await send(house, None, comment="Another.", from_page=referer)
        assert "?" not in other


async def test_bytes_that_are_no_text_lead_nowhere(house: House) -> None:
    receipt = await send(house, None)
    odd = "https://blog.example/%FF"
    assert await back_of(house, f"{receipt}?from_page={odd}") == "https://blog.example"
    for number, page in enumerate(("https://blog.example/\\ud800", "\\ud800", "\\u0000")):
        body = f'{{"comment": "Number {number}.", "author": "D", "email": "d@mail.example",'
        body += f'"article": "17", "from_page": "{page}"}}'
        headers = {"content-type": "application/json"}
        answer = await house.dave.post(DROP_IN, content=body, headers=headers)
        assert answer.status_code == 303, answer.text
        assert "?" not in answer.headers["location"]


async def test_an_article_with_an_address_leads_there(house: House) -> None:
    receipt = await send(house, PAGE, comment_post_ID="https://www.blog.example/post")
    assert "?" not in receipt
    assert await back_of(house, receipt) == "https://www.blog.example/post"


async def test_nothing_of_it_is_stored(house: House) -> None:
    await send(house, PAGE)
    assert "a-post" not in str(await house.state())


async def test_withdrawing_asks_first_and_looking_changes_nothing(house: House) -> None:
    receipt = await send(house, PAGE)
    async with house.nothing_changes():
        page = (await house.dave.get(receipt)).text
        assert (await house.dave.get(f"{receipt.partition('?')[0]}/withdraw")).status_code == 405
    # Without a script: it is one step to see the question, and another to say yes.
    details = page.partition("<details>")[2].partition("</details>")[0]
    assert "it cannot be brought back" in details
    assert "/withdraw" in details
    assert page.count("/withdraw") == 1

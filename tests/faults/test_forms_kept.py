"""Whatever fails inside the service, what somebody typed into a form comes back with the answer."""

import re
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.api.submission.test_form_answers import Inputs
from tests.api.submission.test_wordpress_drop_in import DROP_IN, FORM, TYPED
from tests.cast import PASSWORD, House, email_of

# An error that the service can make nothing of.
FAILS = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'something that nobody foresaw' USING ERRCODE = 'XX000'; END $$
"""
pytestmark = pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)


def end_database(house: House, postgres_server: str) -> None:
    """Cut off who is connected, and let nobody in again."""
    database = urlsplit(house.settings.database_url).path.removeprefix("/")
    refuse = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(refuse.format(sql.Identifier(database)))
        admin.execute(end, [database])


async def test_when_the_database_is_gone(house: House, postgres_server: str) -> None:
    end_database(house, postgres_server)
    # Nobody can say which of the fields has the text, on a page with a trap.
    trap = {**FORM, "comment": "", "d7dcf95a06": TYPED}
    for form in (FORM, trap):
        answer = await house.dave.post(DROP_IN, data=form)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        page = Inputs(answer.text)
        assert (page.values["text"], page.values["article"]) == (TYPED, "17")
        assert page.action == ""


async def test_every_page_for_people_is_a_page_when_the_database_is_gone(
    house: House, postgres_server: str
) -> None:
    receipt = urlsplit((await house.submit()).receipt.url).path
    browser = await house.sign_in("alice")
    headers = {"accept": "text/html"}
    account = {"email": email_of("bob"), "password": PASSWORD}
    end_database(house, postgres_server)
    answers = [
        await house.dave.get(receipt, headers=headers),
        await house.dave.post(f"{receipt}/edit", data={"text": TYPED}, headers=headers),
        await house.dave.post(f"{receipt}/withdraw", headers=headers),
        await house.dave.post("/sign-in", data=account, headers=headers),
        await house.dave.get("/sign-in/a-link", headers=headers),
        await house.dave.post("/sign-in/a-link", headers=headers, data={"keep_tokens": "true"}),
        await browser.get("/moderation", headers=headers),
        await browser.post("/moderation", headers=headers),
        await browser.post("/sign-out", headers=headers),
    ]
    for answer in answers:
        assert answer.status_code == 503, answer.request.url
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.request.url
        assert "retry-after" in answer.headers
        assert "form-action" in answer.headers["content-security-policy"]


async def test_when_the_fault_is_ours(house: House) -> None:
    url = house.settings.database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(FAILS)
        admin.execute("CREATE TRIGGER fails BEFORE UPDATE ON status_tally EXECUTE FUNCTION fails()")
    answer = await house.dave.post(DROP_IN, data=FORM)
    assert answer.status_code == 500
    assert Inputs(answer.text).values["text"] == TYPED
    # The log has it too.
    assert re.search(r"<code>[0-9a-f]{32}</code>", answer.text)

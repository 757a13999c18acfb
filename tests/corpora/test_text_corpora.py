"""The rules for texts, held against data that nobody on this project wrote."""

import ast
import json
import re
from html import escape
from pathlib import Path

import pytest

from service.form.links import LinkRefused, check_url
from service.privacy.addresses import AddressRefused, check_address, suspect_typo
from service.text.markup import render_html
from service.text.normalising import has_visible, normalise_line, normalise_text
from tests.corpora.harmless import assert_harmless
from tests.corpora.reading import find_corpus, read_addresses, read_attacks, read_comments
from tests.visible_text import loses_nothing, read_visible, squash

ADDRESSES_PAGE = Path(__file__).parents[2] / "docs" / "addresses.md"
# The suite's own threshold: above these, an address is not one to send mail to.
USABLE = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"}


def test_our_differences_from_the_suite_of_addresses_are_those_on_the_page() -> None:
    found = {}
    for address, diagnosis, category in read_addresses():
        ours = "taken" if is_taken(address) else "refused"
        if (ours == "taken") != (category in USABLE):
            found[address] = (diagnosis, ours)
    assert found == read_page()


def test_all_164_addresses_are_handled() -> None:
    assert len([is_taken(address) for address, _, _ in read_addresses()]) == 164


def test_no_free_mail_domain_is_called_a_typo() -> None:
    domains = find_corpus("email/free-mail-domains.txt").read_text().split()
    # The list holds this one, but whoever types it means yahoo.com.
    assert {domain for domain in domains if suspect_typo(domain)} == {"yaho.com"}


def test_each_naughty_string_has_one_form_and_loses_nothing_visible() -> None:
    for raw in json.loads(find_corpus("sanitiser/naughty-strings.json").read_text()):
        text, line = normalise_text(raw), normalise_line(raw)
        assert loses_nothing(text, render_html(text))
        assert (normalise_text(text), normalise_line(line)) == (text, line)
        assert has_visible(text) == has_visible(line) == has_visible(raw)
        assert_harmless(render_html(text))


@pytest.mark.parametrize("shown_as", ["text", "code", "quote", "link", "image", "name"])
def test_each_attack_is_shown_harmlessly(shown_as: str) -> None:
    templates = {
        "text": "{}",
        "code": "a `{}`",
        "quote": "> - {}",
        "link": '[a]({} "{}")',
        "image": "![{}](<{}>)",
    }
    page = "\n".join(
        f"<p>{escape(normalise_line(attack))}</p>"
        if shown_as == "name"
        else render_html(normalise_text(templates[shown_as].replace("{}", attack)))
        for attack in read_attacks()
    )
    assert_harmless(page)


def test_each_attack_is_refused_as_a_url_or_harmless() -> None:
    for attack in read_attacks():
        try:
            url = check_url(attack)
        except LinkRefused:
            continue
        if url is None:
            continue
        assert url.lower().startswith(("http://", "https://"))
        assert_harmless(f'<a href="{url}">x</a>')


def test_every_example_of_commonmark_renders_harmlessly() -> None:
    for example in json.loads(find_corpus("sanitiser/commonmark.json").read_text()):
        assert_harmless(render_html(normalise_text(example["markdown"])))


def is_taken(address: str) -> bool:
    try:
        check_address(address)
    except AddressRefused:
        return False
    return True


def read_page() -> dict[str, tuple[str, str]]:
    """Give the rows of the page's table: the address, the suite's diagnosis, and what we do."""
    rows = re.findall(r"^\| `(.+?)` \| (\w+) \| (\w+) \|", ADDRESSES_PAGE.read_text(), re.MULTILINE)
    return {ast.literal_eval(f"'{address}'"): (what, ours) for address, what, ours in rows}


def test_of_each_real_comment_nothing_disappears() -> None:
    texts = [normalise_text(raw) for raw in read_comments()]
    assert len(texts) > 11_000
    assert [text for text in texts if not loses_nothing(text, render_html(text))] == []


def test_real_comments_mean_what_they_seem_to() -> None:
    """Of people who have never heard of Markdown, hardly any types a mark that takes effect."""
    texts = [normalise_text(raw) for raw in read_comments()]
    marked = [text for text in texts if squash(read_visible(render_html(text))) != squash(text)]
    assert len(marked) < len(texts) / 300

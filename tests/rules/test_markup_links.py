"""A link leads to the whole address that a reader sees, and no label lies about where."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.markup import render_html
from service.text.normalising import normalise_text
from tests.rules.test_markup import link
from tests.visible_text import loses_nothing


@pytest.mark.parametrize(
    "host",
    [
        # What browsers refuse (WHATWG URL): parts that decode to nothing, numbers that are no address.
        *("xn--a.spam-pills.example", "xn--0.pt", "ﷺ.com", "٠a.com", "⒈com", "\u0301", "255www.ܫ"),
        *("1.2.3.999", "a.b.256", "09.1.1.1", "0x1ffffffff", "www.1.2", "a." * 1_000 + "b"),
        # What a host could not be, or which one it is depends on who reads it.
        *("i❤.ws", "www.i❤.ws", "ab‐cd.example", "a-/b", "a..b", "a.example-/b", "a.example:port"),
        *("aпример.рф", "www.abc日本.jp", "paypal。com", "www.bank。example", "bank%2Eexample", "a\\b"),
        *("user;x@a.example", "a.example:99999"),
    ],
)  # fmt: skip
def test_what_browsers_would_not_find_is_no_link(host: str) -> None:
    for text in (f"https://{host}", f"[a](https://{host})", f"<https://{host}>"):
        typed = text.replace("<", "&lt;").replace(">", "&gt;")
        assert render_html(normalise_text(text)) == f"<p>{normalise_text(typed)}</p>"


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("https://my_site.tumblr.com/x", "https://my_site.tumblr.com/x", ""),
        ("https://24часа.рф", "https://24часа.рф", ""),
        ("https://日本語.jp/", "https://日本語.jp/", ""),
        ("https://xn--mnchen-3ya.de", "https://xn--mnchen-3ya.de", ""),
        ("http://1.2.3.4/", "http://1.2.3.4/", ""),
        ("https://http://a.example", "http://a.example", ""),
        ("https://a.example👍", "https://a.example", "👍"),
        ("https://a.exampleです。", "https://a.example", "です。"),
        ("https://a.example。谢谢", "https://a.example", "。谢谢"),
        ("http://1.2.3.4를", "http://1.2.3.4", "를"),
        ("https://a.example:80.", "https://a.example:80", "."),
        ("_https://a.example", "https://a.example", ""),
        ("https://youtu.be/dQw4w9WgXc0を見て", "https://youtu.be/dQw4w9WgXc0", "を見て"),
        ("https://youtu.be/dQw4w9WgXc_を見て", "https://youtu.be/dQw4w9WgXc_", "を見て"),
        ("https://youtu.be/dQw4w9WgXc_.", "https://youtu.be/dQw4w9WgXc_", "."),
        ("_see https://a.example/b_", "https://a.example/b", "</em>"),
        ("https://a.example/12를 보세요", "https://a.example/12", "를 보세요"),
        ("https://a.example/123и", "https://a.example/123", "и"),
        ("https://a.example/123और", "https://a.example/123", "और"),
        ("https://a.example/b①", "https://a.example/b", "①"),
        ("https://a.example/1️⃣", "https://a.example/", "1️⃣"),
        ("https://a.example/Россия_в_2020_году", "https://a.example/Россия_в_2020_году", ""),
        ("https://a.example/می\u200cخواهم", "https://a.example/می\u200cخواهم", ""),
        ("https://a.example/क्\u200dष", "https://a.example/क्\u200dष", ""),
        ("https://a.example/{b}/c|d^e", "https://a.example/{b}/c|d^e", ""),
        ("{https://a.example/b}", "https://a.example/b", "}"),
        ("'https://a.example/b','c'", "https://a.example/b", "','c'"),
    ],
)
def test_an_address_is_whole(text: str, address: str, rest: str) -> None:
    assert render_html(text).removesuffix("</p>").endswith(link(address) + rest)


@pytest.mark.parametrize(
    "label",
    [
        *("BANK。example", "bank｡example", "https://paypal。com", "www。bank。example", "银行。中国"),
        *("bank.example.", "bank.example!", "(bank.example)", "“bank.example”", "🔒 bank.example"),
        *("bank.example →", "bank.example…", "paypal.com security", "Go to bank.example"),
        *("1.1.1.1/dns", "1.2.3.4", "localhost:8080", "bank.xn--p1ai", "ann@bank.example", "i❤.ws"),
        *("bank.exam\u200dple", "h\u200dttps://bank.example", "bank.example\ufe0f"),
        *("bank.\u034fexample", "bank.\u200eexample", "bank.e\u0332xample", "bank\u200a.\u200aexample"),
        *("https:\\\\bank.example", "bank.example\\login", "https:bank.example", "https:∕∕bank.example"),
        *("https:⧸⧸paypal.com", "httрs://paypal.com", "httрs://bank", "bank%2Eexample"),
        *("https%3A//bank.example", "bank.example|x", "bank.example∕login", "https://bank❤.example"),
        *("a.example bank.example", "bank.example@a.example", "bank.a.example", "node.js/bank.example"),
    ],
)  # fmt: skip
def test_a_label_names_no_other_host(label: str) -> None:
    text = f"[{label}](https://a.example)"
    assert f"]({link('https://a.example')})</p>" in render_html(text)


@pytest.mark.parametrize(
    ("label", "address"),
    [
        ("a.example", "https://www.a.example/b"),
        ("see (https://www.a.example/b.c?d=e.example)!", "https://a.example/"),
        ("münchen.de", "https://xn--mnchen-3ya.de/"),
        ("ｂａｎｋ.example", "https://ｂａｎｋ.example/"),
        ("https://bank_of.example", "https://bank_of.example"),
        ("node.js", "https://a.example/"),
        ("report.pdf", "https://a.example/report.pdf"),
        ("3.5 of 10, e.g. 12:30. So", "https://a.example/"),
        ("约翰·史密斯", "https://a.example/"),
        ("x", "https://a.example/می\u200cخواهم"),
    ],
)
def test_an_honest_label_is_one(label: str, address: str) -> None:
    assert render_html(f"[{label}]({address})") == f"<p>{link(address, label)}</p>"


@pytest.mark.parametrize(
    ("label", "address"),
    [("fass.de", "https://faß.de/"), ("https://bank_of.example/x", "https://bank")],
)
def test_hosts_that_only_look_alike_are_others(label: str, address: str) -> None:
    assert f"]({link(address)})" in render_html(f"[{label}]({address})")


def test_no_link_is_in_the_label_of_another() -> None:
    inner = link("https://a.example", "b")
    assert render_html("[a [b](https://a.example) c](https://b.example)") == (
        f"<p>[a {inner} c]({link('https://b.example')})</p>"
    )


def test_an_address_that_is_too_long_is_text_as_a_whole() -> None:
    address = "https://a.example/" + "https://b.example/" * 200
    assert render_html(address[:2_100]).startswith("<p>https://a.example/https://b.example/")


LETTERS = st.characters(categories=["L", "M", "N"])
HOSTS = st.lists(
    st.one_of(st.sampled_from(("a", "xn--", "www.", ".", "-", "_", "0x1", "255", "ß", "日", "ܫ")), LETTERS),
    min_size=1,
    max_size=8,
).map("".join)  # fmt: skip


@given(HOSTS)
def test_every_link_leads_somewhere(host: str) -> None:
    for raw in (f"https://{host}/", f"www.{host}", f"[a](https://{host})", f"<http://{host}>"):
        text = normalise_text(unicodedata.normalize("NFC", raw))
        assert loses_nothing(text, render_html(text))

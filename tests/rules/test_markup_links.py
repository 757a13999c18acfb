"""A link leads to the whole address that a reader sees, and to no other."""

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
        *("user;x@a.example", "a.example:99999", "bank\u200e.example", "bank\u200eexample"),
    ],
)  # fmt: skip
def test_what_browsers_would_not_find_is_no_link(host: str) -> None:
    for text in (f"https://{host}", f"[a](https://{host})", f"<https://{host}>"):
        typed = text.replace("<", "&lt;").replace(">", "&gt;")
        assert render_html(normalise_text(text)) == f"<p>{normalise_text(typed)}</p>"


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("见 https://example.com/a。谢谢", "https://example.com/a", "。谢谢"),
        ("https://example.com/a，b", "https://example.com/a", "，b"),
        ("https://example.com/a）", "https://example.com/a", "）"),
        ("“https://example.com/a”", "https://example.com/a", "”"),
        ("»https://example.com/a«", "https://example.com/a", "«"),
        ("https://example.com/a— so", "https://example.com/a", "— so"),
        ("https://example.com/a…", "https://example.com/a", "…"),
        ("https://example.com/a를 보세요", "https://example.com/a", "를 보세요"),
        ("https://example.com를", "https://example.com", "를"),
        ("https://example.com/aです", "https://example.com/a", "です"),
        ("(https://a.example/b_(c)).", "https://a.example/b_(c)", ")."),
        ("https://a.example/?a[]=1,", "https://a.example/?a[]=1", ","),
        ("https://a.example/(b", "https://a.example/", "(b"),
        ("https://a.example/b?!", "https://a.example/b", "?!"),
        ("https://a.example/o'brien'", "https://a.example/o'brien", "'"),
        ('<a href="https://a.example/b">', "https://a.example/b", '"&gt;'),
        ("https://a.example.", "https://a.example", "."),
        ("https://a.example: b", "https://a.example", ": b"),
        ("https://a.example:8080/b", "https://a.example:8080/b", ""),
        (
            "https://ru.wikipedia.org/wiki/Россия, да",
            "https://ru.wikipedia.org/wiki/Россия",
            ", да",
        ),
        ("https://a.example/café", "https://a.example/café", ""),
        ("https://пример.рф/а", "https://пример.рф/а", ""),
        ("HTTPS://A.example/", "HTTPS://A.example/", ""),
        ("https://a.example/b\u3164c", "https://a.example/b", "\u3164c"),
        ("见https://a.example/b", "https://a.example/b", ""),
    ],
)
def test_a_bare_address_ends_where_it_ends(text: str, address: str, rest: str) -> None:
    assert render_html(text).removesuffix("</p>").endswith(link(address) + rest)


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
        ("_a and_ b https://a.example/b_", "https://a.example/b_", ""),
        ("_a https://a.example/b_ c_", "https://a.example/b", "</em> c_"),
        ("see snake_case: https://a.example/__init__", "https://a.example/__init__", ""),
        ("_x_ is https://a.example/_y_", "https://a.example/_y_", ""),
        ("T_T ^_^ https://a.example/b_", "https://a.example/b_", ""),
        ("__a https://a.example/__b__", "https://a.example/__b__", ""),
        # The name of somebody behind punctuation makes no user of a host.
        ("https://a.example，@bob", "https://a.example", "，@bob"),
        ("https://a.example。@小明", "https://a.example", "。@小明"),
        ("(https://a.example)@bob", "https://a.example", ")@bob"),
        ("「https://a.example」@bob", "https://a.example", "」@bob"),
        ("https://a.example… @bob", "https://a.example", "… @bob"),
        ("https://a.example:8080에서", "https://a.example:8080", "에서"),
        ("https://a.example:8080を見て", "https://a.example:8080", "を見て"),
        ("http://1.2.3.4:80👍", "http://1.2.3.4:80", "👍"),
        ("https://a.example\u200e", "https://a.example", "\u200e"),
        ("https://a.example\u200f, b", "https://a.example", "\u200f, b"),
        ("https://a.example:80\u200e b", "https://a.example:80", "\u200e b"),
        ("https://a.example.\u061c", "https://a.example", ".\u061c"),
        ("https://a.example/12를 보세요", "https://a.example/12", "를 보세요"),
        # Many a title has both; of what ends by a digit or an underscore more go on in another script.
        ("https://a.example/wiki/Windows_в_России", "https://a.example/wiki/Windows_в_России", ""),
        ("https://a.example/COVID-19_в_России.", "https://a.example/COVID-19_в_России", "."),
        ("https://a.example/1917_год", "https://a.example/1917_год", ""),
        ("https://a.example/IP-адрес", "https://a.example/IP-адрес", ""),
        ("https://a.example/C_भाषा", "https://a.example/C_भाषा", ""),
        ("https://a.example/HTML_وسم", "https://a.example/HTML_وسم", ""),
        ("https://a.example/Windowsв", "https://a.example/Windows", "в"),
        ("https://a.example/2024年", "https://a.example/2024", "年"),
        ("https://a.example/b_를", "https://a.example/b_", "를"),
        ("https://a.example/b-です", "https://a.example/b-", "です"),
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
    "text",
    [
        *("https://bank.coｍ", "https://bank.coⓜ", "www.bank.co🅜", "https://bank.co🄼/a", "http://bank.co１"),
        *("https://bank.co①", "https://bank.co:80②", "https://bank.coｍです", "https://bank.co⒈com"),
        *("https://bank.co。ｕｋ", "https://bank.co．𝐮𝐤", "https://bank.co－secure", "https://bank.co＿ｓ"),
        "https://bank.co．\u200dｍ",
        *("https://bänk.co。ｕｋ", "https://日本.co－secure", "https://bank.co**ｍ", "https://日本.jp**ｍ"),
    ],
)  # fmt: skip
def test_what_reads_as_more_of_a_host_makes_all_of_it_text(text: str) -> None:
    assert render_html(text) == f"<p>{text}</p>"


def test_no_bold_parts_a_host_from_what_reads_as_more_of_it() -> None:
    assert render_html("**https://bank.co**ｍ") == "<p><strong>https://bank.co</strong>ｍ</p>"


@pytest.mark.parametrize(
    "rest",
    [
        *(
            "m/login",
            "1",
            ".uk",
            ":80",
            "-secure",
            "/login",
            "@a.example",
            "_m",
            "%2Euk",
            "#",
            "?a",
            ":@a",
        ),
        *(
            "ｍ",
            "ⓜ",
            "🅜",
            "１",
            "．uk",
            "。uk",
            "：80",
            "－secure",
            "／login",
            "＠a.example",
            "＿m",
            "？a",
        ),
        *("é", "м", "\u0332", "%", "＃", "\\a", "\u200dm", "\u200e.m"),
    ],
)
def test_no_address_in_angle_brackets_runs_on_into_what_follows(rest: str) -> None:
    address = link("https://bank.co")
    assert render_html(f"<https://bank.co>{rest}") == f"<p>&lt;{address}&gt;{rest}</p>"


@pytest.mark.parametrize("rest", [".", ". So", "?", ": so", ", so", "。谢谢", "を見て", "에서", ")", "…"])
def test_an_address_in_angle_brackets_is_one_within_a_sentence(rest: str) -> None:
    assert render_html(f"<https://a.example>{rest}") == f"<p>{link('https://a.example')}{rest}</p>"


@pytest.mark.parametrize("mark", ["> {}", "- a\n- {}", "> - a\n> - {}"])
def test_a_link_that_is_never_closed_is_none_at_the_end_of_a_block(mark: str) -> None:
    html = render_html(mark.replace("{}", "[x](https://a.example"))
    assert f"[x]({link('https://a.example')}</" in html


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

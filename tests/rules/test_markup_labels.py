"""No label of a link lies about where that leads, alone or together with what touches it."""

import pytest

from service.text.markup import render_html
from tests.rules.test_markup import link


@pytest.mark.parametrize(
    "label",
    [
        *("https://bank.example", "bank.example", "www.bank.example/login", "BANK.example"),
        "**bank.example**",
        *("ｂａｎｋ．example", "see https://bank.example", "bank.example:443", "//bank.example", "http://bank"),
    ],
)  # fmt: skip
def test_a_label_does_not_lie_about_its_host(label: str) -> None:
    assert f"]({link('https://evil.example')})</p>" in render_html(f"[{label}](https://evil.example)")


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
        *("bank\u0701example", "bank\u0660example", "bank\ua60eexample", "bank\u06f0example"),
        *("bank\u0702example", "bank\u06d4example", "www\u0660bank\u0660example"),
        *("bank.example¹", "bank.example①", "bank.example₂", "bank.example²/login", "bank.example１"),
        *("bank.example❷", "bank.example½", "bank.example\u200d¹", "bank.example\u0332¹", "bank１.example"),
        *("１.1.1.１", "bank.example²login"),
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
        ("a.example¹", "https://a.example/"),
        ("CO₂, H₂O: 1½ of 3.5", "https://a.example/"),
        ("ｂａｎｋ１.example", "https://bank1.example/"),
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


@pytest.mark.parametrize(
    "text",
    [
        "[bank](_)[.example](_)",
        "[bank.](_)[example](_)",
        "https://bank.example[/login](_)",
        "https://bank.example[?login](_)",
        "bank[.example](_)",
        "ban[k](_).example",
        "[Log in at bank](_)[.example now](_)",
        "[https](_)[:](_)[/](_)[/bank](_)[.example](_)",
        "*bank*.[example](_)",
        "[bank](_)\u200a.[example](_)",
        "[银行](_)[。中国](_)",
        "bank。[example](_)",
        "[bank](_)[\u0701](_)[example](_)",
        "www.bank.example:[443](_)",
        "[https://evil.example](_)ｍ",
        "[https://evil.example](_)ｍ/login",
        "[evil](_)ｓ.example",
        "[evil.example](_).bank.example",
        "[https://evil.example](_).bank.example",
    ],
)
def test_neighbours_do_not_lie_together(text: str) -> None:
    html = render_html(text.replace("_", "https://evil.example/x"))
    assert html.count(f"]({link('https://evil.example/x')})") == text.count("](")
    # Nor where they lead to several places.
    html = render_html(text.replace("_", "https://evil.example/x", 1).replace("_", "https://b.example"))
    assert html.count("](<a ") == text.count("](")


@pytest.mark.parametrize(
    "text",
    [
        *("[cat](_)s", "[a](_)[b](_)", "[a](_)/[b](_), [c](_).", "No?[a](_)", "1.[a](_)", "‘[a](_)’s"),
        *("https://a.example[/b](_)", "[a](_)[.example](_)", "[www.](_)a.example", "([a.example](_))"),
        *("我去了银行。[这里](_)看", "は[a.example](_)を", "[a.example](_)에서", "使用node.js的[文档](_)吧"),
        *("bank.example, [a](_)", "bank.example\n[a](_)", "see bank.example: [a](_)"),
    ],
)  # fmt: skip
def test_honest_neighbours_stay_links(text: str) -> None:
    html = render_html(text.replace("_", "https://a.example/x"))
    assert html.count('<a href="https://a.example/x"') == text.count("](")
    assert "](" not in html


def test_who_lies_takes_no_others_along() -> None:
    html = render_html("[a](https://a.example) [bank](https://b.example)[.example](https://b.example)")
    assert html.startswith(f"<p>{link('https://a.example', 'a')} [bank](")

"""The address of a commenter's page: http or https, and nothing that could leave an attribute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.form.links import LinkRefused, check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://example.org/",
        "HTTPS://Example.org:8443/~dave/?a=1&b=%27#top",
        "https://bücher.example/straße",
        "http://[::1]:8000/",
        "http://x.example/o'brien",
        "https://" + "a." * 50 + "example/" + "b" * 1_884,
    ],
)
def test_an_absolute_web_address_is_taken_as_typed(url: str) -> None:
    assert check_url(f" {url}\n") == url


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("javascript:alert(1)", "url_not_allowed"),
        ("java\tscript:alert(1)", "url_invalid"),
        ("java\x01script:alert(1)", "url_not_allowed"),
        ("data:text/html,x", "url_not_allowed"),
        ("ftp://example.org", "url_not_allowed"),
        ("mailto:ann@example.org", "url_not_allowed"),
        ("https://" + "a" * 1_993, "url_too_long"),
        ("https:example.org", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("https://ann:pw@example.org", "url_invalid"),
        ("https://..", "url_invalid"),
        ("https://exa\u200emple.org/", "url_invalid"),
        ("my page", "url_invalid"),
        ("/about", "url_invalid"),
        ("n/a", "url_invalid"),
        ("https://example.org:99999/", "url_invalid"),
        ("example.org:99999", "url_invalid"),
        ("n.a b", "url_invalid"),
        ("ann@example.org", "url_invalid"),
        # Browsers refuse numbers that are no address, and names that decode to nothing.
        *((url, "url_invalid") for url in ("http://256.1.1.1", "https://a.1", "http://1.2.3.4.5")),
        *((url, "url_invalid") for url in ("http://xn--a.example", "x.0x1g.09", "https://a.0x/b", "v1.5")),
        *(
            (url, "url_invalid")
            for url in ("1.5", "3.14", "2026.05.01", "1.2.3:80", "//1.5/a", "1.5?a", "4.")
        ),
    ],
)
def test_anything_else_is_refused(url: str, code: str) -> None:
    with pytest.raises(LinkRefused) as refused:
        check_url(url)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "url",
    [
        *("", " ", "http://", "https://", "HTTP://", "https:", "http", "http:///"),
        *("http://http://", "http://https://", "http://https:", "HTTP://http"),
    ],
)
def test_a_bare_scheme_is_no_address(url: str) -> None:
    assert check_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "www.example.org/a?b#c",
        "example.org:8443/a",
        "//example.org/a",
        "bücher.example",
        "127.0.0.1:8000/a",
        "1.example",
        "1.2.3.4",
    ],
)
def test_a_host_without_a_scheme_gets_one(url: str) -> None:
    assert check_url(url) == f"https://{url.removeprefix('//')}"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://http://example.org", "http://example.org"),
        ("http://https://example.org/a", "https://example.org/a"),
        ("HTTP://http:example.org", None),
        ("https://example.org/http://a", "https://example.org/http://a"),
    ],
)
def test_an_address_typed_behind_the_scheme_of_the_form_is_that(typed: str, url: str | None) -> None:
    if url is None:
        with pytest.raises(LinkRefused):
            check_url(typed)
    else:
        assert check_url(typed) == url


@pytest.mark.parametrize("char", [*'"`<>\\ ', "\u3000", "\u2028", "\t"])
def test_no_character_that_could_end_an_attribute_is_taken(char: str) -> None:
    with pytest.raises(LinkRefused):
        check_url(f"https://example.org/a{char}b")


@given(st.one_of(st.text(), st.text("htps:/.@example[]#?&\"' \u00e9").map("https://".__add__)))
def test_what_is_taken_is_a_harmless_web_address(raw: str) -> None:
    try:
        url = check_url(raw)
    except LinkRefused:
        return
    if url is None:
        return
    assert url.lower().startswith(("http://", "https://"))
    assert not set(url) & set('"`<>\\ \t\r\n')
    assert check_url(url) == url

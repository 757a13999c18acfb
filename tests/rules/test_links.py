"""The address of a commenter's page: http or https, and nothing that could leave an attribute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.submission.links import LinkRefused, check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://example.org/",
        "HTTPS://Example.org:8443/~dave/?a=1&b=%27#top",
        "https://bücher.example/straße",
        "http://[::1]:8000/",
        "https://" + "a." * 50 + "example/" + "b" * 1_884,
    ],
)
def test_an_absolute_web_address_is_taken_as_typed(url: str) -> None:
    assert check_url(f" {url}\n") == url


@pytest.mark.parametrize(
    ("url", "code", "suggestion"),
    [
        ("javascript:alert(1)", "url_not_allowed", None),
        ("java\tscript:alert(1)", "url_invalid", None),
        ("java\x01script:alert(1)", "url_not_allowed", None),
        ("data:text/html,x", "url_not_allowed", None),
        ("ftp://example.org", "url_not_allowed", None),
        ("mailto:ann@example.org", "url_not_allowed", None),
        ("https://" + "a" * 1_993, "url_too_long", None),
        ("", "url_invalid", None),
        ("https:example.org", "url_invalid", None),
        ("https:///path", "url_invalid", None),
        ("https://ann:pw@example.org", "url_invalid", None),
        ("https://..", "url_invalid", None),
        ("https://exa\u200emple.org/", "url_invalid", None),
        ("my page", "url_invalid", None),
        ("/about", "url_invalid", None),
        ("n/a", "url_invalid", None),
        ("example.org", "url_invalid", "https://example.org"),
        ("www.example.org/a?b#c", "url_invalid", "https://www.example.org/a?b#c"),
        ("example.org:8443/a", "url_invalid", "https://example.org:8443/a"),
        ("//example.org/a", "url_invalid", "https://example.org/a"),
        ("ann@example.org", "url_invalid", None),
    ],
)
def test_anything_else_is_refused(url: str, code: str, suggestion: str | None) -> None:
    with pytest.raises(LinkRefused) as refused:
        check_url(url)
    assert (refused.value.code, refused.value.suggestion) == (code, suggestion)


@pytest.mark.parametrize("char", [*"\"'`<>\\ ", "\u3000", "\u2028", "\t"])
def test_no_character_that_could_end_an_attribute_is_taken(char: str) -> None:
    with pytest.raises(LinkRefused):
        check_url(f"https://example.org/a{char}b")


@given(st.one_of(st.text(), st.text("htps:/.@example[]#?&\"' \u00e9").map("https://".__add__)))
def test_what_is_taken_is_a_harmless_web_address(raw: str) -> None:
    try:
        url = check_url(raw)
    except LinkRefused:
        return
    assert url.lower().startswith(("http://", "https://"))
    assert not set(url) & set("\"'`<>\\ \t\r\n")
    assert check_url(url) == url

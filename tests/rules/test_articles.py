"""One page has one key: the cases of the contract, and what must hold for any key at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sites.articles import ArticleRefused, normalise_article, normalise_origin, parse_hosts

ORIGINS = ("https://blog.example", "https://www.blog.example", "http://localhost:1313")

SAME = [
    ("https://blog.example/2025/05/reflections/", "/2025/05/reflections"),
    ("http://blog.example/2025/05/reflections", "/2025/05/reflections"),
    (
        "https://blog.example/2025/05/reflections/?utm_source=x&utm_medium=y",
        "/2025/05/reflections",
    ),
    ("https://blog.example/2025/05/reflections/#comments", "/2025/05/reflections"),
    ("https://blog.example//2025//05/reflections/", "/2025/05/reflections"),
    ("  /2025/05/reflections/  ", "/2025/05/reflections"),
    ("https://blog.example/?p=17", "/?p=17"),
    ("https://blog.example/?p=17&fbclid=abc", "/?p=17"),
    ("https://blog.example/?fbclid=abc&p=17&lang=de", "/?p=17&lang=de"),
    ("https://blog.example/", "/"),
    ("https://blog.example", "/"),
    ("https://blog.example/a/./b/../c", "/a/c"),
    ("https://blog.example/%7Eann/caf%C3%A9", "/~ann/café"),
    ("https://blog.example/a%2Fb", "/a%2Fb"),
    ("https://www.blog.example/about/", "//www.blog.example/about"),
    ("http://localhost:1313/about/", "//localhost:1313/about"),
    ("HTTPS://BLOG.EXAMPLE/About", "/About"),
    ("/About", "/About"),
    ("post-17", "post-17"),
    ("post-17/", "post-17/"),
    ("cafe\u0301", "caf\u00e9"),
]

REFUSED = [
    ("https://evil.example/a", "article_not_allowed"),
    ("https://blog.example.evil.example/a", "article_not_allowed"),
    ("https://blog.example@evil.example/a", "article_not_allowed"),
    ("https://blog.example:8443/a", "article_not_allowed"),
    ("", "article_required"),
    ("   ", "article_required"),
]

MORE_SAME = [
    # The default port is no port.
    ("https://blog.example:443/a", "/a"),
    ("http://blog.example:80/a", "/a"),
    ("https://blog.example:/a", "/a"),
    # A key that we answered comes back as it is, also under a host of its own.
    ("//www.blog.example/about", "//www.blog.example/about"),
    ("//blog.example/about", "/about"),
    ("https://www.blog.example", "//www.blog.example/"),
    # Nothing is left of the query.
    ("/a?", "/a"),
    ("/a?&&", "/a"),
    ("https://blog.example?p=1", "/?p=1"),
    ("/a/?gclid=1&&b=2&igshid", "/a?b=2"),
    ("/a?%75tm_source=x&b=%7E", "/a?b=%7E"),
    ("/a?UTM_source=x", "/a?UTM_source=x"),
    # What is not UTF-8, a control or white space stays encoded; hex digits are in upper case.
    ("/%ff%2f%C3%A9", "/%FF%2Fé"),
    ("/a%0Ab%C2%85%20", "/a%0Ab%C2%85%20"),
    ("/a b /", "/a%20b%20"),
    ("/100%", "/100%"),
    ("/%%34%31", "/%%341"),
    ("/e%CC%81", "/\u00e9"),
    # Dots that were encoded are dots.
    ("/a/%2E%2e/b", "/b"),
    ("/../..", "/"),
    ("/./%2e/", "/"),
    ("/a//../b", "/a/b"),
    ("/.//www.blog.example/a", "/www.blog.example/a"),
    ("/a#b", "/a#b"),
]

MORE_REFUSED = [
    ("https://ann:pw@blog.example/a", "article_not_allowed"),
    ("https://blog.example\\@evil.example/a", "article_not_allowed"),
    ("https://evil.example\\.blog.example/a", "article_not_allowed"),
    ("https://", "article_not_allowed"),
    ("https:///a", "article_not_allowed"),
    ("//evil.example/a", "article_not_allowed"),
    ("http://blog.example:443/a", "article_not_allowed"),
    ("https://[::1/a", "article_not_allowed"),
    ("/a\x00", "article_invalid"),
    ("/a\nb", "article_invalid"),
    ("post\x85seventeen", "article_invalid"),
]


@pytest.mark.parametrize(("sent", "answered"), SAME + MORE_SAME)
def test_each_way_to_name_a_page_gives_its_one_key(sent: str, answered: str) -> None:
    assert normalise_article(sent, origins=ORIGINS) == answered


@pytest.mark.parametrize(("sent", "code"), REFUSED + MORE_REFUSED)
def test_what_cannot_be_an_article_of_the_site_is_refused(sent: str, code: str) -> None:
    with pytest.raises(ArticleRefused) as refused:
        normalise_article(sent, origins=ORIGINS)
    assert refused.value.code == code


ALIASES = parse_hosts(" WWW.blog.example , old.example:8080,b\u00fccher.example:443 ")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("https://www.blog.example/about/", "/about"),
        ("//www.blog.example/about", "/about"),
        ("http://old.example:8080/a?p=1&fbclid=x#top", "/a?p=1"),
        ("https://xn--bcher-kva.example", "/"),
        ("https://BÜCHER.example/a", "/a"),
        ("http://localhost:1313/about/", "//localhost:1313/about"),
        ("https://blog.example/a", "/a"),
    ],
)
def test_what_lies_on_an_alias_is_the_first_origins(sent: str, answered: str) -> None:
    assert normalise_article(sent, origins=ORIGINS, aliases=ALIASES) == answered


@pytest.mark.parametrize("sent", ["https://old.example/a", "https://b.old.example:8080/a"])
def test_an_alias_is_one_host_with_its_port(sent: str) -> None:
    with pytest.raises(ArticleRefused):
        normalise_article(sent, origins=ORIGINS, aliases=ALIASES)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("/a/", "/a/"),
        ("/a", "/a"),
        ("/a//", "/a/"),
        ("/a/b/..", "/a/"),
        ("/", "/"),
        ("/a/.", "/a/"),
    ],
)
def test_a_site_may_keep_trailing_slashes(sent: str, answered: str) -> None:
    assert normalise_article(sent, origins=ORIGINS, keep_trailing_slash=True) == answered


def test_a_key_is_measured_after_it_is_normalised() -> None:
    long_query = "/a?utm_campaign=" + "x" * 4_000
    assert normalise_article(long_query, origins=ORIGINS) == "/a"
    assert len(normalise_article("/" + "é" * 511, origins=ORIGINS)) == 512
    with pytest.raises(ArticleRefused) as refused:
        normalise_article("/" + "é" * 512, origins=ORIGINS)
    assert refused.value.code == "article_too_long"


def test_what_is_typed_is_bounded_before_it_is_normalised() -> None:
    assert normalise_article("/a".ljust(4_096), origins=ORIGINS) == "/a"
    with pytest.raises(ArticleRefused) as refused:
        normalise_article("/a".ljust(4_097), origins=ORIGINS)
    assert refused.value.code == "article_too_long"


def test_hosts_in_other_alphabets_equal_their_punycode() -> None:
    origins = [normalise_origin("https://Bücher.example")]
    assert origins == ["https://xn--bcher-kva.example"]
    assert normalise_article("https://bücher.example/a", origins=origins) == "/a"
    assert normalise_article("https://XN--BCHER-KVA.example/a", origins=origins) == "/a"


@pytest.mark.parametrize(
    ("raw", "origin"),
    [
        ("HTTPS://Blog.Example:443/", "https://blog.example"),
        ("http://localhost:1313", "http://localhost:1313"),
        ("https://blog.example:80", "https://blog.example:80"),
        ("http://[::0:1]:080", "http://[::1]"),
    ],
)
def test_an_origin_has_one_spelling(raw: str, origin: str) -> None:
    assert normalise_origin(raw) == origin


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "",
            "blog.example",
            "//blog.example",
            "ftp://a.example",
            "https://",
            "https://a.example/b",
        ),
        *("https://ann@a.example", "https://a b.example", "https://a.example?x", "https://[::1"),
        *("https://..", "https://a..example"),
    ],
)
def test_what_is_not_an_origin_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normalise_origin(raw)


KEYS = st.one_of(
    st.text(),
    st.text(alphabet="/.%234Cc aé\u0301\u0338\u0327?&=#:\u3000\u2028@"),
    st.tuples(
        st.sampled_from(["https://blog.example", "//www.blog.example", "http://localhost:1313", "/"]),
        st.text(alphabet="/.%0123456789abcdefEFG~ ?&=#é\u0301\u0327", max_size=30),
    ).map("".join),
)


@given(KEYS, st.booleans())
def test_a_canonical_key_stays_as_it_is(raw: str, keep: bool) -> None:
    try:
        key = normalise_article(raw, origins=ORIGINS, keep_trailing_slash=keep)
    except ArticleRefused:
        return
    assert normalise_article(key, origins=ORIGINS, keep_trailing_slash=keep) == key
    assert 1 <= len(key) <= 512

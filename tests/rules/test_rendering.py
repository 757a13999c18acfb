"""How a comment's Markdown looks, and that it can neither act, nor hide, nor grow out of bounds."""

import re
import resource
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.comments.rendering import MAX_NESTING, render_html
from service.text import normalise_text

REL = 'rel="nofollow ugc noopener noreferrer"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("*a* **b** ~~c~~ ~d~", "<p><em>a</em> <strong>b</strong> <del>c</del> ~d~</p>"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("7. a\n8. b", '<ol start="7">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("```py\nx < 1 && y\n```", "<pre><code>x &lt; 1 &amp;&amp; y\n</code></pre>"),
        ("# Title\ntext", "<p><strong>Title</strong></p>\n<p>text</p>"),
        ("a\n\n---", "<p>a</p>\n<hr>"),
        ("| a |\n|---|\n| b |", "<p>| a |<br>\n|---|<br>\n| b |</p>"),
    ],
)
def test_the_subset_of_markdown(text: str, html: str) -> None:
    assert render_html(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b>x</b> & <3", "&lt;b&gt;x&lt;/b&gt; &amp; &lt;3"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<!-- x --> <?x?> <![CDATA[x]]>", "&lt;!-- x --&gt; &lt;?x?&gt; &lt;![CDATA[x]]&gt;"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("`<b>` <i>*x*</i>", "<code>&lt;b&gt;</code> &lt;i&gt;<em>x</em>&lt;/i&gt;"),
        ("&lt;b&gt; &amp;lt; &copy;", "&lt;b&gt; &amp;lt; ©"),
        ("`&lt;`", "<code>&amp;lt;</code>"),
        ("a \ufdd0 \ufdd1 z", "a \ufffd \ufffd z"),
    ],
)
def test_raw_html_is_shown_as_it_was_typed(text: str, html: str) -> None:
    assert render_html(text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    ("text", "address", "label"),
    [
        ("[home](https://a.example/b?c=1&d)", "https://a.example/b?c=1&amp;d", "home"),
        ('[home](<https://a.example/b c> "title")', "https://a.example/b%20c", "home"),
        ("<https://a.example/b>", "https://a.example/b", "https://a.example/b"),
        ("https://a.example/b", "https://a.example/b", "https://a.example/b"),
        ("www.a.example", "http://www.a.example", "www.a.example"),
        ("![cat](https://a.example/cat.png)", "https://a.example/cat.png", "cat"),
        (
            "![](https://a.example/cat.png)",
            "https://a.example/cat.png",
            "https://a.example/cat.png",
        ),
        ("[![cat](https://b.example/cat.png)](https://a.example)", "https://a.example", "cat"),
    ],
)
def test_links_and_images_become_links_without_trust(text: str, address: str, label: str) -> None:
    assert render_html(text) == f'<p><a href="{address}" {REL}>{label}</a></p>'


def test_typed_html_does_not_become_part_of_an_address() -> None:
    link = f'<a href="https://a.example/b" {REL}>https://a.example/b</a>'
    shown = f'<p>&lt;a href="{link}"&gt;{link}&lt;/a&gt;</p>'
    assert render_html('<a href="https://a.example/b">https://a.example/b</a>') == shown


@pytest.mark.parametrize(
    "text",
    [
        *("[x](javascript:alert%281%29)", "[x](JaVaScRiPt:1)", "[x](data:text/html,1)"),
        *("[x](/path)", "[x](//a.example)", "[x](#top)", "[x](mailto:ann@a.example)"),
        *("[x](ftp://a.example)", "![x](a.png)"),
    ],
)
def test_any_other_link_loses_its_address_and_keeps_its_text(text: str) -> None:
    assert render_html(text) == "<p>x</p>"


def test_an_address_in_the_text_becomes_no_mail_link() -> None:
    text = "ann@a.example mailto:ann@a.example"
    assert render_html(text) == f"<p>{text}</p>"


def measure_depth(html: str) -> int:
    depth = deepest = 0
    for closes, name in re.findall(r"<(/?)([a-z]+)", html):
        depth += 0 if name in {"br", "hr"} else -1 if closes else 1
        deepest = max(deepest, depth)
    assert depth == 0
    return deepest


@pytest.mark.parametrize(
    "opener", ["> ", ">", "1. ", "* ", "- > ", "*a **b ", "> 1. [a](http://b) "]
)
def test_markup_nested_too_deep_is_flattened(opener: str) -> None:
    # The longest text there may be; alone, the sanitiser would need minutes for it.
    text = (opener * 65_525)[:65_000]
    assert measure_depth(render_html(text + " end")) <= MAX_NESTING
    assert "end" in render_html(opener * 40 + "end")


PIECES = (
    *("*", "**", "_", "~~", "`", "```\n", "> ", "- ", "1. ", "# ", "\n", "\n\n", " ", "\t", "    "),
    *("[", "]", "(", ")", "](", "![", "http://a.b", "<http://", "www.a.b", "a@b.c", "javascript:"),
    *(
        "<",
        ">",
        '"',
        "&",
        "&lt;",
        "\\",
        ":",
        "|",
        "<b>",
        "</p>",
        "<!--",
        "</pre>",
        "\ufdd0",
        "a",
        "é",
    ),
)
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)

ALLOWED = re.compile(
    r"</?(?:blockquote|code|del|em|li|p|pre|strong|ul|ol|a)>|<[bh]r>|<ol start=\"\d+\">"
    rf'|<a (?:href="https?://[^"<>]*" )?{REL}>',
    re.IGNORECASE,
)


@given(st.one_of(MARKDOWN, st.text()))
def test_no_other_tag_or_attribute_ever_appears(raw: str) -> None:
    html = render_html(normalise_text(raw))
    assert "<" not in ALLOWED.sub("", html)
    assert measure_depth(html) <= MAX_NESTING


@given(st.text(alphabet="<>&'\"ab /=!-"))
def test_text_without_markdown_reads_as_typed(raw: str) -> None:
    text = normalise_text(f"x{raw}x")
    shown = re.sub("</?p>|<br>", "", render_html(text))
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown = shown.replace(entity, char)
    assert shown == text


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_rendering_gives_its_memory_back() -> None:
    text = "Some *words* and https://a.example/\n\n" * 250
    render_html(text)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(500):
        render_html(text)
    # Without its release each of these would keep half a megabyte.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000

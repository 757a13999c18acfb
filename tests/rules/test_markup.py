"""What a reader typed is what readers see: the few marks that mean something, and all else as it stands."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.inline import MAX_NESTING
from service.text.markup import render_html, show_addresses, shows_anything
from service.text.normalising import has_visible, normalise_text
from tests.visible_text import loses_nothing, read_visible, squash

REL = 'rel="nofollow ugc noopener"'


def link(address: str, label: str | None = None) -> str:
    return f'<a href="{address}" {REL}>{label or address}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        (
            "**a** *b* _c_ ***d***",
            "<p><strong>a</strong> <em>b</em> <em>c</em> <strong><em>d</em></strong></p>",
        ),
        ("（*a*）(*ab*)", "<p>（<em>a</em>）(<em>ab</em>)</p>"),
        ("**สวัสดี** _नमस्ते_", "<p><strong>สวัสดี</strong> <em>नमस्ते</em></p>"),
        ("> a\n> \u3164\n> b", "<blockquote>\n<p>a<br>\n\u3164<br>\nb</p>\n</blockquote>"),
        ("_**a** b_, (*c*)", "<p><em><strong>a</strong> b</em>, (<em>c</em>)</p>"),
        ("**«a»** and *b*!", "<p><strong>«a»</strong> and <em>b</em>!</p>"),
        ("*one\ntwo*", "<p><em>one<br>\ntwo</em></p>"),
        ("**Note:** *First!*", "<p><strong>Note:</strong> <em>First!</em></p>"),
        ("`a` and ``b`c``.", "<p><code>a</code> and <code>b`c</code>.</p>"),
        ("*`$x`*", "<p><em><code>$x</code></em></p>"),
        ("`*a* https://a.example`", "<p><code>*a* https://a.example</code></p>"),
        (
            "```\nx < 1\n\n# y\n```\nafter",
            "<pre><code>x &lt; 1\n\n# y\n</code></pre>\n<p>after</p>",
        ),
        ("```py\nx\n```", "<p>py</p><pre><code>x\n</code></pre>"),
        ("> a\n>\n> b\nc", "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n<p>c</p>"),
        (
            "> > a\n> b",
            "<blockquote>\n<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>\n</blockquote>",
        ),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("* a\n  - b\n* c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ul>"),
        ("> - a\n> - b", "<blockquote>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n</blockquote>"),
        ("x\n- a\n- b\ny", "<p>x</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>y</p>"),
        ("-\ta\n-\tb", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        (
            "**thanks :)** (*see this*) (`f()`)",
            "<p><strong>thanks :)</strong> (<em>see this</em>) (<code>f()</code>)</p>",
        ),
        ("**هل هذا صحيح؟**", "<p><strong>هل هذا صحيح؟</strong></p>"),
        ("**مهم**، ثم", "<p><strong>مهم</strong>، ثم</p>"),
        ("**नहीं।**", "<p><strong>नहीं।</strong></p>"),
        ("**Ողջույն։**", "<p><strong>Ողջույն։</strong></p>"),
        ("2. a\n- b", '<ol>\n<li value="2">a</li>\n</ol>\n<ul>\n<li>b</li>\n</ul>'),
    ],
)
def test_what_means_something(text: str, html: str) -> None:
    assert render_html(text) == html


@pytest.mark.parametrize(
    "text",
    [
        # Marks of Markdown that mean nothing here.
        *("[1]: b", "[Edit]: thanks", "[a][b]", "[x]", "&#8203;", "&nbsp;", "&amp;lt; &copy;", "&#1;"),
        *("-", "#", ">", "*", "`", "# make install", "####", "Title\n=====", "Thanks\n--\nBob", "-----"),
        *("***", "___", "* * *", "~~a~~", "와~~왜~~성", "~~~来支持一下", "~~~\na\n~~~"),
        *("T_T", "| a |\n|---|\n| b |"),
        *("```\n```", "```\n\u2800\n```", "```py\nx", "```not one word\nx\n```", "````\nx\n````"),
        *("Never &#x202e;!dog", "&#x2066;", "&#xfeff;", "&lt;b&gt;"),
        # What people type without a thought of marks.
        *("__init__()", "5*3*2 = 30", "(*^_^*)", "sol*r*a", "snake_case_name", "*_*", "^_^ hi ^_^", "T_T"),
        *("f**k", "2 ** 3 ** 4", "a * b * c", "*sigh", "* a *", "**", "****a****", "__a__", "a**b**c"),
        *("**Prev**/**Next**", "*and*/*or*", "`a`/`b`", "**yes**/no/**maybe**", "*a*=*b*"),
        *("(*o*)", "(*u*)", "(*3*)", "(*n_n*)", "(*u_u*)", "(*0_0*)", "（*o*）", "(*W*)", "(*x.x*)"),
        *("(*´-`*) (*´-`*)", "(*'-`*)ノ (*'-`*)", "（*´-`*）（*´-`*）", "`*) `*)"),
        *("(*ﾟ▽ﾟ*)", "(*ﾉωﾉ) (ﾉω*)", "(*ω*)", "*a (*ω*) b", "(`･ω･´)ゞ (´･ω･`)", "ヽ(`Д´)ﾉ (´・ω・`)"),
        # Of which nothing would be seen if they took effect.
        *("> \u2800", "> \u3164\n> \u0301", "*\u0301*", "**\u115f**", "_\u0e31_", "***\ufe0f***"),
        *("```\u0301\nx\n```", "```\u3164\nx\n```", "```\u2800\nx\n```"),
        *("*\u3164a*", "**\u0301** a", "_\u1160_ b", "*\ufe0f*"),
        *("int *a = (int*)malloc(n);", "* * *\n* * *", "- - -\n- - -", "**중요**합니다"),
        *("¯\\_(ツ)_/¯", "C:\\Users\\[me]", "\\*a\\*", "a \\", "*a\\*"),
        *("don`t and can`t", "the ` key and the ` key", "`", "``", "a`b`c", "` `", "`a\nb`"),
        *(">>> x = 1", ">Name\nmy answer", ">a", ">\n>", "a > b", ">_<", "> \nx"),
        *("Thanks\n- Bob", "2026. Then it rained", "1) a\n3) b", "-_- hm -_-", "- ", "-a\n-b", "+ a\n+ b"),
        *("007. a\n008. b", "1234567890. a\n1234567891. b", "- \u2800\n- \u2800", "1.a\n2.b"),
        *("list[[k]](value)", "arr[i](x)", "[docs](x.example/a)", "[a](/path)", "[a](//a.example)"),
        "[a](#top)",
        *("[a](javascript:alert(1))", "[a](data:text/html,1)", "[a](ftp://a.example)", "[a]()"),
        "![cat](a.png)",
        *("<b>x</b> & <3", "<script>alert(1)</script>", "<!-- x -->", "<img src=x onerror=alert(1)>"),
        *("ann@a.example mailto:ann@a.example", "javascript:alert(1)", "xhttps://a.example"),
        "awww.a.example",
        *("https://", "http://...", "www.", "www.com", "https://-a-", "http://x.example:99999/"),
        "https://a@b.example",
        *("http://user:pw@host.example/", "<https://user@host.example/>"),
        "[a](https://user@host.example/)",
        "a \ufdd0 \ufdd1 z",
    ],
)  # fmt: skip
def test_what_means_nothing_is_shown_as_typed(text: str) -> None:
    html = render_html(normalise_text(text))
    assert re.sub("<br>", "", html) == f"<p>{show(normalise_text(text))}</p>"


def show(text: str) -> str:
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, entity)
    return text


@pytest.mark.parametrize("text", ["    x = 1\n    y = 2", "\tx", "a\n  b"])
def test_an_indent_stays(text: str) -> None:
    assert unescape(render_html(text)).replace("\xa0", " ") == (
        "<p>" + text.replace("\t", "    ").replace("\n", "<br>\n") + "</p>"
    )


def test_numbers_are_those_that_were_typed() -> None:
    items = "".join(f'<li value="{value}">{text}</li>\n' for value, text in ((5, "a"), (4, "b"), (9, "c")))
    assert render_html("5. a\n4. b\n9. c") == f"<ol>\n{items}</ol>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("www.a.example、よろしく", link("https://www.a.example", "www.a.example") + "、よろしく"),
        ("Web:www.a.example", "Web:" + link("https://www.a.example", "www.a.example")),
        ("[my page](www.a.example)", f"[my page]({link('https://www.a.example', 'www.a.example')})"),
        ("<https://a.example/b,>", link("https://a.example/b,")),
        (
            "[a *b* `c`](https://a.example/(d)_e) f",
            link("https://a.example/(d)_e", "a <em>b</em> <code>c</code>") + " f",
        ),
        ("**[a](https://a.example)**", f"<strong>{link('https://a.example', 'a')}</strong>"),
        ("**https://a.example/**", f"<strong>{link('https://a.example/')}</strong>"),
        ("*https://a.example/b*", f"<em>{link('https://a.example/b')}</em>"),
        ("[https://a.example/b](https://www.a.example/)", link("https://www.a.example/", "https://a.example/b")),
        ("[A.example](https://a.example/c)", link("https://a.example/c", "A.example")),
        ("[a](https://a.example/?b&c)", link("https://a.example/?b&amp;c", "a")),
        # What is no link shows its address, and that is one.
        ("Hm [](https://a.example/pills)", f"Hm []({link('https://a.example/pills')})"),
        ("[\u3164](https://a.example)", f"[\u3164]({link('https://a.example')})"),
        ("[\u0301](https://a.example)", f"[\u0301]({link('https://a.example')})"),
        ("![cat](https://a.example/cat.png)", f"![cat]({link('https://a.example/cat.png')})"),
        ('[a](https://a.example "b")', f'[a]({link("https://a.example")} "b")'),
        ("[1]: https://a.example/", f"[1]: {link('https://a.example/')}"),
        ("[a](https://a.example b)", f"[a]({link('https://a.example')} b)"),
        # Nor is it one where its bracket is never closed.
        ("[a](https://a.example", f"[a]({link('https://a.example')}"),
        ("[F](https://a.example/F_(b)", f"[F]({link('https://a.example/F_(b)')}"),
        (
            "[a](http://b.example/(c)[d](http://e.example/(f)",
            f"[a]({link('http://b.example/(c)[d]')}({link('http://e.example/(f)')}",
        ),
        (
            "[a](http://b.example/c [d](http://e.example/f)",
            f"[a]({link('http://b.example/c')} {link('http://e.example/f', 'd')}",
        ),
        (
            "[a](https://a.example\n[b](https://b.example/)",
            f"[a]({link('https://a.example')}<br>\n{link('https://b.example/', 'b')}",
        ),
    ],
)  # fmt: skip
def test_links(text: str, html: str) -> None:
    assert render_html(text) == f"<p>{html}</p>"


def test_a_moderator_sees_the_address_behind_each_label() -> None:
    html = render_html("[a *b*](https://a.example/?b&c) www.a.example https://a.example/?b&c")
    assert read_visible(show_addresses(html)) == (
        "a b (https://a.example/?b&c) www.a.example https://a.example/?b&c"
    )


def test_bold_needs_no_blanks_where_nobody_writes_them() -> None:
    assert render_html("**「重要」**です") == "<p><strong>「重要」</strong>です</p>"
    assert render_html("（笑）**重要**（笑）") == "<p>（笑）<strong>重要</strong>（笑）</p>"
    assert render_html("这是**重要**的") == "<p>这是<strong>重要</strong>的</p>"
    assert render_html("这是*重要*的") == "<p>这是*重要*的</p>"


def measure_depth(html: str) -> int:
    depth = deepest = 0
    for closes, name in re.findall(r"<(/?)([a-z]+)", html):
        depth += 0 if name == "br" else -1 if closes else 1
        deepest = max(deepest, depth)
    assert depth == 0
    return deepest


@pytest.mark.parametrize("opener", ["> ", "- > ", "*a **b ", "> 1. [a](http://b) ", "_*a ", "***a "])
def test_markup_nested_too_deep_is_flattened(opener: str) -> None:
    # The longest text there may be; alone, the sanitiser would need minutes for it.
    text = (opener * 65_525)[:65_000]
    assert measure_depth(render_html(text + " end")) <= MAX_NESTING
    closed = opener * 40 + "end" + "".join(reversed(opener * 40))
    assert "end" in render_html(closed)
    assert measure_depth(render_html(closed)) <= MAX_NESTING


@pytest.mark.parametrize(
    "text",
    [
        "*a " * 15 + "[ " + "*x " * 14 + "y* " * 14 + "](https://a.example) " + "y* " * 15,
        "*a " * 30 + "`c` https://a.example " + "b* " * 30,
        "> " * 40 + "[a *b*](https://a.example) `c`",
        "\n".join("> " * 15 + line for line in ("- a", "- b", "", "```", "c", "```")),
    ],
)
def test_what_is_in_the_deepest_counts_too(text: str) -> None:
    html = render_html(text)
    assert measure_depth(html) == MAX_NESTING
    assert loses_nothing(text, html)


def test_lists_nested_too_deep_are_flattened() -> None:
    html = render_html("\n".join(f"{'  ' * level}- {level}" for level in range(40)))
    assert measure_depth(html) <= MAX_NESTING
    assert squash(read_visible(html)) == squash(" ".join(map(str, range(40))))


PIECES = (
    *("*", "**", "***", "_", "~~", "`", "``", "```\n", "> ", ">", "- ", "1. ", "# ", "\n", "\n\n"),
    *(" ", "\t", "  "),
    *("[", "]", "(", ")", "](", "](https://a.b/)", "![", "http://a.b", "<http://", "www.a.b"),
    *("a@b.c", "javascript:"),
    *("<", ">"),
    "\"",
    *("\u0301", "\u3164", "\u2800", "\u115f", "\ufe0f"),
    *("&", "&lt;", "\\", ":", "|", "<b>", "</p>", "<!--", "</pre>", "\ufdd0", "a", "é", "和", "。", "」"),
)  # fmt: skip
MARKED = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)

ALLOWED = re.compile(
    r"</?(?:blockquote|code|em|li|p|pre|strong|ul|ol|a)>|<br>|<li value=\"\d+\">"
    rf'|<a href="https?://[^"<>]*" {REL}>',
    re.IGNORECASE,
)


@given(st.one_of(MARKED, st.text()))
def test_no_other_tag_or_attribute_ever_appears(raw: str) -> None:
    html = render_html(normalise_text(raw))
    assert "<" not in ALLOWED.sub("", html)
    assert measure_depth(html) <= MAX_NESTING


@given(st.one_of(MARKED, st.text()))
def test_nothing_that_is_sent_disappears(raw: str) -> None:
    text = normalise_text(raw)
    html = render_html(text)
    assert loses_nothing(text, html)
    assert shows_anything(text) == has_visible(text) == has_visible(read_visible(html))

"""The small markup of comments: paragraphs, quotations, lists and blocks of code, by the contract's table.

Most who comment have never heard of Markdown. So a mark means something only where it can hardly mean
anything else, and what means nothing is shown as it was typed.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from html import escape, unescape

import nh3

from service.text.inline import MAX_NESTING, render_inline
from service.text.normalising import VISIBLE, has_visible

# Raised with whatever changes the HTML of a text that was rendered before.
MARKUP_VERSION = 2
# It is shown whatever takes effect around it.
_NO_MARK = re.compile(rf"(?![*_`>-]){VISIBLE}")
_FENCE = re.compile(r"\s*```\s*(?:([^\s`]+)\s*)?")
# A number is shown as it was typed, which one that begins with a zero would not be. A rule is no item.
_ITEM = re.compile(r"( *)(?:([-*])|(0|[1-9][0-9]{0,8})\.)[ \t]++(?![-*_\s]*\Z)(\S.*)")
_INDENT = re.compile(r"^[ \t]{1,40}", re.MULTILINE)
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_SANITISER = nh3.Cleaner(
    tags={"p", "br", "blockquote", "pre", "ol", "ul", "li", "a", "code", "em", "strong"},
    attributes={"a": {"href"}, "li": {"value"}},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="nofollow ugc noopener",
)
# What a rule makes of some lines, and how many they are.
Block = tuple[str, int]


def render_html(text: str) -> str:
    """Render a normalised text as HTML that is safe to show anywhere, in time linear in its length."""
    return _SANITISER.clean("\n".join(_render_blocks(text.split("\n"), 0)))


def shows_anything(text: str) -> bool:
    """Tell whether a reader would see anything of what becomes of a text."""
    if _NO_MARK.search(text):
        return True
    return has_visible(unescape(re.sub("<[^>]*>", "", render_html(text))))


def show_addresses(html: str) -> str:
    """Put behind each label of rendered HTML the address that it hides, for who has to see all there is."""

    def show(found: re.Match[str]) -> str:
        is_shown = found[1] in {found[2], f"https://{found[2]}"}
        return found[0] if is_shown else f"{found[0]} ({found[1]})"

    return _LINK.sub(show, html)


def _render_blocks(lines: list[str], depth: int) -> Iterator[str]:
    fences = [number for number, line in enumerate(lines) if line.strip() == "```"]
    paragraph: list[str] = []
    number = 0
    while number < len(lines):
        # A block has an element within.
        block = depth + 2 <= MAX_NESTING and (
            _read_fence(lines, number, fences)
            or _read_quotation(lines, number, depth)
            or _read_list(lines, number, depth)
        )
        if paragraph and (block or not lines[number].strip()):
            yield _render_paragraph(paragraph, depth)
            paragraph = []
        if block:
            yield block[0]
        elif lines[number].strip():
            paragraph.append(lines[number])
        number += block[1] if block else 1
    if paragraph:
        yield _render_paragraph(paragraph, depth)


def _render_paragraph(lines: list[str], depth: int) -> str:
    # Browsers would not show an indent of plain blanks.
    text = _INDENT.sub(lambda found: "\xa0" * len(found[0].expandtabs(4)), "\n".join(lines))
    return f"<p>{render_inline(text, depth + 1)}</p>"


def _read_fence(lines: list[str], number: int, fences: list[int]) -> Block | None:
    """Read a block of code; the word behind its first backquotes is shown above it."""
    first = _FENCE.fullmatch(lines[number])
    place = bisect_right(fences, number)
    if first is None or place == len(fences) or (first[1] and not has_visible(first[1])):
        return None
    content = "\n".join(lines[number + 1 : fences[place]])
    if not has_visible(content):
        return None
    word = _render_paragraph([first[1]], MAX_NESTING) if first[1] else ""
    return f"{word}<pre><code>{escape(content, quote=False)}\n</code></pre>", fences[place] - number + 1


def _read_quotation(lines: list[str], number: int, depth: int) -> Block | None:
    """Read lines that are all marked, a bare mark between two others too."""
    inner: list[str] = []
    count = 0
    for at in range(number, len(lines)):
        mark, line = lines[at][:2], lines[at][2:]
        if mark.rstrip() != ">":
            break
        inner.append(line)
        if mark == "> " and has_visible(line):
            count = len(inner)
        elif len(inner) == 1:
            break
    if not count:
        return None
    blocks = "\n".join(_render_blocks(inner[:count], depth + 1))
    return f"<blockquote>\n{blocks}\n</blockquote>", count


def _read_list(lines: list[str], number: int, depth: int) -> Block | None:
    """Read two or more neighbouring lines with marks; two blanks of indent put one into the one before."""
    items: list[re.Match[str]] = []
    for at in range(number, len(lines)):
        found = _ITEM.fullmatch(lines[at])
        if found is None or not has_visible(found[4]):
            break
        items.append(found)
    if len(items) < 2:
        return None
    return _render_list(items, depth), len(items)


def _render_list(items: list[re.Match[str]], depth: int) -> str:
    """Render items as lists within lists, each of which ends where another kind of mark begins."""
    html: list[str] = []
    open_: list[str] = []
    base = len(items[0][1])
    for item in items:
        tag = "ul" if item[2] else "ol"
        level = min(max(len(item[1]) - base, 0) // 2, len(open_), (MAX_NESTING - depth) // 2 - 1)
        # Into which list it goes is clear now: those within it end, and so does it where the kind differs.
        ended = open_[level:] if open_[level : level + 1] != [tag] else open_[level + 1 :]
        html.extend(f"</li>\n</{one}>\n" for one in reversed(ended))
        del open_[len(open_) - len(ended) :]
        begun = f"<{tag}>\n" if ended else f"\n<{tag}>\n"
        html.append("</li>\n" if len(open_) > level else begun)
        open_[level:] = [tag]
        value = f' value="{item[3]}"' if item[3] else ""
        html.append(f"<li{value}>{render_inline(item[4], depth + 2 * len(open_))}")
    html.extend(f"</li>\n</{tag}>\n" for tag in reversed(open_))
    return "".join(html).strip("\n")

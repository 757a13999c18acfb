"""From a commenter's Markdown to HTML that is safe to show anywhere.

Three steps, each simple enough to be sure of: `<` is hidden from the Markdown parser, so that every
tag in its output is its own and raw HTML reads as the text that was typed; the tags are reduced to
those that a comment may have, sixteen deep; and `nh3` parses the result as a browser would and
drops whatever is not allowed.
"""

import re

import nh3

from service.comments.cmark import markdown_to_html

# The contract's bound. The sanitiser that comes after is quadratic in nesting.
MAX_NESTING = 16

# Two noncharacters, which are replaced where somebody typed them: one stands for `<` inside the
# parser, the other marks a space that was put in to end an address.
_BRACKET = "\ufdd0"
_END = " \ufdd1"
_RESERVED = str.maketrans("\ufdd0\ufdd1", "\ufffd\ufffd")

# `<http://` opens an autolink or a link's destination and can open no tag, so it stays. Any other
# address ends before a quote or an angle bracket, so that HTML typed around it does not become part
# of it. The possessive quantifiers and the optional end keep the search linear.
_HIDDEN = re.compile(
    r"""(?P<autolink><https?://[^<>\n]*+>)"""
    r"""|(?P<address>(?:https?://|www\.)[^\s<>"]*+)(?P<end>(?=[<>"]))?"""
    r"""|<""",
    re.IGNORECASE,
)

# The parser escapes angle brackets and quotes in attributes, so a tag ends at the first bracket.
_TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")
_IMAGE = re.compile(r'<img src="([^"]*)" alt="([^"]*)"[^>]*>')
_WEB_LINK = re.compile(r' href="https?://', re.IGNORECASE)
_VOID_TAGS = frozenset({"br", "hr"})

_ALLOWED_TAGS = (
    *("p", "br", "hr", "blockquote", "pre", "ol", "ul", "li"),
    *("a", "code", "del", "em", "strong"),
)
_SANITISER = nh3.Cleaner(
    tags=set(_ALLOWED_TAGS),
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="nofollow ugc noopener noreferrer",
)


def render_html(text: str) -> str:
    """Render a normalised text as HTML, in time linear in its length.

    A heading becomes a bold paragraph and an image a link to it. Only links to `http` and `https`
    stay links.
    """
    html = markdown_to_html(_HIDDEN.sub(_hide, text.translate(_RESERVED)))
    html = _reduce_tags(_IMAGE.sub(_link_image, _flatten_headings(html)))
    return _SANITISER.clean(html.replace(_END, "").replace(_BRACKET, "&lt;")).rstrip("\n")


def _hide(found: re.Match[str]) -> str:
    if found["autolink"]:
        return found[0]
    if found["address"]:
        return found[0] if found["end"] is None else found[0] + _END
    return _BRACKET


def _flatten_headings(html: str) -> str:
    """Turn headings into bold paragraphs: they would break the outline of the page around them."""
    return re.sub("</h[1-6]>", "</strong></p>", re.sub("<h[1-6]>", "<p><strong>", html))


def _link_image(found: re.Match[str]) -> str:
    """Link to an image in place of loading it, which would tell its server who reads the page."""
    source, description = found.groups()
    return f'<a href="{source}">{description or source}</a>'


def _reduce_tags(html: str) -> str:
    """Drop the tags that are too deep, and links within links or to anywhere but the web."""
    kept: list[str | None] = []

    def reduce_tag(tag: re.Match[str]) -> str:
        closes, name, attributes = tag.groups()
        if name in _VOID_TAGS:
            return tag[0]
        if closes:
            return tag[0] if kept.pop() else ""
        too_deep = len(kept) >= MAX_NESTING
        dropped = too_deep or (name == "a" and ("a" in kept or not _WEB_LINK.match(attributes)))
        kept.append(None if dropped else name)
        return "" if dropped else tag[0]

    return _TAG.sub(reduce_tag, html)

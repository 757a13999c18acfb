"""Looking at HTML as a browser would, for anything in it that could act."""

import re
from collections.abc import Iterator
from typing import Protocol

import html5lib

ALLOWED_ATTRIBUTES = {"a": {"href", "rel"}, "li": {"value"}}
ALLOWED_TAGS = {
    *("html", "head", "body", "p", "br", "blockquote", "pre", "ol", "ul", "li"),
    *("a", "code", "em", "strong"),
}
# What our own pages have around the comments.
PAGE_TAGS = ALLOWED_TAGS | {
    *("meta", "title", "link", "main", "article", "header", "div", "span", "h1", "h2", "time"),
    *("section", "footer", "h3", "details", "summary"),
    *("img", "form", "input", "textarea", "label", "button", "dl", "dt", "dd"),
}
PAGE_ATTRIBUTES = {
    *("href", "rel", "start", "src", "alt", "class", "id", "lang", "charset", "name", "content"),
    *("datetime", "role", "method", "action", "type", "value", "required", "rows", "maxlength"),
    *("for", "autocomplete", "novalidate", "dir", "part", "hidden", "tabindex", "readonly"),
    *("target", "data-parent", "loading", "width", "height", "aria-label"),
    *("aria-describedby", "aria-invalid", "aria-labelledby", "accept-charset"),
}
OUR_FILES = re.compile(r"/(static|avatars)/[a-z0-9.-]+")
OUR_FORMS = re.compile(r"/[A-Za-z0-9/_-]+")
# Absolute, within our own site, or within the page; `//` would leave it.
LINK = re.compile(r"https?://|/(?!/)|#", re.IGNORECASE)


class Element(Protocol):
    """What we use of an element of html5lib's tree."""

    tag: str
    attrib: dict[str, str]


def assert_harmless(html: str) -> None:
    """Find no element, attribute or address in a comment that could act."""
    for element in parse(html):
        assert element.tag in ALLOWED_TAGS
        assert set(element.attrib) <= ALLOWED_ATTRIBUTES.get(element.tag, set())
        address = element.attrib.get("href", "" if element.tag == "a" else "http://")
        assert re.match("https?://", address, re.IGNORECASE)


def assert_page_harmless(html: str) -> list[Element]:
    """Find nothing on one of our pages that could act, but our own forms; gives its elements."""
    elements = list(parse(html))
    for element in elements:
        attributes = element.attrib
        assert element.tag in PAGE_TAGS, element.tag
        assert set(attributes) <= PAGE_ATTRIBUTES, set(attributes) - PAGE_ATTRIBUTES
        assert OUR_FILES.fullmatch(attributes.get("src", "/static/x"))
        assert OUR_FORMS.fullmatch(attributes.get("action", "/x"))
        assert LINK.match(attributes.get("href", "/x"))
    return elements


def parse(html: str) -> Iterator[Element]:
    """Give every element of the tree that a browser would build (HTML standard, section 13.2)."""
    yield from html5lib.parse(html, namespaceHTMLElements=False).iter()

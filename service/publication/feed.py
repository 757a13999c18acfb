"""Feeds of visible comments for feed readers: Atom (RFC 4287) with the threading extension (RFC 4685)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec
from sqlalchemy import Row

from service.publication.queries import publish
from service.sites.directory import KnownSite

ATOM = "application/atom+xml"
MAX_ENTRIES = 50
_NAMESPACES = {
    "xmlns": "http://www.w3.org/2005/Atom",
    "xmlns:thr": "http://purl.org/syndication/thread/1.0",
}
# What XML 1.0 (section 2.2) has no way to say, not even escaped.
_NOT_IN_IRI = re.compile(r'[\s<>"{}|\\^`]')
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Feed(msgspec.Struct, frozen=True):
    """What a feed is made of: a site or one article of it, and what became visible there last.

    Each row has the columns of a comment, and `key` where the feed is that of a site. `changed_at` is when
    anything last changed there in public, also by going away.
    """

    site: KnownSite
    article: str | None
    rows: Sequence[Row[Any]]
    changed_at: datetime | None
    public_url: str


def render_feed(feed: Feed) -> bytes:
    """Write a feed; of the same comments it is the same bytes."""
    root = Element("feed", _NAMESPACES)
    _add(root, "id", _feed_id(feed).urn)
    _add(root, "title", _feed_title(feed))
    _add(root, "updated", _format(_updated(feed)))
    SubElement(root, "link", {"rel": "self", "href": _self_url(feed)})
    page = feed.site.article_url("/" if feed.article is None else feed.article)
    if page:
        _link(root, "alternate", page)
    for row in feed.rows:
        _add_entry(root, feed, row)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add_entry(root: Element, feed: Feed, row: Row[Any]) -> None:
    comment = publish(row)
    article: str = row.key if feed.article is None else feed.article
    page = feed.site.article_url(article)
    entry = SubElement(root, "entry")
    _add(entry, "id", f"urn:uuid:{comment.id}")
    _add(entry, "title", f"{comment.name} on {article}")
    _add(entry, "updated", _format(_changed(row)))
    _add(entry, "published", _format(row.published))
    author = SubElement(entry, "author")
    _add(author, "name", comment.name or "")
    if comment.url:
        _add(author, "uri", _as_iri(comment.url))
    if page:
        _link(entry, "alternate", f"{page}#comment-{comment.id}")
    if comment.parent:
        answered = {"ref": f"urn:uuid:{comment.parent}"}
        if page:
            answered["href"] = _as_iri(f"{page}#comment-{comment.parent}")
        SubElement(entry, "thr:in-reply-to", answered)
    _add(entry, "content", comment.html or "").set("type", "html")


def _add(parent: Element, name: str, text: str) -> Element:
    child = SubElement(parent, name)
    child.text = _clean(text)
    return child


def _link(parent: Element, relation: str, url: str) -> None:
    SubElement(parent, "link", {"rel": relation, "type": "text/html", "href": _as_iri(url)})


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _as_iri(address: str) -> str:
    """Give an address with what no IRI holds as triplets (RFC 3987, section 2.2)."""
    return _NOT_IN_IRI.sub(lambda found: quote(found[0]), _clean(address))


def _feed_id(feed: Feed) -> UUID:
    """Give an id that stays whatever the site and the service are called."""
    return feed.site.id if feed.article is None else uuid5(feed.site.id, feed.article)


def _feed_title(feed: Feed) -> str:
    title = f"Comments on {feed.site.title}"
    return title if feed.article is None else f"{title}: {feed.article}"


def _self_url(feed: Feed) -> str:
    query = "" if feed.article is None else f"?{urlencode({'article': feed.article})}"
    return f"{feed.public_url}/v1/sites/{feed.site.slug}/comments.atom{query}"


def _updated(feed: Feed) -> datetime:
    """Give the time of the last change; before there is one, that of the site, which its id tells."""
    made = datetime.fromtimestamp((feed.site.id.int >> 80) / 1000, UTC)
    known = [feed.changed_at] if feed.changed_at else []
    return max([*known, *map(_changed, feed.rows)], default=made)


def _changed(row: Row[Any]) -> datetime:
    """Give when the public last came to see a comment otherwise; at first that is when it became visible."""
    changed: datetime = max(row.changed_at or row.published, row.published)
    return changed


def _format(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

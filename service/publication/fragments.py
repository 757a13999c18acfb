"""The comments of an article as HTML, with the form: for pages to take in or to frame, and for the widget."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape, unescape
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

import msgspec
import nh3

from service.http.pages import render
from service.languages import Language, Words, direction, read_words
from service.publication.schemas import CommentPage, PublicComment, ShowFragment
from service.sites.directory import KnownSite

# What the widget makes comments from that come after the page: all that one can have.
BLANK = PublicComment(
    id="",
    parent=None,
    name="",
    url="#",
    avatar="",
    html="",
    created_at=datetime(1970, 1, 1, tzinfo=UTC),
    edited=True,
    badge="author",
)
# Nobody can write it into a comment.
_REDIRECT = token_hex(16)
SCHEMA_ORG = "https://schema.org"
# What the widget's script says by itself; all other words stand in the markup.
SCRIPT_WORDS = (
    *("title", "reply", "reply_to", "cancel", "sending", "submit", "retry", "held", "follow"),
    *("more", "newer", "removed", "edited", "author", "moderator", "characters_left", "dismiss"),
    *("not_sent", "correct_marked", "still_here", "offline", "failed", "limited", "duplicate"),
    *("did_you_mean", "check_email", "resend_with", "closed", "published", "rejected", "withdrawn"),
    *("edit", "save", "withdraw", "edit_waits", "edit_window_closed", "your_text"),
    *("field_required", "field_invalid", "field_too_long", "text_too_long", "email_invalid"),
    *("url_invalid", "parent_invalid", "preview", "consent_required"),
)


class Fragment(msgspec.Struct, frozen=True, kw_only=True):
    """All that the HTML is made from. `revision` is the article's, None where there is no article."""

    site: KnownSite
    page: CommentPage
    wanted: ShowFragment
    language: Language
    revision: int | None
    is_open: bool
    public_url: str
    answered: PublicComment | None = None


def as_pattern(wanted: ShowFragment) -> ShowFragment:
    """Ask for HTML in which `put_redirect` puts where the form leads, which anybody may make up anew."""
    return msgspec.structs.replace(wanted, redirect_to=_REDIRECT if wanted.redirect_to else None)


def put_redirect(pattern: bytes, redirect_to: str) -> bytes:
    """Give the HTML with an address in every place for it: in those of links, and as a field's value."""
    mark = _REDIRECT.encode()
    query = urlencode({"redirect_to": redirect_to}).encode()
    linked = pattern.replace(b"redirect_to=" + mark, query)
    return linked.replace(mark, escape(redirect_to).encode())


class Thread(msgspec.Struct, frozen=True):
    """A comment with what answers it on the same page, in the page's order."""

    comment: PublicComment
    replies: list["Thread"]


def make_threads(comments: Iterable[PublicComment]) -> list[Thread]:
    """Put each comment under the one that it answers, where that is on the page."""
    threads = {comment.id: Thread(comment, []) for comment in comments}
    roots: list[Thread] = []
    for thread in threads.values():
        above = threads.get(thread.comment.parent or "")
        (above.replies if above else roots).append(thread)
    return roots


def render_fragment(fragment: Fragment) -> bytes:
    """Render the HTML in the language and for the purpose asked for."""
    language = fragment.language
    words = read_words(language)
    template = "frame.html" if fragment.wanted.view == "page" else "comments.html"
    return render(
        template,
        f=fragment,
        blank=BLANK,
        threads=make_threads(fragment.page.comments),
        language=language,
        direction=direction(language),
        words=words,
        article_url=fragment.site.article_url(fragment.page.article),
        own_url=_own_url(fragment, language),
        data=_script_data(fragment, words)
        if fragment.wanted.view == "widget"
        else _linked_data(fragment),
    )


def _own_url(fragment: Fragment, language: Language) -> str:
    """Give the address at which the same comments stand as a page of their own."""
    redirect_to = fragment.wanted.redirect_to
    return f"{fragment.public_url}/v1/sites/{fragment.site.slug}/comments.html?" + urlencode(
        {
            "article": fragment.page.article,
            "view": "page",
            "lang": language,
            "order": fragment.wanted.order,
            "limit": fragment.wanted.limit,
            **({"redirect_to": redirect_to} if redirect_to else {}),
        }
    )


def _script_data(fragment: Fragment, words: Words) -> str:
    """Give what the widget's script has to know, as JSON for an element of HTML."""
    return _embed(
        {
            "article": fragment.page.article,
            "count": fragment.page.count,
            "next": fragment.page.next,
            "revision": fragment.revision or 0,
            "open": fragment.is_open,
            "maxChars": fragment.site.policy.max_text_chars,
            "maxDepth": fragment.site.policy.max_depth,
            "editSeconds": fragment.site.policy.edit_window_seconds,
            "words": {key: words[key] for key in SCRIPT_WORDS},
        }
    )


def _linked_data(fragment: Fragment) -> str:
    """Give the comments in the words of schema.org (JSON-LD 1.1), for search engines."""
    url = fragment.site.article_url(fragment.page.article)
    shown = [comment for comment in fragment.page.comments if comment.name is not None]
    return _embed(
        {
            "@context": SCHEMA_ORG,
            "@type": "WebPage",
            **({"@id": url, "url": url} if url else {}),
            "commentCount": fragment.page.count,
            "comment": [_linked_comment(comment, url or "") for comment in shown],
        }
    )


def _linked_comment(comment: PublicComment, url: str) -> dict[str, Any]:
    author = {
        "@type": "Person",
        "name": comment.name,
        **({"url": comment.url} if comment.url else {}),
    }
    answers = {"@type": "Comment", "@id": f"{url}#comment-{comment.parent}"}
    return {
        "@type": "Comment",
        "@id": f"{url}#comment-{comment.id}",
        "author": author,
        "dateCreated": comment.created_at,
        "text": plain_text(comment.html or ""),
        **({"parentItem": answers} if comment.parent else {}),
    }


def plain_text(html: str) -> str:
    """Give the text of a comment's HTML without its markup."""
    return unescape(nh3.clean(html, tags=set())).strip()


def _embed(value: object) -> str:
    """Give JSON that no parser of HTML finds an end of its element in."""
    json = msgspec.json.encode(value).decode()
    return json.translate({ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})

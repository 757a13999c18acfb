"""The comments of an article as HTML, with the form: for pages to take in or to frame, and for the widget."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape, unescape
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

import msgspec
import nh3

from service.errors import ServiceError
from service.form.fields import SHOWN
from service.http.pages import render
from service.publication.schemas import CommentPage, PublicComment, ShowFragment
from service.sites.articles import ArticleRefused
from service.sites.directory import KnownSite
from service.text.languages import Language, Words, direction, read_words

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
# Enough for the articles of one page to differ.
ID_CHARS = 10
# What asks for a place among the comments, which may be gone.
_PLACES = ("around", "parent", "cursor")
SCHEMA_ORG = "https://schema.org"
# What the widget's script says by itself; all other words stand in the markup.
SCRIPT_WORDS = (
    *("title", "reply", "reply_to", "cancel", "sending", "submit", "retry", "held", "follow"),
    *("more", "newer", "removed", "edited", "author", "moderator", "characters_left", "dismiss"),
    *("not_sent", "correct_marked", "still_here", "offline", "failed", "limited", "duplicate"),
    *("did_you_mean", "check_email", "resend_with", "closed", "published", "rejected", "withdrawn"),
    *("edit", "save", "withdraw", "edit_waits", "edit_window_closed", "your_text"),
    *("field_required", "field_invalid", "field_too_long", "text_too_long", "email_invalid"),
    *("url_invalid", "parent_invalid", "origin_not_allowed", "in_reply_to", "in_reply_to_earlier"),
    *("previous", "new", "replies", "order", "oldest", "newest"),
    *("preview", "consent_required", "unreachable", "url_not_allowed"),
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
    # The ids of what is not too deep in its thread to be answered.
    answerable: Collection[str]
    answered: PublicComment | None = None
    # The names on what is answered here and stands on another page; None of a tombstone.
    elsewhere: Mapping[str, str | None] = {}


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
    """A comment with what answers it on the same page."""

    comment: PublicComment
    replies: list["Thread"]


def make_threads(comments: Iterable[PublicComment]) -> list[Thread]:
    """Put each comment under the one that it answers, where that is on the page.

    Threads have the page's order, and answers within them that of a conversation.
    """
    threads = {comment.id: Thread(comment, []) for comment in comments}
    for one in sorted(threads):
        if above := threads.get(threads[one].comment.parent or ""):
            above.replies.append(threads[one])
    return [thread for thread in threads.values() if thread.comment.parent not in threads]


def render_fragment(fragment: Fragment) -> bytes:
    """Render the HTML in the language and for the purpose asked for."""
    language = fragment.language
    words = read_words(language)
    template = "frame.html" if fragment.wanted.view == "page" else "comments.html"
    is_widget = fragment.wanted.view == "widget"
    article_url = fragment.site.article_url(fragment.page.article)
    own_url = _own_url(fragment, language)

    def place_of(comment_id: str) -> str:
        """Give the address at which a comment is shown on whatever page it stands, without a script too."""
        return f"{own_url}&around={comment_id}#comment-{comment_id}"

    def address_of(comment_id: str) -> str:
        """Give the address of a comment on this page, whole, since a page's `base` changes what is not.

        That in the article is good for the comments that it begins with.
        """
        if is_widget:
            return f"#comment-{comment_id}"
        is_included = fragment.wanted.view == "include" and not fragment.page.previous
        if is_included and article_url:
            return f"{article_url}#comment-{comment_id}"
        return place_of(comment_id)

    return render(
        template,
        f=fragment,
        shown=SHOWN,
        blank=BLANK,
        takes_form=fragment.answered is None or fragment.answered.id in fragment.answerable,
        threads=make_threads(fragment.page.comments),
        language=language,
        direction=direction(language),
        words=words,
        article_url=article_url,
        own_url=own_url,
        place_of=place_of,
        address_of=address_of,
        prefix=_prefix_of_ids(fragment),
        data=_script_data(fragment, words) if is_widget else _linked_data(fragment),
    )


def find_ways_back(
    site: KnownSite | None, asked: Mapping[str, str], refusal: ServiceError, public_url: str
) -> dict[str, str | None]:
    """Give where somebody can go on to whom a page was refused, by the word for it, where that is known."""
    try:
        key = site.article_key(asked.get("article", "")) if site else None
    except ArticleRefused:
        key = None
    if site is None or key is None:
        return {}
    left_out = {*_PLACES, *(error.parameter for error in refusal.errors or ())}
    kept = {name: value for name, value in asked.items() if name not in left_out}
    query = urlencode(kept, errors="surrogateescape")
    return {
        "all_comments": f"{public_url}/v1/sites/{site.slug}/comments.html?{query}",
        "to_article": site.article_url(key),
    }


def fragment_policy(site: KnownSite | None, public_url: str) -> dict[str, str]:
    """Let the site's own pages frame the fragment, and its form lead back to them."""
    origins = " ".join(site.origins if site else ())
    policy = (
        f"default-src 'none'; script-src {public_url}; style-src {public_url}; img-src {public_url}; "
        f"base-uri 'none'; form-action {public_url} {origins}; frame-ancestors 'self' {origins}"
    )
    return {"Content-Security-Policy": policy}


def _prefix_of_ids(fragment: Fragment) -> str:
    """Give what the ids of the form begin with: one page may hold the fragments of several articles."""
    if fragment.wanted.view == "widget":
        # Its ids are its own, in a shadow root.
        return "greenroom-"
    place = f"{fragment.site.slug}\n{fragment.page.article}"
    return f"greenroom-{sha256(place.encode()).hexdigest()[:ID_CHARS]}-"


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
            "previous": fragment.page.previous,
            "next": fragment.page.next,
            "revision": fragment.revision or 0,
            "open": fragment.is_open,
            "origins": fragment.site.origins,
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

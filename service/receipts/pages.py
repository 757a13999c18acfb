"""The receipt as a page, in the language of who reads it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from litestar import Response

from service.comments.errors import DuplicateComment
from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    Invalid,
    MediaTypeNotSupported,
    RateLimited,
    ServiceError,
)
from service.http.pages import render_page, speak
from service.http.reading import AppRequest, query_values
from service.receipts.errors import EditWindowClosed
from service.receipts.rules import Held
from service.sites.policy import SitePolicy
from service.sites.redirects import FROM_PAGE, find_page, name_page
from service.text.languages import Words


def show_receipt(
    request: AppRequest,
    token: str,
    held: Held,
    now: datetime,
    *,
    error: ServiceError | None = None,
    typed: str | None = None,
) -> Response[Any]:
    """Show a receipt, and after an edit that was refused why, with what was typed still in the form.

    Without that the form has the text as it is stored.
    """
    policy, site = held.site.policy, held.site
    page = site.article_url(held.article)
    speech = speak(request, policy.language)
    return render_page(
        "receipt.html",
        status=error.status if error else 200,
        headers=error.headers if error else None,
        **speech,
        problem=_explain(error, speech["words"], policy, now, typed) if error else None,
        is_invalid=isinstance(error, Invalid),
        typed=typed,
        token=token,
        receipt=held.view(now),
        own=held.view_own(now),
        site=site,
        article_url=page,
        back=page or _read_page(request, held) or next(iter(site.origins), None),
        query=query_of(request, held),
    )


def query_of(request: AppRequest, held: Held) -> str:
    """Give the query that names the page of the form, if the request has one that leads to the site."""
    return name_page(_read_page(request, held))


def _read_page(request: AppRequest, held: Held) -> str | None:
    return find_page([query_values(request).get(FROM_PAGE)], held.site.origins)


def _explain(error: ServiceError, words: Words, policy: SitePolicy, now: datetime, typed: str | None) -> str:
    """Say to its author why an edit was refused."""
    if isinstance(error, BodyTooLarge):
        return words["field_too_long" if typed is None else "body_too_large"]
    if isinstance(error, BodyNotReadable | MediaTypeNotSupported):
        return words["field_invalid"]
    if isinstance(error, RateLimited):
        again = now + timedelta(seconds=int(error.headers["Retry-After"]))
        return words["limited"].replace("{time}", f"{again:%H:%M:%S} UTC")
    if isinstance(error, DuplicateComment):
        return words["duplicate"]
    if isinstance(error, EditWindowClosed):
        return words["edit_window_closed"]
    found = error.errors[0].code if error.errors else None
    limit = f"{policy.max_text_chars:,}"
    said: Mapping[str | None, str] = {
        "text_required": words["field_required"],
        "text_too_long": words["text_too_long"].replace("{limit}", limit),
        "text_invalid": words["field_invalid"],
    }
    return said.get(found, words["failed"])

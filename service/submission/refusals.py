"""The page that says why a comment was not taken, with all that was typed still there.

It is shown at the service's own address, and at that of a site whose server passes the form on to us. So the
form leads back to wherever the page stands, and what the page loads is named by the service's own address.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from sqlalchemy.exc import SQLAlchemyError

from service.comments.errors import DuplicateComment
from service.errors import (
    BodyNotReadable,
    BodyTooLarge,
    FieldError,
    MediaTypeNotSupported,
    MethodNotAllowed,
    NotFound,
    OriginNotAllowed,
    RateLimited,
    ServiceError,
    Unavailable,
)
from service.form.fields import BY_NAME, HIDDEN, SHOWN
from service.http.handlers import name_error
from service.http.pages import page_policy, render_page, speak
from service.http.reading import AppRequest
from service.http.salvage import salvage_fields
from service.services import Services
from service.sites.directory import KnownSite
from service.sites.redirects import FROM_PAGE, find_page
from service.submission.strangers import CONSENT, Stranger, find_strangers, tell_owner
from service.text.languages import FALLBACK, Words
from service.wordpress.names import has_filled_decoy, translate_names

# What is said of a refusal that no single field is to blame for; of any other, that it did not work.
_SAID: Mapping[type[ServiceError], str] = {
    DuplicateComment: "duplicate",
    RateLimited: "limited",
    OriginNotAllowed: "origin_not_allowed",
    NotFound: "site_unknown",
    BodyTooLarge: "body_too_large",
    BodyNotReadable: "field_invalid",
    MediaTypeNotSupported: "field_invalid",
}
# How codes end, and what is said of a field that has no words of its own for that.
_OF_ANY_FIELD = {
    "_required": "field_required",
    "_too_long": "field_too_long",
}
# To send it again would change nothing: what was typed is shown to be copied.
_FINAL = (NotFound, OriginNotAllowed, MediaTypeNotSupported)
_SHOWN_NAMES = frozenset(field.name for field in SHOWN)


def count_failure(services: Services, error: Exception) -> None:
    """Count a submission that was lost by no doing of its sender's, under the reason for it."""
    if isinstance(error, SQLAlchemyError):
        reason = "database"
    elif isinstance(error, Unavailable):
        reason = error.reason
    elif isinstance(error, ServiceError | HTTPException):
        return
    else:
        reason = "other"
    services.metrics.store_failures.labels(reason).inc()


def show_form_place(request: AppRequest, home: str, site: KnownSite) -> Response[Any]:
    """Say what the place is that a form is posted to; it leads back to whence somebody came."""
    back = find_page([request.headers.get("referer")], site.origins)
    return render_page(
        "form_place.html",
        status=MethodNotAllowed.status,
        headers=_headers(site, home),
        **speak(request, site.policy.language),
        home=home,
        site=site,
        back=back or next(iter(site.origins), None),
    )


async def show_refusal(
    request: AppRequest,
    services: Services,
    raised: Exception,
    site: KnownSite | None,
    fields: dict[str, Any] | None,
    is_saved: bool,
) -> Response[Any]:
    """Answer a form that was not taken: the one place that sends back what was typed, addresses too."""
    error, error_id = name_error(request, raised)
    raw: Mapping[str, Any] | None = fields
    if raw is None:
        # What is refused before the body is read.
        raw = await salvage_fields(request, takes_windows_1252=is_saved)
    typed, strangers = _find_typed(raw, site)
    values = [*typed.values(), *(one.value for one in strangers)]
    is_sent_back = await services.may_send_back(request, sum(map(len, values)))
    if not is_sent_back:
        typed, strangers = {}, []
    speech = speak(request, site.policy.language if site else FALLBACK)
    words: Words = speech["words"]
    errors = [_translate(one, words, site) for one in error.errors or []]
    codes = {one.code for one in errors}
    if site and "text_required" in codes:
        tell_owner(services.metrics, site.slug, strangers)
    if "parent_invalid" in codes:
        # Sent again, it stands by itself: nobody is stuck with a comment that cannot be answered.
        typed.pop("parent", None)
    home = services.settings.public_url
    came_from = [raw.get(FROM_PAGE), request.headers.get("referer")]
    return render_page(
        "submission_error.html",
        status=error.status,
        headers={**error.headers, **_headers(site, home)},
        **speech,
        home=home,
        site=site,
        message=_say(error, words, services.clock()),
        error_id=error_id,
        errors={_name(one): one for one in errors},
        shown=SHOWN,
        hidden=HIDDEN,
        typed=typed,
        from_page=find_page(came_from, site.origins) if site else None,
        strangers=strangers,
        has_filled_decoy=has_filled_decoy(raw, _text_fields(site)),
        # The service does not ask for it, so the browser has to.
        must_agree=site is not None and site.policy.consent == "required" and not raw.get(CONSENT),
        is_final=isinstance(error, _FINAL) or "article_not_allowed" in codes or not is_sent_back,
    )


def _headers(site: KnownSite | None, home: str) -> dict[str, str]:
    # The receipt, to which the form's redirect leads, is at home.
    targets = [*(site.origins if site else ()), home]
    return {
        "Content-Security-Policy": page_policy(targets, home),
        # Sent again, the form says where it comes from, so that a relative `redirect_to` leads back.
        "Referrer-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }


def _text_fields(site: KnownSite | None) -> Sequence[str]:
    return site.policy.text_field_names if site else ()


def _find_typed(raw: Mapping[str, Any], site: KnownSite | None) -> tuple[dict[str, str], list[Stranger]]:
    """Give the fields under our names, as much of each as is sent back, and those that nobody has named."""
    fields = translate_names(raw, _text_fields(site))
    strangers = find_strangers(raw, fields.get("text"), _text_fields(site))
    # A lone surrogate, which JSON can hold, cannot be sent back.
    typed = {
        name: BY_NAME[name].cut(value).encode("utf-8", "replace").decode()
        for name, value in fields.items()
        if isinstance(value, str)
    }
    if site is None and not typed.get("text") and strangers:
        # Where the site's setting is not known, the longest is the text.
        typed["text"] = strangers.pop(0).value
    return typed, strangers


def _say(error: ServiceError, words: Words, now: datetime) -> str:
    if error.errors:
        marked = any(_name(one) in _SHOWN_NAMES for one in error.errors)
        return words["correct_marked"] if marked else ""
    return words[_SAID.get(type(error), "failed")].replace("{time}", _when(error, now))


def _when(error: ServiceError, now: datetime) -> str:
    """Give the moment from which it can be sent again, with its day if that is another one."""
    again = now + timedelta(seconds=int(error.headers.get("Retry-After", 0)))
    return again.strftime("%H:%M:%S UTC" if again.date() == now.date() else "%Y-%m-%d %H:%M UTC")


def _name(error: FieldError) -> str:
    return (error.pointer or "").removeprefix("#/") or error.parameter or ""


def _translate(error: FieldError, words: Words, site: KnownSite | None) -> FieldError:
    """Say an error in the reader's words for its code, else for the same of any field."""
    of_any = (said for end, said in _OF_ANY_FIELD.items() if error.code.endswith(end))
    told = words.get(error.code) or words[next(of_any, "field_invalid")]
    if site:
        told = told.replace("{limit}", str(site.policy.max_text_chars))
    if error.suggestion:
        told += " " + words["did_you_mean"].replace("{suggestion}", error.suggestion)
    return msgspec.structs.replace(error, detail=told)

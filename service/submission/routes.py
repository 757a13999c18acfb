"""Taking comments over HTTP, and what a form needs to know."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from service.comments.errors import DuplicateComment
from service.errors import (
    BodyNotReadable,
    IdempotencyKeyReused,
    Invalid,
    MethodNotAllowed,
    OriginNotAllowed,
    RateLimited,
)
from service.form.fields import FIELDS
from service.http.answers import answer
from service.http.docs import IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, Readers
from service.http.faults import Faults
from service.http.forms import FORMS
from service.http.handlers import FOR_PEOPLE
from service.http.pages import accepts_page, see_other
from service.http.reading import (
    JSON,
    REPLAYED,
    AppRequest,
    check_idempotency_key,
    media_type,
    read_fields,
    read_query,
)
from service.http.routing import Router
from service.http.running import process_of
from service.http.told import is_storable
from service.services import BEFORE_LIMITS, Services, services_of
from service.sites.directory import KnownSite
from service.sites.redirects import FROM_PAGE, choose_redirect, find_page, name_page
from service.submission import operations
from service.submission.refusals import count_failure, show_form_place, show_refusal
from service.submission.schemas import (
    Form,
    Preview,
    PreviewText,
    ShowForm,
    SubmitComment,
    Submitted,
)
from service.submission.storing import SubmissionWriter
from service.wordpress.names import WORDPRESS_NAMES

# What both ways of submitting a comment say.
SUBMISSION: dict[str, Any] = {
    "body": SubmitComment,
    "media": (JSON, *FORMS),
    "aliases": WORDPRESS_NAMES,
    # Whatever the encoding: WordPress sends it for a comment that answers none.
    "alias_values": {one.wordpress: one.wordpress_none for one in FIELDS if one.wordpress_none},
    "headers": IDEMPOTENCY_KEY,
    "problems": (OriginNotAllowed, DuplicateComment, IdempotencyKeyReused, RateLimited),
    "page_problems": True,
}


@post(
    "/v1/sites/{site:str}/comments",
    opt=SUBMISSION,
    answers={202: Submitted, 303: None},
    answer_headers=IDEMPOTENCY_REPLAYED,
)
async def submit_comment(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Take a comment, hold it for moderation, and give its author a receipt.

    The names of the WordPress comment form are taken too; its `comment_parent=0` is none. A form whose
    browser accepts `text/html` is answered by a redirect, or by a page that shows the errors.
    """
    wants_page = media_type(request) in FORMS and accepts_page(request)
    return await _take(request, site, wants_page=wants_page)


@post("/sites/{site:str}/wp-comments-post.php", opt=SUBMISSION, answers={303: None})
async def submit_wordpress_form(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Take a comment from the form of a WordPress page that was saved as static HTML.

    The same as `submit_comment`, always answered as a browser wants it: by a redirect, or by a page that
    shows the errors.
    """
    return await _take(request, site, wants_page=True, is_saved=True)


async def _take(request: AppRequest, slug: str, *, wants_page: bool, is_saved: bool = False) -> Response[Any]:
    """Take a comment; a form `is_saved` that stands in a page of whatever time, and so of its encoding."""
    services = services_of(request)
    writer: SubmissionWriter = process_of(request).writer
    site: KnownSite | None = None
    fields: dict[str, Any] | None = None
    try:
        site = await services.directory.get(slug)
        services.require_origin(request, site)
        fields = await _read(request, services, site, is_saved)
        submitted, replayed = await operations.submit_comment(
            services,
            writer,
            site,
            fields,
            prefix=services.client_prefix(request),
            idempotency_key=request.headers.get("idempotency-key"),
        )
    except Exception as raised:
        error = await _charge_refusal(services, request, raised)
        count_failure(services, error)
        # Whatever it is, somebody has typed something that must not be lost.
        if wants_page:
            return await show_refusal(request, services, error, site, fields, is_saved)
        if error is not raised:
            raise error from raised
        raise
    if wants_page:
        place = _next_page(request, site, fields, submitted)
        return see_other(place, REPLAYED if replayed else None)
    return answer(submitted, 202, REPLAYED if replayed else None)


async def _charge_refusal(services: Services, request: AppRequest, raised: Exception) -> Exception:
    """Charge what was refused before the limits; gives what is told: that, or that too much was refused."""
    if isinstance(raised, BEFORE_LIMITS):
        try:
            await services.charge_refusal(request)
        except RateLimited as limited:
            return limited
    return raised


async def _read(request: AppRequest, services: Services, site: KnownSite, is_saved: bool) -> dict[str, Any]:
    named = site.policy.text_field_names
    try:
        fields = await read_fields(request, keep_empty=named, takes_windows_1252=is_saved)
    except (BodyNotReadable, Invalid) as error:
        await operations.refuse_unreadable(services, site, services.client_prefix(request))
        if error.errors:
            key = request.headers.get("idempotency-key")
            raise Invalid(errors=[*error.errors, *check_idempotency_key(key)]) from None
        raise
    if media_type(request) in FORMS and not is_storable(fields.get("redirect_to", "")):
        # Of a form, which nobody types it into, it is as if absent, like whatever leads nowhere.
        del fields["redirect_to"]
    return fields


def _next_page(request: AppRequest, site: KnownSite, fields: dict[str, Any], submitted: Submitted) -> str:
    """Give where the browser goes: where the form wishes, or to the receipt, which leads back to its page."""
    referer = request.headers.get("referer")
    page = find_page([fields.get(FROM_PAGE), referer], site.origins)
    if wish := choose_redirect(fields.get("redirect_to"), page or referer, site.origins):
        return wish
    # Whose article has an address of its own needs no other.
    is_known = site.article_url(submitted.article) is not None
    return submitted.receipt.url + ("" if is_known else name_page(page))


@get("/sites/{site:str}/wp-comments-post.php", refuses=True, exception_handlers=FOR_PEOPLE)
async def refuse_to_show_form(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Say to whoever opens what a form is posted to what that is, and lead back."""
    services = services_of(request)
    known = await services.directory.get(site)
    if not accepts_page(request):
        raise MethodNotAllowed
    return show_form_place(request, services.settings.public_url, known)


@get("/v1/sites/{site:str}/form", query=ShowForm, answers={200: Form})
async def show_form(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Say what a form for an article needs: limits, labels, and whether comments are open."""
    services = services_of(request)
    known = await services.directory.get(site)
    with Faults() as faults:
        wanted = read_query(request, ShowForm, faults)
        key = faults.check(known.article_key, wanted.article, parameter="article") or ""
    return answer(await operations.describe_form(services, known, key, wanted.lang))


@post(
    "/v1/sites/{site:str}/preview",
    body=PreviewText,
    answers={200: Preview},
    problems=(OriginNotAllowed, RateLimited),
)
async def preview_text(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Show a text as it would be seen as a comment; nothing of it is stored."""
    services = services_of(request)
    prefix = services.client_prefix(request)
    try:
        known = await services.directory.get(site)
        services.require_origin(request, known)
        fields = await read_fields(request, (JSON,))
    except BEFORE_LIMITS:
        # Refused for its size or type before anything is charged, as a submission is.
        await services.charge_refusal(request)
        raise
    except (BodyNotReadable, Invalid):
        await operations.charge_preview(services, prefix)
        raise
    return answer(await operations.preview_text(services, known, fields.get("text"), prefix))


ROUTERS = [
    Router(
        "/",
        opt={"tag": "Public", "readers": Readers.SITE},
        route_handlers=[
            submit_comment,
            submit_wordpress_form,
            refuse_to_show_form,
            show_form,
            preview_text,
        ],
    )
]

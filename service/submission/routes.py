"""Taking comments over HTTP, and what a form needs to know."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.comments.errors import DuplicateComment
from service.errors import (
    BodyNotReadable,
    IdempotencyKeyReused,
    Invalid,
    NotFound,
    OriginNotAllowed,
    RateLimited,
    ServiceError,
)
from service.http.answers import answer
from service.http.docs import HTML, IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, Doc, Readers
from service.http.pages import render_page, see_other
from service.http.reading import (
    FORMS,
    JSON,
    REPLAYED,
    AppRequest,
    media_type,
    read_fields,
    read_query,
)
from service.languages import FALLBACK, read_words
from service.services import Services
from service.sites.directory import KnownSite
from service.submission import operations
from service.submission.redirects import choose_redirect
from service.submission.rules import WORDPRESS_NAMES, translate_names
from service.submission.schemas import Form, ShowForm, SubmitComment, Submitted
from service.submission.storing import SubmissionWriter


@post(
    "/v1/sites/{site:str}/comments",
    status_code=202,
    opt=Doc(
        readers=Readers.SITE,
        tag="Public",
        body=SubmitComment,
        media=(JSON, *FORMS),
        aliases=WORDPRESS_NAMES,
        headers=IDEMPOTENCY_KEY,
        answers={202: Submitted, 303: None},
        answer_headers=IDEMPOTENCY_REPLAYED,
        problems=(
            OriginNotAllowed,
            NotFound,
            DuplicateComment,
            Invalid,
            IdempotencyKeyReused,
            RateLimited,
        ),
        page_problems=True,
    ).as_opt(),
)
async def submit_comment(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Take a comment, hold it for moderation, and give its author a receipt.

    The names of the WordPress comment form are taken too; its `comment_parent=0` is none. A form whose
    browser accepts `text/html` is answered by a redirect, or by a page that shows the errors.
    """
    # Taken by hand: this route comes in floods, and to be given the two would add a sixth to its work.
    services: Services = request.app.state.services
    writer: SubmissionWriter = request.app.state.writer
    wants_page = media_type(request) in FORMS and HTML in request.headers.get("accept", "")
    known: KnownSite | None = None
    fields: dict[str, Any] = {}
    try:
        known = await services.directory.get(site)
        services.require_origin(request, known)
        fields = await _read(request, services, known)
        submitted, replayed = await operations.submit_comment(
            services,
            writer,
            known,
            fields,
            prefix=services.client_prefix(request),
            idempotency_key=request.headers.get("idempotency-key"),
        )
    except ServiceError as error:
        if wants_page:
            return _show_errors(request, error, known, translate_names(fields))
        raise
    if wants_page:
        return see_other(_next_page(request, known, fields) or submitted.receipt.url)
    return answer(submitted, 202, REPLAYED if replayed else None)


async def _read(request: AppRequest, services: Services, site: KnownSite) -> dict[str, Any]:
    try:
        return await read_fields(request)
    except (BodyNotReadable, Invalid):
        await operations.refuse_unreadable(services, site, services.client_prefix(request))
        raise


def _next_page(request: AppRequest, site: KnownSite, fields: dict[str, Any]) -> str | None:
    wish = fields.get("redirect_to")
    referer = request.headers.get("referer")
    return choose_redirect(wish if isinstance(wish, str) else None, referer, site.origins)


def _show_errors(
    request: AppRequest, error: ServiceError, site: KnownSite | None, typed: dict[str, Any]
) -> Response[Any]:
    """Show what is wrong, with all that was typed still in the fields: the one place that sends it back."""
    by_field = {(one.pointer or "").removeprefix("#/"): one for one in error.errors or []}
    return render_page(
        "submission_error.html",
        status=error.status,
        headers=error.headers,
        form_targets=site.origins if site else (),
        error=error,
        errors=by_field,
        site=site,
        typed=typed,
        action=request.scope["path"],
        words=read_words(site.policy.language if site else FALLBACK),
    )


@get(
    "/v1/sites/{site:str}/form",
    opt=Doc(
        readers=Readers.SITE,
        tag="Public",
        query=ShowForm,
        answers={200: Form},
        problems=(NotFound, Invalid),
    ).as_opt(),
)
async def show_form(
    request: AppRequest, site: FromPath[str], services: NamedDependency[Services]
) -> Response[Any]:
    """Say what a form for an article needs: limits, labels, and whether comments are open."""
    known = await services.directory.get(site)
    wanted = read_query(request, ShowForm)
    return answer(await operations.describe_form(services, known, wanted.article))


ROUTES = [submit_comment, show_form]

"""Pages for people: templates that escape everything, under a policy that lets nothing else in."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response

from service.errors import ServiceError
from service.http.answers import respond
from service.http.docs import HTML
from service.http.reading import AppRequest
from service.text.languages import FALLBACK, Language, choose_language, direction, read_words
from service.text.weights import read_weights

_templates = Environment(
    loader=PackageLoader("service", "web/templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_policy(form_targets: Sequence[str] = (), home: str = "'self'") -> str:
    """Give the Content-Security-Policy of a page: our own styles and images, no script, no frame.

    A browser holds the redirect that answers a form to `form-action` as well, hence `form_targets`. `home` is
    where styles come from on a page that is shown under the address of another server.
    """
    targets = " ".join(["'self'", *form_targets])
    return (
        f"default-src 'none'; style-src {home}; img-src {home}; base-uri 'none'; "
        f"form-action {targets}; frame-ancestors 'none'"
    )


def speak(request: AppRequest, otherwise: Language) -> dict[str, Any]:
    """Give what a page needs to be in its reader's language, or in another where none of those is here."""
    language = choose_language(request.headers.get("accept-language", ""), otherwise)
    return {
        "language": language,
        "direction": direction(language),
        "words": read_words(language),
    }


def render(template: str, **values: Any) -> bytes:
    """Render a template."""
    return _templates.get_template(template).render(**values).encode()


def render_page(
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    form_targets: Sequence[str] = (),
    **values: Any,
) -> Response[Any]:
    """Render a template as a page that nobody may store."""
    body = render(template, **values)
    policy = {"Content-Security-Policy": page_policy(form_targets)}
    return respond(body, HTML, status, {**policy, **(headers or {})})


def show_error(
    error: ServiceError,
    error_id: str | None = None,
    more: Mapping[str, str] | None = None,
    ways: Mapping[str, str | None] | None = None,
) -> Response[Any]:
    """Show an error as a page, with `more` headers, and `ways` on: addresses by the word for each."""
    return render_page(
        "error.html",
        status=error.status,
        headers={**error.headers, **(more or {})},
        error=error,
        error_id=error_id,
        ways=ways or {},
        words=read_words(FALLBACK),
    )


def accepts_page(request: AppRequest) -> bool:
    """Tell whether a request asks for a page."""
    return names_page(request.headers.get("accept", ""))


def names_page(accept: str) -> bool:
    """Tell whether Accept names `text/html`, and not to refuse it (RFC 9110, section 12.5.1)."""
    return next((weight > 0 for kind, weight in read_weights(accept) if kind == HTML), False)


def see_other(url: str, more: Mapping[str, str] | None = None) -> Response[Any]:
    """Send the browser on with a GET (303)."""
    headers = {"Location": url, **(more or {})}
    return Response(b"", status_code=303, headers=headers, media_type="text/plain")

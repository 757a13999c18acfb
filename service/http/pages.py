"""Pages for people: templates that escape everything, under a policy that lets nothing else in."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response

from service.errors import NotSignedIn, ServiceError
from service.http.answers import answer_problem, respond
from service.http.docs import HTML
from service.http.reading import AppRequest

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


def show_error(error: ServiceError) -> Response[Any]:
    """Show an error as a page."""
    return render_page("error.html", status=error.status, headers=error.headers, error=error)


def show_refusal(request: AppRequest, error: ServiceError) -> Response[Any]:
    """Show a person why a page of moderators refused, and whoever has no session the way in."""
    if HTML not in request.headers.get("accept", ""):
        return answer_problem(error)
    return see_other("/sign-in") if isinstance(error, NotSignedIn) else show_error(error)


def see_other(url: str) -> Response[Any]:
    """Send the browser on with a GET (303)."""
    headers = {"Cache-Control": "no-store", "Location": url}
    return Response(b"", status_code=303, headers=headers, media_type="text/plain")

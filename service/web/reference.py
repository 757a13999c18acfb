"""The problems and the interactive API reference."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from service.errors import NotFound, list_problems
from service.http.answers import respond
from service.http.handlers import FOR_PEOPLE
from service.http.pages import render_page
from service.http.reading import JSON, AppRequest
from service.http.routing import Router
from service.http.running import process_of

# Its script sets styles on elements, and its icons are data URLs.
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@get("/")
async def list_problem_pages() -> Response[Any]:
    """Show all problems that an answer may name."""
    return render_page("problems.html", problems=list_problems())


@get("/{slug:str}", exception_handlers=FOR_PEOPLE)
async def show_problem_page(slug: FromPath[str]) -> Response[Any]:
    """Show what a problem means and what to do about it."""
    problem = list_problems().get(slug)
    if problem is None:
        raise NotFound
    return render_page("problem.html", problem=problem)


@get("/")
async def show_reference() -> Response[Any]:
    """Show the interactive API reference."""
    headers = {"Content-Security-Policy": REFERENCE_POLICY}
    return render_page("reference.html", headers=headers)


@get("/openapi.json")
async def show_openapi(request: AppRequest) -> Response[Any]:
    """Give the OpenAPI document."""
    return respond(process_of(request).openapi, JSON)


ROUTERS = [
    Router("/problems", route_handlers=[list_problem_pages, show_problem_page]),
    Router("/schema", route_handlers=[show_reference, show_openapi]),
]

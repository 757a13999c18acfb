"""Signing in by a page: with a password, or once by a link."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from service.accounts.guards import caller_of, read_cookie, require_moderator
from service.accounts.links import require_link, use_link
from service.accounts.routes import with_session
from service.accounts.schemas import SignIn, UseLink
from service.accounts.sessions import sign_in, sign_out
from service.errors import Invalid, OriginNotAllowed, ServiceError
from service.http.handlers import AS_PAGE, FOR_PEOPLE
from service.http.pages import render_page, see_other
from service.http.reading import AppRequest, read_form, read_origin
from service.http.routing import Router
from service.services import Services, services_of

AFTERWARDS = "/moderation"


def require_own_origin(request: AppRequest, services: Services) -> None:
    """Raise OriginNotAllowed for a form that does not come from our own page.

    `null` is refused as well: it is what a frame sends that somebody made to sign others in as himself.
    """
    origin = read_origin(request)
    if origin is not None and not services.is_own_origin(request, origin):
        raise OriginNotAllowed


@get("/")
async def show_sign_in() -> Response[Any]:
    """Show the form for address and password."""
    return render_page("sign_in.html", error=None)


@post("/")
async def submit_sign_in(request: AppRequest) -> Response[Any]:
    """Sign in with an address and a password."""
    services = services_of(request)
    prefix, instead_of = services.client_prefix(request), read_cookie(request, services)
    try:
        require_own_origin(request, services)
        command = await read_form(request, SignIn)
        _, token = await sign_in(services, command, prefix=prefix, instead_of=instead_of)
    except ServiceError as error:
        return render_page("sign_in.html", status=error.status, headers=error.headers, error=error)
    return with_session(services, token, see_other(AFTERWARDS))


@get("/{token:str}")
async def show_link(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Show the button of a one-time link; opening the page changes nothing."""
    await require_link(services_of(request), token)
    return render_page("sign_in_link.html", token=token, error=None)


@post("/{token:str}")
async def submit_link(request: AppRequest, token: FromPath[str]) -> Response[Any]:
    """Sign in by a one-time link, and set a password with it if one was typed."""
    services = services_of(request)
    prefix, instead_of = services.client_prefix(request), read_cookie(request, services)
    try:
        require_own_origin(request, services)
        command = await read_form(request, UseLink)
        cookie = await use_link(services, token, command, prefix=prefix, instead_of=instead_of)
    except Invalid as error:
        return render_page("sign_in_link.html", status=error.status, token=token, error=error)
    return with_session(services, cookie, see_other(AFTERWARDS))


@post("/")
async def submit_sign_out(request: AppRequest) -> Response[Any]:
    """Sign out by the page's button."""
    services = services_of(request)
    await sign_out(services, caller_of(request))
    return with_session(services, "", see_other("/sign-in"))


ROUTERS = [
    # Who signs in is not signed in yet.
    Router(
        "/sign-in",
        exception_handlers=AS_PAGE,
        route_handlers=[show_sign_in, submit_sign_in, show_link, submit_link],
    ),
    Router(
        "/sign-out",
        guards=[require_moderator],
        exception_handlers=FOR_PEOPLE,
        route_handlers=[submit_sign_out],
    ),
]

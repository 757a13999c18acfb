"""The routes of sites and of their articles."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, patch, post
from litestar.params import FromPath

from service.accounts import site_operations as operations
from service.accounts.guards import (
    caller_of,
    require_changeable,
    require_moderator,
    require_site,
)
from service.accounts.rules import Caller, Role
from service.accounts.schemas import ListPage, SiteList, SiteView
from service.errors import NotAllowed, OriginNotAllowed
from service.http.answers import answer, created
from service.http.cursors import cut_page, read_cursor
from service.http.faults import Faults
from service.http.reading import AppRequest, read_command, read_query
from service.http.routing import Router
from service.services import services_of
from service.sites.directory import KnownSite, read_sites
from service.sites.errors import SettingFixed, SiteExists
from service.sites.schemas import ArticleView, ChangeSite, CreateSite, SetArticle


def view_site(site: KnownSite, caller: Caller) -> SiteView:
    """Give a site as one of its moderators sees it."""
    role = caller.role_on(site.id) or Role.VIEWER
    settings = site.policy.as_settings()
    return SiteView(str(site.id), site.slug, site.title, list(site.origins), settings, role.word)


@get("/", query=ListPage, answers={200: SiteList})
async def list_sites(request: AppRequest) -> Response[Any]:
    """List the sites that the caller has a role on, by slug."""
    with Faults() as faults:
        wanted = read_query(request, ListPage, faults)
        after = read_cursor(wanted.cursor, "sites", faults)
    caller = caller_of(request)
    async with services_of(request).reading() as session:
        start = after.id if after else None
        found = await read_sites(session, caller.sites(), start, wanted.limit + 1)
    page, more = cut_page(found, wanted.limit, "sites")
    return answer(SiteList([view_site(site, caller) for site in page], more))


@post("/", body=CreateSite, answers={201: SiteView}, problems=(NotAllowed, SiteExists))
async def create_site(request: AppRequest) -> Response[Any]:
    """Make a site; for admins of the installation."""
    services, caller = services_of(request), caller_of(request)
    caller.require_admin()
    command = await read_command(request, CreateSite)
    await operations.create_site(services, command, caller.moderator_id)
    made = view_site(await services.directory.get(command.slug), caller)
    return created(made, f"/v1/sites/{command.slug}")


@get("/{site:str}", answers={200: SiteView})
async def show_site(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Show a site with all its settings, defaults included."""
    known = await require_site(request, site, Role.VIEWER)
    return answer(view_site(known, caller_of(request)))


@patch(
    "/{site:str}",
    body=ChangeSite,
    answers={200: SiteView},
    problems=(NotAllowed, OriginNotAllowed, SettingFixed),
)
async def change_site(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Change the title, the origins or settings; for owners. Settings that are not named stay."""
    known = await require_changeable(request, site, Role.OWNER)
    # Raised together with what is wrong for the site as it is.
    faults = Faults()
    command = await read_command(request, ChangeSite, faults)
    services, caller = services_of(request), caller_of(request)
    await operations.change_site(services, known.id, command, caller.moderator_id, faults)
    return answer(view_site(await services.directory.get(site), caller))


@post(
    "/{site:str}/articles",
    body=SetArticle,
    answers={200: ArticleView, 201: ArticleView},
    problems=(NotAllowed, OriginNotAllowed),
)
async def set_article(request: AppRequest, site: FromPath[str]) -> Response[Any]:
    """Open or close an article for comments; on a site whose articles are `listed` it lists it too."""
    known = await require_changeable(request, site, Role.MODERATOR)
    with Faults() as faults:
        command = await read_command(request, SetArticle, faults)
        key = faults.check(known.article_key, command.article, pointer="#/article") or ""
    services, actor_id = services_of(request), caller_of(request).moderator_id
    view, is_new = await operations.set_article(services, known.id, key, command.state, actor_id)
    query = urlencode({"article": key})
    return created(view, f"/v1/sites/{site}/comments?{query}") if is_new else answer(view)


ROUTERS = [
    Router(
        "/v1/sites",
        guards=[require_moderator],
        opt={"tag": "Sites"},
        route_handlers=[list_sites, create_site, show_site, change_site, set_article],
    )
]

"""The routes of administration: sites, their articles and their members."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.accounts.errors import LastOwner
from service.accounts.guards import require_moderator
from service.accounts.members import set_role
from service.accounts.rules import Caller, Role, parse_role
from service.accounts.schemas import MemberList, SetRole
from service.administration import operations
from service.administration.queries import read_members, read_sites
from service.administration.schemas import (
    ArticleView,
    ChangeSite,
    CreateSite,
    ListSites,
    SetArticle,
    SiteList,
    SiteView,
)
from service.clock import parse_id
from service.errors import Invalid, NotAllowed, NotFound, OriginNotAllowed
from service.http.answers import answer, created, no_content
from service.http.cursors import Position, make_cursor, read_cursor
from service.http.docs import Doc
from service.http.faults import Faults
from service.http.reading import AppRequest, read_command, read_query
from service.services import Services
from service.sites.directory import KnownSite
from service.sites.errors import SettingFixed, SiteExists

GUARDED = [require_moderator]


async def require_site(services: Services, caller: Caller, slug: str, role: Role) -> KnownSite:
    """Give a site on which the caller has a role; raises NotFound or NotAllowed."""
    site = await services.directory.get(slug)
    caller.require(site.id, role)
    return site


async def require_changeable(
    request: AppRequest, services: Services, caller: Caller, slug: str, role: Role
) -> KnownSite:
    """Give a site that the caller may change from the page that asks; raises OriginNotAllowed too."""
    site = await require_site(services, caller, slug, role)
    services.require_origin(request, site)
    return site


def view_site(site: KnownSite, caller: Caller) -> SiteView:
    """Give a site as one of its moderators sees it."""
    role = caller.role_on(site.id) or Role.VIEWER
    settings = site.policy.as_settings()
    return SiteView(str(site.id), site.slug, site.title, list(site.origins), settings, role.word)


@get(
    "/v1/sites",
    guards=GUARDED,
    opt=Doc(tag="Sites", query=ListSites, answers={200: SiteList}, problems=(Invalid,)).as_opt(),
)
async def list_sites(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """List the sites that the caller has a role on, by slug."""
    with Faults() as faults:
        wanted = read_query(request, ListSites, faults)
        after = read_cursor(wanted.cursor, "sites", faults)
    async with services.reading() as session:
        # One more than asked for tells whether there is a next page.
        found = await read_sites(
            session, caller.sites(), after.id if after else None, wanted.limit + 1
        )
    page = found[: wanted.limit]
    more = make_cursor(Position("sites", page[-1].id)) if len(found) > len(page) else None
    return answer(SiteList([view_site(site, caller) for site in page], more))


@post(
    "/v1/sites",
    guards=GUARDED,
    opt=Doc(
        tag="Sites",
        body=CreateSite,
        answers={201: SiteView},
        problems=(NotAllowed, SiteExists, Invalid),
    ).as_opt(),
)
async def create_site(
    request: AppRequest, services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Make a site; for admins of the installation."""
    caller.require_admin()
    command = await read_command(request, CreateSite)
    await operations.create_site(services, command, caller)
    made = view_site(await services.directory.get(command.slug), caller)
    return created(made, f"/v1/sites/{command.slug}")


@get(
    "/v1/sites/{site:str}",
    guards=GUARDED,
    opt=Doc(tag="Sites", answers={200: SiteView}, problems=(NotFound,)).as_opt(),
)
async def show_site(
    site: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Show a site with all its settings, defaults included."""
    return answer(view_site(await require_site(services, caller, site, Role.VIEWER), caller))


@patch(
    "/v1/sites/{site:str}",
    guards=GUARDED,
    opt=Doc(
        tag="Sites",
        body=ChangeSite,
        answers={200: SiteView},
        problems=(NotAllowed, OriginNotAllowed, NotFound, SettingFixed, Invalid),
    ).as_opt(),
)
async def change_site(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Change the title, the origins or settings; for owners. Settings that are not named stay."""
    known = await require_changeable(request, services, caller, site, Role.OWNER)
    # Raised together with what is wrong for the site as it is.
    faults = Faults()
    command = await read_command(request, ChangeSite, faults)
    await operations.change_site(services, known, command, caller, faults)
    return answer(view_site(await services.directory.get(site), caller))


@post(
    "/v1/sites/{site:str}/articles",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Sites",
        body=SetArticle,
        answers={200: ArticleView, 201: ArticleView},
        problems=(NotAllowed, OriginNotAllowed, NotFound, Invalid),
    ).as_opt(),
)
async def set_article(
    request: AppRequest,
    site: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Open or close an article for comments; on a site whose articles are `listed` it lists it too."""
    known = await require_changeable(request, services, caller, site, Role.MODERATOR)
    with Faults() as faults:
        command = await read_command(request, SetArticle, faults)
        key = faults.check(known.article_key, command.article, pointer="#/article") or ""
    view, is_new = await operations.set_article_state(services, known, key, command.state, caller)
    query = urlencode({"article": key})
    return created(view, f"/v1/sites/{site}/comments?{query}") if is_new else answer(view)


@get(
    "/v1/sites/{site:str}/members",
    guards=GUARDED,
    opt=Doc(tag="Members", answers={200: MemberList}, problems=(NotFound,)).as_opt(),
)
async def list_members(
    site: FromPath[str], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """List the moderators of a site with their roles."""
    known = await require_site(services, caller, site, Role.VIEWER)
    async with services.reading() as session:
        return answer(MemberList(await read_members(session, known.id)))


@put(
    "/v1/sites/{site:str}/members/{moderator:str}",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Members",
        body=SetRole,
        answers={204: None},
        problems=(NotAllowed, OriginNotAllowed, NotFound, LastOwner, Invalid),
    ).as_opt(),
)
async def set_member(
    request: AppRequest,
    site: FromPath[str],
    moderator: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Change the role of a member of the site; for owners. The last owner stays one.

    Only an admin of the installation gives one to an account that is no member yet; to others that is as
    unknown as one that does not exist, and they add members by their addresses.
    """
    known = await require_changeable(request, services, caller, site, Role.OWNER)
    command = await read_command(request, SetRole)
    await _change_role(services, caller, known, moderator, parse_role(command.role))
    return no_content()


@delete(
    "/v1/sites/{site:str}/members/{moderator:str}",
    guards=GUARDED,
    status_code=200,
    opt=Doc(
        tag="Members",
        answers={204: None},
        problems=(NotAllowed, OriginNotAllowed, NotFound, LastOwner),
    ).as_opt(),
)
async def remove_member(
    request: AppRequest,
    site: FromPath[str],
    moderator: FromPath[str],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Take a moderator's role on the site away; for owners. The last owner stays one."""
    known = await require_changeable(request, services, caller, site, Role.OWNER)
    await _change_role(services, caller, known, moderator, None)
    return no_content()


async def _change_role(
    services: Services, caller: Caller, site: KnownSite, moderator: str, role: Role | None
) -> None:
    moderator_id = parse_id(moderator)
    if moderator_id is None:
        raise NotFound
    only_member = role is None or not caller.is_admin
    async with services.changing(caller.moderator_id) as work:
        await set_role(work, site.id, moderator_id, role, only_member=only_member)


ROUTES = [
    list_sites,
    create_site,
    show_site,
    change_site,
    set_article,
    list_members,
    set_member,
    remove_member,
]

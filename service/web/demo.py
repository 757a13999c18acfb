"""The demonstration's article, with its approved comments and a plain form."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from service.http.pages import render_page, see_other
from service.http.reading import AppRequest, read_query
from service.publication.operations import list_comments
from service.publication.pages import Pages
from service.publication.schemas import CommentPage, ListComments
from service.services import Services

SITE = "demo"
ARTICLE = "/demo"


class ShowDemo(msgspec.Struct, frozen=True):
    """Where the list of comments starts."""

    cursor: Annotated[str, Meta(max_length=300)] | None = None


@get("/demo")
async def show_demo(
    request: AppRequest, services: NamedDependency[Services], pages: NamedDependency[Pages]
) -> Response[Any]:
    """Show an article with its comments and "Leave a reply"."""
    site = await services.directory.get(SITE)
    wanted = ListComments(ARTICLE, cursor=read_query(request, ShowDemo).cursor)
    entry = await list_comments(pages, site, wanted)
    page = msgspec.json.decode(entry.body, type=CommentPage)
    # The form's answer finds its way back by the Referer, which our other pages hide.
    headers = {"Referrer-Policy": "same-origin"}
    return render_page(
        "demo.html", headers=headers, form_targets=site.origins, site=site, page=page
    )


@get("/")
async def lead_to_demo() -> Response[Any]:
    """Lead whoever asks for nothing in particular to the article."""
    return see_other(ARTICLE)


ROUTES = [show_demo, lead_to_demo]

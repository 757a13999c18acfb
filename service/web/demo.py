"""The demonstration's article, with the widget, and in it the form that needs no script."""

from typing import Any

from litestar import Response, get

from service.http.pages import page_policy, render_page, see_other
from service.http.reading import AppRequest
from service.http.routing import Router
from service.publication.listing import Window
from service.publication.operations import show_fragment
from service.publication.routes import cache_of
from service.publication.schemas import ShowFragment
from service.services import services_of

SITE = "demo"
ARTICLE = "/demo"


@get("/demo")
async def show_demo(request: AppRequest) -> Response[Any]:
    """Show an article with its comments and "Leave a reply"."""
    services = services_of(request)
    site = await services.directory.get(SITE)
    public_url = services.settings.public_url
    wanted, window = ShowFragment(ARTICLE), Window(ARTICLE)
    fragment = await show_fragment(cache_of(request), site, wanted, window, public_url)
    headers = {
        # The form's answer finds its way back by the Referer, which our other pages hide.
        "Referrer-Policy": "same-origin",
        "Content-Security-Policy": f"{page_policy(site.origins)}; script-src 'self'; connect-src 'self'",
    }
    return render_page(
        "demo.html", headers=headers, site=site, article=ARTICLE, fragment=fragment.body.decode()
    )


@get("/")
async def lead_to_demo() -> Response[Any]:
    """Lead whoever asks for nothing in particular to the article."""
    return see_other(ARTICLE)


ROUTERS = [Router("/", route_handlers=[show_demo, lead_to_demo])]

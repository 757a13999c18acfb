"""The table of routes finds what the framework finds."""

from litestar import Litestar, get
from litestar.params import FromPath

from service.http.routing import RouteTable


@get("/sites/{site:str}/comments/{comment:str}")
async def show(site: FromPath[str], comment: FromPath[str]) -> str:
    return comment


@get("/sites/{site:str}/comments/stream")
async def stream(site: FromPath[str]) -> str:
    return "stream"


@get("/sites/{site:str}/comments.atom")
async def feed(site: FromPath[str]) -> str:
    return "feed"


def test_a_word_is_preferred_to_a_parameter_whichever_came_first() -> None:
    for handlers in ([show, stream, feed], [feed, stream, show]):
        table = RouteTable(Litestar(handlers, openapi_config=None).routes)
        for path, template in {
            "/sites/blog/comments/stream": "/sites/{site}/comments/stream",
            "/sites/blog/comments/streams": "/sites/{site}/comments/{comment}",
            "/sites/blog/comments.atom/": "/sites/{site}/comments.atom",
            "/sites/comments/comments/stream": "/sites/{site}/comments/stream",
        }.items():
            found = table.find(path)
            assert found is not None, path
            assert found[0].template == template

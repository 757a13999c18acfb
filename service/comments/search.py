"""What a comment is found by: its name, the hosts that it links to, and its text, as they are searched."""

import re
from collections.abc import Mapping
from typing import Any

import idna
from sqlalchemy.engine.default import DefaultExecutionContext

from service.concurrency.beside import do_beside
from service.text.folding import fold

# Few characters unfold to several; what is beyond this of a text made of such is not searched.
MAX_CHARS = 131_072
# A quarter of a microsecond each, where they are not ASCII.
MAX_CHARS_FOLDED_AT_ONCE = 4_096
_HOST = re.compile(r'https?://([^/?#":]+)', re.IGNORECASE)
_LINK = '<a href="'


def make_search(name: str, url: str | None, text: str, html: str) -> str:
    """Give what a comment with this text is found by, each part on a line of its own."""
    links = (_HOST.match(link) for link in (url or "", *html.split(_LINK)[1:]))
    hosts = [link[1].lower() for link in links if link]
    spelt = [fold(spelling) for host in hosts for spelling in (host, _respell(host))]
    return "\n".join([fold(name), *dict.fromkeys(spelt), fold(text)])[:MAX_CHARS]


async def make_search_apart(name: str, url: str | None, text: str, html: str) -> str:
    """The same as `make_search`, of a long text beside the event loop."""
    if len(text) > MAX_CHARS_FOLDED_AT_ONCE:
        return await do_beside(make_search, name, url, text, html)
    return make_search(name, url, text, html)


def _respell(host: str) -> str:
    """Give an internationalised host in its other spelling, and any other as it is."""
    try:
        if "xn--" in host:
            return idna.decode(host)
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host


def fold_inserted(context: DefaultExecutionContext) -> str:
    """Give what a comment is found by that is stored without, so that there is none such."""
    # SQLAlchemy has this method without types.
    row: Mapping[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return make_search(row["name"], row.get("url"), row["text"], row["html"])

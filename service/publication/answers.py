"""Public answers as they leave: kept bytes with the headers that they always have."""

from collections.abc import Mapping
from typing import Any

from litestar import Response

from service.http.docs import Headers, describe_header
from service.http.kept import KEPT
from service.http.reading import JSON, AppRequest
from service.publication.memory import Entry
from service.publication.surrogates import surrogate_keys
from service.services import Services
from service.sites.directory import KnownSite

CACHED: Headers = {
    "ETag": describe_header(
        "A strong tag of these very bytes; send it back as If-None-Match.", always=True
    ),
    "Cache-Control": describe_header("How long a shared cache may keep the answer.", always=True),
    "Surrogate-Key": describe_header(
        "The site and each article that the answer tells of, for a cache to be purged by.",
        always=True,
    ),
    "Cache-Tag": describe_header("The same, separated by commas.", always=True),
}
CONDITIONAL: Headers = {
    "If-None-Match": describe_header("The ETag of a copy at hand: 304 says that it is still good.")
}


def give_kept(
    request: AppRequest,
    services: Services,
    entry: Entry,
    media_type: str = JSON,
    more: Mapping[str, str] | None = None,
) -> Response[Any]:
    """Hand a kept answer to the edge, which sends its bytes, with the headers that it always has."""
    request.scope["state"][KEPT] = entry
    tags = surrogate_keys(entry.basis)
    headers = {
        "Cache-Control": f"public, max-age=0, s-maxage={services.settings.page_max_age_seconds}",
        "Vary": "Accept-Encoding",
        "Surrogate-Key": " ".join(tags),
        "Cache-Tag": ",".join(tags),
        **(more or {}),
    }
    return Response(b"", headers=headers, media_type=media_type)


def fragment_policy(site: KnownSite | None, public_url: str) -> dict[str, str]:
    """Let the site's own pages frame the fragment, and its form lead back to them."""
    origins = " ".join(site.origins if site else ())
    policy = (
        f"default-src 'none'; script-src {public_url}; style-src {public_url}; img-src {public_url}; "
        f"base-uri 'none'; form-action {public_url} {origins}; frame-ancestors 'self' {origins}"
    )
    return {"Content-Security-Policy": policy}

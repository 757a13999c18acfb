"""Public answers as they leave: cached bytes with the headers that they always have."""

from collections.abc import Mapping

from service.http.docs import Headers, describe_header
from service.http.reading import JSON
from service.http.stored import StoredResponse, encode_headers
from service.publication.cache.store import Entry
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


def answer_cached(
    services: Services,
    entry: Entry,
    media_type: str = JSON,
    more: Mapping[str, str] | None = None,
) -> StoredResponse:
    """Answer with an entry of the cache, which has its headers from the first time on."""
    if not entry.headers:
        tags = entry.dependencies.surrogate_keys
        max_age = services.settings.page_max_age_seconds
        entry.headers = encode_headers(
            media_type,
            {
                "cache-control": f"public, max-age=0, s-maxage={max_age}",
                "vary": "Accept-Encoding",
                "surrogate-key": " ".join(tags),
                "cache-tag": ",".join(tags),
                **(more or {}),
            },
        )
    return entry


def fragment_policy(site: KnownSite | None, public_url: str) -> dict[str, str]:
    """Let the site's own pages frame the fragment, and its form lead back to them."""
    origins = " ".join(site.origins if site else ())
    policy = (
        f"default-src 'none'; script-src {public_url}; style-src {public_url}; img-src {public_url}; "
        f"base-uri 'none'; form-action {public_url} {origins}; frame-ancestors 'self' {origins}"
    )
    return {"content-security-policy": policy}

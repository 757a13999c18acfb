"""What a public answer depends on, and the surrogate keys by which caches in front know that."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from service.changes import WHOLE_SITE, Change
from service.publication.queries import ArticleRef
from service.sites.directory import KnownSite

# The revision and the count of an article that is not there.
_NO_ARTICLE = (None, 0)
SURROGATE_KEY_BYTES = 8
# No article has a control character in its key.
_OF_ALL_ARTICLES = "\0"


class Dependencies(msgspec.Struct, frozen=True):
    """What an answer was made from: a site, and the revision of each article (None where there is none).

    The article WHOLE_SITE stands for all of them. Its revision is the length of the site's log, without an
    entry in which nothing changes in public.
    """

    site: KnownSite
    revisions: dict[str, int | None]

    @property
    def changes(self) -> list[Change]:
        """The changes that invalidate the answer."""
        return [Change(self.site.id, article) for article in self.revisions]

    def hold(self, found: Mapping[ArticleRef, tuple[int, int]]) -> bool:
        """Tell whether the articles are as they were; `found` has revision and count of those there are."""
        return all(
            found.get(change, _NO_ARTICLE)[0] == self.revisions[change.article] for change in self.changes
        )

    @property
    def surrogate_keys(self) -> list[str]:
        """The keys by which caches in front can purge the answer: its site's, then one for each article."""
        site_key = _name_key(self.site.id.bytes)
        return [site_key, *(surrogate_key(change) for change in self.changes)]


def surrogate_key(change: Change) -> str:
    """Name an article by a hash, since its own name may hold what no header can.

    What tells of the whole site has a name of its own: under the site's, everything else would go too.
    """
    article = change.article if change.article != WHOLE_SITE else _OF_ALL_ARTICLES
    return _name_key(change.site_id.bytes + article.encode())


def _name_key(name: bytes) -> str:
    return f"gr-{sha256(name).digest()[:SURROGATE_KEY_BYTES].hex()}"

"""What came in fields that nobody has named, where a page may have put what somebody wrote."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from service.form.fields import BY_NAME
from service.http.forms import MAX_FORM_FIELDS
from service.sites.redirects import FROM_PAGE
from service.telemetry.logs import get_logger
from service.telemetry.metrics import Metrics
from service.wordpress.names import FIELD_NAME, FORM_NAMES
from service.wordpress.plugin_fields import explain_plugin_field

# The box of `form.consent`, which the browser asks for.
CONSENT = "consent"

MAX_STRANGERS = 3
# Shorter ones are told only where the text is missing: they may be a rating, or a number.
LONG_CHARS = 40
# A name that is none of a page's is what somebody made up, and may say anything.
_HARMLESS_NAME = re.compile(FIELD_NAME)
_OF_WORDS = re.compile(r"\S\s+\S|[^\x00-\x7f]")
_logger = get_logger(__name__)


class Stranger(msgspec.Struct, frozen=True):
    """A field that nobody has named; `name` is None where it is no name that a page would have."""

    name: str | None
    value: str

    @property
    def looks_written(self) -> bool:
        """Whether it can be somebody's words: there are several, or it is not ASCII, or it is long."""
        return len(self.value) >= LONG_CHARS or _OF_WORDS.search(self.value) is not None


def find_strangers(raw: Mapping[str, Any], text: object, text_fields: Sequence[str]) -> list[Stranger]:
    """Give the long fields that mean nothing here, first those that look written, each the longest first.

    Where there is no text, short ones too: one of them may be it. With the text they have at most the
    characters of one text that is as long as is read.
    """
    known = {FROM_PAGE, CONSENT, *FORM_NAMES, *text_fields}
    found = [
        Stranger(name if _HARMLESS_NAME.fullmatch(name) else None, value)
        # Of JSON, which may have tens of thousands of members, as many as a form has at most.
        for name, value in islice(raw.items(), MAX_FORM_FIELDS)
        if isinstance(value, str)
        and len(value.strip()) >= (LONG_CHARS if text else 1)
        and name not in known
        # No token is long and has words.
        and not (explain_plugin_field(name) and (len(value) < LONG_CHARS or not _OF_WORDS.search(value)))
    ]
    found.sort(key=lambda one: (one.looks_written, len(one.value)), reverse=True)
    used = len(text) if isinstance(text, str) else 0
    return list(_cut(found[:MAX_STRANGERS], BY_NAME["text"].max_raw_chars - used))


def _cut(strangers: Iterable[Stranger], room: int) -> Iterator[Stranger]:
    for one in strangers:
        # A lone surrogate, which JSON can hold, cannot be sent back.
        value = one.value[: max(0, room)].encode("utf-8", "replace").decode()
        room -= len(value)
        if value:
            yield Stranger(one.name, value)


def tell_owner(metrics: Metrics, slug: str, strangers: Iterable[Stranger]) -> None:
    """Tell whoever runs the service that a text was missing, and in which field it may be: never the text."""
    # No setting takes a text from a field that is called as a plug-in's.
    suspects = (one for one in strangers if not explain_plugin_field(one.name or ""))
    suspect = next((one for one in suspects if one.looks_written), None)
    if suspect is not None:
        metrics.texts_elsewhere.inc()
        _logger.warning(
            "a form had no text where one was looked for, and a long field of another name: see"
            " form.text_field",
            site=slug,
            field=suspect.name or "(no usual name)",
        )

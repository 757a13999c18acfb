"""The words that readers and commenters see, in the languages that there are.

Each language is one file of `text/words/`, under its BCP 47 name; what a file lacks is said in English.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Literal

import msgspec

from service.text.weights import read_weights

Words = Mapping[str, str]

_FILES = files("service") / "text" / "words"
FALLBACK = "en"
LANGUAGES = tuple(sorted(file.name.removesuffix(".json") for file in _FILES.iterdir()))
if TYPE_CHECKING:
    Language = str
else:
    Language = Literal[LANGUAGES]
# Also those of which there is no file yet.
RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
# More than anybody's browser names; a longer header is cut to its first wishes.
MAX_WISHES = 20


@cache
def read_words(language: Language) -> Words:
    """Give the words of a language by their keys, each of which English has."""
    return {**read_own_words(FALLBACK), **read_own_words(language)}


def read_own_words(language: Language) -> Words:
    """Give only what a language's own file holds."""
    return msgspec.json.decode((_FILES / f"{language}.json").read_bytes(), type=dict[str, str])


def direction(language: Language) -> Literal["ltr", "rtl"]:
    """Give the direction that a language is written in."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def choose_language(accepted: str, otherwise: Language) -> Language:
    """Give the language that a browser likes best (Accept-Language) of those that there are."""
    best, weight = otherwise, 0.0
    for wish, wanted in islice(read_weights(accepted), MAX_WISHES):
        language = find_language(wish)
        if language is not None and wanted > weight:
            best, weight = language, wanted
    return best


def find_language(tag: str) -> Language | None:
    """Give the language of a BCP 47 tag such as `pt-BR`, or a locale such as `pt_BR.UTF-8`, if it is here."""
    primary = re.split("[-_.@]", tag.strip().lower())[0]
    return next((language for language in LANGUAGES if language == primary), None)

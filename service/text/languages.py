"""The words that readers and commenters see, in the languages that there are.

Each language is one file of `web/languages/`, under its BCP 47 name; what a file lacks is said in English.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Literal, get_args

import msgspec

from service.text.weights import read_weights

Language = Literal["en", "de", "fr", "es", "pt", "ja", "zh", "ar", "hi", "id", "uk", "ko"]
Words = Mapping[str, str]

LANGUAGES: tuple[Language, ...] = get_args(Language)
FALLBACK: Language = "en"
RIGHT_TO_LEFT = frozenset({"ar"})
# More than anybody's browser names; a longer header is cut to its first wishes.
MAX_WISHES = 20
_FILES = files("service") / "web" / "languages"


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

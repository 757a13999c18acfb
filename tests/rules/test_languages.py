"""Whoever reads another language than English reads it everywhere, and English where a string is missing."""

import re
from importlib.resources import files

import pytest

from service.publication.fragments import SCRIPT_WORDS
from service.text.languages import (
    FALLBACK,
    LANGUAGES,
    Language,
    choose_language,
    find_language,
    read_own_words,
    read_words,
)
from service.web.files import LATER_PARTS, WIDGET_PARTS

WIDGET = files("service") / "web" / "widget"
PLACEHOLDER = re.compile(r"\{\w+\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_string(language: Language) -> None:
    missing = read_own_words(FALLBACK).keys() - read_own_words(language).keys()
    assert sorted(missing) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_a_string_that_nobody_says(language: Language) -> None:
    assert read_own_words(language).keys() <= read_own_words(FALLBACK).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_string_has_the_same_placeholders_in_every_language(language: Language) -> None:
    english = read_own_words(FALLBACK)
    for key, words in read_own_words(language).items():
        assert sorted(PLACEHOLDER.findall(words)) == sorted(PLACEHOLDER.findall(english[key])), key


def test_the_widget_is_given_every_word_that_it_says() -> None:
    parts = "".join((WIDGET / name).read_text() for name in (*WIDGET_PARTS, *LATER_PARTS))
    said = {*re.findall(r"\bwords\.(\w+)\b(?!\()", parts)}
    for group in re.findall(r"const \{([^}]*)\} = (?:this\.)?(?:widget\.)?words", parts):
        said.update(re.findall(r"\w+", group))
    assert sorted(said - set(SCRIPT_WORDS)) == []


def test_what_a_language_lacks_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "service.text.languages.read_own_words", {"en": {"a": "A", "b": "B"}, "de": {"a": "Ä"}}.get
    )
    assert read_words.__wrapped__("de") == {"a": "Ä", "b": "B"}


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl, fr;q=0.5, en;q=0.4", "fr"),
        ("en;q=0.2, pt-BR;q=0.7", "pt"),
        ("zh-Hant-TW", "zh"),
        ("nl", "uk"),
        ("", "uk"),
        ("de;q=0, *", "uk"),
        ("not a header;;;,,,", "uk"),
    ],
)
def test_the_browser_s_best_wish_that_there_is_counts(accepted: str, chosen: str) -> None:
    assert choose_language(accepted, "uk") == chosen


def test_a_tag_is_known_by_its_first_part() -> None:
    assert [find_language(tag) for tag in ("PT-br", "zh-Hans", "tlh", "")] == [
        "pt",
        "zh",
        None,
        None,
    ]

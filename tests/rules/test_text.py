"""What is done to a text before it is measured: little, once, and nothing that readers miss."""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.nfc import PIECE_CHARS, is_apart, nfc
from service.text.normalising import has_visible, normalise_line, normalise_text

# Characters that meet each other in the rules: marks, joiners, formats, tags, fillers, white space.
TRICKY = st.text(
    "ae\u0301\u0323\u0f73\u0344\u200c\u200d\u200b\u00ad\ufe0f\u202e\u2066\ufeff\r\n\t\x00\x85 "
    "\u3000\u2028\u3164\u115f\u1100\u1161\u11a8\u034f\u0338=\u094d\u0915"
    "\U0001f3f4\U000e0067\U000e0062\U000e007f"
)


@given(st.one_of(TRICKY, st.text()))
@pytest.mark.parametrize("normalise", [normalise_text, normalise_line])
def test_normalising_twice_is_normalising_once(normalise: Callable[[str], str], value: str) -> None:
    assert normalise(normalise(value)) == normalise(value)


@given(st.one_of(TRICKY, st.text()))
def test_our_nfc_is_the_nfc_of_unicode(value: str) -> None:
    assert nfc(value) == unicodedata.normalize("NFC", value)


@given(st.one_of(TRICKY, st.text(min_size=1)), st.integers(0, 40))
def test_where_a_long_text_is_cut_nothing_is_lost(value: str, before: int) -> None:
    long = "e" * (PIECE_CHARS - before) + value + "e" * PIECE_CHARS + value
    assert nfc(long) == unicodedata.normalize("NFC", long)


def test_it_is_cut_where_nothing_composes() -> None:
    every = [char for char in map(chr, range(sys.maxunicode + 1)) if not "\ud800" <= char <= "\udfff"]
    parts = {char: unicodedata.normalize("NFD", char) for char in every}
    composed = {text for char, text in parts.items() if unicodedata.normalize("NFC", text) == char}
    joined = {text[-1] for text in composed if len(text) > 1}
    first = {parts[char][0] for char in every if is_apart(char)}
    assert first.isdisjoint(joined)
    assert not any(map(unicodedata.combining, first))


@pytest.mark.parametrize("unit", ["\u0301\u0323", "\u0f73", "a\u0344\u0323"])
def test_marks_reach_the_normaliser_in_order(unit: str) -> None:
    # CPython alone needs a quarter of an hour for this: a quadratic step shows without a clock.
    value = unit * (500_000 // len(unit))
    assert unicodedata.is_normalized("NFC", nfc(value))


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("one\r\ntwo\n\n\tthree", "one\ntwo\n\n\tthree"),
        (" \n\n  indented \n", "  indented"),
        ("be\x07ll\x1b[31m\x7f\x9b", "bell[31m"),
        ("a\u202eevil\u202c \u2066b\u2069", "aevil b"),
        ("zero\u200bwidth\u2060\ufeff so\u00adft", "zerowidth soft"),
        ("cafe\u0301", "caf\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("a\U000e0041\U000e0042b\U000e007f", "ab"),
        ("a\u200d b \u200cc", "a b c"),
        ("a\u200d\u200db م\u200c\u200cی ര്\u200d\u200cമ", "a\u200db م\u200cی ര്\u200dമ"),
    ],
)
def test_what_nobody_sees_is_removed(raw: str, kept: str) -> None:
    assert normalise_text(raw) == kept


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
        "\U0001f469\U0001f3fd\u200d\U0001f4bb coder",
        "\U0001f3f3\ufe0f\u200d\U0001f308 flag, \u2764\ufe0f\u200d\U0001f525 heart",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f England",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Scotland",
        "می\u200cخواهم",
        "क्\u200dष and क्\u200cष",
        "ශ්\u200dරී ලංකා",
        "שלום\u200f (abc)",
        "1\ufe0f\u20e3 葛\U000e0100",
        "x\u0336y\u0336",
    ],
)
def test_what_writing_needs_stays_intact(text: str) -> None:
    assert normalise_text(text) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "\U0001f3f4" + "\U000e0061" * 40 + "\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062",
        "\U0001f3f4\u200d\U000e0067\U000e0062\U000e0065\U000e007f",
    ],
)
def test_tags_that_make_no_flag_are_removed(hidden: str) -> None:
    assert normalise_text(hidden) == "\U0001f3f4"


ENDS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_a_line_is_one_character(end: str) -> None:
    assert normalise_text(f"one{end}two{end}{end}three") == "one\ntwo\n\nthree"


@pytest.mark.parametrize("raw", ["An\tn", "An\nn", *(f"An{end}n" for end in ENDS)])
def test_a_line_has_no_breaks(raw: str) -> None:
    assert normalise_line(raw) == "An n"


@pytest.mark.parametrize(
    "value",
    [
        *("", " \n\t", "\u00a0\u3000", "\u3164\u115f\u1160\uffa0", "\u2800", "\u034f\u17b4\u17b5"),
        *("\ufe0f\u200d\u200e", "\U000e0041\U000e0100", "\u180e", "\ufffc"),
    ],
)
def test_blanks_are_not_visible(value: str) -> None:
    assert not has_visible(value)
    assert not has_visible(normalise_text(value))


@pytest.mark.parametrize("value", ["a", ".", "a\u0301", "\u3164x", "\U0001f600", "क्"])
def test_anything_with_a_glyph_is_visible(value: str) -> None:
    assert has_visible(value)
    assert has_visible(normalise_text(value))

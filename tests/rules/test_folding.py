"""The form in which texts are searched: what is the same in it, and what stays apart."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.comments.search import MAX_CHARS, make_search
from service.text.folding import fold

ROW = 4096


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("ÄRGER", "ärger"),
        ("Ärger", "arger"),
        ("A\u0308rger", "ärger"),
        ("Straße", "STRASSE"),
        ("ὈΔΥΣΣΕΎΣ", "οδυσσευς"),
        ("Ёлка, Київ", "елка, киів"),
        ("İSTANBUL", "istanbul"),
        ("Isparta", "ısparta"),
        ("Cœur, Æsop", "coeur, aesop"),
        ("أحمد الآن", "احمد الان"),
        ("don’t – “never”", 'don\'t - "never"'),
        ("don´t, l\u1ffdété", "don't, l'ete"),
        ("ŉ Man", "'n man"),
        ("Łódź, Đà Nẵng, smørrebrød", "lodz, da nang, smorrebrod"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("ﬁne ㎏ ①", "fine kg 1"),
        ("한국어".encode().decode(), "\u1112\u1161\u11ab국어"),
        ("مُحَمَّد ــ", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("می\u200cروم", "میروم"),
        ("one\n\n  two\u00a0three ", "one two three"),
    ],
)
def test_these_are_found_by_those(written: str, sought: str) -> None:
    assert fold(written) == fold(sought)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Voiced and voiceless kana are other letters, and so are the signs of vowels.
        ("か", "が"),
        ("はん", "ばん"),
        ("कि", "का"),
        ("กิน", "กน"),
        ("하", "한"),
        ("中文", "中国"),
        ("👍", "👎"),
    ],
)
def test_these_stay_apart(one: str, other: str) -> None:
    assert fold(one) not in fold(other)
    assert fold(other) not in fold(one)


@given(st.text())
def test_a_text_is_found_by_itself_in_any_case(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(text.upper()) == fold(text.lower().upper())


def test_every_character_is_found_by_what_it_is_folded_to() -> None:
    chars = [chr(code) for code in range(sys.maxunicode + 1)]
    for start in range(0, len(chars), ROW):
        # All of a row at once, which takes a part of the time; the letters keep each apart from the next.
        once = fold("b a".join(chars[start : start + ROW]))
        assert fold(once) == once, hex(start)


@pytest.mark.parametrize("char", ["\u0301", "\u0316\u0301", "\ufdfa", "\u3316", "\u0f73\u0f71"])
def test_no_text_takes_long_or_much(char: str) -> None:
    assert len(make_search("Dave", None, "a" + char * 30_000, "")) <= MAX_CHARS


def test_what_a_comment_is_found_by_has_a_line_for_each_part() -> None:
    html = '<p><a href="https://www.Shop.example:8080/a?b">x</a> <a href="http://shop.example"></a></p>'
    made = make_search("Ann É", "https://xn--bcher-kva.example/x", "One\nTwo", html)
    assert made.split("\n") == [
        "ann e",
        "xn--bcher-kva.example",
        "bucher.example",
        "www.shop.example",
        "shop.example",
        "one two",
    ]

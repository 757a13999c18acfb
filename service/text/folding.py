"""The form in which texts are searched: without regard to case, accents and width, on either database."""

import re
from unicodedata import normalize

from service.text.nfc import is_apart, nfc

# The accents of Latin, Greek and Cyrillic. Marks of other scripts lie elsewhere, and are mostly letters or
# parts of such: the vowel signs of Indic scripts, the voicing of kana.
_ACCENTS = "\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# What who writes Hebrew or Arabic may leave out: points, the hamza on a letter, the stroke that makes a word
# longer.
_POINTS = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u0655\u0670"
# Joiners and selectors of a glyph, which nobody sees.
_UNSEEN = "\u00ad\u034f\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff"
_LEFT_OUT = re.compile(f"[{_ACCENTS}{_POINTS}{_UNSEEN}]")
# What comes apart by no normalisation: letters with a stroke, without a dot or of two; and what phones make
# of a keyboard's quotation marks and dash.
_PLAIN = str.maketrans(
    {
        "\u00e6": "ae",
        "\u0153": "oe",
        **dict(zip("\u00f8\u0142\u0111\u0127\u0167\u0131", "oldhti", strict=True)),
        # The accent alone is an apostrophe to who types it.
        **dict.fromkeys("\u00b4\u2018\u2019\u201b\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
# One ligature is a sentence of eighteen characters; what is so much more than itself stays itself.
_MAX_UNFOLDED = 4


def fold(text: str) -> str:
    """Give a text, or what is looked for in one, as the two are compared.

    Of a run of blanks one is left, and none at the ends.
    """
    if not text.isascii():
        text = text.translate({ord(char): _fold_char(char) for char in {*text}})
        # What is left of marks may belong to the letter before, as the voicing of narrow kana does.
        text = text if all(map(is_apart, {*text})) else nfc(text)
    return " ".join(text.lower().split())


def _fold_char(char: str) -> str:
    """Fold one character: in a whole text, a long run of marks would take normalisation seconds."""
    # Both before and after, since an accent alone would come apart into a blank and a mark.
    whole = normalize("NFC", char).translate(_PLAIN)
    # Twice, since what is folded may come apart once more (Unicode, section 3.13, D146).
    apart = normalize("NFKD", normalize("NFKD", whole).casefold())
    folded = normalize("NFC", _LEFT_OUT.sub("", apart).translate(_PLAIN))
    return folded if len(folded) <= _MAX_UNFOLDED else char

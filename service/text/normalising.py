"""What is done to every text from outside before its length is taken.

The same two functions serve submission, edits by author and moderator, and import, so that what is
stored has one form whatever way it came.
"""

import re
from unicodedata import category

from service.text.nfc import nfc

# Code points that nobody can see: formats, variation selectors, fillers and blanks (Unicode's
# Default_Ignorable_Code_Point, the other format characters without a glyph, BRAILLE PATTERN BLANK).
UNSEEN = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IS_UNSEEN = re.compile(f"[{UNSEEN}]")


def _find_combining() -> str:
    """Give the ranges of the marks that combine: alone nobody sees them. Beyond are selectors only."""
    ranges: list[list[str]] = []
    for char in map(chr, range(0x300, 0x1F000)):
        if category(char)[0] != "M":
            continue
        if ranges and ord(char) == ord(ranges[-1][1]) + 1:
            ranges[-1][1] = char
        else:
            ranges.append([char, char])
    return "".join(f"{first}-{last}" for first, last in ranges)


COMBINING = _find_combining()
VISIBLE = rf"[^\s{UNSEEN}{COMBINING}]"
_VISIBLE = re.compile(VISIBLE)

# Controls but tab and LF; explicit embeddings, overrides and isolates; zero width space, word
# joiner, byte order mark and soft hyphen.
_REMOVED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")

# A flag of a region is a black flag, 3 to 7 tags (CLDR's unicode_subdivision_id) and a cancel tag
# (UTS #51, ED-14a). The bound keeps hidden messages out and the search linear.
_TAGS = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f)|[\U000e0000-\U000e007f]"
)

# A joiner joins what is seen on both sides, and more of them in a row join no more. On its left, a
# variation selector or the end of a flag belongs to the visible character before it.
_MORE_JOINERS = re.compile("(?<=[\u200c\u200d])[\u200c\u200d]+")
_LONE_JOINERS = re.compile(
    rf"(?<![^\s{UNSEEN}])(?<![^\s{UNSEEN}][\ufe00-\ufe0f])(?<!\U000e007f)[\u200c\u200d]"
    rf"|[\u200c\u200d](?![^\s{UNSEEN}])"
)

_EMPTY_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
# What people see as the end of a line, whatever system it comes from.
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+")


def normalise_text(value: str) -> str:
    """Give a text of several lines the form in which it is measured, compared and stored.

    It loses empty lines at its start and blanks at its end; the indent of its first line stays.
    """
    return _EMPTY_LINES.sub("", _normalise(value)).rstrip()


def normalise_remark(value: str) -> str:
    """Give a text of several lines its stored form where an indent means nothing, as in a note."""
    return normalise_text(value).lstrip()


def normalise_line(value: str) -> str:
    """Give a text of one line its stored form; tabs and line breaks become a space."""
    return _normalise(_BREAKS.sub(" ", value)).strip()


def _normalise(value: str) -> str:
    # A removal may let its neighbours compose, and never the reverse: so NFC comes after it.
    return nfc(_remove_unseen(_LINE_ENDS.sub("\n", value)))


def has_visible(value: str, start: int = 0, end: int | None = None) -> bool:
    """Tell whether a reader would see anything of a text; marks that combine with nothing do not count."""
    return _VISIBLE.search(value, start, len(value) if end is None else end) is not None


def has_unseen(value: str) -> bool:
    """Tell whether a text holds a character that nobody can see, blanks aside."""
    return _IS_UNSEEN.search(value) is not None


def _remove_unseen(value: str) -> str:
    if value.isascii():
        # There are no tags and no joiners in it.
        return _REMOVED.sub("", value)
    kept = _TAGS.sub(lambda found: found[1] or "", _REMOVED.sub("", value))
    return _LONE_JOINERS.sub("", _MORE_JOINERS.sub("", kept))

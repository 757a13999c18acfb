"""The law of the markup: nothing disappears but marks that took effect and addresses behind labels."""

import re
from html import unescape

# A run of marks, and the address behind a label with its brackets.
_MARKS = re.compile(r"\]\(https?://\S+|[*_`>\[\]<()-]|[0-9]+\.", re.IGNORECASE)


def read_visible(html: str) -> str:
    """Give what a reader sees, the numbers that lists are shown with left out."""
    return unescape(re.sub("<[^>]*>", "", html))


def squash(text: str) -> str:
    """Leave out the blanks."""
    return "".join(text.split())


def loses_nothing(text: str, html: str) -> bool:
    """Tell whether what is seen is the text, with nothing left out but marks; each link has its address."""
    return "<a rel=" not in html and not find_lost(squash(text), squash(read_visible(html)))


def find_lost(typed: str, seen: str) -> str:
    """Give what was typed and is not seen, but for marks; and whatever is seen that was not typed."""
    at, lost = 0, []
    for char in seen:
        place = typed.find(char, at)
        if place < 0:
            return f"not typed: {char!r}"
        lost.append(typed[at:place])
        at = place + 1
    lost.append(typed[at:])
    return "".join(_MARKS.sub("", piece) for piece in lost)

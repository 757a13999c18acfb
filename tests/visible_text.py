"""The law of the markup: nothing disappears but marks that took effect and addresses behind labels."""

import re
from collections import Counter
from html import unescape

_MARKS = frozenset("*_`<>-")
# Lists show their numbers, which are not in the text.
_NUMBERS = frozenset("0123456789.")
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


def read_visible(html: str) -> str:
    """Give what a reader sees, the numbers that lists are shown with left out."""
    return unescape(re.sub("<[^>]*>", "", html))


def squash(text: str) -> str:
    """Leave out the blanks."""
    return "".join(text.split())


def loses_nothing(text: str, html: str) -> bool:
    """Tell whether what is seen is the text, with nothing left out but marks; each link has its address.

    With each address put back behind its label all that is seen stands in the text, in its order, and what
    is left of the text are marks.
    """
    typed = squash(text)

    def put_address_back(link: re.Match[str]) -> str:
        address, label = link[1], link[2]
        shown, whole = re.sub("<[^>]*>", "", label), f"[{label}]({address})"
        is_bare = address in (shown, f"https://{shown}")
        # A label may be its own address.
        return shown if is_bare and squash(unescape(whole)) not in typed else whole

    seen = squash(read_visible(_LINK.sub(put_address_back, html)))
    rest = iter(typed)
    # Each search goes on where the one before ended.
    is_in_order = all(char in rest for char in seen)
    left = Counter(typed) - Counter(seen)
    marks = _MARKS | _NUMBERS if "<ol" in html else _MARKS
    return "<a rel=" not in html and is_in_order and left.keys() <= marks

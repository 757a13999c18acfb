"""Whether the label of a link lies about where that leads."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from html import unescape
from unicodedata import category, normalize
from urllib.parse import unquote

from service.text.borders import HANGUL, LIKE_ASCII, WITHOUT_BLANKS
from service.text.links import PARTING, decode_host, parse_host
from service.text.nfc import nfc
from service.text.normalising import COMBINING, UNSEEN

_NOT_READ = re.compile(rf"[{UNSEEN}]")
_NOT_READ_ALONE = re.compile(rf"[{UNSEEN}{COMBINING}]")
# Stops that look like dots or are taken for them in hosts (UTS #39); blanks so thin that nobody sees them.
_THIN = "\u2006\u2008\u2009\u200a\u202f\u205f"
_STOPS = "。｡︒ꓸ\u0701\u0702\u06d4\ua60e\U00010a50\U0001d16d"
_ALIKE = str.maketrans(_STOPS + _THIN, "." * len(_STOPS) + "\u2060" * len(_THIN))
# So does an Arabic zero, where it is among letters.
_ZERO = re.compile(r"(?<=[^\W\d_])[\u0660\u06f0](?=[^\W\d_])")
# A word as readers see it: what may stand in an address, up to where another script begins without a blank.
_SCRIPTS = rf"{WITHOUT_BLANKS}{HANGUL}"
_CHAR = rf"(?:[^\s{PARTING}]|[{_THIN}]|(?<=[A-Za-z0-9])[。．｡](?=[A-Za-z0-9]))"
_LATIN_ENDS = rf"(?<=[A-Za-z0-9])(?=\w)(?![{LIKE_ASCII}])[{_SCRIPTS}]"
_LATIN_BEGINS = rf"(?<=[{_SCRIPTS}])(?<=\w)(?<![{LIKE_ASCII}])[A-Za-z0-9]"
_VISIBLE_WORD = re.compile(rf"(?:{_CHAR}(?!{_LATIN_ENDS}|{_LATIN_BEGINS}))*{_CHAR}")
_PART = re.compile(r'<a href="([^"]*)">|<(/a)>|<[^>]*>|([^<]+)')
_EDGES = "()[]{}\"'“”‘’«».,;:!?…"
_WORD = re.compile(r"(?:https?://)?([^/?#:]+)(?::[0-9]+)?(?:[/?#].*)?")
# Endings of files that no domain has.
_FILES = r"js|pdf|html?|jpe?g|png|gif|txt|css|json|xml|php|docx?"
_READS_AS_ADDRESS = re.compile(
    rf"https?[:∶ː꞉]\S|[:∶ː꞉][/\\⁄∕⧸╱]{{2}}|\blocalhost\b|(?<![\w.])[0-9]+(?:\.[0-9]+){{3}}(?![\w.])"
    rf"|[^\s.]\.(?!(?:{_FILES})(?![^\W_]))(?:xn--|[^\W\d_]{{2,}}(?![^\W_]))"
)


def is_honest(label: str, host: str | None) -> bool:
    """Tell whether a label names no other host, with or without `www.`, than one that it leads to.

    Whatever could be read as an address counts, were it "Mr.Smith" or "main.py": a label that is refused is
    shown with its address, and that harms nobody.
    """
    own = host.removeprefix("www.") if host else ""
    names = {own, decode_host(own)} if own else set[str]()
    # The number of a note behind a name is no part of it to who reads "bank.com¹", as it is once folded.
    parted = "".join(" " if not char.isascii() and category(char) in {"Nd", "No"} else char for char in label)
    return not any(_reads_as_address(text, names) for text in {label, parted})


def _reads_as_address(label: str, names: set[str]) -> bool:
    """Tell whether anything in a label could be an address but what is one of the names of a host."""
    words = _NOT_READ.sub("", _fold(label)).split()
    others = unquote(" ".join(word for word in words if not _names(word, names)))
    return _READS_AS_ADDRESS.search(_fold(_NOT_READ_ALONE.sub("", others))) is not None


def find_lies(html: str, labelled: set[int]) -> set[int]:
    """Find the labelled links of a paragraph, by their numbers, that lie together with what touches them.

    Of what a reader takes for one word, parts may stand in several labels and beside them.
    """
    lies: set[int] = set()
    for word, numbers, hosts in _find_words(html):
        # What leads to several hosts names none of them.
        host = hosts.pop() if len(hosts) == 1 else None
        if numbers & labelled and not is_honest(word, host):
            lies |= numbers & labelled
    return lies


def _find_words(html: str) -> Iterator[tuple[str, set[int], set[str | None]]]:
    """Give each word that is partly in a link, with the numbers of its links and where they lead."""
    parts, links, address = [""], list[tuple[int, int, str | None]](), ""
    length = start = 0
    for href, is_end, text in _PART.findall(html):
        if href:
            address, start = unescape(href), length
        elif is_end:
            links.append((start, length, parse_host(address)))
            address = ""
        # Stops in labels may be dots of addresses, stops beside them end sentences.
        parts.append(unescape(text).translate(_ALIKE) if address else unescape(text))
        length += len(parts[-1])
    starts, ends = [one[0] for one in links], [one[1] for one in links]
    for word in _VISIBLE_WORD.finditer("".join(parts)):
        first, last = bisect_right(ends, word.start()), bisect_left(starts, word.end())
        # What is in one label is judged with that.
        if first < last and not (starts[first] <= word.start() and word.end() <= ends[first]):
            # Marks of several parts may be out of order.
            yield nfc(word[0]), {*range(first, last)}, {one[2] for one in links[first:last]}


def _fold(text: str) -> str:
    return normalize("NFKC", _ZERO.sub(".", text.translate(_ALIKE))).lower()


def _names(word: str, hosts: set[str]) -> bool:
    found = _WORD.fullmatch(word.strip(_EDGES))
    return found is not None and found[1].removeprefix("www.") in hosts

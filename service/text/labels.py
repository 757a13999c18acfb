"""Whether the label of a link lies about where that leads."""

import re
from unicodedata import normalize
from urllib.parse import unquote

from service.text.links import decode_host
from service.text.normalising import COMBINING, UNSEEN

_NOT_READ = re.compile(rf"[{UNSEEN}]")
_NOT_READ_ALONE = re.compile(rf"[{UNSEEN}{COMBINING}]")
# Stops that look like dots or are taken for them in hosts; blanks so thin that nobody sees them.
_ALIKE = str.maketrans("。｡︒ꓸ\u2006\u2008\u2009\u200a\u202f\u205f", "...." + "\u2060" * 6)
_EDGES = "()[]{}\"'“”‘’«».,;:!?…"
_WORD = re.compile(r"(?:https?://)?([^/?#:]+)(?::[0-9]+)?(?:[/?#].*)?")
# Endings of files that no domain has.
_FILES = r"js|pdf|html?|jpe?g|png|gif|txt|css|json|xml|php|docx?"
_READS_AS_ADDRESS = re.compile(
    rf"https?[:∶ː꞉]\S|[:∶ː꞉][/\\⁄∕⧸╱]{{2}}|\blocalhost\b|(?<![\w.])[0-9]+(?:\.[0-9]+){{3}}(?![\w.])"
    rf"|[^\s.]\.(?!(?:{_FILES})(?![^\W_]))(?:xn--|[^\W\d_]{{2,}}(?![^\W_]))"
)


def is_honest(label: str, host: str) -> bool:
    """Tell whether a label names no other host, with or without `www.`, than the one that it leads to.

    Whatever could be read as an address counts, were it "Mr.Smith" or "main.py": a label that is refused is
    shown with its address, and that harms nobody.
    """
    own = host.removeprefix("www.")
    names = {own, decode_host(own)}
    words = _NOT_READ.sub("", _fold(label)).split()
    others = unquote(" ".join(word for word in words if not _names(word, names)))
    return _READS_AS_ADDRESS.search(_fold(_NOT_READ_ALONE.sub("", others))) is None


def _fold(text: str) -> str:
    return normalize("NFKC", text.translate(_ALIKE)).lower()


def _names(word: str, hosts: set[str]) -> bool:
    found = _WORD.fullmatch(word.strip(_EDGES))
    return found is not None and found[1].removeprefix("www.") in hosts

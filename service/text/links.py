"""Addresses in a text: where a bare one ends, what one may be, and whether a label lies about it."""

import re
from unicodedata import category, name, normalize

from service.text.normalising import has_unseen

# A longer address is none; it keeps the time linear.
MAX_CHARS = 2_000
_MAX_PORT = 65_535
_SCHEME = re.compile(r"https?://|www\.", re.IGNORECASE)
# The characters of ASCII that may stand in a host and behind it (RFC 3986); of others all letters and digits.
_HOST = re.compile(r"[A-Za-z0-9.-]*")
_PATH = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*")
_LABEL = re.compile(r"[^\W_]([^_]*[^\W_])?|[^\x00-\x7f]+")
_PORT = re.compile(r":([0-9]+)")
# What stands before a path: a name of at most 253 characters, and perhaps a user's name and password.
_AUTHORITY = re.compile(r"""[^\s/?#<>"]{0,512}""")
_BRACKETS = re.compile(r"[()\[\]]")
_OPENING = {")": "(", "]": "["}
# At its end they belong to the sentence, or are marks around the address.
_CLOSING = ".,;:!?'*_~"
_DOMAIN = re.compile(r"(?:(?:[a-z][a-z0-9+.-]*:)?/+)?([^\s/?#:@]+\.[^\W\d_]{2,})(?:[/?#:]\S*)?")


def find_end(text: str, start: int) -> int | None:
    """Give where the bare address ends that begins with its scheme or `www.`; None where there is none."""
    before = text[start - 1] if start else " "
    is_bare = text[start] in "Ww"
    if before.isascii() and (before.isalnum() or (is_bare and before in "._-@/")):
        return None
    end = _find_host_end(text, start if is_bare else text.index("//", start) + 2)
    if end is None or (is_bare and text.count(".", start, end) < 2):
        return None
    if text[end : end + 1] in {"/", "?", "#"}:
        end = _trim(text, end, _scan(text, end, _PATH, start + MAX_CHARS))
    return end if end - start < MAX_CHARS else None


def parse_host(address: str) -> str | None:
    """Give the host of what is an address from its first character to its last; None for anything else."""
    found = _SCHEME.match(address)
    if (
        found is None
        or len(address) > MAX_CHARS
        or has_unseen(address)
        or re.search(r'[\s<>"]', address)
    ):
        return None
    start = 0 if found[0][0] in "Ww" else found.end()
    end = _find_host_end(address, start)
    if end is None or address[end : end + 1] not in {"", "/", "?", "#"}:
        return None
    return _PORT.sub("", address[start:end]).lower()


def is_honest(label: str, host: str) -> bool:
    """Tell whether every address that a label reads as is at a host, with or without `www.`."""
    plain = normalize("NFKC", label).strip().lower()
    as_domain = _DOMAIN.fullmatch(plain)
    named = [as_domain[1]] if as_domain else []
    for found in _SCHEME.finditer(plain):
        end = find_end(plain, found.start())
        named.append((end and parse_host(plain[found.start() : end])) or "")
    return all(one.removeprefix("www.") == host.removeprefix("www.") for one in named)


def _find_host_end(text: str, start: int) -> int | None:
    """Give where host and port end; None where there is no host, or a user's name before it."""
    authority = _AUTHORITY.match(text, start)
    if authority is None or "@" in authority[0]:
        return None
    end = _scan(text, start, _HOST, authority.end())
    host = text[start:end].rstrip(".-")
    if not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return None
    port = _PORT.match(text, end)
    if port is None or len(host) < end - start:
        return start + len(host)
    return port.end() if len(port[1]) <= 5 and int(port[1]) <= _MAX_PORT else None


def _scan(text: str, at: int, ascii_run: re.Pattern[str], most: int) -> int:
    """Give where the characters of an address end."""
    most = min(most, len(text))
    while True:
        run = ascii_run.match(text, at, most)
        at = run.end() if run else at
        if at >= most or text[at].isascii() or not _goes_on(text[at - 1], text[at]):
            return at
        at += 1


def _goes_on(before: str, char: str) -> bool:
    """Tell whether a character outside ASCII belongs to the address before it."""
    if category(char)[0] not in "LMN" or has_unseen(char):
        return False
    is_border = before.isascii() and before.isalpha() and char.isalpha()
    return not is_border or name(char, "").startswith("LATIN")


def _trim(text: str, start: int, end: int) -> int:
    """Leave out brackets without a counterpart in the address, and punctuation at its end."""
    opened: list[int] = []
    for found in _BRACKETS.finditer(text, start, end):
        if found[0] in "([":
            opened.append(found.start())
        elif opened and text[opened[-1]] == _OPENING[found[0]]:
            opened.pop()
        else:
            end = found.start()
            break
    end = min([end, *opened[:1]])
    return start + len(text[start:end].rstrip(_CLOSING))

"""Addresses in a text: where a bare one ends, and what one may be."""

import re

import idna
import nh3

from service.text.borders import AFTER, HANGUL, LIKE_ASCII, OPENING, WITHOUT_BLANKS
from service.text.hosts import MAX_HOST_CHARS, MAX_PORT
from service.text.normalising import COMBINING, UNSEEN, has_unseen

# A longer address is none; it keeps the time linear.
MAX_CHARS = 2_000
# What stands before a path: a name of at most 253 characters, and perhaps a user's name and password.
_MAX_AUTHORITY = 320
_SCHEME = re.compile(r"https?://|www\.", re.IGNORECASE)

_LATIN = "\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff\u2c60-\u2c7f\ua722-\ua7ff"
# Letters, digits and marks beyond ASCII; of them those of other scripts.
_LETTER = rf"(?:(?![{UNSEEN}])[^\W\x00-\x7f]|[{COMBINING}])"
_FOREIGN = rf"[^\W\x00-\x7f{_LATIN}]"

_HIDDEN = rf"(?:(?!\s)[{UNSEEN}])*+"
# Where an address in angle brackets would seem to go on behind them: "<https://bank.co>m/login".
RUNS_ON = (
    rf"(?:[.:?．。｡：？]|(?!\s)[{UNSEEN}])*+"
    rf"(?:[\-/@_%#\\－﹣／＠＿％＃＼{LIKE_ASCII}{COMBINING}]|[^\W{WITHOUT_BLANKS}{HANGUL}])"
)
# What may follow a host, as punctuation: a hyphen could be within the name of another.
PARTING = "".join(map(re.escape, sorted((AFTER | OPENING | {*"*~<>|"}) - {*".:?-\u2010\u2011\u2012"})))
_WIDE = re.sub("[\x00-\x7f]", "", "".join(sorted(AFTER | OPENING)))
_PORT = "(?::[0-9]++)?+"
_LABEL = rf"(?:[_-]*+(?:[0-9A-Za-z]++(?!(?<=[A-Za-z]){_FOREIGN})|{_LETTER}))++"
_DOTTED = r"(?=[\w-]+\.)[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9]))*+"
# Where a reader, or a browser, would take what follows for more of a host: "bank.coⓜ", "bank.co。ｕｋ".
_MORE = rf"[*_]*+[{LIKE_ASCII}]|[。．｡﹣－＿]{_HIDDEN}[A-Za-z0-9{LIKE_ASCII}]"
# Text right behind a host: up to the next blank nothing in it reads as more of a host or as a path.
_TEXT = (
    rf"(?=[{WITHOUT_BLANKS}{HANGUL}\u2190-\u2bff\U0001f000-\U0001faff])"
    rf"(?=[^\s./:?#@%\\{PARTING}]*+[.:?]*+(?:\s|\Z|[{PARTING}]))"
)
_HOST = re.compile(
    rf"(?![^\s/?#<>\"){_WIDE}]*@)(?:({_DOTTED})(?={_PORT}(?!{_MORE}){_TEXT})"
    rf"|(?!-)({_LABEL}(?:\.{_LABEL})*+)"
    rf"(?={_PORT}(?!{_MORE}|[。．｡]\w)(?:[/?#]|[._:-]*+[\u061c\u200e\u200f]*+(?:\s|\Z|[{PARTING}]))))"
    r"(?::([0-9]++))?+"
)
# A letter of another script follows no ASCII one and no digit ("/123и"); among them digits and hyphens go on.
# Behind "_" and "-" it follows where words have blanks between ("Windows_в_России"). Where they have none,
# or particles as in Korean, a sentence goes on ("…Xc_を見て"). What makes a picture of a key is none of it.
_PATH = re.compile(
    rf"(?:[!$%&'()+,\-./:;=?@A-Z\[\]^_a-z{{|}}~]++|[#*0-9](?![\ufe0f\u20e3])|[{_LATIN}{COMBINING}]++"
    rf"|(?<![A-Za-z0-9])(?!(?<=[_-])[{WITHOUT_BLANKS}{HANGUL}])"
    rf"{_LETTER}(?:[0-9_\u200c\u200d-]*+{_LETTER})*+)*+"
)
_BRACKETS = re.compile(r"[()\[\]{}]")
# So many that wait for their counterparts will not find them.
_MAX_OPENED = 16
_OPENING = {")": "(", "]": "[", "}": "{"}
# At its end they belong to the sentence, or are marks around the address.
_CLOSING = ".,;:!?'*~|^"

# It is looked up as it stands: no part of it is encoded, nor is it a number.
_PLAIN_HOST = re.compile(r"(?:(?!xn--)[a-z0-9_-]+\.)*(?!xn--)[a-z][a-z0-9_-]*")
# It reads addresses by the rules that browsers follow (WHATWG URL), and drops what they would refuse.
_BROWSER = nh3.Cleaner(tags={"a"}, attributes={"a": {"href"}}, url_schemes={"http"})


def find_end(text: str, start: int, is_marked: bool) -> int | None:
    """Give where the bare address ends that begins with its scheme or `www.`; None where there is none.

    What ends MAX_CHARS behind its beginning may be longer. Where an underscore has opened before, it has none
    at its end.
    """
    before = text[start - 1] if start else " "
    is_bare = text[start] in "Ww"
    if before.isascii() and (before.isalnum() or (is_bare and before in "._-@/")):
        return None
    found = _find_host(text, start if is_bare else text.index("//", start) + 2)
    if found is None or (is_bare and text.count(".", start, found[1]) < 2):
        return None
    end, most = found[1], start + MAX_CHARS
    if text[end : end + 1] in {"/", "?", "#"}:
        # What stands in quotes of programs ends with them.
        quote = text.find("'", end, most) if before == "'" else -1
        path = _PATH.match(text, end, most if quote < 0 else quote)
        closing = _CLOSING + "_" if is_marked else _CLOSING
        end = _trim(text, end, path.end() if path else end, closing)
    return end


def parse_host(address: str) -> str | None:
    """Give the host of what is an address from its first character to its last; None for anything else.

    It has the form in which it is looked up.
    """
    scheme = _SCHEME.match(address)
    if (
        scheme is None
        or len(address) > MAX_CHARS
        or has_unseen(address.replace("\u200c", "").replace("\u200d", ""))
        or re.search(r'[\s<>"]', address)
    ):
        return None
    found = _find_host(address, 0 if scheme[0][0] in "Ww" else scheme.end())
    is_whole = found and address[found[1] : found[1] + 1] in {"", "/", "?", "#"}
    return found[0] if found and is_whole else None


def decode_host(host: str) -> str:
    """Give a host that is looked up as people write it."""
    return host if _PLAIN_HOST.fullmatch(host) else idna.decode(host)


def _find_host(text: str, start: int) -> tuple[str, int] | None:
    """Give the whole host at a place, and where it ends with its port; None where it might go on."""
    found = _HOST.match(text, start, start + _MAX_AUTHORITY)
    host = _look_up(found[1] or found[2]) if found else None
    if found is None or host is None or int(found[3] or 0) > MAX_PORT:
        return None
    return host, found.end()


def is_looked_up(host: str) -> bool:
    """Tell whether browsers would look up a host, perhaps with a port: that of no address is no number."""
    # Of most nobody has to ask.
    is_plain = len(host) <= MAX_HOST_CHARS and _PLAIN_HOST.fullmatch(host)
    return bool(is_plain) or "href" in _BROWSER.clean(f'<a href="http://{host}">')


def _look_up(host: str) -> str | None:
    """Give a host as browsers look it up; None where they would refuse to."""
    host = host.lower()
    if len(host) > MAX_HOST_CHARS:
        return None
    if _PLAIN_HOST.fullmatch(host):
        return host
    try:
        host = idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return None
    return host if is_looked_up(host) else None


def _trim(text: str, start: int, end: int, closing: str) -> int:
    """Leave out brackets without a counterpart in the address, and punctuation at its end."""
    opened: list[int] = []
    for found in _BRACKETS.finditer(text, start, end):
        if len(opened) > _MAX_OPENED:
            break
        if found[0] in "([{":
            opened.append(found.start())
        elif opened and text[opened[-1]] == _OPENING[found[0]]:
            opened.pop()
        else:
            end = found.start()
            break
    end = min([end, *opened[:1]])
    return start + len(text[start:end].rstrip(closing))

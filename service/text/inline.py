"""Marks within a paragraph: code, links, bold and emphasis; all else is text."""

import re
from bisect import bisect_left
from collections.abc import Container
from html import escape, unescape
from unicodedata import category

from service.text.links import find_end, is_honest, parse_host
from service.text.normalising import has_visible

# The contract's bound on elements within elements.
MAX_NESTING = 16
_TOKEN = re.compile(r"`+|\*+|_+|\[|<(?=https?://)|https?://|www\.", re.IGNORECASE)
_CLUSTER = re.compile(r"[*_]*")
_ANGLE = re.compile(r"<(https?://[^\s<>]+)>", re.IGNORECASE)
_TAGS = {"*": ("em",), "_": ("em",), "**": ("strong",), "***": ("strong", "em")}
# Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Han and kana, and their punctuation.
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
# A place in the text, and the one behind it.
Span = tuple[int, int]


_MARKS = frozenset("*_")
_KINDS: dict[str, set[str]] = {}
# Where punctuation in pairs and dashes lie.
for _char in map(chr, (*range(0x21, 0x3100), *range(0xFD00, 0x10000))):
    _KINDS.setdefault(category(_char), set()).add(_char)
_QUOTES = {*"\"'", *_KINDS["Pi"], *_KINDS["Pf"]}
_OPENING, _CLOSING = _QUOTES | _KINDS["Ps"], _QUOTES | _KINDS["Pe"]
# What may stand outside a mark: before the one that opens, behind the one that closes.
_BEFORE = _OPENING | _KINDS["Pd"]
_SENTENCE_MARKS = {*".,;:!?…。、，．；：！？｡､"}
_AFTER = _CLOSING | _KINDS["Pd"] | _SENTENCE_MARKS
del _KINDS, _char


def render_inline(text: str, depth: int, *, is_label: bool = False) -> str:
    """Render what stands in one paragraph or item, in time linear in its length.

    It has `depth` elements around it. In the label of a link there are no others.
    """
    pieces: list[str] = []
    # Of each mark: its piece, what it is, and whether it may open and close.
    marks: list[tuple[int, str, bool, bool]] = []
    codes = _find_codes(text)
    pairs = {} if is_label or "](" not in text else _pair_brackets(text)
    at = atom_end = 0
    cluster = (0, 0)
    while found := _TOKEN.search(text, at):
        start, run, atom = found.start(), found[0], None
        pieces.append(_show(text[at:start]))
        if start in codes:
            close, end = codes[start]
            atom = f"<code>{_show(text[found.end() : close])}</code>", end
        elif run[0] in _MARKS:
            # Marks that touch are judged by what stands around all of them.
            if start >= cluster[1]:
                cluster = start, _CLUSTER.match(text, start).end()  # type: ignore[union-attr]  # It matches all.
            if run in _TAGS:
                opens, closes = _look_around(text, cluster, is_strong=run == "**")
                opens |= cluster[1] in codes and _touches(text, cluster[0] - 1, _BEFORE)
                closes |= cluster[0] == atom_end and _touches(text, cluster[1], _AFTER)
                marks.append((len(pieces), run, opens, closes))
        elif run[0] != "`" and not is_label:
            atom = _read_link(text, start, pairs, depth)
        html, at = atom or (_show(run), found.end())
        atom_end = at if atom else atom_end
        pieces.append(html)
    pieces.append(_show(text[at:]))
    _set_tags(marks, pieces, depth)
    return "".join(pieces)


def _show(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>\n")


def _find_codes(text: str) -> dict[int, Span]:
    """Find code, by where it opens: the span of the backquotes that close it."""
    codes: dict[int, Span] = {}
    line: list[Span] = []
    for found in re.finditer("`+|\n|$", text) if text.count("`") > 1 else ():
        if found[0].startswith("`"):
            line.append(found.span())
            continue
        closing: dict[int, list[Span]] = {}
        for start, end in line:
            # A single one has no blank inside: what stands between two "` keys" is no code.
            if _touches(text, end, _AFTER | _MARKS) and (end - start > 1 or text[start - 1] > " "):
                closing.setdefault(end - start, []).append((start, end))
        for start, end in line:
            candidates = closing.get(end - start, [])
            place = bisect_left(candidates, (end, 0))
            if place < len(candidates) and _touches(text, start - 1, _BEFORE | _MARKS):
                content = text[end : candidates[place][0]]
                if has_visible(content) and (end - start > 1 or content[0] > " "):
                    codes[start] = candidates[place]
        line = []
    return codes


def _touches(text: str, place: int, borders: Container[str]) -> bool:
    """Tell whether a mark may have what stands at a place outside it: a blank, an end or a border."""
    return not 0 <= place < len(text) or text[place].isspace() or text[place] in borders


def _look_around(text: str, cluster: Span, *, is_strong: bool) -> tuple[bool, bool]:
    """Tell whether a mark of a cluster may open and close, by the characters around it."""
    before, after = text[max(cluster[0] - 1, 0) : cluster[0]], text[cluster[1] : cluster[1] + 1]
    opens = _is_letter(after) or (is_strong and after in _OPENING)
    # What is said loudly ends with its own mark: "*First!*".
    closes = _is_letter(before) or before in _SENTENCE_MARKS or (is_strong and before in _CLOSING)
    is_free_before, is_free_after = (
        is_strong and bool(_WITHOUT_BLANKS.match(char)) for char in (before, after)
    )
    return (
        opens and (is_free_before or _touches(text, cluster[0] - 1, _BEFORE)),
        closes and (is_free_after or _touches(text, cluster[1], _AFTER)),
    )


def _is_letter(char: str) -> bool:
    return char.isalnum() or (char != "" and category(char)[0] == "M")


def _set_tags(marks: list[tuple[int, str, bool, bool]], pieces: list[str], depth: int) -> None:
    """Put tags in place of the marks that pair; those that would nest too deep stay as they are."""
    waiting: dict[str, list[int]] = {run: [] for run in _TAGS}
    closed_by: dict[int, int] = {}
    for number, (_, run, opens, closes) in enumerate(marks):
        if closes and waiting[run]:
            closed_by[opener := waiting[run].pop()] = number
            for others in waiting.values():
                while others and others[-1] > opener:
                    others.pop()
        elif opens:
            waiting[run].append(number)
    ends: list[int] = []
    for number, (piece, run, *_) in enumerate(marks):
        tags = _TAGS[run]
        if ends and ends[-1] == number:
            depth -= len(tags)
            pieces[piece] = "".join(f"</{tag}>" for tag in reversed(tags))
            ends.pop()
        elif number in closed_by and depth + len(tags) <= MAX_NESTING:
            depth += len(tags)
            pieces[piece] = "".join(f"<{tag}>" for tag in tags)
            ends.append(closed_by[number])


def _pair_brackets(text: str) -> dict[int, int]:
    """Find the counterparts of brackets: square ones on one line, round ones without a blank between."""
    pairs: dict[int, int] = {}
    opened: dict[str, list[int]] = {"[": [], "(": []}
    for found in re.finditer(r"[\[\]()\s]", text):
        char, place = found[0], found.start()
        if char in opened:
            opened[char].append(place)
        elif char in "])":
            if waiting := opened["[" if char == "]" else "("]:
                pairs[waiting.pop()] = place
        else:
            opened = {"[": [] if char == "\n" else opened["["], "(": []}
    return pairs


def _read_link(text: str, start: int, pairs: dict[int, int], depth: int) -> tuple[str, int] | None:
    """Give the link that begins at a place, and where it ends."""
    if text[start] == "[":
        return _read_labelled(text, start, pairs, depth)
    if text[start] == "<":
        found = _ANGLE.match(text, start)
        is_link = found and parse_host(found[1])
        return (_link(found[1], _show(found[1])), found.end()) if found and is_link else None
    if end := find_end(text, start):
        address = text[start:end]
        return _link(address if address[0] in "Hh" else f"https://{address}", _show(address)), end
    return None


def _read_labelled(
    text: str, start: int, pairs: dict[int, int], depth: int
) -> tuple[str, int] | None:
    middle = pairs.get(start, len(text)) + 1
    if middle not in pairs or text[middle] != "(" or text[max(start - 1, 0) : start] == "!":
        return None
    label, address = text[start + 1 : middle - 1], text[middle + 1 : pairs[middle]]
    host = parse_host(address) if address[:4].lower() == "http" else None
    if host is None:
        return None
    shown = render_inline(label, depth + 1, is_label=True)
    plain = unescape(re.sub("<[^>]*>", "", shown))
    is_fit = has_visible(plain) and is_honest(plain, host)
    return (_link(address, shown), pairs[middle] + 1) if is_fit else None


def _link(address: str, label: str) -> str:
    return f'<a href="{escape(address)}">{label}</a>'

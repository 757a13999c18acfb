"""Marks within a paragraph: code, links, bold and emphasis; all else is text."""

import re
from collections.abc import Container
from html import escape, unescape
from unicodedata import category

from service.text.borders import AFTER, BEFORE, CLOSING, OPENING, SENTENCE_MARKS, WITHOUT_BLANKS
from service.text.labels import find_lies, is_honest
from service.text.links import MAX_CHARS, RUNS_ON, find_end, parse_host
from service.text.normalising import has_visible

# The contract's bound on elements within elements.
MAX_NESTING = 16
_TOKEN = re.compile(r"`+|\*+|_+|\[|<(?=https?://)|https?://|www\.", re.IGNORECASE)
_ROUNDS = re.compile(r"[()（）\n]")
_CLUSTER = re.compile(r"[*_]*")
_ANGLE = re.compile(rf"<(https?://[^\s<>]+)>(?!{RUNS_ON})", re.IGNORECASE)
# Stars are cheeks in faces such as "(*ω*)": up to three characters between them, not all of ASCII but where
# they are a mouth, or one between two eyes.
_FACE = re.compile(r"[(（]\*(?=[^\s*]{1,3}\*[)）])(?=[^*]{0,2}[^\x00-\x7f]|[oOuUvVwW03]\*|([^\s*])[_.-]\1\*)")
_TAGS = {"*": ("em",), "_": ("em",), "**": ("strong",), "***": ("strong", "em")}
_MARKS = frozenset("*_")
_WITHOUT_BLANKS = re.compile(f"[{WITHOUT_BLANKS}]")
# A place in the text, and the one behind it.
Span = tuple[int, int]
# Round brackets by their counterparts, both ways.
Rounds = dict[int, int]
# A mark: its piece, what it is, where it and what touches it stands, whether it may open and close.
Mark = tuple[int, str, Span, bool, bool]


def render_inline(text: str, depth: int) -> str:
    """Render what stands in one paragraph or item, in time linear in its length.

    It has `depth` elements around it.
    """
    pairs, links = _pair_brackets(text) if "](" in text else {}, list[int]()
    html, _ = _render(text, depth, pairs, links)
    # What is left of a word whose links are text by now is read once more; if it lies too, all of them are.
    for is_last in (False, True):
        labelled = {number for number, place in enumerate(links) if place in pairs}
        if not labelled or not (lies := find_lies(html, labelled)):
            break
        refused = pairs if is_last else {links[number] for number in lies}
        pairs = {place: pairs[place] for place in pairs.keys() - refused}
        links = []
        html, _ = _render(text, depth, pairs, links)
    return html


def _render(text: str, depth: int, pairs: dict[int, int], links: list[int] | None = None) -> tuple[str, int]:
    """Give the HTML and how deep elements nest in it, and add where its links begin.

    In the label of a link, which has no list for them, there are no others.
    """
    pieces: list[str] = []
    marks: list[Mark] = []
    rounds = _pair_rounds(text)
    codes = _find_codes(text, rounds) if depth < MAX_NESTING else {}
    at = atom_end = tallest = 0
    # Whether an underscore waits for one that closes.
    is_waiting = False
    cluster = (0, 0)
    while found := _TOKEN.search(text, at):
        start, run, atom = found.start(), found[0], None
        pieces.append(_show(text[at:start]))
        if start in codes:
            close, end = codes[start]
            atom = f"<code>{_show(text[found.end() : close])}</code>", end, 1
        elif run[0] in _MARKS:
            # Marks that touch are judged by what stands around all of them.
            if start >= cluster[1]:
                cluster = start, _CLUSTER.match(text, start).end()  # type: ignore[union-attr]  # It matches all.
            if run in _TAGS and not (start and _FACE.match(text, start - 1)):
                opens, closes = _look_around(text, cluster, is_strong=run == "**")
                # Code and links are no letters that a mark is judged by: beside one the other side decides.
                opens |= cluster[1] in codes and _touches(text, cluster[0] - 1, BEFORE)
                closes |= cluster[0] == atom_end and _touches(text, cluster[1], AFTER)
                is_waiting = opens or (is_waiting and not closes) if run == "_" else is_waiting
                marks.append((len(pieces), run, cluster, opens, closes))
        elif run[0] != "`" and links is not None and depth < MAX_NESTING:
            atom = _read_link(text, start, pairs, depth, is_waiting)
            if atom and atom[2]:
                links.append(start)
        html, at, height = atom or (_show(run), found.end(), 0)
        atom_end, tallest = (at if atom else atom_end), max(tallest, height)
        pieces.append(html)
    pieces.append(_show(text[at:]))
    # Any mark might stand around the tallest of what is done already.
    height = tallest + _set_tags(marks, pieces, rounds, MAX_NESTING - depth - tallest)
    return "".join(pieces), height


def _show(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>\n")


def _pair_rounds(text: str) -> Rounds:
    """Find the counterparts of round brackets on one line."""
    rounds: Rounds = {}
    opened: list[int] = []
    for found in _ROUNDS.finditer(text) if "(" in text or "（" in text else ():
        place = found.start()
        if found[0] in "(（":
            opened.append(place)
        elif found[0] == "\n":
            opened = []
        elif opened:
            rounds[place] = before = opened.pop()
            rounds[before] = place
    return rounds


def _is_parted(opener: Span, closer: Span, rounds: Rounds) -> bool:
    """Tell whether one of two marks stands right inside of round brackets in which the other is not."""
    end, start = rounds.get(opener[0] - 1, -1), rounds.get(closer[1], -1)
    return opener[0] < end < closer[0] or opener[0] < start < closer[0]


def _find_codes(text: str, rounds: Rounds) -> dict[int, Span]:
    """Find code, by where it opens: the span of the backquotes that close it."""
    codes: dict[int, Span] = {}
    # Those that opened on this line, by their lengths.
    waiting: dict[int, Span] = {}
    for found in re.finditer("`+|\n", text) if text.count("`") > 1 else ():
        if found[0] == "\n":
            waiting = {}
            continue
        start, end = found.span()
        # A single one has no blank inside: what stands between two "` keys" is no code.
        is_single, opener = end - start == 1, waiting.pop(end - start, None)
        opens = _touches(text, start - 1, BEFORE | _MARKS)
        # Nor is one the mouth of a face: "(*´-`*)".
        opens &= not is_single or (text[end : end + 1] > " " and text[end : end + 2] not in {"*)", "*）"})
        closes = _touches(text, end, AFTER | _MARKS) and not (is_single and text[start - 1] <= " ")
        if opener and closes:
            if has_visible(text, opener[1], start) and not _is_parted(opener, (start, end), rounds):
                codes[opener[0]] = start, end
        elif opens:
            waiting[end - start] = opener or (start, end)
    return codes


def _touches(text: str, place: int, borders: Container[str]) -> bool:
    """Tell whether a mark may have what stands at a place outside it: a blank, an end or a border."""
    return not 0 <= place < len(text) or text[place].isspace() or text[place] in borders


def _look_around(text: str, cluster: Span, *, is_strong: bool) -> tuple[bool, bool]:
    """Tell whether a mark of a cluster may open and close, by the characters around it."""
    before, after = text[max(cluster[0] - 1, 0) : cluster[0]], text[cluster[1] : cluster[1] + 1]
    # Alone a mark of a letter is not seen, as the end of a word it is.
    opens = _is_letter(after) or (is_strong and after in OPENING)
    closes = _is_letter(before) or (before != "" and category(before)[0] == "M")
    # What is said loudly ends with its own mark: "*First!*".
    closes |= before in SENTENCE_MARKS or (is_strong and before in CLOSING)
    is_free_before, is_free_after = (
        is_strong and bool(_WITHOUT_BLANKS.match(char)) for char in (before, after)
    )
    return (
        opens and (is_free_before or _touches(text, cluster[0] - 1, BEFORE)),
        closes and (is_free_after or _touches(text, cluster[1], AFTER)),
    )


def _is_letter(char: str) -> bool:
    return char.isalnum() and has_visible(char)


def _set_tags(marks: list[Mark], pieces: list[str], rounds: Rounds, room: int) -> int:
    """Put tags in place of the marks that pair; those that would nest too deep stay as they are.

    Gives how deep they nest.
    """
    waiting: dict[str, list[int]] = {run: [] for run in _TAGS}
    closed_by: dict[int, int] = {}
    for number, (_, run, cluster, opens, closes) in enumerate(marks):
        if closes and waiting[run] and not _is_parted(marks[waiting[run][-1]][2], cluster, rounds):
            closed_by[opener := waiting[run].pop()] = number
            for others in waiting.values():
                while others and others[-1] > opener:
                    others.pop()
        elif opens:
            waiting[run].append(number)
        elif not closes:
            # What can be neither is not stepped over: "**Prev**/**Next**".
            waiting[run].clear()
    ends: list[int] = []
    depth = deepest = 0
    for number, (piece, run, *_) in enumerate(marks):
        tags = _TAGS[run]
        if ends and ends[-1] == number:
            depth -= len(tags)
            pieces[piece] = "".join(f"</{tag}>" for tag in reversed(tags))
            ends.pop()
        elif number in closed_by and depth + len(tags) <= room:
            depth += len(tags)
            deepest = max(deepest, depth)
            pieces[piece] = "".join(f"<{tag}>" for tag in tags)
            ends.append(closed_by[number])
    return deepest


def _pair_brackets(text: str) -> dict[int, int]:
    """Find the counterparts of brackets: square ones on one line, round ones without a blank between."""
    pairs: dict[int, int] = {}
    opened: dict[str, list[int]] = {"[": [], "(": []}
    for found in re.finditer(r"\](?:\(http)?|[\[()\s]", text, re.IGNORECASE):
        char, place = found[0][0], found.start()
        if char in opened:
            opened[char].append(place)
        elif char in "])":
            if waiting := opened["[" if char == "]" else "("]:
                pairs[waiting.pop()] = place
            if len(found[0]) > 1:
                # No link is in the label of another, so none is read twice.
                opened = {"[": [], "(": [*opened["("], place + 1]}
        else:
            opened = {"[": [] if char == "\n" else opened["["], "(": []}
    return pairs


def _read_link(
    text: str, start: int, pairs: dict[int, int], depth: int, is_marked: bool
) -> tuple[str, int, int] | None:
    """Give the link that begins at a place, where it ends, and how deep elements nest in it."""
    if text[start] == "[":
        return _read_labelled(text, start, pairs, depth)
    if text[start] == "<":
        found = _ANGLE.match(text, start)
        is_link = found and parse_host(found[1])
        return (_link(found[1], _show(found[1])), found.end(), 1) if found and is_link else None
    if end := find_end(text, start, is_marked):
        address = text[start:end]
        if len(address) >= MAX_CHARS:
            # Nor is what stands in it looked at, or that would be done again from each place on.
            return _show(address), end, 0
        return (
            _link(address if address[0] in "Hh" else f"https://{address}", _show(address)),
            end,
            1,
        )
    return None


def _read_labelled(text: str, start: int, pairs: dict[int, int], depth: int) -> tuple[str, int, int] | None:
    middle = pairs.get(start, len(text)) + 1
    end = pairs.get(middle)
    # An address that is too long is not even cut out.
    if (
        end is None
        or not text.startswith("(", middle)
        or end - middle > MAX_CHARS + 1
        or text[start - 1 : start] == "!"
    ):
        return None
    address = text[middle + 1 : end]
    host = parse_host(address) if address[:4].lower() == "http" else None
    if host is None:
        return None
    shown, height = _render(text[start + 1 : middle - 1], depth + 1, {})
    plain = unescape(re.sub("<[^>]*>", "", shown))
    is_fit = has_visible(plain) and is_honest(plain, host)
    return (_link(address, shown), end + 1, height + 1) if is_fit else None


def _link(address: str, label: str) -> str:
    return f'<a href="{escape(address)}">{label}</a>'

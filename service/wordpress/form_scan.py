"""What `greenroom site scan-form` says of saved pages: their forms, and what their site needs."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from service.form.fields import FIELDS, HIDDEN, SHOWN
from service.sites.articles import origin_of
from service.wordpress.names import (
    ARTICLE,
    DECOY,
    MAX_TEXT_FIELDS_CHARS,
    TextFields,
    check_text_fields,
)
from service.wordpress.plugin_fields import explain_plugin_field
from service.wordpress.saved_pages import (
    MAX_PAGE_BYTES,
    SavedField,
    SavedForm,
    SavedPage,
    read_page,
    simplify_path,
)

# Longer ones say no more to whoever reads them.
MAX_SHOWN_CHARS = 200
MAX_LINE_CHARS = 1_000
# The labels (Encoding Standard, section 4.2) of what is read right: UTF-8, Windows-1252, and UTF-16, in which
# no form is sent.
_READABLE = frozenset((
    *("utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"),
    *("windows-1252", "cp1252", "x-cp1252", "iso-8859-1", "iso8859-1", "iso88591", "iso_8859-1", "us-ascii"),
    *("iso_8859-1:1987", "iso-ir-100", "csisolatin1", "latin1", "l1", "cp819", "ibm819"),
    *("utf-16", "utf-16be", "utf-16le", "unicode", "csunicode", "unicodefeff", "unicodefffe", "ucs-2"),
    *("iso-10646-ucs-2", "ascii", "ansi_x3.4-1968"),
))  # fmt: skip
_FIELDS = {name: field for field in FIELDS for name in field.names}
# Without these no comment is taken, and without a text neither, which is found in another way.
_WANTED = [field for field in (*SHOWN, *HIDDEN) if field.is_required and not field.is_long]


class Scan(msgspec.Struct, frozen=True):
    """A saved page as it was found; `fault` says why it could not be read."""

    file: Path
    page: SavedPage | None = None
    fault: str = ""

    @property
    def forms(self) -> list[SavedForm]:
        """The comment forms of the page."""
        return [form for form in self.page.forms if form.is_comment_form] if self.page else []


def scan_file(file: Path) -> Scan:
    """Read a saved page; one that is too long or cannot be read has a fault."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_PAGE_BYTES + 1)
    except OSError as error:
        return Scan(file, fault=f"It cannot be read: {error.strerror}.")
    if len(content) > MAX_PAGE_BYTES:
        return Scan(file, fault=f"It has more than {MAX_PAGE_BYTES:,} bytes and was not read.")
    return Scan(file, read_page(content))


def describe_scans(scans: Sequence[Scan]) -> Iterator[str]:
    """Say of each page what was found, and at the end the settings for all, as lines to paste.

    Nothing in it moves a terminal's cursor, whatever the pages hold.
    """
    for scan in scans:
        yield f"{show(str(scan.file))}:"
        yield from (f"  {show(line, MAX_LINE_CHARS)}" for line in _describe_page(scan))
    found = [(scan.page, form) for scan in scans if scan.page for form in scan.forms]
    if found:
        yield "Settings of the site:"
        most = MAX_TEXT_FIELDS_CHARS + MAX_LINE_CHARS
        yield from (f"  {show(line, most)}" for line in _describe_settings(found))


def show(text: str, most_chars: int = MAX_SHOWN_CHARS) -> str:
    """Give a text with whatever does not print escaped, cut where it is too long to be read."""
    cut = text if len(text) <= most_chars else f"{text[:most_chars]}…"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in cut)


def _describe_page(scan: Scan) -> Iterator[str]:
    page = scan.page
    if page is None:
        yield scan.fault
        return
    if not scan.forms:
        yield f"There is no comment form, and {len(page.forms)} other forms."
    if page.has_jetpack:
        yield (
            "! Comments are taken by Jetpack, in a frame of jetpack.wordpress.com: no rule of a web server"
            " leads them here. Put Greenroom's own form in place of the frame."
        )
    for form in scan.forms:
        yield f"A comment form, posted to {show(form.action) or 'where the page stands'}."
        yield from _describe_target(page, form)
        for field in form.fields:
            if field.name:
                yield f"  {show(field.name)}: {_explain(form, field)}"
        yield from (f"! {line}" for line in _warn(page, form))


def _describe_target(page: SavedPage, form: SavedForm) -> Iterator[str]:
    """Say at which server, and for which path, the rule of the proxy has to stand."""
    if page.leads_to_itself(form):
        yield (
            "! It is posted to a page of the site, which a rule there would take away: change the form's"
            ' action to "/wp-comments-post.php".'
        )
        return
    target = page.target_of(form)
    if target is None:
        yield "! Its action is no address, so browsers send it nowhere: correct it."
        return
    named = origin_of(target.geturl())
    if not page.names_server(form):
        where = "the server that the page comes from"
    elif named == origin_of(page.address):
        where = f"the page's own server, {named}"
    else:
        where = f"{named or show(target.netloc)}, which the page does not say is its own"
    path = simplify_path(target.path)
    yield f"The rule for {show(path)} goes to {where}."
    yield f"  In nginx: location = {show(quote_for_nginx(path))} {{ … }}"


def quote_for_nginx(path: str) -> str:
    """Write a path as a word of nginx's configuration.

    It compares paths whose escapes are resolved and whose slashes are merged (`merge_slashes`): no request
    would ever meet a rule for `//wp-comments-post.php`.
    """
    if re.fullmatch(r"[\w/.~%+@:=,-]+", path, re.ASCII):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _explain(form: SavedForm, field: SavedField) -> str:
    name, real = field.name, form.real_text()
    if meaning := explain_plugin_field(name):
        return f"{meaning}; ignored"
    if name == real:
        return "the text" if name == DECOY else "the text, under a name that the site has to know"
    if name == DECOY:
        return "a trap: who fills it is spam" if real else "the text, or a trap"
    known = _FIELDS.get(name)
    is_open = real is None and field in form.text_areas() and not field.is_concealed
    if is_open and (known is None or known.name not in {"article", "parent"}):
        return "the text, or a trap"
    if known is None:
        return "ignored"
    if known.name == "article":
        return f"{known.meaning}, under the key {show(field.value) or '(empty)'}"
    if known.name == "parent":
        answered = show(field.value) if field.value not in {"", *known.wordpress_none} else "none"
        return f"{known.meaning}: {answered}"
    return known.meaning


def _warn(page: SavedPage, form: SavedForm) -> Iterator[str]:
    names = {field.name for field in form.fields}
    values = {field.name: field.value for field in form.fields}
    if form.method != "post":
        yield "The form is not sent by POST, so it cannot work."
    if (sent := page.sends_in(form)) not in _READABLE:
        yield (
            f'The form is sent in {show(sent)}, which is not read right: give it accept-charset="utf-8",'
            " or save the page as UTF-8."
        )
    if (page.address or "").startswith("https:") and form.action.startswith("http:"):
        yield "The page is https and its form is not: browsers warn before they send it."
    if form.real_text() is None:
        yield _tell_doubt(form)
    for wanted in _WANTED:
        if names.isdisjoint(wanted.names):
            yield f"There is no field {wanted.names[-1]}, without which no comment is taken."
    if values.get(ARTICLE) == "":
        yield f"{ARTICLE} is empty, so no comment is taken."


def _tell_doubt(form: SavedForm) -> str:
    """Say what keeps the field of the text from being known, and what to do."""
    names = [show(field.name) for field in form.text_areas()]
    if not names:
        return "No field is for a text: if a script adds one, save the page once it has run."
    return (
        f"Which field has the text is not clear: {', '.join(names)}. Open the page, and see by its source"
        f" which of them people write into: if it is not {DECOY}, name it in form.text_field."
    )


def _describe_settings(found: Sequence[tuple[SavedPage, SavedForm]]) -> Iterator[str]:
    origins = dict.fromkeys(origin_of(page.address) or origin_of(form.action) for page, form in found)
    if known := [origin for origin in origins if origin]:
        yield f"greenroom site set SLUG {shlex.quote('origins=' + ','.join(known))}"
        yield "# The origins that the pages name, in place of those that the site has."
    if None in origins:
        yield "# Not every page tells its address: the site needs the origin that it is served from."
    yield from _describe_text_fields([form for _, form in found])


def _describe_text_fields(forms: Sequence[SavedForm]) -> Iterator[str]:
    texts = list(dict.fromkeys(name for form in forms if (name := form.real_text())))
    setting = "form.text_field=" + ",".join(texts)
    if unclear := sum(form.real_text() is None for form in forms):
        # Nothing to paste: a name that is missing may make spam of what readers of those pages write.
        yield f"# form.text_field is not clear: see above what to do about {unclear} of the forms."
        if not {*texts} <= {DECOY}:
            yield f"# The others need {setting}"
        return
    if {*texts} <= {DECOY}:
        yield "# form.text_field is not needed."
        return
    # `comment` among them says that there are pages without a trap. Quoted, since it goes into a shell.
    yield f"greenroom site set SLUG {shlex.quote(setting)}"
    try:
        msgspec.convert(",".join(texts), TextFields)
        check_text_fields(",".join(texts))
    except ValueError as error:
        yield f"# It will be refused: {error}."

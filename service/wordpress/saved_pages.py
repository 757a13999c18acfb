"""Reading the forms of pages that were saved as HTML, broken ones too, as a browser would see them."""

import codecs
import re
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import msgspec

from service.sites.articles import origin_of
from service.wordpress.names import ARTICLE, DECOY
from service.wordpress.plugin_fields import explain_plugin_field

# Pages with everything inlined have some megabytes.
MAX_PAGE_BYTES = 8 << 20
# Where browsers look for it (HTML, section 13.2.3.2).
_ENCODING = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_ENCODING_BYTES = 1_024
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Those that pages are in, as Python calls them; it knows others, which are no encodings of texts.
_PAGE_ENCODING = re.compile(
    r"cp(125[0-8]|866|874|932|949)|iso8859-\d{1,2}|tis-620|mac-\w+|koi8-[ru]|shift_jis|"
    r"euc_(jp|kr)|gb(2312|k|18030)|big5(hkscs)?|iso2022_jp"
)
# What is neither UTF-8 nor says what it is.
UNNAMED = "an encoding that the page does not name"
_CONCEALED = re.compile(r"display:none|visibility:hidden|clip:|clip-path:|opacity:0(;|$)|:-\d{3,}")
# What such a form posts to is not for comments, whatever it is called.
_SIGN_IN = "wp-login.php"
_JETPACK = re.compile(r"\s*(https?:)?//jetpack\.wordpress\.com/", re.IGNORECASE)
_FIELD_TAGS = frozenset({"input", "textarea", "select", "button"})


class SavedField(msgspec.Struct, frozen=True):
    """A field of a saved form; `is_concealed` says that its page keeps people from seeing it."""

    kind: str
    name: str
    value: str
    is_concealed: bool


class SavedForm(msgspec.Struct):
    """A form of a saved page."""

    id: str
    action: str
    method: str
    fields: list[SavedField]
    charset: str = ""

    @property
    def is_comment_form(self) -> bool:
        """Whether it is WordPress's form of comments, by where it leads, what it is called or holds."""
        place = re.split("[?#]", self.action)[0].strip().rpartition("/")[2]
        if place == _SIGN_IN or _JETPACK.match(self.action):
            return False
        names = {field.name for field in self.fields} - {""}
        is_named = self.id == "commentform" or ARTICLE in names
        # Jetpack leaves the form empty but for a frame.
        return place == "wp-comments-post.php" or (is_named and bool(names))

    def text_areas(self) -> list[SavedField]:
        """Give the large fields that may hold the text of a comment, and a small one that is called so."""
        areas = [field for field in self.fields if field.kind == "textarea" and field.name]
        areas += [field for field in self.fields if (field.kind, field.name) == ("text", DECOY)]
        return [field for field in areas if explain_plugin_field(field.name) is None]

    def real_text(self) -> str | None:
        """Name the field that people write into; None where the page does not tell which it is."""
        areas = {field.name: field for field in self.text_areas()}
        usual = areas.pop(DECOY, None)
        seen = [name for name, field in areas.items() if not field.is_concealed]
        if usual and not usual.is_concealed:
            return None if seen else DECOY
        return seen[0] if len(seen) == 1 else None


class SavedPage(msgspec.Struct, frozen=True):
    """A saved page: its forms, the encoding that it says it has, and its address if it tells that.

    An encoding is named by a label, of which browsers know several for each.
    """

    encoding: str
    address: str | None
    base: str | None
    forms: list[SavedForm]
    has_jetpack: bool = False

    def target_of(self, form: SavedForm) -> SplitResult | None:
        """Give where a form leads to, as far as the page tells where it stands itself; None for nowhere."""
        action, address = form.action.strip(), self.address or ""
        try:
            here = urljoin(address, self.base or "")
            target = urlsplit(urljoin(here, action) if action else address)
        except ValueError:
            return None
        return target if target.scheme in {"", "http", "https"} else None

    def names_server(self, form: SavedForm) -> bool:
        """Tell whether a form names the server that it is posted to, by itself or by the page's base."""
        try:
            return bool(urlsplit(urljoin(self.base or "", form.action.strip())).netloc)
        except ValueError:
            return False

    def leads_to_itself(self, form: SavedForm) -> bool:
        """Tell whether a form is posted to its own page, or to the first page of a site."""
        action, target = form.action.strip(), self.target_of(form)
        if not action or action[0] in "#?":
            return True
        if target is None:
            return False
        own = origin_of(self.address), _path_of(self.address).rstrip("/")
        path = simplify_path(target.path).rstrip("/")
        return not path or (origin_of(target.geturl()), path) == own

    def sends_in(self, form: SavedForm) -> str:
        """Name the encoding that browsers send a form in (HTML, section 4.10.21.5)."""
        named = [one for one in re.split(r"[\s,]+", form.charset.lower()) if one not in {"", "unknown"}]
        return named[0] if named else self.encoding


def _path_of(url: str | None) -> str:
    try:
        return simplify_path(urlsplit(url or "").path)
    except ValueError:
        return "/"


def simplify_path(path: str) -> str:
    """Give a path as web servers compare it: escapes and dot segments resolved, slashes merged."""
    names: list[str] = []
    for name in unquote(path).split("/"):
        if name == "..":
            del names[-1:]
        elif name not in {"", "."}:
            names.append(name)
    end = "/" if names and path.endswith("/") else ""
    return "/" + "/".join(names) + end


def read_page(content: bytes) -> SavedPage:
    """Read a page in whatever encoding and however broken."""
    encoding = _find_encoding(content)
    reader = _PageReader()
    reader.feed(content.decode(_find_codec(encoding), "replace"))
    reader.close()
    reader.place_fields()
    address = reader.canonical or reader.social
    return SavedPage(encoding, address, reader.base, reader.forms, reader.has_jetpack)


def _find_encoding(content: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    found = _ENCODING.search(content[:_ENCODING_BYTES])
    if found:
        return found[1].decode().lower()
    try:
        content.decode()
    except UnicodeDecodeError:
        return UNNAMED
    return "utf-8"


def _find_codec(label: str) -> str:
    """Give Python's name for an encoding; of what it does not know, whatever ASCII there is can be read."""
    if label in _MARKS.values():
        return label
    for name in (label, label.removeprefix("x-")):
        with suppress(LookupError):
            if _PAGE_ENCODING.fullmatch(found := codecs.lookup(name).name):
                return found
    return "utf-8"


class _PageReader(HTMLParser):
    """Gathers the forms, and what a page says of its own address."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[SavedForm] = []
        self.base: str | None = None
        self.canonical: str | None = None
        self.social: str | None = None
        self.has_jetpack = False
        self._open: SavedForm | None = None
        self._is_in_text = False
        self._templates = 0
        self._elsewhere: list[tuple[str, SavedField]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._is_in_text:
            # Within a text area, tags are text.
            return
        given = {name: value or "" for name, value in reversed(attrs)}
        self._is_in_text = tag == "textarea"
        # What is in a template is not in the page.
        self._templates += tag == "template"
        if self._templates:
            return
        if tag == "form":
            self._open_form(given)
        elif tag in _FIELD_TAGS:
            self._add_field(tag, given)
        elif tag == "base" and self.base is None:
            self.base = given.get("href")
        elif tag in {"link", "meta"}:
            self._note_address(given)
        elif tag == "iframe":
            # Its address may wait in another attribute until somebody scrolls there.
            self.has_jetpack |= any(_JETPACK.match(value) for value in given.values())

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._is_in_text = False
        elif tag == "template" and not self._is_in_text:
            self._templates = max(0, self._templates - 1)
        elif tag == "form" and not (self._is_in_text or self._templates):
            self._open = None

    def _open_form(self, given: dict[str, str]) -> None:
        # A form within a form is none (HTML, section 13.2.6.4.7).
        if self._open is None:
            method = given.get("method", "get").strip().lower()
            charset = given.get("accept-charset", "")
            self._open = SavedForm(given.get("id", ""), given.get("action", ""), method, [], charset)
            self.forms.append(self._open)

    def _add_field(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text").strip().lower() if tag == "input" else tag
        name, value = given.get("name", ""), given.get("value", "")
        field = SavedField(kind, name, value, _is_concealed(given))
        if "form" in given:
            self._elsewhere.append((given["form"], field))
        elif self._open is not None:
            self._open.fields.append(field)

    def _note_address(self, given: dict[str, str]) -> None:
        if "canonical" in given.get("rel", "").lower().split():
            self.canonical = self.canonical or given.get("href")
        if given.get("property", "").lower() == "og:url":
            self.social = self.social or given.get("content")

    def place_fields(self) -> None:
        """Give the fields that stand outside of their form to it."""
        by_id = {form.id: form for form in reversed(self.forms)}
        for form_id, field in self._elsewhere:
            if form_id in by_id:
                by_id[form_id].fields.append(field)


def _is_concealed(given: dict[str, str]) -> bool:
    style = re.sub(r"\s", "", given.get("style", "")).lower()
    is_aside = given.get("aria-hidden", "").lower() == "true" or "hidden" in given
    return is_aside or _CONCEALED.search(style) is not None

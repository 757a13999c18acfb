"""Decoding HTML forms: the two encodings that browsers send, in UTF-8 or as pages of another time do."""

import re
from codecs import charmap_decode
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import parse_qsl

import multipart

from service.errors import BodyNotReadable

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORMS = (URLENCODED, MULTIPART)
# A comment form has ten fields; plug-ins add some.
MAX_FORM_FIELDS = 200

Pairs = list[tuple[str, str]]
RawPairs = list[tuple[bytes, bytes]]

# Each of the five bytes that Windows-1252 leaves undefined stands for the control character of its number
# (Encoding Standard, section 9, index windows-1252): reading loses nothing.
_WINDOWS_1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_IN_WINDOWS_1252 = frozenset(_WINDOWS_1252[0x80:0xA0])
_REFERENCE = re.compile(r"&#([0-9]{3,7});")


def decode_form(content_type: str, body: bytes, *, takes_windows_1252: bool = False) -> Pairs:
    """Decode a form; raises BodyNotReadable.

    One of which anything is not UTF-8 is Windows-1252 as a whole, where that is taken: a browser sends all of
    a form in one encoding, that of its page.
    """
    if media_type_of(content_type) == MULTIPART:
        try:
            raw = list(find_parts(content_type, body))
        except multipart.MultipartError:
            raise BodyNotReadable("The form is not well-formed multipart/form-data.") from None
    else:
        raw = read_urlencoded(body)
    try:
        return [(name.decode(), value.decode()) for name, value in raw]
    except UnicodeDecodeError:
        if not takes_windows_1252:
            raise BodyNotReadable("The form is not UTF-8.") from None
    return decode_windows_1252(raw)


def media_type_of(content_type: str) -> str:
    """Give the media type without its parameters, in lower case."""
    return content_type.split(";")[0].strip().lower()


def decode_windows_1252(raw: RawPairs) -> Pairs:
    """Decode the names and values of a form that is in Windows-1252.

    A browser sends what its page's encoding has no byte for as a reference, such as `&#9829;` (Encoding
    Standard, section 4.1, error mode "html"); that is taken back here.
    """
    return [(_decode_windows_1252(name), _decode_windows_1252(value)) for name, value in raw]


def _decode_windows_1252(raw: bytes) -> str:
    # `str.translate` takes fifty times as long, and lets no other thread run meanwhile.
    text, _ = charmap_decode(raw, "strict", _WINDOWS_1252)
    return _REFERENCE.sub(_resolve, text)


def _resolve(reference: re.Match[str]) -> str:
    code = int(reference[1])
    is_character = 0xFF < code < 0xD800 or 0xDFFF < code <= 0x10FFFF
    return chr(code) if is_character and chr(code) not in _IN_WINDOWS_1252 else reference[0]


def read_urlencoded(body: bytes) -> RawPairs:
    """Give the fields of an urlencoded body; raises BodyNotReadable for too many."""
    try:
        # Every byte is a character of Latin-1: what they all are in is seen later.
        pairs = parse_qsl(
            body.decode("latin-1"),
            encoding="latin-1",
            max_num_fields=MAX_FORM_FIELDS,
            keep_blank_values=True,
        )
    except ValueError:
        raise BodyNotReadable(f"The form has more than {MAX_FORM_FIELDS} fields.") from None
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def find_parts(content_type: str, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the fields of a multipart body, one after the other; raises multipart.MultipartError."""
    _, options = multipart.parse_options_header(content_type)
    boundary: str = options.get("boundary", "")
    if not boundary:
        raise BodyNotReadable("The Content-Type names no boundary.")
    parser = multipart.MultipartParser(
        BytesIO(body),
        boundary,
        # Every byte is a character of it, so that none is refused before it is known what all are in.
        charset="latin-1",
        # Nothing of it goes to a disk.
        spool_limit=len(body),
        memory_limit=len(body),
        part_limit=MAX_FORM_FIELDS,
    )
    for part in parser:
        # A file is no field of ours, and unknown fields are ignored.
        if part.filename is None:
            yield part.name.encode("latin-1"), part.raw

"""What may be written in a URL: characters, percent-encoded ones too, and the hosts in it."""

import re
from ipaddress import ip_address
from urllib.parse import unquote_to_bytes

# RFC 1035, section 2.3.4: 255 bytes on the wire, of which the first length and the root are no characters.
MAX_HOST_CHARS = 253
MAX_PORT = 65_535
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
# What nobody's name has, and what belongs to other parts of a URL.
_NO_HOST = re.compile(r"[\s/\\?#@:,%\[\]<>\"'`|^{}]")


def has_controls(text: str) -> bool:
    """Tell whether a text holds a line break or another control character."""
    return _CONTROLS.search(text) is not None


def find_unreadable(url: str) -> str | None:
    """Say what of a URL no program can read, written as it is or behind a percent sign; None for nothing."""
    try:
        text = unquote_to_bytes(url).decode()
    except UnicodeError:
        return "has a % with what is no UTF-8 behind it: a % itself is written %25"
    if has_controls(text):
        return "holds a control character, such as a line break or %00: take it out"
    return None


def is_host(text: str) -> bool:
    """Tell whether a text is an IP address, without brackets, or could be the name of a host."""
    try:
        # An IPv6 address may say by which interface.
        ip_address(text)
    except ValueError:
        return _is_name(text)
    return True


def _is_name(text: str) -> bool:
    if not text or len(text) > MAX_HOST_CHARS or _NO_HOST.search(text):
        return False
    try:
        # What Python does with it before it asks anybody; it refuses parts that are empty or too long.
        text.encode("idna")
    except UnicodeError:
        return False
    return True

"""The free text of entries, which can be erased.

An entry holds a salted hash of its text, so that the chain stays whole without it.
"""

import secrets
from collections.abc import Callable
from hashlib import sha256

from service.modlog.tables import LogEntry, LogText

# Takes a purpose and parts, as `Keyring.mac`, which puts the length of each part before it.
Mac = Callable[..., bytes]
SALT_BYTES = 16
PURPOSE = "log/text"


def salt_text(mac: Mac, entry: LogEntry, text: str) -> LogText:
    """Hash free text for its entry under a salt of its own: once that is erased, nothing can be guessed."""
    salt = secrets.token_bytes(SALT_BYTES)
    entry.text_hash = mac(PURPOSE, salt, text.encode())
    return LogText(entry_id=entry.id, salt=salt, text=text)


def is_text_of(mac: Mac, note: LogText, text_hash: bytes | None) -> bool:
    """Tell whether a text is the one that was hashed.

    Entries of 0.x hold a plain SHA-256 of both, in which only the length of the salt says where the text
    begins.
    """
    if len(note.salt) != SALT_BYTES:
        return False
    text = note.text.encode()
    return text_hash in (mac(PURPOSE, note.salt, text), sha256(note.salt + text).digest())

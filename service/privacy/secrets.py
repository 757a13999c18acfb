"""The secret key of an installation: where it lies, how it is made, and what it wraps."""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.environment import SettingsInvalid
from service.settings import Settings, read_secrets

KEY_BYTES = 32
# NIST SP 800-38D, section 8.2.2: a random nonce of 96 bits.
NONCE_BYTES = 12
# Of a file that holds one or two keys; longer is some other file.
MAX_FILE_CHARS = 10_000
_NAME_ANOTHER = "Name its file in GREENROOM_SECRET_KEY_FILE"


class SecretKeyWrong(SettingsInvalid):
    """The secret key does not open this database."""


def derive_key(root: bytes, purpose: str) -> bytes:
    """Derive an independent 32-byte key for one purpose (HKDF-SHA-256, RFC 5869)."""
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"greenroom/" + purpose.encode())
    return hkdf.derive(root)


class SecretKey:
    """One or two secrets, the newest first; the newest wraps, each may unwrap."""

    def __init__(self, secrets_: list[str]) -> None:
        self._wrappers = [AESGCM(derive_key(text.encode(), "wrap")) for text in secrets_]

    def wrap(self, key: bytes, key_id: UUID) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._wrappers[0].encrypt(nonce, key, key_id.bytes)

    def unwrap(self, wrapped: bytes, key_id: UUID) -> bytes:
        """Open a wrapped key; raises SecretKeyWrong when no secret fits."""
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        for wrapper in self._wrappers:
            try:
                return wrapper.decrypt(nonce, sealed, key_id.bytes)
            except InvalidTag:
                continue
        raise SecretKeyWrong(
            "The secret key is not the one this database was made with. Set GREENROOM_SECRET_KEY or "
            "GREENROOM_SECRET_KEY_FILE to the right one: without it no stored address can be read."
        )


def load_secret_key(settings: Settings, *, may_create: bool) -> SecretKey:
    """Read the secret key from the environment or its file, or make the file on first start.

    Raises SettingsInvalid when it is missing though the database already depends on one.
    """
    text = settings.secret_key or _read_key_file(settings.key_path)
    if text is None and not may_create:
        raise SecretKeyWrong(
            f"{settings.key_path} is missing, but the database was made with a secret key. Put the key "
            "back: a new one could not open the stored addresses."
        )
    if text is None:
        try:
            text = _make_key_file(settings.key_path)
        except OSError as error:
            raise SettingsInvalid(
                f"The secret key cannot be written to {settings.key_path}: {error.strerror}. "
                "Let this account write there, or set GREENROOM_SECRET_KEY"
            ) from None
    where = "GREENROOM_SECRET_KEY" if settings.secret_key else f"The file {settings.key_path}"
    return SecretKey(read_secrets(text, where))


def _read_key_file(path: Path) -> str | None:
    try:
        # What is no file may be endless, or never say a word.
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise SettingsInvalid(f"The secret key {path} is no regular file. {_NAME_ANOTHER}")
        with path.open(encoding="ascii") as file:
            text = file.read(MAX_FILE_CHARS + 1)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SettingsInvalid(f"The secret key in {path} is not plain text. {_NAME_ANOTHER}") from None
    except OSError as error:
        why = error.strerror
        raise SettingsInvalid(
            f"The secret key in {path} cannot be read: {why}. Let this account read it, or name another file "
            "in GREENROOM_SECRET_KEY_FILE"
        ) from None
    if len(text) > MAX_FILE_CHARS:
        raise SettingsInvalid(f"The file {path} is too long for a secret key. {_NAME_ANOTHER}")
    return text


def _make_key_file(path: Path) -> str:
    """Write a new key with mode 0600; of several processes that start at once one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name exists, so no key is ever overwritten.
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
    return path.read_text("ascii")

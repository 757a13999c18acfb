"""The vault: the only place where an address is encrypted, decrypted or indexed.

An address is sealed with AES-256-GCM under a random nonce, with the id of its row as associated data, so that
a sealed address copied into another row does not open. Beside it lies a keyed index per site, which answers
"the same author?" and nothing else.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import Database
from service.errors import Unavailable
from service.privacy.secrets import KEY_BYTES, NONCE_BYTES, SecretKey, derive_key, load_secret_key
from service.privacy.tables import DataKey, SealedAddress
from service.settings import Settings

# A process learns of a new address key within this time; the rotation waits longer than that.
KEYRING_SECONDS = 1.0
# The scope of addresses that belong to no site: those of moderators.
NO_SITE = UUID(int=0)


class AddressKey:
    """The two keys derived from one address key: one seals, the other indexes."""

    def __init__(self, key_id: UUID, key: bytes) -> None:
        self.id = key_id
        self.cipher = AESGCM(derive_key(key, "address/seal"))
        self._index_key = derive_key(key, "address/index")

    def index_author(self, site_id: UUID | None, folded: str) -> bytes:
        """Give the keyed index of a normalised, casefolded address within one site."""
        message = (site_id or NO_SITE).bytes + folded.encode()
        return hmac.digest(self._index_key, message, "sha256")


class Keyring:
    """All keys of an installation as they were at one moment; the last address key is the current one."""

    def __init__(self, signing: bytes, address_keys: list[AddressKey]) -> None:
        self._signing = signing
        self._purposes: dict[str, bytes] = {}
        self.address_keys = {key.id: key for key in address_keys}
        self.current = address_keys[-1]

    def key_for(self, purpose: str) -> bytes:
        """Derive the key of one purpose that does not rotate, such as `receipt` or `limiter`."""
        if purpose not in self._purposes:
            self._purposes[purpose] = derive_key(self._signing, purpose)
        return self._purposes[purpose]

    def mac(self, purpose: str, *parts: bytes) -> bytes:
        """Give the HMAC-SHA-256 of the parts, each with its length before it so that none can shift."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self.key_for(purpose), message, "sha256")

    def seal_address(self, row_id: UUID, site_id: UUID | None, original: str, folded: str) -> dict[str, Any]:
        """Encrypt an address for the row of a comment (without a site, of a moderator); gives its columns."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return {
            "id": row_id,
            "site_id": site_id,
            "key_id": self.current.id,
            "sealed": nonce + self.current.cipher.encrypt(nonce, original.encode(), row_id.bytes),
            "author_index": self.current.index_author(site_id, folded),
        }

    def open_address(self, row: SealedAddress) -> str:
        """Decrypt an address; raises Unavailable when its key is unknown or the row was altered."""
        key = self.address_keys.get(row.key_id)
        if key is None:
            raise Unavailable("The address lies under a key that this process does not have.")
        nonce, sealed = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
        try:
            return key.cipher.decrypt(nonce, sealed, row.id.bytes).decode()
        except InvalidTag:
            raise Unavailable("The stored address does not open: its row was altered.") from None

    def author_indexes(self, site_id: UUID | None, folded: str) -> list[bytes]:
        """Give the index under every key, for look-ups while a rotation is on its way."""
        return [key.index_author(site_id, folded) for key in self.address_keys.values()]


class Vault:
    """Gives out the keyring, at most a second old, so that a rotation reaches running processes."""

    def __init__(self, secret: SecretKey) -> None:
        self._secret = secret
        self._keyring: Keyring | None = None
        self._known: list[UUID] = []
        self._loaded_at = 0.0
        self._turn = asyncio.Lock()

    async def keyring(self, session: AsyncSession) -> Keyring:
        """Give the keyring as it was at most a second ago.

        An older one would seal addresses under keys that a rotation has deleted meanwhile.
        """
        if ring := self.fresh():
            return ring
        async with self._turn:
            return self.fresh() or await self.load(session)

    def fresh(self) -> Keyring | None:
        """Give the keyring unless it has become too old."""
        is_fresh = time.monotonic() - self._loaded_at < KEYRING_SECONDS
        return self._keyring if is_fresh else None

    async def load(self, session: AsyncSession) -> Keyring:
        """Read the keys; raises SecretKeyWrong when the secret key does not open them."""
        started = time.monotonic()
        query = select(DataKey).order_by(col(DataKey.created_at), col(DataKey.id))
        rows = (await session.exec(query)).all()
        known = [row.id for row in rows]
        if self._keyring is None or known != self._known:
            self._keyring, self._known = self._open(rows), known
        self._loaded_at = started
        return self._keyring

    def _open(self, rows: Sequence[DataKey]) -> Keyring:
        keys = {row.id: self._secret.unwrap(row.wrapped, row.id) for row in rows}
        signing = next(keys[row.id] for row in rows if row.purpose == "signing")
        address_keys = [AddressKey(row.id, keys[row.id]) for row in rows if row.purpose == "address"]
        return Keyring(signing, address_keys)

    def make_key(self, purpose: str, now: datetime) -> DataKey:
        """Make a new random key, wrapped by the newest secret."""
        key_id = uuid4()
        wrapped = self._secret.wrap(secrets.token_bytes(KEY_BYTES), key_id)
        return DataKey(id=key_id, purpose=purpose, wrapped=wrapped, created_at=now)

    def rewrap_key(self, row: DataKey) -> DataKey:
        """Wrap the same key under the newest secret, so that an older secret can be dropped."""
        row.wrapped = self._secret.wrap(self._secret.unwrap(row.wrapped, row.id), row.id)
        return row


async def open_vault(database: Database, settings: Settings, now: datetime) -> tuple[Vault, bytes]:
    """Open the vault and give it with the limiter's key; on first start the keys are made.

    Raises SecretKeyWrong when the secret key is not the one this database was made with.
    """
    async with database.reading() as session:
        is_new = (await session.exec(select(DataKey.id).limit(1))).first() is None
    vault = Vault(load_secret_key(settings, may_create=is_new))
    if is_new:
        await _make_keys(database, vault, now)
    async with database.reading() as session:
        keyring = await vault.load(session)
    return vault, keyring.key_for("limiter")


async def _make_keys(database: Database, vault: Vault, now: datetime) -> None:
    """Make the first keys; of several processes that start at once only one does."""
    async with database.writing() as session:
        await lock_keys(session)
        if (await session.exec(select(DataKey.id).limit(1))).first() is None:
            session.add_all(vault.make_key(purpose, now) for purpose in ("signing", "address"))


async def lock_keys(session: AsyncSession) -> None:
    """Let nobody else change the keys until the commit; on SQLite every write is alone already."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE data_key IN SHARE ROW EXCLUSIVE MODE"))

"""Opening the vault at the start of a process, and making its first keys."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database import Database
from service.privacy.secrets import load_secret_key
from service.privacy.tables import DataKey
from service.privacy.vault import Vault
from service.settings import Settings

PURPOSES = ("signing", "address")


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
            session.add_all(vault.make_key(purpose, now) for purpose in PURPOSES)


async def lock_keys(session: AsyncSession) -> None:
    """Let nobody else change the keys until the commit; on SQLite every write is alone already."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE data_key IN SHARE ROW EXCLUSIVE MODE"))

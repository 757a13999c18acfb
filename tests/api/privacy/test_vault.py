"""The vault: an address lies in it encrypted, opens in its own row alone, and leaves by no other door."""

import stat
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlmodel import col, select, update

from service.command_line import commands
from service.environment import SettingsInvalid
from service.privacy.addresses import check_address
from service.privacy.secrets import SecretKeyWrong, load_secret_key
from service.privacy.tables import DataKey, SealedAddress
from service.settings import Settings
from tests.api.privacy.leaks import database_files, find_addresses
from tests.cast import House, email_of

EMAIL = "dave.unmistakable@mail.example"


async def sealed(house: House) -> dict[str, SealedAddress]:
    """Give the sealed addresses by the ids of their comments or moderators."""
    async with house.database.reading() as session:
        return {str(row.id): row for row in (await session.exec(select(SealedAddress))).all()}


async def reveal(house: House, comment_id: str) -> Any:
    url = f"/v1/moderation/comments/{comment_id}/email-reveals"
    return await house.bob.post(url, json={"purpose": "To ask."})


async def test_no_row_holds_an_address_in_clear(house: House) -> None:
    await house.publish(email=EMAIL)
    await house.sign_in("alice")
    rows = repr(await house.state()).encode()
    assert find_addresses(rows, [EMAIL]) == []
    assert b"@mail.example" not in rows
    assert b"@moderators.example" not in rows


# The files of a PostgreSQL are read where real comments are replayed.
@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
async def test_the_bytes_of_the_database_hold_no_address(house: House) -> None:
    await house.publish(email=EMAIL)
    contents = {file.name: file.read_bytes() for file in database_files(house)}
    assert {"greenroom.sqlite3", "greenroom.sqlite3-wal"} <= set(contents)
    everything = b"".join(contents.values())
    assert find_addresses(everything, [EMAIL]) == []
    # Moderators are known by the names that their addresses begin with.
    assert email_of("alice").partition("@")[2].encode() not in everything
    # What may be read there is found, so that the search above means something.
    assert b"Dave" in contents["greenroom.sqlite3-wal"]


async def test_the_same_address_is_never_sealed_alike(house: House) -> None:
    first, second = await house.submit(email=EMAIL), await house.submit(email=EMAIL)
    rows = await sealed(house)
    assert rows[first.id].sealed != rows[second.id].sealed
    assert rows[first.id].sealed[:12] != rows[second.id].sealed[:12]
    assert rows[first.id].author_index == rows[second.id].author_index


async def test_an_author_s_index_says_nothing_on_another_site(house: House) -> None:
    here = await house.submit(email=EMAIL)
    there = await house.submit(email=EMAIL, site="elsewhere")
    other = await house.submit(email="another@mail.example")
    rows = await sealed(house)
    indexes = {rows[one.id].author_index for one in (here, there, other)}
    assert len(indexes) == 3
    assert all(len(index) == 32 for index in indexes)


async def test_an_index_leaves_in_no_answer(house: House) -> None:
    comment = await house.publish(email=EMAIL)
    row = (await sealed(house))[comment.id]
    answers = [
        await house.bob.get(f"/v1/moderation/comments/{comment.id}"),
        await house.bob.get("/v1/moderation/log"),
        await house.dave.get("/v1/sites/blog/comments?article=/post"),
        await house.client("127.0.0.1").get("/metrics"),
    ]
    for answer in answers:
        assert row.author_index.hex() not in answer.text
        assert find_addresses(answer.content, [EMAIL]) == []


async def test_an_address_copied_to_another_row_does_not_open(house: House) -> None:
    victim = await house.submit(email=EMAIL)
    mine = await house.submit(email="mallory@mail.example")
    stolen = (await sealed(house))[victim.id]
    async with house.database.writing() as session:
        chosen = update(SealedAddress).where(col(SealedAddress.id) == UUID(mine.id))
        await session.exec(chosen.values(sealed=stolen.sealed))
    async with house.nothing_changes():
        refused = await reveal(house, mine.id)
    assert refused.status_code == 503
    assert find_addresses(refused.content, [EMAIL]) == []
    assert (await reveal(house, victim.id)).json() == {"email": EMAIL}


async def test_a_data_key_lies_wrapped_and_each_is_its_own(house: House) -> None:
    async with house.database.reading() as session:
        keys = (await session.exec(select(DataKey))).all()
    assert sorted(key.purpose for key in keys) == ["address", "signing"]
    assert len({key.wrapped for key in keys}) == 2
    # A nonce of 12 bytes, the key's 32 and a tag of 16.
    assert {len(key.wrapped) for key in keys} == {60}


async def open_again(house: House, **changes: Any) -> None:
    """Start the service's parts anew on the same database, with other settings."""
    async with commands.working(msgspec.structs.replace(house.settings, **changes)):
        pass


async def test_a_wrong_secret_key_is_refused_at_start(house: House) -> None:
    with pytest.raises(SecretKeyWrong, match="not the one this database was made with"):
        await open_again(house, secret_key="another key of more than 32 characters".replace(" ", "-"))
    with pytest.raises(SettingsInvalid, match="at least 32 characters"):
        await open_again(house, secret_key="short")


async def test_a_missing_key_file_is_refused_once_there_is_a_database(house: House) -> None:
    key_file = house.settings.key_path
    kept = key_file.read_bytes()
    key_file.unlink()
    with pytest.raises(SecretKeyWrong, match="is missing"):
        await open_again(house)
    assert not key_file.exists()
    key_file.write_bytes(kept)
    await open_again(house)


async def test_the_newest_of_two_secrets_takes_over(house: House) -> None:
    old = house.settings.key_path.read_text().strip()
    new = "n" * 40
    await open_again(house, secret_key=f"{new} {old}")
    with pytest.raises(SettingsInvalid):
        await open_again(house, secret_key=f"{new} {old} {'x' * 40}")
    with pytest.raises(SecretKeyWrong):
        await open_again(house, secret_key=new)


async def test_the_key_file_is_its_owner_s_alone(house: House, tmp_path: Path) -> None:
    assert stat.S_IMODE(house.settings.key_path.stat().st_mode) == 0o600
    new = Settings(data_dir=tmp_path / "new")
    load_secret_key(new, may_create=True)
    made = new.key_path.read_bytes()
    assert stat.S_IMODE(new.key_path.stat().st_mode) == 0o600
    load_secret_key(new, may_create=True)
    assert new.key_path.read_bytes() == made
    assert [path.name for path in new.data_dir.iterdir()] == ["secret.key"]


def test_an_address_that_was_checked_does_not_show_itself() -> None:
    address = check_address(EMAIL)
    assert EMAIL not in repr(address)
    assert address.__rich_repr__() == []
    assert EMAIL not in f"{address}"

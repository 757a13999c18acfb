"""The data directory, looked at before anything starts: it is there, ours, and nobody else's to read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from service.command_line.refusals import Misconfigured
from service.modlog.heads import LogHeads
from service.settings import Settings

VARIABLE = "GREENROOM_DATA_DIR"
HEADS = "log-heads"


def check_data(settings: Settings) -> None:
    """Look at the data directory and what is needed in it, as far as it is there; raises Misconfigured."""
    folder = settings.data_dir
    if not _is_there(folder):
        return
    _require_folder(folder)
    _require_private(folder)
    _require_access(folder)
    heads = folder / HEADS
    if _is_there(heads):
        _require_folder(heads)
        _require_access(heads)
        for path in LogHeads(folder).list_files().values():
            _require_access(path)


def check_database_file(settings: Settings) -> None:
    """Look at the file of SQLite, which may be anywhere, as far as it is there; raises Misconfigured."""
    if not settings.is_sqlite:
        return
    file = Path(make_url(settings.database_url).database or "").absolute()
    if not _is_there(file):
        return
    if not file.is_file():
        raise Misconfigured(f"The database {file} is no file. Name one in GREENROOM_DATABASE_URL.")
    # Beside it lie its journal and the memory that processes share.
    for path in (file, file.parent, *_companions(file)):
        _require_access(path)


def make_data_dir(settings: Settings) -> None:
    """Make the data directory for this account alone, if there is none; raises Misconfigured."""
    folder = settings.data_dir
    for path in (folder, *folder.parents):
        if path.is_symlink() and not _is_there(path):
            raise Misconfigured(
                f"{path} is a link to {path.readlink()}, which is not there. "
                f"Make that folder, or name another data directory in {VARIABLE}."
            )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"The data directory {folder} cannot be made: {error.strerror}. "
            f"Make it for this account, or name another one in {VARIABLE}."
        ) from None


def _companions(file: Path) -> Iterator[Path]:
    beside = (file.with_name(file.name + ending) for ending in ("-wal", "-shm"))
    return (path for path in beside if path.exists())


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as error:
        raise Misconfigured(
            f"{path} cannot be looked at by this account (uid {os.geteuid()}): {error.strerror}. "
            f"{_open_up(path.parent)}"
        ) from None
    except OSError as error:
        # A name that is too long, links in a circle, a disk that is gone.
        raise Misconfigured(
            f"{path} cannot be looked at: {error.strerror}. "
            f"Name another one in {VARIABLE} or GREENROOM_DATABASE_URL."
        ) from None
    return True


def _require_folder(path: Path) -> None:
    if not path.is_dir():
        raise Misconfigured(
            f"{path} is no folder. Move it away, or name another data directory in {VARIABLE}."
        )


def _require_private(folder: Path) -> None:
    mode = folder.stat().st_mode
    # Of the group nothing is said: volumes are often shared by one, and backups made.
    if mode & stat.S_IRWXO:
        raise Misconfigured(
            f"The data directory {folder} is open to every account of this machine "
            f"(mode {stat.S_IMODE(mode):04o}): `chmod o= {folder}`."
        )


def _require_access(path: Path) -> None:
    wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    # By the effective account, which is the one that files are opened as.
    if os.access(path, wanted, effective_ids=os.access in os.supports_effective_ids):
        return
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        raise Misconfigured(
            f"{path} lies on a file system that takes no writes. Name a folder on another one in {VARIABLE}."
        )
    raise Misconfigured(
        f"{path} may not be read and written by this account (uid {os.geteuid()}). {_open_up(path)}"
    )


def _open_up(path: Path) -> str:
    """Say how this account gets at what it cannot."""
    owner = path.stat().st_uid
    if owner == os.geteuid():
        return f"`chmod u+rwX {path}`."
    return f"It is uid {owner}'s: use one account for service and commands, or `chown -R` it."

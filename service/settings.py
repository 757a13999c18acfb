"""The settings of one process, read once from the environment."""

import os
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from urllib.parse import quote

from service.database.url import read_database_url, read_standby_url
from service.environment import (
    PREFIX,
    SettingsInvalid,
    invalid,
    read_choice,
    read_networks,
    read_number,
    read_origin,
    read_path,
    read_switch,
    read_token,
    read_web_address,
    refuse_quotes,
    refuse_unknown,
    require_text,
)
from service.redis.client import check_redis_url
from service.telemetry.confidential import Confidential

MIN_SECRET_CHARS = 32
MAX_SECRETS = 2


def read_secrets(text: str, where: str) -> list[str]:
    """Take a secret key apart into one or two; raises SettingsInvalid, which says where it stands."""
    secrets = text.split()
    if not 1 <= len(secrets) <= MAX_SECRETS or any(len(one) < MIN_SECRET_CHARS for one in secrets):
        raise SettingsInvalid(
            f"{where} needs one key of at least {MIN_SECRET_CHARS} characters, such as from "
            "`openssl rand -hex 32`, or the new and the old one separated by a blank"
        )
    return secrets


def _read_secret_key(name: str, given: str) -> str:
    read_secrets(given, PREFIX + name.upper())
    return given


def _read_data_dir(name: str, given: str) -> Path:
    try:
        folder = read_path(name, given).absolute()
    except FileNotFoundError:
        why = "is no whole path, and the folder of this call is gone: write one that starts with /"
        raise invalid(name, why) from None
    # It may lie in a folder of any name.
    require_text(name, str(folder))
    return folder


def _read_redis_url(name: str, given: str) -> str:
    try:
        check_redis_url(given)
    except ValueError as error:
        raise invalid(name, str(error)) from None
    return given


class Settings(Confidential, frozen=True, kw_only=True):
    """What the operator decides before start. Every field is one variable, `GREENROOM_` + its name."""

    data_dir: Annotated[Path, _read_data_dir] = Path("data")
    """Folder for the SQLite file, the secret key and the heads of the logs."""
    database_url: Annotated[str, read_database_url] = ""
    """SQLAlchemy URL with its asynchronous driver; SQLite in the data directory when not set."""
    standby_url: Annotated[str | None, read_standby_url] = None
    """URL of a hot standby of a PostgreSQL, from which pages are read; never anything but read."""
    redis_url: Annotated[str | None, _read_redis_url] = None
    """Shared limits for several processes; without it limits stay inside the one process."""
    secret_key: Annotated[str | None, _read_secret_key] = None
    """One or two keys, the newest first, separated by a blank; made on first start when not set."""
    secret_key_file: Annotated[Path | None, read_path] = None
    """File that holds what `secret_key` would."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], read_networks] = ()
    """Networks whose X-Forwarded-For is believed, separated by commas."""
    public_url: Annotated[str, read_origin] = "http://127.0.0.1:8000"
    """Where browsers reach the service: scheme, host and port, no path."""
    metrics_token: Annotated[str | None, read_token] = None
    """Bearer token that opens /metrics and the details of /health/ready from elsewhere than loopback."""
    page_max_age_seconds: Annotated[int, read_number(0, 86_400, "seconds")] = 2
    """How long a shared cache may keep a public page (`s-maxage`)."""
    page_memory_mib: Annotated[int, read_number(0, 65_536, "MiB")] = 32
    """How much the cache of public answers may take in a process."""
    purge_url: Annotated[str | None, read_web_address] = None
    """Where the cache in front takes PURGE requests with the surrogate keys of what has changed."""
    database_patience_seconds: Annotated[int, read_number(1, 60, "seconds")] = 5
    """How long a request waits for the database; the bounds of locks and statements follow from it."""
    page_connections: Annotated[int, read_number(1, 1_000, "connections")] = 5
    """Connections to the database that public reads have at most, as with the next two in each process."""
    submission_connections: Annotated[int, read_number(1, 1_000, "connections")] = 3
    """Those of what a submission asks before it is stored."""
    moderator_connections: Annotated[int, read_number(1, 1_000, "connections")] = 5
    """Those of everything else."""
    redis_patience_milliseconds: Annotated[int, read_number(10, 1_000, "milliseconds")] = 250
    """How long Redis may be silent before each process counts for itself."""
    max_waiting_submissions: Annotated[int, read_number(1, 100_000, "submissions")] = 2_000
    """How many submissions may wait to be stored in each process; further ones are told to come back."""
    max_streams: Annotated[int, read_number(0, 100_000, "streams")] = 5_000
    """How many streams of readers each process carries; never more than half of its open files."""
    max_connections_per_network: Annotated[int, read_number(1, 100_000, "connections")] = 500
    """How many connections a network that is no trusted proxy has at a time with each process."""
    drain_seconds: Annotated[int, read_number(0, 600, "seconds")] = 3
    """How long a process that is told to stop goes on taking requests, so that proxies turn elsewhere."""
    access_log: Annotated[bool, read_switch] = False
    """Whether each request is logged, by route and never by path."""
    log_level: Annotated[str, read_choice("debug", "info", "warning", "error")] = "info"
    """Which lines of the log are written: these and worse ones."""

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def key_path(self) -> Path:
        """Where the secret key lies when it is not given in the environment itself."""
        return self.secret_key_file or self.data_dir / "secret.key"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


# How each setting is read from its variable.
READERS: Mapping[str, Callable[[str, str], Any]] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an empty variable counts as not set.

    Raises SettingsInvalid, which names the variable and what to write instead.
    """
    refuse_unknown(environ, Settings.__struct_fields__)
    given = {
        name: value
        for name in Settings.__struct_fields__
        if (value := environ.get(PREFIX + name.upper(), "").strip())
    }
    if "secret_key" in given and "secret_key_file" in given:
        raise invalid("secret_key", f"and {PREFIX}SECRET_KEY_FILE are both set: unset one")
    chosen = {name: _read(name, value) for name, value in given.items()}
    data_dir = chosen.get("data_dir") or _read_data_dir("data_dir", "data")
    file = f"sqlite+aiosqlite:///{quote(str(data_dir / 'greenroom.sqlite3'))}"
    settings = Settings(**{"data_dir": data_dir, "database_url": file, **chosen})
    if settings.standby_url and settings.is_sqlite:
        why = "is set, and only a PostgreSQL has a standby: name it in GREENROOM_DATABASE_URL, or unset this"
        raise invalid("standby_url", why)
    return settings


def _read(name: str, given: str) -> Any:
    require_text(name, given)
    # Of a key they may be a part: it is whatever was written.
    if name != "secret_key":
        refuse_quotes(name, given)
    return READERS[name](name, given)

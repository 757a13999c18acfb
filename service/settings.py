"""The settings of one process, read once from the environment."""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from service.confidential import Confidential
from service.redis_client import parse_redis_url

PREFIX = "GREENROOM_"


class SettingsInvalid(ValueError):
    """A variable of the environment cannot be used as it stands; the text says which and why."""


class Settings(Confidential, frozen=True, kw_only=True):
    """What the operator decides before start. Every field is one variable, `GREENROOM_` + its name."""

    data_dir: Path = Path("data")
    """Folder for the SQLite file, the secret key and the heads of the logs."""
    database_url: str = ""
    """SQLAlchemy URL with its asynchronous driver; SQLite in the data directory when not set."""
    standby_url: str | None = None
    """URL of a hot standby of a PostgreSQL, from which pages are read; never anything but read."""
    redis_url: str | None = None
    """Shared limits for several processes; without it limits stay inside the one process."""
    secret_key: str | None = None
    """One or two keys, the newest first, separated by a blank; made on first start when not set."""
    secret_key_file: Path | None = None
    """File that holds what `secret_key` would."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose X-Forwarded-For is believed, separated by commas."""
    public_url: str = "http://127.0.0.1:8000"
    """Where browsers reach the service: scheme, host and port, no path."""
    metrics_token: str | None = None
    """Bearer token that opens /metrics and the details of /health/ready from elsewhere than loopback."""
    page_max_age_seconds: int = 2
    """How long a shared cache may keep a public page (`s-maxage`)."""
    page_memory_mib: int = 32
    """How much public answers that a process keeps in memory may take."""
    purge_url: str | None = None
    """Where the cache in front takes PURGE requests with the surrogate keys of what has changed."""
    database_patience_seconds: int = 5
    """How long a request waits for the database; the bounds of locks and statements follow from it."""
    page_connections: int = 5
    """Connections to the database that public reads have at most, as with the next two in each process."""
    submission_connections: int = 3
    """Those of what a submission asks before it is stored."""
    moderator_connections: int = 5
    """Those of everything else."""
    drain_seconds: int = 3
    """How long a process that is told to stop goes on taking requests, so that proxies turn elsewhere."""
    access_log: bool = False
    """Whether each request is logged, by route and never by path."""

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


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an empty variable counts as not set.

    Raises SettingsInvalid, which names the variable and what to write instead.
    """
    given = {
        name: value
        for name in Settings.__struct_fields__
        if (value := environ.get(PREFIX + name.upper(), "").strip())
    }
    data_dir = Path(given.get("data_dir", "data")).absolute()
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(given.get("database_url"), data_dir),
        standby_url=_standby_url(given.get("standby_url")),
        redis_url=_redis_url(given.get("redis_url")),
        secret_key=given.get("secret_key"),
        secret_key_file=Path(given["secret_key_file"]) if "secret_key_file" in given else None,
        trusted_proxies=_networks(given.get("trusted_proxies", "")),
        public_url=_public_url(given.get("public_url", "http://127.0.0.1:8000")),
        metrics_token=given.get("metrics_token"),
        page_max_age_seconds=_number(
            "page_max_age_seconds", given, default=2, most=86_400, unit="seconds"
        ),
        page_memory_mib=_number("page_memory_mib", given, default=32, most=65_536, unit="MiB"),
        purge_url=_purge_url(given.get("purge_url")),
        database_patience_seconds=_number(
            "database_patience_seconds", given, default=5, least=1, most=60, unit="seconds"
        ),
        page_connections=_connections("page_connections", given, default=5),
        submission_connections=_connections("submission_connections", given, default=3),
        moderator_connections=_connections("moderator_connections", given, default=5),
        drain_seconds=_number("drain_seconds", given, default=3, most=600, unit="seconds"),
        access_log=_switch("access_log", given),
    )


def _invalid(name: str, why: str) -> SettingsInvalid:
    return SettingsInvalid(f"{PREFIX}{name.upper()} {why}")


def _database_url(given: str | None, data_dir: Path) -> str:
    if given is None:
        return f"sqlite+aiosqlite:///{data_dir / 'greenroom.sqlite3'}"
    return _with_driver("database_url", given)


def _standby_url(given: str | None) -> str | None:
    url = _with_driver("standby_url", given) if given else None
    if url and not url.startswith("postgresql"):
        raise _invalid("standby_url", "does not name a PostgreSQL")
    return url


def _with_driver(name: str, given: str) -> str:
    try:
        url = make_url(given)
    except ArgumentError:
        # The text of the error would repeat the URL, which may hold a password.
        raise _invalid(name, "is not a URL such as postgresql://user@host/name") from None
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
    backend = url.get_backend_name().replace("postgres", "postgresql", 1)
    backend = "postgresql" if backend.startswith("postgresql") else backend
    if backend not in drivers:
        raise _invalid(name, "names neither sqlite nor postgresql")
    return url.set(drivername=drivers[backend]).render_as_string(hide_password=False)


def _redis_url(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        parse_redis_url(given)
    except ValueError as error:
        raise _invalid("redis_url", str(error)) from None
    return given


def _networks(given: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())
    except ValueError as error:
        raise _invalid("trusted_proxies", f"holds a bad network: {error}") from None


def _public_url(given: str) -> str:
    url = urlsplit(given)
    if url.scheme not in {"http", "https"} or not url.netloc or url.path.strip("/") or url.query:
        raise _invalid("public_url", "is not scheme, host and port, such as https://talk.example")
    return f"{url.scheme}://{url.netloc}".lower()


def _purge_url(given: str | None) -> str | None:
    if given and (urlsplit(given).scheme not in {"http", "https"} or not urlsplit(given).netloc):
        raise _invalid("purge_url", "does not start with http:// or https:// and a host")
    return given


def _number(
    name: str, given: Mapping[str, str], *, default: int, least: int = 0, most: int, unit: str
) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise _invalid(name, f"is not a number of {unit} from {least} to {most}")
    return int(text)


def _connections(name: str, given: Mapping[str, str], *, default: int) -> int:
    return _number(name, given, default=default, least=1, most=1_000, unit="connections")


def _switch(name: str, given: Mapping[str, str]) -> bool:
    text = given.get(name, "off").lower()
    if text not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
        raise _invalid(name, "is neither on nor off")
    return text in {"on", "true", "1", "yes"}

"""The URL of a database: what is wrong with it is said before a driver could repeat what stands in it."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.environment import SettingsInvalid, invalid, refuse_unexpanded
from service.text.hosts import MAX_PORT, find_unreadable, is_host

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
SQLITE_EXAMPLE = "sqlite:////absolute/path"
POSTGRES_EXAMPLE = "postgresql://user:password@host/name"
DATABASE_EXAMPLE = f"{POSTGRES_EXAMPLE} or {SQLITE_EXAMPLE}"
# Options of libpq that take a whole number, of which it says nothing where ours take their place.
_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "port",
    "tcp_user_timeout",
)
# What Python's driver would take for its own; libpq knows none of them.
_OF_PYTHON = {
    "autocommit",
    "conninfo",
    "context",
    "cursor_factory",
    "prepare_threshold",
    "row_factory",
}


def read_database_url(name: str, given: str) -> str:
    """Read the URL of a database, to which the asynchronous driver is added."""
    if why := find_unreadable(given):
        raise invalid(name, why)
    url = _parse(name, given)
    backend = url.get_backend_name().replace("postgres", "postgresql", 1)
    backend = "postgresql" if backend.startswith("postgresql") else backend
    if backend not in DRIVERS:
        raise invalid(name, f"names neither SQLite nor PostgreSQL: write {DATABASE_EXAMPLE}")
    if "@" in (url.host or ""):
        # What was left of it would be looked up as a host, and be shown.
        raise invalid(name, "has more than one @: in a user or password write %40")
    if url.port is not None and not 1 <= url.port <= MAX_PORT:
        raise invalid(name, f"has a port that is not from 1 to {MAX_PORT}")
    if backend == "sqlite":
        _require_plain_file(name, url)
    else:
        _require_place(name, url)
        _check_options(name, url)
    return url.set(drivername=DRIVERS[backend]).render_as_string(hide_password=False)


def read_standby_url(name: str, given: str) -> str:
    """Read the URL of a standby, which only a PostgreSQL can have."""
    url = read_database_url(name, given)
    if not url.startswith("postgresql"):
        raise invalid(name, "does not name a PostgreSQL")
    return url


def _parse(name: str, given: str) -> URL:
    try:
        return make_url(given)
    except ArgumentError:
        # The text of the error would repeat the URL, which may hold a password.
        raise invalid(name, f"is not a URL such as {DATABASE_EXAMPLE}") from None
    except ValueError:
        raise _explain_port(name, given) from None


def _explain_port(name: str, given: str) -> SettingsInvalid:
    """Say why what stands behind the host's colon is no port."""
    hosts = given.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    if "," in hosts:
        return invalid(name, f"names several hosts: write {_SEVERAL_HOSTS}")
    if hosts.count(":") > 1:
        return invalid(name, "has an IPv6 address without brackets around it: write [::1]")
    return invalid(name, f"has a port that is no number: write {DATABASE_EXAMPLE}")


_SEVERAL_HOSTS = "postgresql://user:password@/name?host=one:5432&host=two:5432"


def _require_plain_file(name: str, url: URL) -> None:
    """Refuse what is more than a path, and a database in memory, where nothing would be kept."""
    path = url.database or ""
    if path in {"", ":memory:"} or path.endswith("/") or url.host or url.port or url.username or url.query:
        raise invalid(name, f"does not name a file alone: write {SQLITE_EXAMPLE}")
    refuse_unexpanded(name, path)
    try:
        Path(path).absolute()
    except FileNotFoundError:
        why = f"is no whole path, and the folder of this call is gone: write {SQLITE_EXAMPLE}"
        raise invalid(name, why) from None


def _require_place(name: str, url: URL) -> None:
    """Refuse a PostgreSQL that others would choose: the variables of libpq, or the account's name."""
    hosts = list(_list_hosts(url))
    if not hosts and not url.query.get("hostaddr"):
        raise invalid(name, f"names no host: write {POSTGRES_EXAMPLE}, or ?host=/folder of a socket")
    if not url.database:
        raise invalid(name, f"names no database: write {POSTGRES_EXAMPLE}")
    if "," in (url.host or ""):
        raise invalid(name, f"names several hosts: write {_SEVERAL_HOSTS}")
    if not all(map(is_host, hosts)):
        raise invalid(name, f"has a host that cannot be: write {POSTGRES_EXAMPLE}")


def _list_hosts(url: URL) -> Iterator[str]:
    """Name the hosts, without their ports and without sockets of this machine, which are there as ``."""
    if url.host:
        yield url.host
    given = url.query.get("host", ())
    for host in ",".join([given] if isinstance(given, str) else given).split(","):
        if host.startswith(("/", "@")):
            # A socket is a folder of this machine, or an abstract one.
            yield "localhost"
        elif host:
            yield host if is_host(host) else host.rpartition(":")[0]


def _check_options(name: str, url: URL) -> None:
    if "options" in url.query:
        raise invalid(name, "has `options`, which the service sets: use ALTER ROLE … SET for others")
    for option, value in url.query.items():
        if option == "host":
            continue
        if option in _OF_PYTHON:
            raise invalid(name, f"has `{option}`, which is no option of PostgreSQL")
        if not isinstance(value, str):
            raise invalid(name, f"has `{option}` more than once")
        if option in _NUMBERS and not (value.isascii() and value.isdigit()):
            raise invalid(name, f"has `{option}`, which is no whole number")

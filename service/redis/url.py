"""The URL of Redis: which servers, of which kind of group, and how to speak with them.

    redis://[user:password@]host[:port][/DB]                                    also rediss, for TLS
    unix://[user:password@]/path[?db=DB]
    redis+sentinel://[user:password@]host[:port],host[:port]…/SERVICE[/DB]      also rediss+sentinel
    redis+cluster://[user:password@]host[:port],host[:port]…                    also rediss+cluster

User and password are those of the servers; `?sentinel_username=` and `?sentinel_password=` are those of
the Sentinels. Further options of the query go to the client library, those that cannot break what is built
on it.
"""

import math
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote_to_bytes, urlsplit

import msgspec
from redis.asyncio.connection import parse_url

from service.text.hosts import find_unreadable, is_host

SCHEMES = ("redis", "rediss", "unix")
GROUPS = ("sentinel", "cluster")
PORTS = {"": 6379, "sentinel": 26379, "cluster": 6379}
# Redis itself counts databases by a signed 32-bit number.
MAX_DATABASE = 2**31 - 1
# What the path of a socket may have on Linux (man 7 unix), without the NUL at its end.
MAX_SOCKET_BYTES = 107
# None of them changes what is asked or answered.
_OPTIONS = {
    "client_name",
    "health_check_interval",
    "max_connections",
    "password",
    "protocol",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_timeout",
    "username",
}
_TLS_OPTIONS = {
    "ssl_ca_certs",
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_keyfile",
    "ssl_min_version",
    "ssl_password",
}
_OF_A_GROUP = {
    "": {"db", "timeout"},
    "sentinel": {"db", "timeout", "sentinel_username", "sentinel_password"},
    "cluster": set[str](),
}
_POSITIVE = ("max_connections", "socket_connect_timeout", "socket_timeout", "timeout")
_NO_HOST = "has a host that cannot be: redis://user:password@host:port/0"
_NO_PORT = "names a port that is none: it is a number from 1 to 65535"
_UNREADABLE = "has an option with a value that cannot be"


class RedisAddress(msgspec.Struct, frozen=True):
    """What a URL says: which servers, of which kind of group, and how to speak with them."""

    group: str
    nodes: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any]
    sentinel_options: dict[str, Any]


def parse_redis_url(url: str) -> RedisAddress:
    """Read a URL; raises ValueError, whose text never repeats it since it may hold a password."""
    if why := find_unreadable(url):
        raise ValueError(why)
    parts = _split(url)
    scheme, _, group = parts.scheme.partition("+")
    if scheme not in SCHEMES or (group and (group not in GROUPS or scheme == "unix")):
        raise ValueError(
            "does not start with redis://, rediss:// or unix://, nor with redis+sentinel:// or redis+cluster://"
        )
    login, _, hosts = parts.netloc.rpartition("@")
    nodes = _read_place(scheme, group, hosts, parts.path)
    path = parts.path.strip("/")
    service, _, database = path.partition("/") if group == "sentinel" else ("", "", path)
    if group == "sentinel" and not service:
        raise ValueError("names no service: redis+sentinel://host:port,host:port/SERVICE")
    if group == "cluster" and path:
        raise ValueError("names a database, and a cluster has one only")
    # Of a single server the library would take it for none.
    if scheme != "unix" and database and not (database.isascii() and database.isdigit()):
        raise ValueError("names a database that is no number")
    _refuse_unknown_options(parts.query, group, is_tls=scheme == "rediss")
    options = _read_options(_of_one(scheme, login, database, parts.query) if group else url)
    sentinel_options = {
        name: options.pop(f"sentinel_{name}")
        for name in ("username", "password")
        if f"sentinel_{name}" in options
    }
    return RedisAddress(group, nodes if group else (), service, options, sentinel_options)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # Its text may hold all that stands before the path.
        raise ValueError(_NO_HOST) from None


def _read_place(scheme: str, group: str, hosts: str, path: str) -> tuple[tuple[str, int], ...]:
    """Read where the servers are; a socket is not among what is given."""
    if scheme != "unix":
        return tuple(_node(host, PORTS[group]) for host in (hosts.split(",") if group else [hosts]))
    if hosts:
        raise ValueError("has a host before its path: a socket is unix:///path")
    if not path.strip("/"):
        raise ValueError("names no socket: unix:///path")
    if len(unquote_to_bytes(path)) > MAX_SOCKET_BYTES:
        raise ValueError(f"names a socket by more than {MAX_SOCKET_BYTES} bytes")
    return ()


def _refuse_unknown_options(query: str, group: str, *, is_tls: bool) -> None:
    known = _OPTIONS | _OF_A_GROUP[group] | (_TLS_OPTIONS if is_tls else set())
    # They are not repeated: behind a ? may be the rest of a password.
    if not known.issuperset(name for name, _ in parse_qsl(query, keep_blank_values=True)):
        raise ValueError(f"has an option that is none of {', '.join(sorted(known))}")


def _read_options(url: str) -> dict[str, Any]:
    try:
        options: dict[str, Any] = {**parse_url(url)}
    except ValueError:
        # Its text may hold what stands in the place of a port, such as the rest of a password.
        raise ValueError(_UNREADABLE) from None
    numbers = [options[name] for name in _POSITIVE if name in options]
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        raise ValueError(_UNREADABLE)
    if not 0 <= options.get("db", 0) <= MAX_DATABASE:
        raise ValueError("names a database that no Redis has")
    return options


def _of_one(scheme: str, login: str, database: str, query: str) -> str:
    """Give the URL of a single server, so that the library reads all but the hosts."""
    return f"{scheme}://{login}@/{database}?{query}" if login else f"{scheme}:///{database}?{query}"


def _node(text: str, default_port: int) -> tuple[str, int]:
    try:
        node = urlsplit(f"//{text}")
        port = default_port if node.port is None else node.port
    except ValueError:
        # What stands in its place may be the rest of a password.
        raise ValueError(_NO_PORT) from None
    if not port:
        raise ValueError(_NO_PORT)
    if not node.hostname:
        raise ValueError("names no host: host:port, or host:port,host:port of a group")
    if not is_host(node.hostname):
        raise ValueError(_NO_HOST)
    return node.hostname, port

"""Connections to Redis: one server, one that Sentinel names, or a cluster, by the form of one URL.

    redis://[user:password@]host[:port][/DB]                                    also rediss, for TLS
    unix://[user:password@]/path[?db=DB]
    redis+sentinel://[user:password@]host[:port],host[:port]…/SERVICE[/DB]      also rediss+sentinel
    redis+cluster://[user:password@]host[:port],host[:port]…                    also rediss+cluster

User and password are those of the servers; `?sentinel_username=` and `?sentinel_password=` are those of
the Sentinels. Further options of the query go to the client library.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import BlockingConnectionPool, Connection, Redis, RedisCluster, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as TooSlow
from redis.maint_notifications import MaintNotificationsConfig

RedisClient = Redis | RedisCluster

SCHEMES = ("redis", "rediss", "unix")
GROUPS = ("sentinel", "cluster")
PORTS = {"": 6379, "sentinel": 26379, "cluster": 6379}
# Of each step: having a connection from the pool, opening it, and reading an answer.
TIMEOUT_SECONDS = 0.25
# A Sentinel says at once who the master is, or the next one is asked while there is time.
SENTINEL_TIMEOUT_SECONDS = 0.1
# A burst is served sooner by a few connections, one try after the other, than by one each, which
# all have to be opened first.
MAX_CONNECTIONS = 8


class RedisAddress(msgspec.Struct, frozen=True):
    """What a URL says: which servers, of which kind of group, and how to speak with them."""

    group: str
    nodes: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any]
    sentinel_options: dict[str, Any]


def parse_redis_url(url: str) -> RedisAddress:
    """Read a URL; raises ValueError, whose text never repeats it since it may hold a password."""
    parts = urlsplit(url)
    scheme, _, group = parts.scheme.partition("+")
    if scheme not in SCHEMES or (group and (group not in GROUPS or scheme == "unix")):
        raise ValueError(
            "does not start with redis://, rediss:// or unix://, nor with redis+sentinel:// or redis+cluster://"
        )
    login, _, hosts = parts.netloc.rpartition("@")
    nodes = tuple(_node(host, PORTS[group]) for host in hosts.split(",")) if group else ()
    path = parts.path.strip("/")
    service, _, database = path.partition("/") if group == "sentinel" else ("", "", path)
    if group == "sentinel" and not service:
        raise ValueError("names no service: redis+sentinel://host:port,host:port/SERVICE")
    if group == "cluster" and path:
        raise ValueError("names a database, and a cluster has one only")
    # Of a single server the library would take it for none.
    if scheme != "unix" and database and not database.isdigit():
        raise ValueError("names a database that is no number")
    options = _read_options(_of_one(scheme, login, database, parts.query) if group else url)
    sentinel_options = {
        name: options.pop(f"sentinel_{name}")
        for name in ("username", "password")
        if f"sentinel_{name}" in options
    }
    return RedisAddress(group, nodes, service, options, sentinel_options)


def _read_options(url: str) -> dict[str, Any]:
    try:
        return {**parse_url(url)}
    except ValueError:
        # Its text may hold what stands in the place of a port, such as the rest of a password.
        raise ValueError(
            "cannot be read: its port, database or one of its options is wrong"
        ) from None


def _of_one(scheme: str, login: str, database: str, query: str) -> str:
    """Give the URL of a single server, so that the library reads all but the hosts."""
    return f"{scheme}://{login}@/{database}?{query}" if login else f"{scheme}:///{database}?{query}"


def _node(text: str, default_port: int) -> tuple[str, int]:
    node = urlsplit(f"//{text}")
    try:
        port = node.port or default_port
    except ValueError:
        raise ValueError("names a port that is none") from None
    if not node.hostname:
        raise ValueError("names no host: host:port,host:port")
    return node.hostname, port


def connect_redis(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> RedisClient:
    """Make a client for commands, which fails within a bounded time and never tries again by itself.

    The default client would wait for over 15 seconds for a server that accepts and then is silent.
    """
    address = parse_redis_url(url)
    if address.group == "cluster":
        return _connect_cluster(address, timeout_seconds)
    return Redis.from_pool(_make_pool(address, timeout_seconds))


def connect_subscriber(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Redis:
    """Make a client to subscribe with.

    In a cluster it is that of any node, since every message goes to all of them (not for `SPUBLISH`).
    Who finds it cut off makes it subscribe again, which goes to a master or node that is there then.
    """
    return Redis.from_pool(_make_pool(parse_redis_url(url), timeout_seconds))


def _make_pool(address: RedisAddress, timeout_seconds: float) -> BlockingConnectionPool:
    options: dict[str, Any] = {
        "max_connections": MAX_CONNECTIONS,
        "timeout": timeout_seconds,
        **_limits(timeout_seconds),
        "retry": None,
        **address.options,
    }
    if address.group == "sentinel":
        options["ssl"] = options.pop("connection_class", None) is SSLConnection
        # Here and below: what is called has no types in the library.
        return SentinelPool(address.service, _make_sentinel(address), **options)  # type: ignore[no-untyped-call]
    if address.group == "cluster":
        is_tls = options.pop("connection_class", None) is SSLConnection
        options["connection_class"] = AnyNodeSSLConnection if is_tls else AnyNodeConnection
        options["nodes"] = address.nodes
    return BlockingConnectionPool(**options)


def _limits(seconds: float) -> dict[str, Any]:
    return {"socket_connect_timeout": seconds, "socket_timeout": seconds}


def _make_sentinel(address: RedisAddress) -> Sentinel:
    tls = {name: value for name, value in address.options.items() if name.startswith("ssl")}
    if address.options.get("connection_class") is SSLConnection:
        tls["ssl"] = True
    limits = _limits(SENTINEL_TIMEOUT_SECONDS)
    sentinel_options = {**limits, **tls, **address.sentinel_options, "retry": _no_retry()}
    return Sentinel(address.nodes, sentinel_kwargs=sentinel_options)  # type: ignore[no-untyped-call]


def _connect_cluster(address: RedisAddress, timeout_seconds: float) -> RedisCluster:
    options = dict(address.options)
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    return BoundedCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.nodes],
        # What is asked for lies on one node: what becomes of others does not matter.
        require_full_coverage=False,
        max_connections=MAX_CONNECTIONS,
        retry=_no_retry(),
        # The library would close every connection, those in use too, to learn more than was told.
        reinitialize_steps=0,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **_limits(timeout_seconds),
        **options,
    )


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)


class SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the present master, for which one waits when all are in use."""

    async def aclose(self) -> None:
        """Close the connections to the master and to the Sentinels."""
        await super().aclose()
        await self.sentinel_manager.aclose()


class BoundedCluster(RedisCluster):
    """A cluster's client in which commands wait for a connection in place of failing when all are in use."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Do one command on the node that holds its keys."""
        async with self._turns:
            # Before it knows the nodes, the library would send a command to any of them.
            await self.initialize()
            return await super().execute_command(*args, **kwargs)


class AnyNodeConnection(Connection):
    """A connection to the first of several nodes that takes it."""

    def __init__(self, *, nodes: tuple[tuple[str, int], ...], **options: Any) -> None:
        super().__init__(**options)
        self._nodes = list(nodes)

    async def connect(self) -> None:
        """Connect to the node of the last time, else to the next one."""
        for _ in self._nodes:
            self.host, self.port = self._nodes[0]
            try:
                await super().connect()  # type: ignore[no-untyped-call]
            except (NotConnected, TooSlow):
                self._nodes.append(self._nodes.pop(0))
            else:
                return
        raise NotConnected("no node of the cluster takes a connection")


class AnyNodeSSLConnection(AnyNodeConnection, SSLConnection):
    """The same with TLS."""

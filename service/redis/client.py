"""Connections to Redis: one server, one that Sentinel names, or a cluster, as the URL says."""

import asyncio
import os
import stat
from contextlib import closing
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from service.redis.url import PORTS, RedisAddress, parse_redis_url

RedisClient = Redis | RedisCluster

# Of each step: having a connection from the pool, opening it, and reading an answer.
TIMEOUT_SECONDS = 0.25
# A Sentinel says at once who the master is, or the next one is asked while there is time.
SENTINEL_TIMEOUT_SECONDS = 0.1
# Who has much to ask asks for it together, and for one thing after the other.
MAX_CONNECTIONS = 8
# Options that name files and folders of certificates.
_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


def connect_redis(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> RedisClient:
    """Make a client for commands, which fails within a bounded time and never tries again by itself.

    The default client would wait for over 15 seconds for a server that accepts and then is silent.
    """
    address = parse_redis_url(url)
    if address.group == "cluster":
        return _connect_cluster(address, timeout_seconds)
    return Redis.from_pool(_make_pool(address, timeout_seconds))


def check_redis_url(url: str) -> None:
    """Read a URL and try whether the library takes its options; raises ValueError as reading does.

    Nothing is connected.
    """
    address = parse_redis_url(url)
    try:
        if address.group == "cluster":
            _connect_cluster(address, TIMEOUT_SECONDS)
        # redis-py has this method without types.
        _make_pool(address, TIMEOUT_SECONDS).make_connection()  # type: ignore[no-untyped-call]
    # Whatever the library says of a value; its text may hold it.
    except (TypeError, ValueError, OverflowError, AttributeError, RedisError):
        raise ValueError("has an option with a value that cannot be") from None


def check_files(url: str) -> None:
    """Look at the files that a URL names; raises ValueError, whose text says what is wrong with one.

    A socket that is not there yet is none of them: its Redis may be away.
    """
    address = parse_redis_url(url)
    for option in _FILES:
        path = address.options.get(option)
        if path is not None and not os.access(path, os.R_OK):
            why = "may not be read" if os.path.exists(path) else "is not there"
            raise ValueError(f"the file in its `{option}` {why}")
    path = address.options.get("path")
    if path is not None and os.path.exists(path) and not stat.S_ISSOCK(os.stat(path).st_mode):
        raise ValueError("what lies at its path is no socket")
    connection: Any = _make_pool(address, TIMEOUT_SECONDS).make_connection()  # type: ignore[no-untyped-call]
    if not isinstance(connection, SSLConnection):
        return
    try:
        connection.ssl_context.get()
    except (OSError, ValueError, OverflowError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise ValueError(f"TLS cannot be set up by its options: {why}") from None


async def answers_without_tls(url: str) -> bool:
    """Tell whether a Redis without TLS is where a URL asks for one with it.

    It takes what TLS begins with for the beginning of a line, and is silent.
    """
    address = parse_redis_url(url)
    if address.options.get("connection_class") is not SSLConnection:
        return False
    options = address.options
    host, port = (address.nodes or ((options["host"], options.get("port", PORTS[""])),))[0]
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            with closing(writer):
                writer.write(b"PING\r\n")
                return (await reader.read(1)) in {b"+", b"-"}
    except OSError:
        return False


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
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.nodes],
        # What is asked for lies on one node: what becomes of others does not matter.
        require_full_coverage=False,
        retry=_no_retry(),
        # The library would close every connection, those in use too, to learn more than was told.
        reinitialize_steps=0,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **{**_limits(timeout_seconds), **options},
    )


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)


class SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the present master, for which one waits when all are in use.

    The library's own pool fails at once then, and leaves its connections to the Sentinels open at the end.
    """

    async def aclose(self) -> None:
        """Close the connections to the master and to the Sentinels."""
        await super().aclose()
        await self.sentinel_manager.aclose()

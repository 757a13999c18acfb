"""Every form of the URL, and what a wrong one is told, which never repeats it."""

import re
import socket

import pytest
import redis
from redis.asyncio import SSLConnection

from service.redis.client import check_redis_url
from service.redis.errors import describe_failure
from service.redis.url import parse_redis_url

NODES = (("a.example", 1), ("b.example", 6379), ("::1", 3))


def test_one_server() -> None:
    address = parse_redis_url("rediss://ann:secret@a.example:7000/3?ssl_cert_reqs=none")
    assert address.group == ""
    assert address.options == {
        "username": "ann",
        "password": "secret",
        "host": "a.example",
        "port": 7000,
        "db": 3,
        "ssl_cert_reqs": "none",
        "connection_class": SSLConnection,
    }


def test_a_cluster_has_nodes_and_no_database() -> None:
    address = parse_redis_url("redis+cluster://:secret@a.example:1,b.example,[::1]:3")
    assert (address.group, address.nodes) == ("cluster", NODES)
    assert address.options == {"password": "secret"}


def test_sentinels_name_the_master_of_a_service() -> None:
    url = "rediss+sentinel://:secret@a.example,b.example:7/main/2?sentinel_password=other"
    address = parse_redis_url(url)
    assert (address.group, address.service) == ("sentinel", "main")
    assert address.nodes == (("a.example", 26379), ("b.example", 7))
    assert address.options["password"] == "secret"
    assert address.options["db"] == 2
    assert address.options["connection_class"] is SSLConnection
    assert address.sentinel_options == {"password": "other"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://:secret@a.example", "does not start with redis://"),
        ("unix+cluster://:secret@a.example", "does not start with redis://"),
        ("redis+ring://:secret@a.example", "does not start with redis://"),
        ("redis://:secret@a.example:secret", "names a port that is none"),
        ("redis://:secret@a.example:0", "names a port that is none"),
        ("redis://:secret@a.example:99999", "names a port that is none"),
        ("redis+cluster://:secret@a.example:0", "names a port that is none"),
        ("redis+sentinel://:secret@a.example:0/main", "names a port that is none"),
        ("redis://:secret@a.example/²", "names a database that is no number"),
        ("redis+sentinel://:secret@a.example/main/²", "names a database that is no number"),
        ("redis://:secret@a.example/999999999999", "names a database that no Redis has"),
        ("redis://:secret@a.example?db=-1", "names a database that no Redis has"),
        ("redis://:secret@a.example?db=secret", "a value that cannot be"),
        ("redis://:secret@", "names no host"),
        ("redis://", "names no host"),
        ("redis://:secret@a example", "a host that cannot be"),
        ("redis://:secret@a..example", "a host that cannot be"),
        ("redis://:secret@a,b", "a host that cannot be"),
        (f"redis://:secret@{'a' * 64}.example", "a host that cannot be"),
        ("redis+cluster://:secret@a example", "a host that cannot be"),
        ("redis://:secret@[::1", "a host that cannot be"),
        ("redis://:secret℀@a.example", "a host that cannot be"),
        ("redis://:secret%00@a.example", "control character"),
        ("redis://:secret%ff@a.example", "%25"),
        ("unix://", "names no socket"),
        ("unix://:secret@", "names no socket"),
        ("unix:///", "names no socket"),
        (f"unix:///{'a' * 107}", "more than 107 bytes"),
        ("unix://run/redis.sock?password=secret", "unix:///path"),
        ("redis://:secret@a.example?max_connections=-5", "a value that cannot be"),
        ("redis://:secret@a.example?socket_timeout=-1", "a value that cannot be"),
        ("redis://:secret@a.example?timeout=nan", "a value that cannot be"),
        ("redis://:secret@a.example?encoding=nonsense", "an option that is none of"),
        ("redis://:secret@a.example?decode_responses=1", "an option that is none of"),
        ("redis://:secret@a.example?ssl_cert_reqs=none", "an option that is none of"),
        ("redis://a.example?secret@", "an option that is none of"),
        ("redis://:pass?secret@a.example", "names a port that is none"),
        ("redis+cluster://:secret@a.example?db=3", "an option that is none of"),
        ("redis://:secret@a.example?protocol=9", "a value that cannot be"),
        ("redis+cluster://:secret@a.example?protocol=9", "a value that cannot be"),
        ("redis+sentinel://:secret@a.example/main?protocol=9", "a value that cannot be"),
        ("rediss://:secret@a.example?ssl_cert_reqs=maybe", "a value that cannot be"),
        ("rediss+cluster://:secret@a.example?ssl_cert_reqs=maybe", "a value that cannot be"),
        ("unix:///run/redis?password=secret&socket_keepalive=1", "a value that cannot be"),
        ("redis+sentinel://:secret@a.example", "names no service"),
        ("redis+sentinel://:secret@a.example/main/secret", "names a database that is no number"),
        ("redis+cluster://:secret@a.example/1", "a cluster has one only"),
        ("redis+cluster://:secret@a.example:secret", "names a port that is none"),
        ("redis+cluster://:secret@", "names no host"),
        ("redis+cluster://:secret@a.example,,b.example", "names no host"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)) as error:
        check_redis_url(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://a.example?client_name=greenroom&health_check_interval=5&socket_keepalive=1",
        "redis://[::1]:6380/2?max_connections=20&timeout=1&socket_timeout=0.5&protocol=3",
        "redis+cluster://a.example?max_connections=20&socket_connect_timeout=1&username=ann",
        "rediss+sentinel://a.example/main?ssl_cert_reqs=none&db=2&timeout=1",
        "rediss+cluster://a.example?ssl_check_hostname=no",
        "unix:///run/redis.sock?db=3&password=secret",
    ],
)
def test_options_of_the_library_are_taken(url: str) -> None:
    check_redis_url(url)


def made_by(cause: Exception) -> Exception:
    """Give an error of the library that was raised because of another."""
    error = redis.ConnectionError("Error connecting to redis.example:6379 with secret")
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (redis.ConnectionError("secret"), "ConnectionError"),
        (redis.TimeoutError("secret"), "TimeoutError: no answer in time"),
        (made_by(ConnectionRefusedError(111, "secret")), "ConnectionError: Connection refused"),
        (
            made_by(OSError("Multiple exceptions: [Errno 111] Connect call failed ('10.0.0.1', 1)")),
            "ConnectionError: Connection refused",
        ),
        (
            made_by(socket.gaierror(-2, "Name or service not known")),
            "ConnectionError: Name or service not known",
        ),
        (
            redis.ResponseError("unknown command 'AUTH', with args beginning with: 'secret'"),
            "ResponseError: unknown command 'AUTH'",
        ),
        (
            redis.ConnectionError("Connection closed by server."),
            "ConnectionError: it hung up without an answer: is a Redis there, and does it want TLS?",
        ),
    ],
)
def test_a_failure_is_told_without_its_place_or_a_secret(error: Exception, words: str) -> None:
    assert describe_failure(error) == words

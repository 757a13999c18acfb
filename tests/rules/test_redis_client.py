"""Every form of the URL, and what a wrong one is told, which never repeats it."""

import pytest
from redis.asyncio import SSLConnection

from service.redis_client import parse_redis_url

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
        ("redis://:secret@a.example:secret", "its port, database or one of its options is wrong"),
        ("redis://:secret@a.example?db=secret", "its port, database or one of its options"),
        ("redis+sentinel://:secret@a.example", "names no service"),
        ("redis+sentinel://:secret@a.example/main/secret", "names a database that is no number"),
        ("redis+cluster://:secret@a.example/1", "a cluster has one only"),
        ("redis+cluster://:secret@a.example:secret", "names a port that is none"),
        ("redis+cluster://:secret@", "names no host"),
        ("redis+cluster://:secret@a.example,,b.example", "names no host"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as error:
        parse_redis_url(url)
    assert "secret" not in str(error.value)

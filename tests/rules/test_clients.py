"""Which address a request counts for, whatever its sender claims."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rate_limiting.clients import MAX_HOPS, address_prefix, client_address

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
CLIENT = "203.0.113.9"


def client(peer: str | None, *forwarded_for: str) -> str | None:
    address = client_address(peer, list(forwarded_for), TRUSTED)
    return None if address is None else str(address)


@given(st.lists(st.text()))
def test_a_stranger_cannot_say_who_he_is(forged: list[str]) -> None:
    assert client(CLIENT, *forged) == CLIENT


@given(st.lists(st.text()))
def test_what_a_client_sends_to_a_trusted_proxy_changes_nothing(forged: list[str]) -> None:
    assert client("10.0.0.1", *forged, CLIENT) == CLIENT


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "10.0.0.1"),
        ([CLIENT], CLIENT),
        (["198.51.100.1, 203.0.113.9, 10.0.0.7"], CLIENT),
        (["198.51.100.1, 203.0.113.9", "10.0.0.7"], CLIENT),
        (["198.51.100.1", "203.0.113.9,fd00::7 ,, 10.0.0.7,"], CLIENT),
        (["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
    ],
)
def test_the_rightmost_hop_that_is_not_trusted_counts(lines: list[str], expected: str) -> None:
    assert client("10.0.0.1", *lines) == expected


@pytest.mark.parametrize("junk", ["unknown", "_hidden", "203.0.113", "[::1", "1.2.3.4:x", "½"])
def test_a_hop_that_cannot_be_read_ends_the_walk_at_the_last_trusted_one(junk: str) -> None:
    assert client("10.0.0.1", f"{CLIENT}, {junk}, 10.0.0.7") == "10.0.0.7"


@pytest.mark.parametrize(
    ("hop", "expected"),
    [
        ("203.0.113.9:4711", CLIENT),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:DB8:0::9", "2001:db8::9"),
        ("::ffff:203.0.113.9", CLIENT),
        ("[::ffff:203.0.113.9]:4711", CLIENT),
        ("fe80::9%eth0", "fe80::9"),
    ],
)
def test_ports_brackets_zones_and_mapped_addresses_are_understood(hop: str, expected: str) -> None:
    assert client("10.0.0.1", hop) == expected


def test_so_many_proxies_are_asked_and_no_more() -> None:
    assert client("10.0.0.1", CLIENT, *["10.0.0.2"] * (MAX_HOPS - 1)) == CLIENT
    assert client("10.0.0.1", CLIENT, *["10.0.0.2"] * MAX_HOPS) == "10.0.0.2"


def test_a_trusted_proxy_may_come_as_a_mapped_address() -> None:
    assert client("::ffff:10.0.0.1", CLIENT) == CLIENT


@pytest.mark.parametrize("peer", [None, "", "testclient"])
def test_a_peer_without_an_address_has_a_prefix_of_its_own(peer: str | None) -> None:
    assert client(peer, CLIENT) is None
    assert address_prefix(None) == "local"


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.9", "203.0.113.9/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, prefix: str) -> None:
    assert address_prefix(ip_address(address)) == prefix


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_an_ipv6_network_are_one_client(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)

    assert address_prefix(neighbour) == address_prefix(address)


@given(st.ip_addresses(v=4))
def test_each_ipv4_address_is_a_client(address: IPv4Address) -> None:
    assert address_prefix(address) == f"{address}/32"

"""Which network address a request counts for: the socket's, or what trusted proxies say."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# Proxies write `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
HOP_SYNTAX = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+|(.*)")
# One subscriber is handed at least this many bits of IPv6, and can use every address in it.
IPV6_PREFIX_BITS = 64
# Nobody has as many proxies of his own one behind the other.
MAX_HOPS = 32
# A request that came through a Unix socket counts under this in place of a prefix.
NO_PREFIX = "local"


def client_address(
    peer: str | None,
    forwarded_for: list[str],
    trusted: Sequence[IPv4Network | IPv6Network],
) -> IPv4Address | IPv6Address | None:
    """Find the rightmost hop that is not a trusted proxy; `forwarded_for` holds the header's lines.

    Anyone can send the header, so it is read from the right, and only as far as each hop was added
    by a trusted one; what cannot be read ends there. None if the peer has no address.
    """
    address = _parse_hop(peer or "")
    last = ",".join(forwarded_for).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
    hops = [hop for hop in last if hop.strip()]
    while address and hops and any(address in network for network in trusted):
        hop = _parse_hop(hops.pop().strip())
        if hop is None:
            break
        address = hop
    return address


def address_prefix(address: IPv4Address | IPv6Address | None) -> str:
    """Name the network that limits count as one client: IPv4 /32, IPv6 /64."""
    if address is None:
        return NO_PREFIX
    if address.version == 4:
        return f"{address}/{address.max_prefixlen}"
    return str(ip_network(f"{address}/{IPV6_PREFIX_BITS}", strict=False))


def _parse_hop(hop: str) -> IPv4Address | IPv6Address | None:
    match = HOP_SYNTAX.fullmatch(hop)
    host = next(filter(None, match.groups()), "") if match else ""
    try:
        # A zone (`%eth0`) names an interface of this machine and says nothing about the client.
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

"""Who is connected: so many at a time from one network, unless a proxy of ours speaks for others."""

from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from service.rate_limiting.clients import address_prefix, client_address
from service.server.open_files import within_half


class Guests:
    """The connections of each network, counted by where they really come from."""

    def __init__(self, trusted_proxies: Sequence[IPv4Network | IPv6Network], most: int) -> None:
        self._trusted_proxies = trusted_proxies
        self._most = most
        self._limit: int | None = None
        self._counts: Counter[str] = Counter()

    def let_in(self, peer: str | None) -> str | None:
        """Count a connection from an address; gives its network, or None if that has no bound."""
        address = client_address(peer, [], self._trusted_proxies)
        if address is None or any(address in network for network in self._trusted_proxies):
            return None
        network = address_prefix(address)
        self._counts[network] += 1
        return network

    def is_crowd(self, network: str | None) -> bool:
        """Tell whether a network has more connections than it may."""
        if self._limit is None:
            # Not before the process has raised the limit of its files.
            self._limit = within_half(self._most)
        return network is not None and self._counts[network] > self._limit

    def let_out(self, network: str | None) -> None:
        """Forget a connection of a network."""
        if network is None:
            return
        self._counts[network] -= 1
        if not self._counts[network]:
            del self._counts[network]

"""Redis servers that work together, for tests: a master with a replica under a Sentinel, and a cluster."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import redis

from tests.processes import Server, bound_to_us, find_free_port, running, wait_until
from tests.servers import find_program, redis_answers

SERVICE = "greenroom"
MASTERS = 3
SLOTS = 16_384
# Short, so that a test sees a fail-over within a second or two.
NOTICE_MS = 500


@dataclass
class RedisGroup:
    """Servers of which one is the master of what the limiter counts, and their common URL."""

    url: str
    master: Server
    replica: Server
    servers: list[Server]

    @property
    def replica_leads(self) -> bool:
        """Tell whether the replica has become a master."""
        try:
            return info(self.replica)["role"] == "master"
        except redis.exceptions.ConnectionError:
            # Who becomes a master hangs up on everybody.
            return False


@contextmanager
def start_private_sentinel() -> Iterator[RedisGroup]:
    """Run a master, its replica and one Sentinel, whose word is enough. Raises ServerMissing."""
    with TemporaryDirectory(prefix="greenroom-") as name, ExitStack() as stack:
        folder = Path(name)
        master = stack.enter_context(running(make_redis(folder)))
        replica = make_redis(folder, "--replicaof", "127.0.0.1", str(port_of(master)))
        stack.enter_context(running(replica))
        wait_until(lambda: info(replica).get("master_link_status") == "up", "the replica")
        sentinel = stack.enter_context(running(make_sentinel(folder, master)))
        # It learns of the replica from the master, and before that it has nobody to promote.
        wait_until(lambda: bool(ask(sentinel, "SENTINEL", "REPLICAS", SERVICE)), "the Sentinel")
        url = f"redis+sentinel://127.0.0.1:{port_of(sentinel)}/{SERVICE}"
        yield RedisGroup(url, master, replica, [master, replica, sentinel])


@contextmanager
def start_private_cluster(key: str) -> Iterator[RedisGroup]:
    """Run a cluster of three masters, and a replica of the one that holds `key`. Raises ServerMissing."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NOTICE_MS))
    with TemporaryDirectory(prefix="greenroom-") as name, ExitStack() as stack:
        servers = []
        for number in range(MASTERS + 1):
            folder = Path(name, str(number))
            folder.mkdir()
            # Without one of its own it would be the port and 10,000, which may be no port.
            bus = str(find_free_port())
            servers.append(make_redis(folder, *options, "--cluster-port", bus))
            stack.enter_context(running(servers[-1]))
            ask(servers[0], "CLUSTER", "MEET", "127.0.0.1", port_of(servers[-1]), bus)
        *masters, replica = servers
        bounds = [SLOTS * number // MASTERS for number in range(MASTERS + 1)]
        for number, master in enumerate(masters):
            ask(master, "CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        slot = int(str(ask(replica, "CLUSTER", "KEYSLOT", key)))
        master = masters[sum(slot >= bound for bound in bounds[1:])]
        for server in servers:
            wait_until(partial(is_whole, server), "the cluster")
        ask(replica, "CLUSTER", "REPLICATE", str(ask(master, "CLUSTER", "MYID")))
        wait_until(lambda: info(replica).get("master_link_status") == "up", "the replica")
        hosts = ",".join(f"127.0.0.1:{port_of(server)}" for server in masters)
        yield RedisGroup(f"redis+cluster://{hosts}", master, replica, servers)


def make_redis(folder: Path, *options: str) -> Server:
    """Describe a Redis that forgets all when it stops."""
    port = find_free_port()
    command = [find_program("redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--dir", str(folder), "--repl-diskless-sync-delay", "0", *options]
    url = f"redis://127.0.0.1:{port}"
    return Server([*bound_to_us(), *command], url, folder / f"redis-{port}.log", redis_answers)


def make_sentinel(folder: Path, master: Server) -> Server:
    """Describe a Sentinel that watches over a master and does with no other's consent."""
    port, file = find_free_port(), folder / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {SERVICE} 127.0.0.1 {port_of(master)} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} {NOTICE_MS}\n"
        f"sentinel failover-timeout {SERVICE} {4 * NOTICE_MS}\n"
    )
    command = [find_program("redis-sentinel"), str(file)]
    url = f"redis://127.0.0.1:{port}"
    return Server([*bound_to_us(), *command], url, folder / "sentinel.log", redis_answers)


def port_of(server: Server) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def ask(server: Server, *command: str | int) -> object:
    """Send one command to one server."""
    with redis.Redis.from_url(server.url, socket_timeout=2, decode_responses=True) as client:
        return client.execute_command(*command)


def info(server: Server) -> dict[str, str]:
    """Read what a server says of its part in replication."""
    with redis.Redis.from_url(server.url, socket_timeout=2) as client:
        found: dict[str, str] = client.info("replication")
        return found


def is_whole(server: Server) -> bool:
    """Tell whether a node knows all others and finds every slot taken."""
    with redis.Redis.from_url(server.url, socket_timeout=2) as client:
        found: dict[str, str] = client.cluster("INFO")
        known = int(found["cluster_known_nodes"])
        return found["cluster_state"] == "ok" and known == MASTERS + 1

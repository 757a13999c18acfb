"""Real proxies for tests: nginx and Varnish with the configurations of docs/operations/, on other ports."""

import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import REPOSITORY, Server, bound_to_us, find_free_port, running
from tests.servers import find_program

CONFIGURATIONS = REPOSITORY / "docs" / "operations"


# What stands round a site in the nginx of Debian and Ubuntu, as far as it matters to the site.
AROUND_A_SITE = """
events { }
http {
    access_log FOLDER/access.log;
    error_log FOLDER/error.log;
    gzip on;
    SITE
}
"""

UPGRADING = """
events { }
http {
    access_log off;
    client_body_buffer_size 4k;
    upstream service { server ADDRESS; keepalive 4; }
    server {
        listen 80;
        location / {
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }
    }
}
"""


def start_private_nginx(
    configuration: str, changes: Mapping[str, str], port: int | None = None
) -> AbstractContextManager[Server]:
    """Run a configuration of docs/operations/ with some of its text, given as patterns, changed.

    It listens on a port of its own. Raises ServerMissing.
    """
    return _running_nginx((CONFIGURATIONS / configuration).read_text(), changes, port)


@contextmanager
def _running_nginx(configuration: str, changes: Mapping[str, str], port: int | None) -> Iterator[Server]:
    program, port = find_program("nginx"), port or find_free_port()
    with TemporaryDirectory(prefix="greenroom-", ignore_cleanup_errors=True) as folder:
        kept = {name: f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy")}
        kept |= {name: f"{name}_temp_path {folder}/{name};" for name in ("fastcgi", "uwsgi", "scgi")}
        text = replace_all(
            configuration,
            {
                r"listen 80;": f"listen 127.0.0.1:{port};",
                r"http \{": "http { " + " ".join(kept.values()),
                **changes,
            },
        )
        file = Path(folder, "nginx.conf")
        file.write_text(text)
        # Its workers would be of another account than the owner of the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        directives = f"daemon off; pid {folder}/pid; {user}"
        server = Server(
            [*bound_to_us(), program, "-p", folder, "-c", str(file), "-g", directives],
            url=f"http://127.0.0.1:{port}",
            log_file=Path(folder, "log"),
            answers=is_open,
        )
        with running(server):
            yield server


def upstream_of(servers: Sequence[Server]) -> dict[str, str]:
    """Say how a configuration of nginx changes that has these processes behind it."""
    addresses = [server.url.removeprefix("http://") for server in servers]
    return {
        # Docker's name server, and the name that it knows.
        r"resolver [^;]+;": "",
        r"server service:8000 resolve fail_timeout=1s;": " ".join(
            f"server {address} fail_timeout=1s;" for address in addresses
        ),
    }


def start_upstream_nginx(servers: Sequence[Server]) -> AbstractContextManager[Server]:
    """Run docs/operations/nginx.conf in front of processes of the service. Raises ServerMissing."""
    return start_private_nginx("nginx.conf", upstream_of(servers))


def start_upgrading_nginx(server: Server) -> AbstractContextManager[Server]:
    """Run nginx with the usual lines for WebSockets in front of a process. Raises ServerMissing."""
    address = server.url.removeprefix("http://")
    return _running_nginx(UPGRADING.replace("ADDRESS", address), {}, None)


@contextmanager
def start_site_nginx(servers: Sequence[Server], folder: Path) -> Iterator[tuple[Server, str]]:
    """Run docs/operations/nginx-site.conf in front of processes; gives it, and its URL with TLS.

    `folder` gets its logs, and its certificate as `cert.pem`. Raises ServerMissing.
    """
    make_certificate(folder)
    port = find_free_port()
    site = (CONFIGURATIONS / "nginx-site.conf").read_text()
    text = AROUND_A_SITE.replace("SITE", site).replace("FOLDER", str(folder))
    addresses = [server.url.removeprefix("http://") for server in servers]
    changes = {
        r"server 127.0.0.1:8000 fail_timeout=1s;": " ".join(
            f"server {address} fail_timeout=1s;" for address in addresses
        ),
        r"listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        r"listen \[::\]:\d+[^;]*;": "",
        r"/etc/letsencrypt/live/talk.example/fullchain.pem": f"{folder}/cert.pem",
        r"/etc/letsencrypt/live/talk.example/privkey.pem": f"{folder}/key.pem",
        r"/var/log/nginx/greenroom.log": f"{folder}/site.log",
    }
    with _running_nginx(text, changes, None) as nginx:
        yield nginx, f"https://127.0.0.1:{port}"


def make_certificate(folder: Path) -> None:
    """Make a certificate that signs itself, `cert.pem` with `key.pem`."""
    command = [find_program("openssl"), "req", "-x509", "-nodes", "-days", "1"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-subj", "/CN=talk.example", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True)


def trust(folder: Path) -> ssl.SSLContext:
    """Trust the certificate in a folder."""
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


@contextmanager
def start_caching_nginx(behind: Server, port: int) -> Iterator[Server]:
    """Run nginx-cache.conf in front of a service, with an empty cache. Raises ServerMissing."""
    with TemporaryDirectory(prefix="greenroom-", ignore_cleanup_errors=True) as folder:
        changes = {**upstream_of([behind]), r"/var/cache/nginx/greenroom": f"{folder}/cache"}
        with start_private_nginx("nginx-cache.conf", changes, port) as nginx:
            yield nginx


@contextmanager
def start_caching_varnish(behind: Server, port: int) -> Iterator[Server]:
    """Run varnish.vcl in front of a service, with an empty cache. Raises ServerMissing."""
    program = find_program("varnishd")
    with TemporaryDirectory(prefix="greenroom-", ignore_cleanup_errors=True) as folder:
        behind_port = behind.url.rpartition(":")[2]
        file = Path(folder, "greenroom.vcl")
        text = (CONFIGURATIONS / "varnish.vcl").read_text()
        file.write_text(replace_all(text, {r'port = "8000"': f'port = "{behind_port}"'}))
        options = ["-j", "none", "-a", f"127.0.0.1:{port}", "-f", str(file), "-n", f"{folder}/work"]
        options += ["-s", "malloc,16m", "-p", "backend_idle_timeout=1"]
        server = Server(
            [*bound_to_us(), program, "-F", *options],
            url=f"http://127.0.0.1:{port}",
            log_file=Path(folder, "log"),
            answers=is_open,
        )
        with running(server):
            yield server


def replace_all(text: str, changes: Mapping[str, str]) -> str:
    """Replace each pattern, which must be there: a configuration that changed must not pass unseen."""
    for pattern, new in changes.items():
        text, count = re.subn(pattern, lambda _: new, text)  # noqa: B023 - called at once.
        assert count, f"no {pattern} in the configuration"
    return text


def is_open(url: str) -> bool:
    """Tell whether anything listens there."""
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True

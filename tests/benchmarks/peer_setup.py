"""Getting hold of the peers: what fits into a folder is installed, the rest is asked for in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.processes import REPOSITORY

HARNESS = Path(os.environ.get("PEERS") or REPOSITORY.parent / "shared" / "bench" / "peers")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenroom-peers"
ISSO = ["isso==0.14.0", "gunicorn"]
WALINE = "@waline/vercel@1.39.3"
WORDPRESS = (
    "nginx-light php-fpm php-mysql php-curl php-xml php-mbstring mariadb-server wordpress "
    "wordpress-theme-twentytwentythree"
)


class PeerMissing(Exception):
    """A peer cannot be had on this machine; the text says what it would take."""


def find_harness() -> Path:
    """Give the folder of the harness; ends with what to do when it is not there."""
    if not (HARNESS / "peerbench.py").is_file():
        sys.exit(f"No harness of the peers in {HARNESS}; name its folder: make bench-peers PEERS=…")
    return HARNESS.resolve()


def prepare_isso() -> list[str]:
    """Install Isso, and give the arguments of its script."""
    folder = CACHE / "isso"
    if not (folder / "bin" / "gunicorn").exists():
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "--quiet", *ISSO)
    return [str(folder), os.devnull, "gunicorn"]


def prepare_waline() -> list[str]:
    """Install Waline, and give the arguments of its script."""
    folder = CACHE / "waline"
    if missing := [one for one in ("node", "npm", "nginx") if not _find(one)]:
        raise PeerMissing(f"apt-get install {' '.join(missing)}".replace("node ", "nodejs "))
    if not (folder / "node_modules" / "@waline" / "vercel" / "vanilla.js").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), WALINE)
    return [str(folder), os.devnull]


def prepare_wordpress() -> list[str]:
    """Give the arguments of the script of WordPress, whose packages belong to the system."""
    if os.geteuid() != 0:
        raise PeerMissing("its database and its PHP run under accounts of their own: be root")
    programs = [*("mariadbd", "php", "nginx"), *("mariadb-install-db",)]
    if not all(map(_find, programs)) or not Path("/usr/share/wordpress").is_dir():
        raise PeerMissing(f"apt-get install --no-install-recommends {WORDPRESS}")
    return [os.devnull]


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _run(*command: str) -> None:
    print(f"Running {' '.join(command[:4])} …", flush=True)
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerMissing(str(error)) from None

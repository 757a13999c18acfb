"""Open files: as many as the system allows, with some kept back from connections for what has to go on."""

import resource

# For the database, Redis, files, and accepting those who are then told that it is full.
KEPT_BACK = 64


def raise_limit() -> None:
    """Let this process have as many open files as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def within_half(most: int) -> int:
    """Give how many files one kind of use may have: half of them at most, since there are others."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if limit == resource.RLIM_INFINITY else min(most, limit // 2)


def connection_limit() -> int:
    """Give the first descriptor that is no longer for connections.

    The kernel gives each the lowest number that is free, so its number tells how many are open.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1 << 31
    return limit - min(KEPT_BACK, limit // 2)

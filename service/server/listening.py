"""Taking the address that the service is to listen on, or saying why it cannot be had."""

import errno
import os
import socket


class CannotListen(Exception):
    """The address to listen on is not to be had; the text says which, why, and what to do."""


# What an operator can do about it, by what the kernel says.
_ADVICE = {
    errno.EADDRINUSE: "Stop what listens there (`ss -ltnp` names it), or choose another with --port.",
    errno.EADDRNOTAVAIL: "Give an address of this machine with --host, or 0.0.0.0 for all of them.",
    errno.EACCES: "Choose a port from 1024 on with --port, and let a proxy have the lower one.",
}


def bind_listener(host: str, port: int) -> socket.socket:
    """Bind a socket that workers inherit, on which nobody listens yet; raises CannotListen."""
    plain = host.removeprefix("[").removesuffix("]")
    # A name means its IPv4 address: `localhost` has another one, where nobody would look.
    family = socket.AF_INET6 if ":" in plain else socket.AF_INET
    try:
        address = socket.getaddrinfo(plain, port, family, socket.SOCK_STREAM)[0][4]
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name of a host"
        raise CannotListen(
            f"--host {host} is no address to listen on: {why}. Give one of this machine, such as 127.0.0.1."
        ) from None
    listener = socket.socket(family)
    try:
        # What the process before left half closed must not keep the next one out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotListen(_describe(host, port, error)) from None
    listener.set_inheritable(True)
    return listener


def _describe(host: str, port: int, error: OSError) -> str:
    number = error.errno or 0
    where = f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
    # The text of the error itself repeats the address in words of its own.
    return f"Cannot listen on {where}: {os.strerror(number)}. {_ADVICE.get(number, 'Choose another.')}"

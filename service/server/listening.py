"""The socket that the service listens on."""

import socket

import uvicorn


def bind_listener(host: str, port: int) -> socket.socket:
    """Bind a socket, which does not listen yet."""
    return uvicorn.Config("", host=host, port=port, log_config=None).bind_socket()

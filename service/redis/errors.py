"""Why Redis could not be used, in words that hold neither its place nor a secret."""

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    AuthenticationError,
    InvalidResponse,
    NoPermissionError,
    ResponseError,
)
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as TooSlow

# What a Redis says to an order that it will never take, however often it is asked.
_NEVER = (
    "DB index",
    "invalid DB index",
    "unknown command",
    "Cluster mode",
    "Client names",
    "This instance has",
)
# What OpenSSL makes of an answer without TLS.
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
NO_TLS = "no TLS is spoken there: write redis:// for rediss://, or name the port that speaks it"
# asyncio's words for several addresses; they name each.
_NUMBER = re.compile(r"\[Errno (\d+)\]")


def describe_failure(error: BaseException) -> str:
    """Say in a few words why Redis could not be used."""
    words = next((words for one in _list_causes(error) if (words := _describe(one))), None)
    kind = type(error).__name__
    return f"{kind}: {words}" if words else kind


def find_mistake(error: BaseException) -> str | None:
    """Say what is wrong with the URL, if the error shows that it is and not that Redis is away."""
    return next((words for one in _list_causes(error) if (words := _find_mistake(one))), None)


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _find_mistake(error: BaseException) -> str | None:
    if isinstance(error, AuthenticationError):
        return "Redis wants another user or password than the URL has"
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return NO_TLS
    if isinstance(error, InvalidResponse):
        return "what answers there is no Redis"
    if isinstance(error, NoPermissionError):
        return f"{error}; see docs/operations/redis.md"
    if isinstance(error, ResponseError) and str(error).startswith(_NEVER):
        return f"Redis says: {_quote(error)}"
    return None


def _describe(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        # What follows the comma names the host.
        return f"its certificate is refused: {error.verify_message.partition(',')[0]}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    if isinstance(error, socket.gaierror):
        return error.strerror
    if isinstance(error, TimeoutError | TooSlow):
        return "no answer in time"
    if isinstance(error, MasterNotFoundError):
        return "no Sentinel names a master"
    if isinstance(error, OSError):
        return _name_number(error)
    if isinstance(error, ResponseError):
        return _quote(error)
    if isinstance(error, NotConnected) and "closed" in str(error):
        return "it hung up without an answer: is a Redis there, and does it want TLS?"
    return None


def _name_number(error: OSError) -> str | None:
    """Give the system's words, without what stands behind them, which may be an address."""
    found = _NUMBER.search(str(error))
    number = error.errno or (int(found[1]) if found else None)
    if number is None and isinstance(error, ConnectionResetError):
        number = errno.ECONNRESET
    return os.strerror(number) if number else None


def _quote(error: ResponseError) -> str:
    """Give what Redis said, but for the arguments of a command, among which may be a password."""
    return str(error).partition(", with args")[0]

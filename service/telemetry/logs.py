"""Logs: one JSON object a line on standard error, every one of them through one redactor."""

import asyncio
import logging
import re
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from service.telemetry.log_outlet import Outlet

STANDARD_ERROR = 2
REDACTED = "[redacted]"
# However often something fails, comes back and fails again, it is told of once in so long.
TELL_EVERY_SECONDS = 60.0
# Wide on purpose: a log line that loses a word is better than one that shows an address. Bounded, so that
# it takes linear time on anything.
_ADDRESS = re.compile(r"[^\s<>\"(),:;\[\]]{1,128}(?:@|%40)[^\s<>\"'(),:;=\[\]{}|]{1,254}")
_TOKEN = re.compile(r"(/receipts/|/sign-in/|Bearer )(?!\{)[^\s/\"'?]+")
_SECRET_NAMES = re.compile(r"email|address|password|token|secret|cookie|authorization|\bkey\b", re.IGNORECASE)


def redact(value: Any) -> Any:
    """Take addresses and tokens out of a value, however deep they lie in it."""
    if isinstance(value, str):
        return _TOKEN.sub(rf"\1{REDACTED}", _ADDRESS.sub(REDACTED, value))
    if isinstance(value, dict):
        return {
            redact(str(name)): REDACTED if _SECRET_NAMES.search(str(name)) else redact(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set):
        return [redact(inner) for inner in value]
    if isinstance(value, int | float | bool) or value is None:
        return value
    return redact(str(value))


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact a whole log record; the last step before it is written."""
    redacted: EventDict = redact(dict(event))
    return redacted


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Tell whether a record is to be written.

    That the server cuts a request off at its end is no error: anybody can cause it who sends slowly.
    """
    if not record.name.startswith("uvicorn"):
        return True
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        return False
    if str(record.msg).startswith("Cancel %s running task"):
        record.levelno, record.levelname = logging.INFO, "INFO"
    return logging.getLogger().isEnabledFor(record.levelno)


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


# At import, so that under any server and any configuration of `logging` our own records are redacted.
structlog.configure(
    processors=[*_SHARED, redact_event, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def configure_logs(level: str = "INFO", *, for_a_person: bool = False) -> None:
    """Send every logger of the process, those of libraries too, through the redactor.

    For a person at the keyboard there is nothing in it of the database, of which the command itself tells.
    """
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact_event,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr) if for_a_person else _outlet()
    handler.setFormatter(formatter)
    handler.addFilter(_is_worth_a_line)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "litestar"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("service.database").setLevel("CRITICAL" if for_a_person else "NOTSET")
    # A line at each check of the schema, which says nothing.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Its lines hold paths, and paths hold the tokens of receipts. Without a handler they are not even made.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate, access.disabled = False, True


class OnceAMinute:
    """When to tell of what happens again and again: once a minute, with how often it was meanwhile."""

    def __init__(self, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._now_seconds = now_seconds
        self._told_at = float("-inf")
        self.times = 0

    def is_due(self) -> bool:
        """Count once more, and tell whether to tell of it now."""
        self.times += 1
        now = self._now_seconds()
        if now - self._told_at < TELL_EVERY_SECONDS:
            return False
        self._told_at = now
        return True

    def take(self) -> int:
        """Give how often it was, and begin to count anew."""
        times, self.times = self.times, 0
        return times


@cache
def _outlet() -> Outlet:
    return Outlet(STANDARD_ERROR)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger

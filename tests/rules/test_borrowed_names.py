"""Names of libraries that they promise to nobody: each is here, is there, and has an upper bound.

A newer library that lacks one fails here and says which; until then its version is held below.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import redis.asyncio as redis
import uvicorn
from prometheus_client import multiprocess, values
from redis.asyncio import connection, sentinel
from uvicorn.protocols.http import flow_control, httptools_impl

from tests.rules.test_docs import REPOSITORY

SERVICE = REPOSITORY / "service"
# By the library's name in pyproject.toml: what is borrowed of its modules and classes.
BORROWED: dict[str, list[tuple[Any, str]]] = {
    "uvicorn": [
        (httptools_impl, "STATUS_LINE HttpToolsProtocol RequestResponseCycle"),
        (
            httptools_impl.HttpToolsProtocol,
            "app client config connection_lost connection_made cycle data_received flow headers logger loop"
            " on_body on_header on_headers_complete on_message_begin on_message_complete"
            " on_response_complete parser pause_writing pipeline resume_writing scope server_state"
            " shutdown transport url _start_asgi_task _unset_keepalive_if_required",
        ),
        (
            httptools_impl.RequestResponseCycle,
            "default_headers disconnected flow keep_alive message_event on_response response_complete"
            " response_started scope transport",
        ),
        (
            flow_control.FlowControl,
            "pause_reading read_paused resume_reading write_paused _transport",
        ),
        (
            uvicorn.Server,
            "capture_signals config handle_exit lifespan on_tick server_state servers should_exit shutdown"
            " startup",
        ),
    ],
    "prometheus-client": [
        (values, "MultiProcessValue MutexValue ValueClass"),
        (multiprocess, "mark_process_dead"),
    ],
    "redis": [
        (connection, "parse_url"),
        (connection.ConnectionPool, "aclose make_connection"),
        (connection.SSLConnection, "ssl_context"),
        (sentinel.SentinelConnectionPool, "aclose get_master_address sentinel_manager"),
        (redis.RedisCluster, "nodes_manager"),
    ],
}
# Of its standard library, which does promise them.
OF_PYTHON = {"_exit", "_replace"}
NAMES = [
    pytest.param(owner, name, id=f"{library}: {owner.__name__}.{name}")
    for library, borrowed in BORROWED.items()
    for owner, names in borrowed
    for name in names.split()
]


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_borrowed_name_is_there(owner: Any, name: str) -> None:
    # What an object is given when it is made stands in the source of its class or of one below.
    sources = [] if isinstance(owner, ModuleType) else [c for c in owner.__mro__ if c is not object]
    assert hasattr(owner, name) or any(
        re.search(rf"\bself\.{name}\b", inspect.getsource(one)) for one in sources
    )


@pytest.mark.parametrize("library", BORROWED)
def test_what_is_borrowed_from_has_an_upper_bound(library: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    [wanted] = [one for one in project["dependencies"] if re.match(rf"{library}[^\w-]", one)]
    assert "<" in wanted, wanted


def test_nothing_else_is_borrowed_by_a_private_name() -> None:
    trees = {
        path.relative_to(SERVICE): ast.parse(path.read_text("utf-8"))
        for path in sorted(SERVICE.rglob("*.py"))
    }
    known = {name for tree in trees.values() for name in find_own_names(tree)} | OF_PYTHON
    known |= {name for borrowed in BORROWED.values() for _, names in borrowed for name in names.split()}
    used = [(file, *found) for file, tree in trees.items() for found in find_private_names(tree)]
    assert [f"{file}:{line}: {name}" for file, line, name in used if name not in known] == []


def find_own_names(tree: ast.AST) -> Iterator[str]:
    """Find what is made here: functions, and attributes that are assigned or declared."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.attr if isinstance(node, ast.Attribute) else node.id


def find_private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Find modules of others that begin with an underscore, and attributes that do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from ((node.lineno, name) for name in names if is_private(name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            yield node.lineno, node.attr


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")

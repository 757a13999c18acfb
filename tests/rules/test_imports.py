"""Imports point one way, so that any part can be read knowing only the parts below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

SERVICE = Path(__file__).parent.parent.parent / "service"

# From the ground up, one row a layer: a part imports from rows above its own, and never from a
# neighbour in its row. A module with a place of its own stands here by its full name.
ORDER = [
    {"text", "redis.errors", "telemetry.log_outlet", "telemetry.confidential"},
    {"telemetry.logs"},
    {"clock", "environment", "errors", "redis", "server.draining", "server.listening"},
    {"concurrency", "database.url", "server.open_files"},
    {"settings"},
    {"database"},
    {"telemetry"},
    {"changes"},
    {"rate_limiting", "privacy"},
    {"modlog"},
    {"work"},
    {"http"},
    # What an origin is, and which page is meant, by an address alone.
    {"sites.articles"},
    # A site has settings that name fields of either form.
    {"form"},
    {"wordpress"},
    {"sites"},
    # What a running process is made of; operations take it, so it stands below them.
    {"accounts.passwords"},
    {"services"},
    {"comments"},
    {"accounts"},
    {"screening"},
    {"submission", "moderation", "publication", "receipts", "notifications", "transfer"},
    {"telemetry.facts"},
    {"web", "telemetry.routes", "housekeeping"},
    # Alembic compares all tables with the database.
    {"database.migrations"},
    {"process"},
    {"app"},
    {"command_line"},
    {"command_line.commands", "server"},
    # What is typed: a group of commands to a file, and what runs one.
    {"command_line.working"},
    {
        "command_line.sites",
        "command_line.moderators",
        "command_line.tokens",
        "command_line.keys",
        "command_line.log",
        "command_line.routes",
    },
    {"command_line.demo"},
    {"command_line.main"},
    {"__main__"},
]
LAYERS = {part: number for number, row in enumerate(ORDER) for part in row}


def test_imports_point_one_way() -> None:
    assert find_violations(SERVICE) == []


def test_a_violation_names_file_line_and_rule(tmp_path: Path) -> None:
    write(tmp_path / "comments" / "rules.py", "import os\nfrom service.moderation import queries\n")
    assert find_violations(tmp_path) == [
        "comments/rules.py:2: comments may not import moderation, which stands above it"
    ]


def test_features_never_import_one_another(tmp_path: Path) -> None:
    write(tmp_path / "receipts" / "routes.py", "from service import publication\n")
    assert find_violations(tmp_path) == [
        "receipts/routes.py:1: receipts may not import publication, its neighbour"
    ]


def test_an_import_inside_a_function_counts_too(tmp_path: Path) -> None:
    write(tmp_path / "settings.py", "def read():\n    import service.app\n")
    assert find_violations(tmp_path) == ["settings.py:2: settings may not import app, which stands above it"]


def test_a_new_part_needs_a_place_in_the_order(tmp_path: Path) -> None:
    write(tmp_path / "gossip" / "rules.py", "import os\n")
    assert find_violations(tmp_path) == ["gossip/rules.py:1: gossip has no place in ORDER yet"]


def find_violations(root: Path) -> list[str]:
    """List every import in a tree of the package `service` that goes against ORDER."""
    return [line for path in sorted(root.rglob("*.py")) for line in check_file(root, path)]


def check_file(root: Path, path: Path) -> Iterator[str]:
    file = path.relative_to(root)
    if file == Path("__init__.py"):
        return
    importer = place_of(".".join(file.with_suffix("").parts))
    if importer not in LAYERS:
        yield f"{file}:1: {importer} has no place in ORDER yet"
        return
    for line, name in read_imports(path):
        if why := refuse_import(importer, place_of(name)):
            yield f"{file}:{line}: {importer} may not import {place_of(name)}, {why}"


def refuse_import(importer: str, imported: str) -> str | None:
    """Say why one part may not import another, or nothing if it may."""
    if imported == importer:
        return None
    if imported not in LAYERS:
        return "which has no place in ORDER"
    if LAYERS[imported] == LAYERS[importer]:
        return "its neighbour"
    return "which stands above it" if LAYERS[imported] > LAYERS[importer] else None


def place_of(name: str) -> str:
    """Find the longest beginning of a dotted name that ORDER knows, else its first word."""
    words = name.split(".")
    beginnings = [".".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((beginning for beginning in beginnings if beginning in LAYERS), words[0])


def read_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Read the line of each import from `service`, and the name that it takes from there."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("service."):
                yield node.lineno, name.removeprefix("service.")


def write(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")

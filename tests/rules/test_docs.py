"""The docs name what there is, all of it, and nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from service.app import create_app
from service.command_line.main import main
from service.environment import PREFIX
from service.errors import list_problems
from service.http.edge import Edge
from service.settings import READERS, Settings
from service.sites.policy import SETTINGS, SitePolicy

REPOSITORY = Path(__file__).parent.parent.parent
# It is there under `greenroom demo` only.
DEMO = "GET /demo"


def read_rows(page: str, heading: str) -> dict[str, list[str]]:
    """Read the rows of every table whose first heading is this: the code in the first cell, then the rest."""
    text = (REPOSITORY / "docs" / page).read_text()
    tables = re.findall(rf"^\| {heading} \|.*\n\| --- .*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for table in tables for line in table.splitlines()]
    return {first.strip().strip("`"): [one.strip() for one in rest] for first, *rest in rows}


def test_every_variable_is_documented() -> None:
    variables = {PREFIX + name.upper() for name in Settings.__struct_fields__}
    assert set(read_rows("configuration.md", "variable")) == variables
    assert READERS.keys() == set(Settings.__struct_fields__)


def test_every_site_setting_is_documented_with_its_default() -> None:
    documented = {name: cells[0] for name, cells in read_rows("configuration.md", "setting").items()}
    defaults = {
        field.encode_name: getattr(SitePolicy(), field.name) for field in msgspec.structs.fields(SitePolicy)
    }
    assert documented == {name: f"`{defaults[name]}`" for name in SETTINGS}


def test_every_problem_is_documented_with_its_status() -> None:
    documented = [(slug, cells[0]) for slug, cells in read_rows("problems.md", "problem").items()]
    assert documented == [(slug, str(kind.status)) for slug, kind in list_problems().items()]


def test_every_route_is_documented(tmp_path: Path) -> None:
    edge = create_app(Settings(data_dir=tmp_path))
    assert isinstance(edge, Edge)
    routes = {f"{method} {route.template}" for route in edge.table.routes for method in route.handlers}
    assert set(read_rows("api.md", "route")) == routes | {DEMO}


def list_commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Give every command below a group by the words that one types."""
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from list_commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


COMMANDS = dict(list_commands(main, "greenroom"))


def test_every_command_is_documented() -> None:
    assert set(read_rows("operations.md", "command")) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_with_its_command(name: str) -> None:
    [words] = read_rows("operations.md", "command")[name]
    options = {option for one in COMMANDS[name].params for option in one.opts if "-" in option}
    assert set(re.findall(r"--[a-z-]+", words)) == options

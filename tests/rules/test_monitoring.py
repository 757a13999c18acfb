"""Alert rules and dashboard speak of metrics that there are, and each rule speaks when it should."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes import REPOSITORY
from tests.rules.test_docs import read_rows
from tests.servers import find_program

OPERATIONS = REPOSITORY / "docs" / "operations"
TRIALS = Path(__file__).parent / "alerts.test.yml"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((OPERATIONS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((OPERATIONS / "dashboard.json").read_text())["panels"]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in PANELS
        for target in panel.get("targets", ())
    },
}
# Prometheus itself has this one, of every process that it asks.
OF_PROMETHEUS = {"up"}
WORDS = {"and", "or", "unless", "bool", "offset", "sum", "min", "max", "avg", "count"}
# What is no name of a metric: texts and selectors, ranges, lists of labels, functions.
ELSE = r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)|\b\w+\s*\('


@pytest.fixture(scope="module")
def promtool() -> str:
    return find_program("promtool")


def known() -> set[str]:
    """Give every name that a query may use, with those that belong to a histogram."""
    cells = read_rows("operations.md", "metric")
    names = {name for cell in cells for name in re.findall(r"\w+", cell)}
    return {*names, *OF_PROMETHEUS, *(f"{name}_bucket" for name in names)}


def find_metrics(expression: str) -> Iterator[str]:
    plain = re.sub(ELSE, " ", expression)
    return (name for name in re.findall(r"\b[a-zA-Z_]\w*", plain) if name not in WORDS)


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_every_metric_that_is_asked_for_is_there(place: str) -> None:
    asked = set(find_metrics(EXPRESSIONS[place]))
    assert asked
    assert asked <= known()


def test_an_unknown_metric_would_be_found() -> None:
    expression = 'sum by (site) (rate(greenroom_made_up{site="x"}[5m])) / on (site) up > 1'
    assert set(find_metrics(expression)) == {"greenroom_made_up", "up"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_says_what_is_wrong_and_how_urgent_it_is(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description"}


def test_every_rule_has_a_trial_in_which_it_speaks() -> None:
    tried = set(re.findall(r'\{alertname="(\w+)"\}', TRIALS.read_text()))
    assert tried == {rule["alert"] for rule in RULES}


def test_each_rule_speaks_when_it_should_and_else_is_silent(promtool: str) -> None:
    run(promtool, "check", "rules", str(OPERATIONS / "alerts.yml"))
    run(promtool, "test", "rules", str(TRIALS))


def test_every_query_of_the_dashboard_can_be_read(promtool: str, tmp_path: Path) -> None:
    queries = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(EXPRESSIONS.values())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": queries}]}))
    run(promtool, "check", "rules", str(file))


def test_prometheus_can_read_its_configuration(promtool: str) -> None:
    run(promtool, "check", "config", "--syntax-only", str(OPERATIONS / "prometheus.yml"))


def test_panels_do_not_lie_on_one_another() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

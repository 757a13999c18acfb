"""What benchmarks are made of: turns, ratios, the page, drawings. They themselves are run by hand."""

from pathlib import Path
from xml.etree.ElementTree import fromstring

from tests.benchmarks.drawing import Bar, draw_bars, draw_lines
from tests.benchmarks.harness import in_rounds, ratio
from tests.benchmarks.report import Table, replace_section, show_number


def test_sides_take_turns_and_every_other_round_goes_backwards() -> None:
    order: list[str] = []
    sides = {"ours": lambda: order.append("ours"), "theirs": lambda: order.append("theirs")}
    in_rounds(sides, 3)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


def test_a_ratio_is_that_of_neighbours() -> None:
    # The machine became ten times slower between the rounds; the ratio stayed.
    assert ratio([100.0, 10.0, 11.0], [50.0, 5.0, 5.5], float) == 2.0


def test_a_run_replaces_its_own_section_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    before = "# Page\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\n<!-- b: begin -->\nkept\n<!-- b: end -->\n"
    page.write_text(before)
    replace_section(page, "a", r"new \1")
    assert page.read_text() == before.replace("old", r"new \1")


def test_a_table_is_markdown() -> None:
    table = Table(["what", "1/s"])
    table.add("page", "12")
    assert table.to_markdown() == "| what | 1/s |\n| --- | ---: |\n| page | 12 |"


def test_figures_have_the_digits_that_mean_something() -> None:
    figures = [show_number(value) for value in (12_345.6, 123.4, 12.34, 1.234, 0.0123)]
    assert figures == ["12,346", "123", "12.3", "1.23", "0.01"]


def test_drawings_are_xml_whatever_they_are_named() -> None:
    fromstring(draw_bars("a < b", [Bar("ours & theirs", 0.9, "0.90", 0.85)]))  # noqa: S314 - Our own.
    fromstring(draw_lines("growth", {"<one>": [1.0, 1.1]}, ["1,000", "2,000"], 1.5))  # noqa: S314

"""Free texts of moderators are judged like a reader's, whatever body they come in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from msgspec import Meta

from service.app import create_app
from service.errors import Invalid
from service.http.edge import Edge
from service.http.fields import convert_fields
from service.http.tidy import FREE_TEXT, one_line, some_lines, tidy_texts
from service.http.told import find_extra, unwrap
from service.settings import Settings

# Texts in bodies that are not free, each with what they are.
OTHERS = {
    "SubmitComment",  # A reader's own, which its table of fields judges.
    "PreviewText",  # The same text, by the same check.
    "EditComment",  # The same.
    "*.email",  # Checked as an address.
    "*.password",  # What was typed, to the letter.
    "*.slug",  # A site's.
    "*.site",  # The same.
    "*.article",  # A key.
    "*.origins",  # Checked one by one.
    "*.settings",  # Each has a rule of its own; `test_site_settings` has that of reasons.
    "*.comment",  # An id.
    "*.comments",  # Ids.
    "UndoDecisions.decisions",  # Ids.
    "*.reason",  # A code.
}


class Remark(msgspec.Struct):
    """A command with free texts of both kinds, also in a list and where it may be left out."""

    name: Annotated[str, one_line(5)]
    notes: Annotated[list[Annotated[str, some_lines(5)]], Meta(max_length=2)] = []
    purpose: Annotated[str, some_lines(5)] | None = None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Bob ", "Bob"),
        ("B\tob\n", "B ob"),
        ("Bo\u0301b", "B\u00f3b"),
        ("B\u202eo\u200bb\ufeff", "Bob"),
        ("B\x00ob", "B\x00ob"),
        ("x" * 1_025, "x" * 1_025),
        ("\u2800\u3164", ""),
        ("\u200b \u2060", ""),
        (5, 5),
        (None, None),
    ],
)
def test_a_line_gets_the_form_of_a_reader_s_name(typed: object, kept: object) -> None:
    assert tidy_texts({"name": typed}, Remark) == {"name": kept}


def test_they_are_found_wherever_they_stand() -> None:
    raw = {"name": "Bob", "notes": [" a\r\nb ", 7], "purpose": "\u200b", "else": " x "}
    tidy = {"name": "Bob", "notes": ["a\nb", 7], "purpose": "", "else": " x "}
    assert tidy_texts(raw, Remark) == tidy
    for other in ([raw], "Bob", None, 5, {"notes": [" a ", " b ", " more than may be "]}):
        assert tidy_texts(other, Remark) == other


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": " \u200b"}, "name_required"),
        ({"name": ""}, "name_required"),
        ({}, "name_required"),
        ({"name": "Robert"}, "name_too_long"),
        ({"name": "B\x00ob"}, "name_invalid"),
        ({"name": "Bob", "purpose": "\u2800"}, "purpose_invalid"),
        ({"name": "Bob", "purpose": "x" * 11}, "purpose_too_long"),
    ],
)
def test_what_nobody_could_see_is_missing(fields: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        convert_fields(fields, Remark)
    assert [error.code for error in refused.value.errors or []] == [code]


def test_lengths_are_taken_after_that() -> None:
    assert convert_fields({"name": f" {'x' * 5} \u200b"}, Remark).name == "xxxxx"


def test_every_text_in_a_body_is_free_or_said_not_to_be(tmp_path: Path) -> None:
    edge = create_app(Settings(data_dir=tmp_path))
    assert isinstance(edge, Edge)
    docs = [doc for route in edge.table.routes for doc in route.docs.values()]
    bodies = {doc.body for doc in docs if doc.body}
    texts = {name for body in bodies for name in list_texts(body)}
    unknown = {
        name
        for name in texts
        if name.partition(".")[0] not in OTHERS
        and name not in OTHERS
        and f"*.{name.partition('.')[2]}" not in OTHERS
    }
    assert unknown == set()
    # And nothing is said of what is not there.
    kinds = {name.partition(".")[0] for name in texts}
    ends = {f"*.{name.partition('.')[2]}" for name in texts}
    assert kinds | ends | texts >= OTHERS


def list_texts(kind: type[msgspec.Struct]) -> Iterator[str]:
    """Name every member of a body, and of what is in it, that holds text and is not marked as free."""
    for member in msgspec.structs.fields(kind):
        if find_extra(unwrap(member.type)[1], FREE_TEXT):
            continue
        for inner in walk(member.type):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                yield from list_texts(inner)
            elif inner is str:
                yield f"{kind.__name__}.{member.encode_name}"


def walk(kind: Any) -> Iterator[Any]:
    """Give a type and all within it."""
    yield kind
    if get_origin(kind) is not None:
        for inner in get_args(kind):
            yield from walk(inner)

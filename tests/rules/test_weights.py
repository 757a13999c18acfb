"""Weights of what a client accepts: read for media types, codings and languages by one reader."""

import pytest

from service.http.pages import names_page
from service.http.stored import choose_coding
from service.text.weights import read_weights


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("de-AT, en;q=0.5", [("de-at", 1.0), ("en", 0.5)]),
        ("text/html;level=1;q=0.001", [("text/html", 0.001)]),
        ("br ; q=1.000,gzip; q=0.", [("br", 1.0), ("gzip", 0.0)]),
        (
            "a;q=2, b;q=0.1234, c;q=, d;q=nan, e;q=.5",
            [("a", 1), ("b", 0.1234), ("c", 1), ("d", 1), ("e", 0.5)],
        ),
        ("", [("", 1.0)]),
    ],
)
def test_each_value_has_its_weight(header: str, read: list[tuple[str, float]]) -> None:
    assert list(read_weights(header)) == read


@pytest.mark.parametrize("accept", ["text/html", "a/b, TEXT/HTML;q=0.1", "text/html;level=1"])
def test_a_page_is_asked_for_by_its_name(accept: str) -> None:
    assert names_page(accept)


@pytest.mark.parametrize("accept", ["", "*/*", "text/*", "text/html;q=0.0", "text/htmlx"])
def test_a_page_is_not_asked_for_otherwise(accept: str) -> None:
    assert not names_page(accept)


def test_of_two_codings_that_are_liked_as_well_the_better_is_chosen() -> None:
    assert choose_coding(b"gzip;q=0.5, br;q=0.5") == "br"
    assert choose_coding(b"*;q=0.1, br;q=0") == "gzip"

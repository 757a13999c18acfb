"""Avatars: drawn from the public name alone, always the same, readable, inert."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.publication.avatars import avatar_path, draw_avatar

SEEDS = st.binary(min_size=8, max_size=8).map(bytes.hex)


@given(st.text())
def test_the_path_holds_a_seed_and_nothing_of_the_name(name: str) -> None:
    path = avatar_path(name)
    assert re.fullmatch(r"/avatars/[0-9a-f]{16}\.svg", path)
    assert path == avatar_path(name)


def test_case_and_composition_do_not_change_a_face() -> None:
    assert avatar_path("José") == avatar_path("JOSE\u0301") != avatar_path("Jose")


@given(SEEDS)
def test_a_picture_is_symmetric_and_has_two_plain_shapes(seed: str) -> None:
    svg = ElementTree.fromstring(draw_avatar(seed))  # noqa: S314 - it is our own output
    assert [child.tag for child in svg] == ["{http://www.w3.org/2000/svg}path"] * 2
    cells = set(re.findall(r"M(\d) (\d)", svg[1].attrib["d"]))
    assert cells == {(str(4 - int(column)), row) for column, row in cells}
    assert cells


@pytest.mark.parametrize("hue", range(256))
def test_every_hue_has_the_contrast_that_graphics_need(hue: int) -> None:
    paper, ink = re.findall(r'fill="#([0-9a-f]{6})"', draw_avatar(f"{hue:02x}" + "0" * 14).decode())
    # WCAG 2.2, criterion 1.4.11.
    assert (measure_luminance(paper) + 0.05) / (measure_luminance(ink) + 0.05) >= 3


@pytest.mark.parametrize("seed", ["", "00", "zz" * 8, "<script>" * 2, "0" * 17, "00 " * 8])
def test_a_seed_that_no_name_has_is_refused(seed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        draw_avatar(seed)


def measure_luminance(colour: str) -> float:
    """Give the relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (part / 255 for part in bytes.fromhex(colour))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

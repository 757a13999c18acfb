"""Pictures of commenters that are drawn from the public name alone, never from an address."""

from colorsys import hls_to_rgb
from hashlib import sha256

from service.text.nfc import nfc

# 64 bits: one byte for the hue, two for the cells, the rest so that few names share a picture.
SEED_HEX_CHARS = 16

_CELLS = 5
# Dark on light, so that each hue has a contrast of at least 3:1 (WCAG 2.2, criterion 1.4.11).
_INK_LIGHTNESS, _PAPER_LIGHTNESS, _SATURATION = 0.32, 0.95, 0.6


def avatar_path(name: str) -> str:
    """Give the path of the picture for a name; case and composition of letters do not matter."""
    seed = sha256(nfc(name.casefold()).encode()).hexdigest()[:SEED_HEX_CHARS]
    return f"/avatars/{seed}.svg"


def draw_avatar(seed_hex: str) -> bytes:
    """Draw the SVG for a seed of SEED_HEX_CHARS hex digits: five by five cells, mirrored.

    Raises ValueError for any other seed.
    """
    seed = bytes.fromhex(seed_hex)
    if len(seed_hex) != SEED_HEX_CHARS:
        raise ValueError("A seed has another length.")
    paper, ink = (_mix_colour(seed[0], light) for light in (_PAPER_LIGHTNESS, _INK_LIGHTNESS))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 7 7" shape-rendering="crispEdges">'
        f'<path fill="{paper}" d="M-1-1h7v7h-7z"/>'
        f'<path fill="{ink}" d="{_draw_cells(int.from_bytes(seed[1:3], "big"))}"/></svg>'
    ).encode()


def _draw_cells(bits: int) -> str:
    """Fill the left three columns by the lowest fifteen bits, and mirror two of them."""
    # The middle cell is always filled, so that no picture is empty.
    filled = {(2, 2)}
    for place in range(_CELLS * 3):
        column, row = divmod(place, _CELLS)
        if bits >> place & 1:
            filled |= {(column, row), (_CELLS - 1 - column, row)}
    return "".join(f"M{column} {row}h1v1h-1z" for column, row in sorted(filled))


def _mix_colour(hue_byte: int, lightness: float) -> str:
    red, green, blue = hls_to_rgb(hue_byte / 256, lightness, _SATURATION)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"

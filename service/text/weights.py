"""The values that a client lists in an Accept header of any kind, and how much it likes each."""

import re
from collections.abc import Iterator

# RFC 9110, section 12.4.2.
_WEIGHT = re.compile(r"0?\.[0-9]{1,6}|0\.?|1(\.0*)?")


def read_weights(header: str) -> Iterator[tuple[str, float]]:
    """Give each value in lower case with its weight: 1 where there is none, or none that can be read."""
    for item in header.lower().split(","):
        value, *parameters = (part.strip() for part in item.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        yield value, float(weight) if _WEIGHT.fullmatch(weight) else 1.0

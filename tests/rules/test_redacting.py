"""What a log shows of a line that holds an address: nothing of it, whatever characters it is made of."""

import pytest
from hypothesis import given
from hypothesis.strategies import text

from service.telemetry.logs import redact

# What may stand before the @ without quotation marks (RFC 5322, section 3.2.3).
ATEXT = "abcxyzABC019!#$%&'*+-/=?^_`{|}~."


@pytest.mark.parametrize(
    "address",
    [
        "dave@mail.example",
        "o'brien@mail.example",
        "a=b@mail.example",
        "x{y}z@mail.example",
        "jörg@mail.example",
    ],
)
def test_nothing_of_an_address_is_left(address: str) -> None:
    for line in (address, f"for '{address}' and others", f"email={address}&x=1", f'{{"email":"{address}"}}'):
        local = address.partition("@")[0]
        assert local not in redact(line)
        assert "mail.example" not in redact(line)
        assert local not in redact(line.replace("@", "%40"))


@given(text(ATEXT, min_size=1, max_size=64))
def test_whatever_stands_before_the_at_sign(local: str) -> None:
    assert redact(f"to {local}@mail.example: refused") == "to [redacted]: refused"

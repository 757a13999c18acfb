"""What a limit is, who is limited, and whether one more try fits: pure, for both twins."""

import hmac
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec

UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
# A microsecond is the clock's grain, so a million a second is the most that can be told apart.
MAX_BURST = 1_000_000
LIMIT_SYNTAX = re.compile(rf"([1-9][0-9]{{0,5}}|{MAX_BURST})/({'|'.join(UNIT_SECONDS)})")


class Limit(msgspec.Struct, frozen=True):
    """A burst of tries, then one every period÷burst."""

    burst: int
    period_seconds: int

    @property
    def interval_us(self) -> int:
        """What one try costs, rounded up so that rounding never lets more pass."""
        return -(-self.period_seconds * 1_000_000 // self.burst)

    @property
    def window_us(self) -> int:
        """What may be owed at most: the cost of a whole burst."""
        return self.burst * self.interval_us


# Every submission asks for the limits of its site, and most sites have the same. What is no limit, and so may
# be long, is not remembered.
@lru_cache(maxsize=1_000)
def parse_limit(text: str) -> Limit | None:
    """Read `N/second|minute|hour|day`, or `off`, which is None; anything else is a ValueError."""
    if text == "off":
        return None
    match = LIMIT_SYNTAX.fullmatch(text)
    if match is None:
        units = "|".join(UNIT_SECONDS)
        raise ValueError(f"A limit is N/{units} with N from 1 to {MAX_BURST}, or off.")
    return Limit(burst=int(match[1]), period_seconds=UNIT_SECONDS[match[2]])


class Rule(msgspec.Struct, frozen=True):
    """A limit on one subject, such as an address's prefix; over a soft rule a try is only reported.

    The subject is in clear and must not leave the process: the twins keep it as `subject_key` only.
    """

    name: str
    limit: Limit
    subject: str
    soft: bool = False

    def __repr__(self) -> str:
        return f"Rule({self.name!r}, {self.limit!r}, soft={self.soft})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("name", self.name), ("limit", self.limit), ("soft", self.soft)]


class Refusal(msgspec.Struct, frozen=True):
    """The rule that refused a try, and how long to wait."""

    rule: str
    limit: Limit
    retry_after_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a 429 (draft-ietf-httpapi-ratelimit-headers; RFC 9110, section 10.2.3)."""
        return {
            "Retry-After": str(self.retry_after_seconds),
            "RateLimit-Policy": f'"{self.rule}";q={self.limit.burst};w={self.limit.period_seconds}',
            "RateLimit": f'"{self.rule}";r=0;t={self.retry_after_seconds}',
        }


class Charge(msgspec.Struct, frozen=True):
    """One try as it was counted: under which key, at what cost, and when it will have worn off."""

    key: str
    interval_us: int
    empty_at_us: int


class Verdict(msgspec.Struct, frozen=True):
    """Whether a try may go on, which soft rules it is over, and what a refund would give back."""

    taken_by: Literal["redis", "process"]
    refused: Refusal | None = None
    over: frozenset[str] = frozenset()
    charges: tuple[Charge, ...] = ()


def subject_key(secret: bytes, rule: Rule) -> str:
    """Name a rule's window: a keyed hash in hex, so that a subject can be neither read nor guessed.

    The limit is part of it, so that a changed limit starts with an empty window.
    """
    limit = rule.limit
    text = msgspec.json.encode((rule.name, limit.burst, limit.period_seconds, rule.subject))
    # 128 of the 256 bits: the chance that two subjects ever share a window stays negligible.
    return hmac.digest(secret, text, "sha256")[:16].hex()


def empty_at_after_try(limit: Limit, empty_at_us: int, now_us: int) -> int:
    """Say when a window will be empty if one more try is counted now.

    A moment too far ahead comes from a clock that was set back, and is cut to one window.
    """
    start_us = min(max(empty_at_us, now_us), now_us + limit.window_us)
    return start_us + limit.interval_us


def empty_at_after_refund(charge: Charge, empty_at_us: int, now_us: int) -> int:
    """Say when a window will be empty once a charge is given back.

    Only what has not worn off is given back, so that a refund never lifts a later try's charge:
    the window is as if the try had never been, or a little stricter.
    """
    left_us = min(charge.interval_us, charge.empty_at_us - now_us)
    return empty_at_us - max(left_us, 0)


def judge(
    rules: Sequence[Rule],
    charges: Sequence[Charge],
    now_us: int,
    taken_by: Literal["redis", "process"],
) -> Verdict:
    """Decide on a try from what it would be charged under each rule, in the rules' order.

    Of several rules that refuse, the one with the longest wait is named.
    """
    fitting, over, refusals = [], set(), []
    for rule, charge in zip(rules, charges, strict=True):
        wait_us = charge.empty_at_us - now_us - rule.limit.window_us
        if wait_us <= 0:
            fitting.append(charge)
        elif rule.soft:
            over.add(rule.name)
        else:
            refusals.append((wait_us, rule))
    if not refusals:
        return Verdict(taken_by, over=frozenset(over), charges=tuple(fitting))
    wait_us, rule = max(refusals, key=lambda refusal: refusal[0])
    refused = Refusal(rule.name, rule.limit, retry_after_seconds=-(-wait_us // 1_000_000))
    return Verdict(taken_by, refused=refused, over=frozenset(over))

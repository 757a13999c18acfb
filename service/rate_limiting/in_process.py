"""The limiter of a single process: the twin of the one on Redis, with the same results."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from service.rate_limiting.rules import (
    Charge,
    Rule,
    Verdict,
    empty_at_after_refund,
    empty_at_after_try,
    judge,
    subject_key,
)

# Some 200 bytes each, so 20 MB at most.
MAX_WINDOWS = 100_000
# Two hexadecimal digits spread the newcomers to a full limiter over 256 windows for each rule.
SHARED_DIGITS = 2


def monotonic_us() -> int:
    """Read a clock in microseconds that is never set back."""
    return time.monotonic_ns() // 1_000


class InProcessLimiter:
    """Counts tries in memory; nothing here awaits, so each call is atomic.

    For each window that is opened the two oldest are looked at and dropped if empty, which keeps at
    most about twice as many as are in use. Once there are `max_windows`, subjects without one share
    windows by a part of their key. So a flood of fresh subjects limits newcomers more strictly, and
    never pushes out a window that is in use.
    """

    def __init__(
        self,
        secret: bytes,
        now_us: Callable[[], int] = monotonic_us,
        max_windows: int = MAX_WINDOWS,
    ) -> None:
        self._secret = secret
        self._now_us = now_us
        self._max_windows = max_windows
        self._empty_at_us: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._empty_at_us)

    async def charge(self, rules: Sequence[Rule]) -> Verdict:
        """Count one try under all rules or under none."""
        now_us = self._now_us()
        charges = [self._price(rule, now_us) for rule in rules]
        verdict = judge(rules, charges, now_us, taken_by="process")
        for charge in verdict.charges:
            self._keep(charge.key, charge.empty_at_us, now_us)
        return verdict

    async def refund(self, verdict: Verdict) -> None:
        """Give back what a verdict charged."""
        now_us = self._now_us()
        for charge in verdict.charges:
            kept_us = self._empty_at_us.get(charge.key)
            if kept_us is not None:
                self._empty_at_us[charge.key] = empty_at_after_refund(charge, kept_us, now_us)
                self._drop_if_empty(charge.key, now_us)

    def _price(self, rule: Rule, now_us: int) -> Charge:
        key = self._window(rule)
        empty_at_us = empty_at_after_try(rule.limit, self._empty_at_us.get(key, now_us), now_us)
        return Charge(key, rule.limit.interval_us, empty_at_us)

    def _window(self, rule: Rule) -> str:
        key = subject_key(self._secret, rule)
        if key in self._empty_at_us or len(self) < self._max_windows:
            return key
        limit = rule.limit
        return f"{rule.name}:{limit.burst}:{limit.period_seconds}:{key[:SHARED_DIGITS]}"

    def _keep(self, key: str, empty_at_us: int, now_us: int) -> None:
        is_opened = key not in self._empty_at_us
        self._empty_at_us[key] = empty_at_us
        if is_opened:
            self._sweep(now_us)

    def _sweep(self, now_us: int) -> None:
        for _ in range(2):
            oldest = next(iter(self._empty_at_us), None)
            if oldest is not None:
                self._empty_at_us.move_to_end(oldest)
                self._drop_if_empty(oldest, now_us)

    def _drop_if_empty(self, key: str, now_us: int) -> None:
        if self._empty_at_us[key] <= now_us:
            del self._empty_at_us[key]

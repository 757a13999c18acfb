"""The arithmetic of the limits, and what a refusal says."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rate_limiting.rules import (
    UNIT_SECONDS,
    Charge,
    Limit,
    Refusal,
    Rule,
    empty_at_after_refund,
    empty_at_after_try,
    judge,
    parse_limit,
    subject_key,
)

SECOND_US = 1_000_000
TEN_A_MINUTE = Limit(burst=10, period_seconds=60)

limits = st.builds(
    Limit, burst=st.integers(1, 1_000_000), period_seconds=st.sampled_from([1, 60, 3_600, 86_400])
)
small_limits = st.builds(Limit, burst=st.integers(1, 12), period_seconds=st.sampled_from([1, 7, 60]))
# Some pauses are shorter than any interval, some longer than any window.
pauses_us = st.lists(st.integers(0, 10 * SECOND_US) | st.integers(0, 1_000), max_size=60)


def fits(limit: Limit, empty_at_us: int, now_us: int) -> bool:
    return empty_at_after_try(limit, empty_at_us, now_us) - now_us <= limit.window_us


def count_passes(limit: Limit, moments_us: Iterable[int]) -> int:
    empty_at_us = passes = 0
    for now_us in moments_us:
        if fits(limit, empty_at_us, now_us):
            empty_at_us = empty_at_after_try(limit, empty_at_us, now_us)
            passes += 1
    return passes


@given(limits)
def test_a_written_limit_reads_as_itself(limit: Limit) -> None:
    units = {seconds: unit for unit, seconds in UNIT_SECONDS.items()}
    assert parse_limit(f"{limit.burst}/{units[limit.period_seconds]}") == limit
    assert parse_limit("off") is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "10", "/minute", "10/", "10/week", "10/Minute", "10/minutes", "OFF", "none"),
        *("0/minute", "007/minute", "-1/minute", "+1/minute", "1.5/minute", "1e3/minute"),
        *(" 10/minute", "10/minute\n", "10 /minute", "1_000/minute", "٣/minute", "３/minute"),
        *("1000001/second", "9999999/day", "1" * 5_000 + "/day"),
    ],
)
def test_what_is_no_limit_is_refused_with_the_syntax(text: str) -> None:
    with pytest.raises(ValueError, match=r"N/second\|minute\|hour\|day with N from 1 to 1000000"):
        parse_limit(text)


@given(limits)
def test_a_whole_burst_passes_at_once_and_no_more(limit: Limit) -> None:
    burst = min(limit.burst, 50)
    limit = Limit(burst, limit.period_seconds)

    assert count_passes(limit, [0] * (burst + 20)) == burst


@given(limits)
def test_after_a_burst_one_passes_every_interval(limit: Limit) -> None:
    full_us = limit.window_us

    assert not fits(limit, full_us, limit.interval_us - 1)
    assert fits(limit, full_us, limit.interval_us)


@given(limits)
def test_an_interval_is_the_period_through_the_burst_rounded_up(limit: Limit) -> None:
    exact_us = limit.period_seconds * SECOND_US / limit.burst

    assert exact_us <= limit.interval_us < exact_us + 1


@given(small_limits, pauses_us)
def test_never_more_pass_than_the_burst_and_what_the_time_allows(limit: Limit, pauses: list[int]) -> None:
    moments = [sum(pauses[:index]) for index in range(len(pauses))]
    elapsed_us = moments[-1] if moments else 0

    allowed = limit.burst + elapsed_us * limit.burst / (limit.period_seconds * SECOND_US)
    assert count_passes(limit, moments) <= allowed


@given(small_limits, st.lists(st.tuples(st.integers(0, 5 * SECOND_US), st.booleans()), max_size=60))
def test_tries_given_back_lift_the_limit_for_no_other(limit: Limit, steps: list[tuple[int, bool]]) -> None:
    now_us = empty_at_us = kept = 0
    given_back: Charge | None = None
    for pause_us, is_refunded in steps:
        now_us += pause_us
        if given_back:
            empty_at_us = empty_at_after_refund(given_back, empty_at_us, now_us)
            given_back = None
        if not fits(limit, empty_at_us, now_us):
            continue
        empty_at_us = empty_at_after_try(limit, empty_at_us, now_us)
        if is_refunded:
            given_back = Charge("key", limit.interval_us, empty_at_us)
        else:
            kept += 1

    assert kept <= limit.burst + now_us * limit.burst / (limit.period_seconds * SECOND_US)


@given(small_limits, st.integers(0, 10**9))
def test_a_try_given_back_at_once_leaves_no_trace(limit: Limit, owed_us: int) -> None:
    now_us = 10**12
    before_us = now_us + owed_us % limit.window_us
    after_us = empty_at_after_try(limit, before_us, now_us)

    charge = Charge("key", limit.interval_us, after_us)
    assert empty_at_after_refund(charge, after_us, now_us) == before_us


def test_a_clock_that_was_set_back_costs_at_most_one_window() -> None:
    a_day_ahead_us = 86_400 * SECOND_US

    assert fits(TEN_A_MINUTE, TEN_A_MINUTE.window_us, TEN_A_MINUTE.interval_us)
    assert empty_at_after_try(TEN_A_MINUTE, a_day_ahead_us, 0) == 66 * SECOND_US


def test_a_refusal_names_its_rule_in_three_headers() -> None:
    assert Refusal("ip", TEN_A_MINUTE, retry_after_seconds=6).headers == {
        "Retry-After": "6",
        "RateLimit-Policy": '"ip";q=10;w=60',
        "RateLimit": '"ip";r=0;t=6',
    }


@pytest.mark.parametrize(
    ("wait_us", "seconds"), [(1, 1), (SECOND_US, 1), (SECOND_US + 1, 2), (6 * SECOND_US, 6)]
)
def test_a_wait_is_told_in_whole_seconds_rounded_up(wait_us: int, seconds: int) -> None:
    charge = Charge("key", TEN_A_MINUTE.interval_us, TEN_A_MINUTE.window_us + wait_us)

    verdict = judge([Rule("ip", TEN_A_MINUTE, "192.0.2.1/32")], [charge], 0, "process")
    assert verdict.refused == Refusal("ip", TEN_A_MINUTE, seconds)


def test_of_several_rules_that_refuse_the_one_with_the_longest_wait_is_named() -> None:
    names_and_waits = {"ip": 2, "address": 9, "site": 4}
    rules = [Rule(name, TEN_A_MINUTE, "x") for name in names_and_waits]
    charges = [
        Charge("key", TEN_A_MINUTE.interval_us, (60 + wait) * SECOND_US) for wait in names_and_waits.values()
    ]

    verdict = judge(rules, charges, 0, "process")
    assert verdict.refused == Refusal("address", TEN_A_MINUTE, 9)


@given(st.emails())
def test_a_subject_shows_neither_in_a_rule_nor_in_its_key(address: str) -> None:
    rule = Rule("address", TEN_A_MINUTE, address)

    assert address not in repr(rule)
    assert address not in str(list(rule.__rich_repr__()))
    assert address not in subject_key(b"secret", rule)


def test_each_name_limit_subject_and_secret_has_a_window_of_its_own() -> None:
    keys = {
        subject_key(b"secret", Rule("ip", TEN_A_MINUTE, "a")),
        subject_key(b"secret", Rule("ip", TEN_A_MINUTE, "b")),
        subject_key(b"secret", Rule("ip", Limit(11, 60), "a")),
        subject_key(b"secret", Rule("ip", Limit(10, 1), "a")),
        subject_key(b"secret", Rule("address", TEN_A_MINUTE, "a")),
        subject_key(b"another", Rule("ip", TEN_A_MINUTE, "a")),
    }
    assert len(keys) == 6

"""The settings of a site: each has one type, and a wrong one is said to be wrong."""

import pytest

from service.sites.policy import SettingInvalid, change_policy, read_policy


def test_a_setting_that_is_not_changed_keeps_its_default() -> None:
    policy = read_policy(change_policy({}, "max_depth", 4))
    assert (policy.max_depth, policy.receipt_days) == (4, 180)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_depth", "4"),
        ("max_depth", -1),
        ("max_depth", True),
        ("articles", "some"),
        ("limit.ip", 5),
        ("limit.ip", "5/week"),
        ("reason.rude", ""),
        ("colour", "red"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingInvalid, match="setting" if name == "colour" else name):
        change_policy({}, name, value)

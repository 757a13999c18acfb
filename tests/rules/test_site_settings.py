"""The settings of a site: each has one type, and a wrong one is said to be wrong."""

import pytest

from service.sites.directory import is_slug
from service.sites.kinds import MAX_REASONS
from service.sites.policy import (
    SettingValue,
    change_policy,
    find_faults,
    parse_setting,
    read_policy,
)


def test_a_setting_that_is_not_changed_keeps_its_default() -> None:
    policy = read_policy(change_policy({}, {"max_depth": 4}))
    assert (policy.max_depth, policy.receipt_days) == (4, 180)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_depth", "4"),
        ("max_depth", -1),
        ("articles", "some"),
        ("limit.ip", 5),
        ("limit.ip", "5/week"),
        ("reason.rude", ""),
        ("reason.rude", "b\udcff"),
        ("reason.rude", "b\x00"),
        ("form.text_field", "\udcff"),
        ("host_aliases", "https://old.example"),
        ("host_aliases", "old.example,"),
        ("host_aliases", "old.example new.example"),
        ("host_aliases", "me@old.example"),
        ("host_aliases", "old.example:0"),
        ("host_aliases", "old.example/a"),
        ("host_aliases", "\udcff"),
        ("host_aliases", ",".join(["old.example"] * 400)),
        ("host_aliases", 1),
        ("reasons", {"rude": "b\udcff"}),
        ("reasons", {"b\udcff": "Please be kind."}),
        ("max_depth", 10**11),
        ("reason.rude\n", "Please be kind."),
        ("reasons", {"Rude": "Please be kind."}),
        ("reasons", {"rude\n": "Please be kind."}),
        ("colour", "red"),
        ("form.text_field", "email"),
        ("form.text_field", "comment"),
        ("form.text_field", "a,g-recaptcha-response"),
        ("form.text_field", "a b"),
        ("form.text_field", "a,,b"),
        ("form.text_field", "a" * 65),
        ("form.text_field", "a\n"),
        ("form.text_field", ",".join(["a" * 32] * 1_001)),
        ("form.privacy_text", "a" * 501),
        ("form.privacy_text", "a\x00"),
        ("form.privacy_text", "a\udcff"),
        ("form.privacy_url", "javascript:alert(1)"),
        ("form.privacy_url", "/privacy"),
        ("form.privacy_url", "www.blog.example"),
        ("form.privacy_url", "https://ann@blog.example/"),
        ("form.privacy_url", 'https://blog.example/"onclick="alert(1)'),
        ("form.privacy_url", "https://blog.example/\n"),
        ("form.privacy_url", f"https://blog.example/{'a' * 2_000}"),
        ("form.consent", "asked"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused(name: str, value: SettingValue) -> None:
    found = {error.pointer for error in find_faults({}, {"receipt_days": 7, name: value})}
    # What lies in a setting is pointed to, unless it cannot be repeated.
    assert len(found) == 1
    assert found <= {f"#/{name}", "#/reasons/rude", "#/reasons/Rude", "#/reasons/rude\n"}


def test_the_fields_of_the_real_text_are_as_many_as_there_are_pages() -> None:
    names = [f"{number:032x}" for number in range(1_000)]
    policy = read_policy(change_policy({}, {"form.text_field": ",".join(names)}))
    assert policy.text_field_names == tuple(names)
    assert read_policy({}).text_field_names == ()


def test_a_captcha_that_was_set_before_it_was_refused_holds_no_text() -> None:
    policy = read_policy({"form.text_field": "comment,g-recaptcha-response"})
    assert policy.text_field_names == ("comment",)


def test_what_a_site_says_about_privacy_is_tidied_and_may_be_taken_back() -> None:
    said = {
        "form.privacy_text": " We keep\n it.\u200b",
        "form.privacy_url": "http://a.example/?b=ä",
    }
    stored = change_policy({}, said)
    policy = read_policy(stored)
    assert (policy.privacy_text, policy.privacy_url) == ("We keep  it.", "http://a.example/?b=ä")
    assert change_policy(stored, dict.fromkeys(said, "")) == {}


def test_names_of_hosts_are_stored_without_what_nobody_sees() -> None:
    stored = change_policy({}, {"host_aliases": " old.example,\nwww.blog.example\n"})
    assert stored == {"host_aliases": "old.example, www.blog.example"}
    assert change_policy(stored, {"host_aliases": "\n"}) == {}


def test_every_wrong_setting_is_named_at_once() -> None:
    long = "x" * 501
    wrong = {
        "max_depth": -1,
        "colour": "red",
        "limit.ip": "5/week",
        "reason.A B": long,
        "reasons": {"A/B": "x", "empty": "", "long": long, "~" * 81: "x"},
    }
    assert [error.pointer for error in find_faults({}, wrong, "#/settings")] == [
        "#/settings/max_depth",
        "#/settings/colour",
        "#/settings/limit.ip",
        # The code is wrong, and so is the text.
        *["#/settings/reason.A B"] * 2,
        "#/settings/reasons/A~1B",
        "#/settings/reasons/empty",
        "#/settings/reasons/long",
        # A name without end is not repeated.
        "#/settings/reasons",
    ]


def test_reasons_are_added_to_those_that_are_there() -> None:
    stored = change_policy({}, {"reasons": {"rude": "Please be kind."}})
    policy = read_policy(change_policy(stored, {"reason.rant": "Too angry."}))
    assert policy.reasons == {"rude": "Please be kind.", "rant": "Too angry."}


def test_a_site_has_at_most_so_many_reasons() -> None:
    stored = change_policy({}, {f"reason.r{number}": "Text." for number in range(MAX_REASONS)})
    assert find_faults(stored, {"reason.r1": "Another text."}) == []
    new = {"reason.r1": "Text.", "reason.one": "Text.", "reason.two": ""}
    assert [(one.pointer, one.detail) for one in find_faults(stored, new)] == [
        ("#/reason.two", "This says nothing: fill it in, or leave it out."),
        ("#/reason.one", f"A site has at most {MAX_REASONS} reasons."),
        ("#/reason.two", f"A site has at most {MAX_REASONS} reasons."),
    ]
    # These take the place of all that are there.
    assert find_faults(stored, {"reasons": {}, **new, "reason.two": "Text."}) == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_depth", "4", 4),
        ("max_depth", "four", "four"),
        ("max_depth", "²", "²"),
        ("max_depth", "-1", -1),
        ("max_depth", "0" * 5_000 + "4", 4),
        ("max_depth", "-" + "9" * 5_000, -99_999_999_999),
        ("max_depth", "9" * 5_000, 999_999_999_999),
        ("limit.ip", "5/minute", "5/minute"),
        ("reason.rant", "2024", "2024"),
    ],
)
def test_on_the_command_line_a_value_is_a_number_where_the_setting_is_one(
    name: str, text: str, value: SettingValue
) -> None:
    assert parse_setting(name, text) == value


@pytest.mark.parametrize("text", ["", "a" * 64, "a_b", "A", "ä", "a\n", "a\x00"])
def test_a_slug_has_1_to_63_lower_case_letters_digits_and_hyphens(text: str) -> None:
    assert not is_slug(text)
    assert is_slug("a" * 63)

"""Which addresses are taken, which domains are suggested; no answer repeats what was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.privacy.addresses import AddressRefused, check_address, suspect_slip, suspect_typo


@pytest.mark.parametrize(
    ("typed", "kept", "folded"),
    [
        ("Dave@Example.ORG", "Dave@example.org", "dave@example.org"),
        (" dave@example.org\r\n", "dave@example.org", "dave@example.org"),
        ("da\u200bve@example.org", "dave@example.org", "dave@example.org"),
        ("dave+news@example.org", "dave+news@example.org", "dave+news@example.org"),
        ("Jose\u0301@example.org", "José@example.org", "josé@example.org"),
        ("dave@b\u00fccher.example", "dave@bücher.example", "dave@bücher.example"),
        ("dave@xn--bcher-kva.example", "dave@bücher.example", "dave@bücher.example"),
        ("用户@例え.jp", "用户@例え.jp", "用户@例え.jp"),
        ("STRASSE@example.org", "STRASSE@example.org", "strasse@example.org"),
    ],
)
def test_an_address_is_kept_normalised_and_folded(typed: str, kept: str, folded: str) -> None:
    address = check_address(typed)
    assert (address.original, address.folded) == (kept, folded)


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "\t\n"])
def test_an_empty_address_is_missing(typed: str) -> None:
    assert refuse(typed).code == "email_required"


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "dave",
            "dave@",
            "@example.org",
            "dave@example",
            "da ve@example.org",
            "dave@@example.org",
        ),
        *("Dave <dave@example.org>", "dave@[127.0.0.1]", '"dave"@example.org', "dave@host.invalid"),
    ],
)
def test_what_is_not_an_address_is_refused(typed: str) -> None:
    assert refuse(typed).code == "email_invalid"


def test_an_address_has_at_most_254_characters() -> None:
    domain = ".".join(["d" * 50] * 4) + ".example"
    assert check_address(f"{'d' * (253 - len(domain))}@{domain}")
    assert refuse(f"{'d' * (254 - len(domain))}@{domain}").code == "email_too_long"


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("ann@gmail,com", "gmail.com"),
        ("ann@gmail.com.", "gmail.com"),
        ("ann@gmail..com", "gmail.com"),
        ("ann@gmail com", "gmail.com"),
        ("ann@GMIAL,com", "gmail.com"),
        ("ann@company,example", "company.example"),
        ("ann＠gmail.com", "gmail.com"),
        ("ａｎｎ＠ｇｍａｉｌ．ｃｏｍ", "gmail.com"),
        ("ann@gmail.com thank you", None),
        ("ann.gmail,com", None),
        ("ann@", None),
        ("ann@,", None),
        ("ann", None),
    ],
)
def test_the_suggestion_is_the_domain_with_its_dots_mended(typed: str, suggestion: str | None) -> None:
    assert refuse(typed).suggestion == suggestion


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("company.con", "company.com"),
        ("gmx.ed", "gmx.de"),
        ("web.ed", "web.de"),
        ("gmail.co", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("Gmaill.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yaho.com", "yahoo.com"),
        ("outlok.com", "outlook.com"),
    ],
)
def test_a_slip_in_a_well_known_domain_is_suspected(domain: str, meant: str) -> None:
    assert suspect_typo(domain) == meant


@pytest.mark.parametrize(
    "domain",
    [
        *("gmail.com", "gmx.com", "ymail.com", "mail.com", "email.com", "yahoo.co.uk", "yahoo.fr"),
        *("hotmail.fr", "hotmail.co.uk", "googlemail.com", "me.com", "mac.com", "aol.com"),
        *("proton.me", "example.org", "gmail.com.br"),
    ],
)
def test_a_domain_of_its_own_is_no_typo(domain: str) -> None:
    assert suspect_typo(domain) is None


def test_letters_of_twice_the_width_are_a_slip() -> None:
    assert suspect_slip(check_address("ａｎｎ@mail.example").folded) == "mail.example"
    assert suspect_slip(check_address("änn@mail.example").folded) is None
    assert suspect_slip(check_address("ann@gmial.com").folded) == "gmail.com"


@given(
    st.one_of(
        st.text(max_size=300),
        st.text('ab.@,"\\<>[]() \u00e9\u0301\u200d\u3002\uff0e-:;1', max_size=40),
        st.emails(),
    )
)
def test_no_refusal_repeats_what_was_typed(typed: str) -> None:
    try:
        address = check_address(typed)
    except AddressRefused as error:
        refused = error
    else:
        assert check_address(address.original) == address
        assert repr(address) == str(address) == "Address(…)"
        return
    assert refused.detail in FIXED_DETAILS
    assert "@" not in (refused.suggestion or "")
    assert refused.__context__ is None


FIXED_DETAILS = {
    "An e-mail address is required.",
    "An e-mail address has at most 254 characters.",
    "This is not an e-mail address of the form name@example.org.",
}


def refuse(typed: str) -> AddressRefused:
    with pytest.raises(AddressRefused) as refused:
        check_address(typed)
    return refused.value

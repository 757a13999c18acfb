"""Whether an e-mail address is one, told without ever repeating it.

The details are our own fixed sentences, since those of email-validator quote what was typed. A
suggestion is a domain, never an address.
"""

import re
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email

from service.errors import FieldRefused
from service.telemetry.confidential import Confidential
from service.text.nfc import nfc
from service.text.normalising import normalise_line

# RFC 5321, section 4.5.3.1.3 (with erratum 1690), and the contract.
MAX_ADDRESS_CHARS = 254
# A part shorter than this would be half given away by its first character.
MIN_PART_CHARS = 4

# Providers whose names are long enough for a slip to be told from another name.
_WELL_KNOWN = (
    *("gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com"),
    *("protonmail.com", "t-online.de", "freenet.de", "laposte.net", "wanadoo.fr", "libero.it"),
    "yandex.ru",
)
# Providers of their own that lie one slip away from a well-known one.
_NOT_TYPOS = (
    *("email.com", "mail.com", "qmail.com", "xmail.com", "ymail.com", "hitmail.com"),
    *("vahoo.com", "yahoo.co"),
)

# Ends of domains that nobody has ever had, and what a slip of the finger meant by them.
_NO_SUCH_END = {"con": "com", "cmo": "com", "ocm": "com", "ed": "de", "nte": "net", "ogr": "org"}

_WRONG_SEPARATORS = re.compile(r"[.,;\s]+")
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")


class Address(Confidential, frozen=True):
    """An address that passed: as it is kept, and folded for the keyed index."""

    original: str
    folded: str


class AddressRefused(FieldRefused):
    """What was typed is no address that we take; neither message nor suggestion holds it."""


def check_address(raw: str) -> Address:
    """Normalise an address and check its syntax, internationalised ones too (RFC 6531).

    Raises AddressRefused.
    """
    typed = normalise_line(raw)
    if not typed:
        raise AddressRefused("email_required", "An e-mail address is required.")
    if len(typed) > MAX_ADDRESS_CHARS:
        detail = f"An e-mail address has at most {MAX_ADDRESS_CHARS} characters."
        raise AddressRefused("email_too_long", detail)
    address = _normalise_address(typed)
    if address is None:
        detail = "This is not an e-mail address of the form name@example.org."
        raise AddressRefused("email_invalid", detail, _suggest_domain(typed))
    return Address(original=address, folded=fold_address(address))


def fold_address(normalised: str) -> str:
    """Fold a normalised address for the keyed index, under which its spellings are one author."""
    return nfc(normalised.casefold())


def suspect_slip(folded: str) -> str | None:
    """Name the domain of an address that was hardly meant as it is, with its slip mended.

    Letters of twice the width come from a keyboard for another script, whose owner does not see them.
    """
    local, _, domain = folded.rpartition("@")
    return suspect_typo(domain) or (domain if normalize("NFKC", local) != local else None)


def suspect_typo(domain: str) -> str | None:
    """Name the domain that was meant by one that ends as none does, or is a slip from a provider's."""
    typed = domain.casefold()
    if typed in _WELL_KNOWN or typed in _NOT_TYPOS:
        return None
    name, _, end = typed.rpartition(".")
    mended = f"{name}.{_NO_SUCH_END[end]}" if name and end in _NO_SUCH_END else typed
    if mended in _WELL_KNOWN or mended in _NOT_TYPOS:
        return mended
    slip = next((known for known in _WELL_KNOWN if _is_one_slip(mended, known)), None)
    return slip or (mended if mended != typed else None)


def _normalise_address(typed: str) -> str | None:
    # Deliverability is no gate: with a broken DNS it would refuse everybody.
    try:
        return validate_email(typed, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _suggest_domain(typed: str) -> str | None:
    """Name the domain that was meant where only its dots are wrong, or characters of twice the width."""
    plain = normalize("NFKC", typed).casefold()
    _, at, domain = plain.rpartition("@")
    mended = _WRONG_SEPARATORS.sub(".", domain).strip(".")
    is_wide = plain != nfc(typed.casefold()) and _normalise_address(plain) is not None
    if not at or (mended == domain and not is_wide):
        return None
    meant = suspect_typo(mended) or mended
    # Words after a space are more likely a remark than a part of the domain.
    is_plausible = meant in _WELL_KNOWN or " " not in domain
    return meant if is_plausible and _DOMAIN.fullmatch(meant) else None


def _is_one_slip(typed: str, meant: str) -> bool:
    """Tell whether one letter is added, missing or wrong, or two neighbours are swapped."""
    # A slip touches two neighbours at most, so what lies before the middle is right, or what lies behind it.
    half = len(meant) // 2 - 1
    is_half_right = typed[:half] == meant[:half] or typed[-half:] == meant[-half:]
    if not is_half_right or abs(len(typed) - len(meant)) > 1:
        return False
    pairs = enumerate(zip(typed, meant, strict=False))
    shared = min(len(typed), len(meant))
    place = next((place for place, (one, other) in pairs if one != other), shared)
    rest, wanted = typed[place:], meant[place:]
    is_swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return rest[1:] in (wanted, wanted[1:]) or rest == wanted[1:] or is_swapped


def hint_address(address: str) -> str:
    """Give what a moderator sees of an address without asking: `a…@e….org`, and of short parts nothing."""
    local, _, domain = address.rpartition("@")
    name, dot, top = domain.rpartition(".")
    return f"{_shorten(local)}@{_shorten(name)}{dot}{top}"


def _shorten(part: str) -> str:
    return f"{part[0]}…" if len(part) >= MIN_PART_CHARS else "…"

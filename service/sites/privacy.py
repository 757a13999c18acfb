"""What a site may say about privacy in its forms."""

from typing import Annotated

from msgspec import Meta

from service.errors import FieldRefused
from service.http.tidy import one_line_or_none
from service.http.told import CHECK
from service.text.links import MAX_CHARS, parse_host


def check_privacy_url(text: str) -> None:
    """Raise FieldRefused for what is no address of a web page; nothing is none."""
    if text and (text[:4].lower() != "http" or parse_host(text) is None):
        detail = "This has to be a web address such as https://example.org/privacy."
        raise FieldRefused("settings_invalid", detail)


PrivacyText = Annotated[str, one_line_or_none(500)]
PrivacyUrl = Annotated[
    str,
    Meta(
        max_length=MAX_CHARS,
        examples=["https://example.org/privacy"],
        extra_json_schema={"pattern": r"""^([Hh][Tt][Tt][Pp][Ss]?://[^\s<>"]+)?$"""},
        extra={CHECK: check_privacy_url},
    ),
]

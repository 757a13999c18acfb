"""The tokens of receipts: derived from a comment's id under their own key, so that nothing is stored."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from service.privacy.vault import Keyring

ID_BYTES = 16
# 128 bits of the HMAC: guessing is hopeless, and the link stays short.
MAC_BYTES = 16
TOKEN_CHARS = 43
ReceiptToken = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9_-]{{{TOKEN_CHARS}}}$",
        description="The token of a receipt, as the answer to the submission gave it.",
    ),
]


def make_receipt_token(keyring: Keyring, comment_id: UUID) -> str:
    """Give the token of a comment's receipt: always the same for the same comment."""
    mac = keyring.mac("receipt", comment_id.bytes)[:MAC_BYTES]
    return urlsafe_b64encode(comment_id.bytes + mac).rstrip(b"=").decode()


def read_receipt_token(keyring: Keyring, token: str) -> UUID | None:
    """Give the comment of a token; None when the token was not made by us, or is spelt otherwise."""
    if len(token) != TOKEN_CHARS or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=")
    except ValueError:
        return None
    comment_id = UUID(bytes=raw[:ID_BYTES]) if len(raw) == ID_BYTES + MAC_BYTES else UUID(int=0)
    expected = make_receipt_token(keyring, comment_id)
    return comment_id if hmac.compare_digest(expected, token) else None

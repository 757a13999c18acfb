"""What a submission takes and gives."""

from typing import Annotated, Literal

import msgspec

from service.comments.receipts import ReceiptToken
from service.form.fields import FIELDS, SHOWN, Text
from service.http.wire import Article, Id, LanguageTag, Time
from service.telemetry.confidential import Confidential

# What the document says of a submission: the fields of the form, each as it may come.
SubmitComment = msgspec.defstruct(
    "SubmitComment",
    [
        (field.name, Annotated[str, field.wire])
        if field.is_required
        else (field.name, Annotated[str, field.wire] | None, None)
        for field in FIELDS
    ],
    bases=(Confidential,),
    module=__name__,
    namespace={"__doc__": "The fields of a comment form; the names of the WordPress form are taken too."},
    frozen=True,
)


class ReceiptLink(Confidential, frozen=True):
    """The private link that lets the commenter follow the comment."""

    token: ReceiptToken
    url: str


class PreviewText(msgspec.Struct, frozen=True):
    """A text that somebody is about to send."""

    text: Text


class Preview(msgspec.Struct, frozen=True):
    """How a text would be seen as a comment."""

    html: str


class Hint(msgspec.Struct, frozen=True):
    """Something that may be wrong though it is valid; a suggestion is never more than a domain."""

    pointer: str
    code: str
    suggestion: str


class Submitted(msgspec.Struct, frozen=True):
    """The answer to a submission that was stored."""

    id: Id
    status: Literal["pending"]
    article: str
    submitted_at: Time
    receipt: ReceiptLink
    hints: list[Hint]


class ShowForm(msgspec.Struct, frozen=True):
    """The article that the form is for, and the language of its labels."""

    article: Article
    lang: LanguageTag | None = None


class FormLimits(msgspec.Struct, frozen=True):
    """The most characters that each field may have, after normalisation."""

    name: int
    email: int
    url: int
    text: int


class Form(msgspec.Struct, frozen=True):
    """What a form needs: whether comments are open, the limits, and the labels."""

    article: str
    open: bool
    limits: FormLimits
    max_depth: int
    labels: dict[str, str]


# The words of a form, by the keys that they have in every language; of the fields those of one line first.
LABELS = (
    "title",
    *(
        word
        for field in sorted(SHOWN, key=lambda field: field.is_long)
        for word in (field.name, field.note)
        if word
    ),
    *("submit", "required", "held", "remember_me", "cancel", "reply", "closed"),
)

"""What a submission takes and gives."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.comments.receipts import ReceiptToken
from service.form.fields import MAX_NAME_CHARS, SHOWN
from service.form.links import MAX_URL_CHARS
from service.http.wire import ID_EXAMPLES, ID_PATTERN, SEEN, Article, Id, LanguageTag, Time
from service.privacy.addresses import MAX_ADDRESS_CHARS
from service.sites.policy import MAX_TEXT_CHARS_CEILING
from service.telemetry.confidential import Confidential

# As near to what is checked as a pattern comes; blanks are none.
URL_PATTERN = r"""^\s*([Hh][Tt][Tt][Pp][Ss]?://([^\s/?#@"`<>\\%]+([/?#][^\s"`<>\\]*)?)?)?\s*$"""
PARENT_PATTERN = rf"^\s*({ID_PATTERN})?\s*$"


Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT_CHARS_CEILING,
        description="In the markup of comments; the site's own limit may be lower.",
        examples=["I like this."],
        extra_json_schema=SEEN,
    ),
]


class SubmitComment(Confidential, frozen=True):
    """The fields of a comment form; the names of the WordPress form are taken too."""

    article: Article
    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_NAME_CHARS,
            description="Shown in public.",
            examples=["Dave"],
            extra_json_schema=SEEN,
        ),
    ]
    email: Annotated[
        str,
        Meta(
            max_length=MAX_ADDRESS_CHARS,
            description="Never published.",
            examples=["dave@mail.example"],
            # Internationalised ones are taken too (RFC 6531).
            extra_json_schema={"format": "idn-email"},
        ),
    ]
    text: Text
    url: (
        Annotated[
            str,
            Meta(
                max_length=MAX_URL_CHARS,
                description="http or https; a host without a scheme gets https, a bare scheme is none.",
                examples=["https://dave.example/"],
                extra_json_schema={"pattern": URL_PATTERN},
            ),
        ]
        | None
    ) = None
    parent: (
        Annotated[
            str,
            Meta(
                description="The id of the visible comment that this one answers.",
                examples=ID_EXAMPLES,
                extra_json_schema={"pattern": PARENT_PATTERN},
            ),
        ]
        | None
    ) = None
    redirect_to: (
        Annotated[str, Meta(description="Forms: where to go afterwards, in an allowed origin.")]
        | None
    ) = None


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
        for word in (field.name, field.input.note if field.input else "")
        if word
    ),
    *("submit", "required", "held", "remember_me", "cancel", "reply", "closed"),
)

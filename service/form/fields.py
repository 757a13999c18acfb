"""The table of the comment form's fields: whoever adds a field adds a line here.

From it follow what a form shows, how a value is read, bounded and checked, what errors point at, what
WordPress calls a field, what a repeat is known by, and which columns of a comment's row are the commenter's.
"""

import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from service.errors import FieldError, FieldRefused, Invalid
from service.form.links import MAX_URL_CHARS, URL_PATTERN, check_url
from service.form.texts import MAX_TEXT_CHARS_CEILING, check_apart, check_length, check_text
from service.http.fields import REQUIRED
from service.http.told import NOT_STORABLE, is_storable
from service.http.wire import ID_EXAMPLES, ID_PATTERN, MAX_ARTICLE_CHARS, SEEN, Article
from service.privacy.addresses import MAX_ADDRESS_CHARS, Address, check_address
from service.privacy.vault import Keyring
from service.text.normalising import normalise_line

MAX_NAME_CHARS = 245


class Policy(Protocol):
    """What the checks ask of the settings of a site, which know the names of these fields."""

    @property
    def max_text_chars(self) -> int: ...


class Site(Protocol):
    """What the checks ask of a site."""

    @property
    def policy(self) -> Policy: ...

    def article_key(self, raw: str) -> str:
        """Give the canonical key of an article; raises FieldRefused."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared of a field, beside what the document says of it."""

    # These three come from the class that has it.
    name: str = ""
    is_required: bool = False
    wire: Meta = Meta()
    # Gives a storable text in its stored form; raises FieldRefused.
    check: Callable[[str, Site], object]
    # What somebody is told who asks what a form's field is for.
    meaning: str
    # Its name in the WordPress form, where that is another one, and what is sent under that for none.
    wordpress: str = ""
    wordpress_none: tuple[str | int, ...] = ()
    # What a value may have before anything is done to it: what takes long takes as long as this.
    max_raw_chars: int = 1_024
    # How the form shows it: as a `textarea`, or an input of this kind; what is empty is hidden, and sent back
    # with the page of errors.
    shown_as: Literal["", "text", "email", "url", "textarea"] = ""
    # The word for what is said below it.
    note: str = ""
    # Whether the comment's row has it as a column of the same name.
    is_in_row: bool = False
    # Whether a comment is no repeat of one in the same place where this differs.
    tells_repeats: bool = False
    # Whether it is for the browser alone: not of what makes a request another one under its Idempotency-Key,
    # and as if absent where it is too long.
    is_aside: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called here, and in the WordPress form."""
        return (self.name, self.wordpress) if self.wordpress else (self.name,)

    @property
    def pointer(self) -> str:
        return f"#/{self.name}"

    @property
    def is_long(self) -> bool:
        return self.shown_as == "textarea"

    def read(self, raw: object, site: Site) -> object:
        """Give a value in its stored form, None where it may be absent; raises FieldRefused."""
        if raw is None:
            if self.is_required:
                raise FieldRefused(f"{self.name}_required", REQUIRED)
            return None
        most = self.max_raw_chars
        if isinstance(raw, str) and len(raw) > most and not self.is_aside:
            detail = f"At most {most:,} characters are read; this has {len(raw):,}."
            raise FieldRefused(f"{self.name}_too_long", f"{detail} Nothing was cut.")
        if not isinstance(raw, str) or not is_storable(raw):
            raise FieldRefused(f"{self.name}_invalid", NOT_STORABLE)
        return self.check(raw, site)

    def cut(self, raw: str) -> str:
        """Give as much of a value as is sent back: one character more than is read, so it stays refused."""
        return raw[: self.max_raw_chars + 1]


class Submission(msgspec.Struct, frozen=True):
    """A submission: every field valid and normalised, in the order in which errors name them.

    A field that was refused is None, which nobody sees but who lists what else is wrong. `parent` is checked
    against the database.
    """

    article: Annotated[
        str,
        typing.get_args(Article)[1],
        Field(
            meaning="the article",
            wordpress="comment_post_ID",
            max_raw_chars=MAX_ARTICLE_CHARS,
            check=lambda raw, site: site.article_key(raw),
        ),
    ]
    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_NAME_CHARS,
            description="Shown in public.",
            examples=["Dave"],
            extra_json_schema=SEEN,
        ),
        Field(
            meaning="the name",
            wordpress="author",
            check=lambda raw, _: check_length("name", normalise_line(raw), MAX_NAME_CHARS),
            shown_as="text",
            is_in_row=True,
            tells_repeats=True,
        ),
    ]
    email: Annotated[
        Address,
        Meta(
            max_length=MAX_ADDRESS_CHARS,
            description="Never published.",
            examples=["dave@mail.example"],
            # Internationalised ones are taken too (RFC 6531).
            extra_json_schema={"format": "idn-email"},
        ),
        Field(
            meaning="the address, which is never published",
            check=lambda raw, _: check_address(raw),
            shown_as="email",
            note="email_note",
        ),
    ]
    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TEXT_CHARS_CEILING,
            description="In the markup of comments; the site's own limit may be lower.",
            examples=["I like this."],
            extra_json_schema=SEEN,
        ),
        Field(
            meaning="the text",
            wordpress="comment",
            max_raw_chars=2 * MAX_TEXT_CHARS_CEILING,
            check=lambda raw, site: check_text(raw, site.policy.max_text_chars),
            shown_as="textarea",
            is_in_row=True,
            tells_repeats=True,
        ),
    ]
    url: Annotated[
        str | None,
        Meta(
            max_length=MAX_URL_CHARS,
            description="http or https; a host without a scheme gets https, a bare scheme is none.",
            examples=["https://dave.example/"],
            extra_json_schema={"pattern": URL_PATTERN},
        ),
        Field(
            meaning="the commenter's website",
            max_raw_chars=4_096,
            check=lambda raw, _: check_url(raw),
            shown_as="url",
            is_in_row=True,
        ),
    ]
    parent: Annotated[
        str | None,
        Meta(
            description="The id of the visible comment that this one answers.",
            examples=ID_EXAMPLES,
            extra_json_schema={"pattern": rf"^\s*({ID_PATTERN})?\s*$"},
        ),
        Field(
            meaning="the comment that is answered",
            wordpress="comment_parent",
            wordpress_none=("0", 0),
            check=lambda raw, _: raw.strip() or None,
        ),
    ]
    redirect_to: Annotated[
        str | None,
        Meta(description="Forms: where to go afterwards, in an allowed origin."),
        Field(
            meaning="where the browser goes afterwards, if that is in an origin of the site",
            max_raw_chars=4_096,
            check=lambda raw, _: raw,
            is_aside=True,
        ),
    ]

    def as_columns(self) -> dict[str, object]:
        """Give what a comment's row has of it under the same names."""
        return {name: getattr(self, name) for name in COLUMNS}

    def as_texts(self) -> list[str]:
        """Give what makes it another submission under one Idempotency-Key, by the original spelling."""
        values = [getattr(self, field.name) for field in FIELDS if not field.is_aside]
        return [one.original if isinstance(one, Address) else str(one or "") for one in values]


FIELDS: tuple[Field, ...] = tuple(
    msgspec.structs.replace(
        hint.__metadata__[1],
        name=name,
        is_required=type(None) not in typing.get_args(hint.__origin__),
        wire=hint.__metadata__[0],
    )
    for name, hint in typing.get_type_hints(Submission, include_extras=True).items()
)
BY_NAME = {field.name: field for field in FIELDS}
# Those that people fill in, as they stand in the form: first the text.
SHOWN = sorted((one for one in FIELDS if one.shown_as), key=lambda one: not one.is_long)
HIDDEN = [one for one in FIELDS if not one.shown_as]
COLUMNS = tuple(field.name for field in FIELDS if field.is_in_row)
Text = Annotated[str, BY_NAME["text"].wire]
REPEATED = tuple(field.name for field in FIELDS if field.tells_repeats)


def read_submission(fields: Mapping[str, Any], site: Site) -> tuple[Submission, list[FieldError]]:
    """Read fields under our own names, with the errors of all that are refused."""
    values: list[Any] = []
    errors: list[FieldError] = []
    for field in FIELDS:
        try:
            values.append(field.read(fields.get(field.name), site))
        except FieldRefused as refusal:
            values.append(None)
            errors.append(refusal.as_error(pointer=field.pointer))
    return Submission(*values), errors


async def read_text(raw: object, site: Site) -> str:
    """Give a text of its own, such as a correction, as one of a submission is stored; raises Invalid."""
    field = BY_NAME["text"]
    try:
        return str(await check_apart(lambda: field.read(raw, site), raw))
    except FieldRefused as refusal:
        raise Invalid(errors=[refusal.as_error(pointer=field.pointer)]) from None


def make_fingerprint(
    keyring: Keyring,
    site_id: UUID,
    article: str,
    parent_id: UUID | None,
    content: Mapping[str, Any],
) -> bytes:
    """Give what a repeat would have as well: a comment in the same place with the same `REPEATED`."""
    place = (site_id.bytes, article.encode(), parent_id.bytes if parent_id else b"")
    return keyring.mac("fingerprint", *place, *(str(content[name] or "").encode() for name in REPEATED))

"""Errors as part of the product: each is a problem (RFC 9457) with a page that says what to do."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One invalid field: a JSON pointer into the body, or the name of a parameter of the query."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    suggestion: str | None = None


class FieldRefused(ValueError):
    """A value that a field may not have; neither `detail` nor `suggestion` repeats it."""

    def __init__(self, code: str, detail: str, suggestion: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.suggestion = suggestion

    def as_error(self, *, pointer: str | None = None, parameter: str | None = None) -> FieldError:
        """Name the field that refused it, by its pointer or as a parameter of the query."""
        return FieldError(self.code, self.detail, pointer, parameter, self.suggestion)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error, `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    id: str | None = None


class ServiceError(Exception):
    """What an operation raises when it refuses; its subclasses are the list at /problems.

    `detail` is for the caller and never holds stored personal data.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Our fault"
    advice: ClassVar[str] = (
        "Try again. If it stays, give the site's owner the id of the error: the log has it too."
    )
    default_detail: ClassVar[str] = "The request failed inside the service and changed nothing."

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.detail = detail or self.default_detail
        self.errors = errors
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    def to_problem(self, error_id: str | None = None) -> Problem:
        return Problem(
            type=f"/problems/{self.slug}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            errors=self.errors,
            id=error_id,
        )


class RequestNotReadable(ServiceError):
    status = 400
    slug = "request-not-readable"
    title = "The request cannot be read"
    advice = "Send well-formed HTTP/1.1, with one Host."
    default_detail = "This is not HTTP/1.1."


class RequestTooSlow(ServiceError):
    status = 408
    slug = "request-too-slow"
    title = "The request took too long to come"
    advice = "Send it again: its headers within ten seconds, its body within thirty more."
    default_detail = "The rest of the request did not come in time."


class RequestLineTooLong(ServiceError):
    status = 414
    slug = "request-line-too-long"
    title = "The address is too long"
    advice = "Send a request line of at most 16 KiB; ask for fewer articles at a time."
    default_detail = "The request line is longer than 16 KiB."


class HeadersTooLong(ServiceError):
    status = 431
    slug = "headers-too-long"
    title = "The headers are too long"
    advice = "Send at most 64 KiB of headers in all; mostly it is cookies that are too many."
    default_detail = "The headers are longer than 64 KiB in all."


class MethodNotKnown(ServiceError):
    status = 501
    slug = "method-not-known"
    title = "No such method"
    advice = "Use a method of HTTP; `Allow` at OPTIONS says which ones the address takes."
    default_detail = "The service does not know this method."


class BodyNotReadable(ServiceError):
    status = 400
    slug = "body-not-readable"
    title = "The body cannot be read"
    advice = (
        "Send UTF-8 in the format that Content-Type names, nested at most 16 deep, "
        "with at most 10,000 arrays and objects."
    )
    default_detail = "The body is not what its Content-Type says."


class NotSignedIn(ServiceError):
    status = 401
    slug = "not-signed-in"
    title = "Not signed in"
    advice = "Sign in at POST /v1/session, or send `Authorization: Bearer` with a token that is valid."
    default_detail = "This needs a signed-in moderator or a valid bearer token."

    def __init__(self, detail: str | None = None) -> None:
        # RFC 9110, section 11.6.1: a 401 names a scheme that would do.
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class NotAllowed(ServiceError):
    status = 403
    slug = "not-allowed"
    title = "A right is missing"
    advice = "Ask an owner of the site for a higher role, or use a token that is not limited so far."
    default_detail = "Your role on this site does not allow this."


class CsrfTokenMissing(NotAllowed):
    slug = "csrf-token-missing"
    title = "The request does not prove that it came from our page"
    advice = (
        "Send the `csrf_token` of your session as X-CSRF-Token (or `_csrf` in a form), "
        "from a page of this service."
    )
    default_detail = "A change made with a session cookie needs its CSRF token and our own Origin."


class OriginNotAllowed(ServiceError):
    status = 403
    slug = "origin-not-allowed"
    title = "This origin may not do this"
    advice = "Add the page's origin to the site: `greenroom site set SLUG origins=URL,URL`."
    default_detail = "The request came from a page whose origin is not one of the site's."


class NotFound(ServiceError):
    status = 404
    slug = "not-found"
    title = "Not found"
    advice = "Check the address. What you may not know of is answered like what does not exist."
    default_detail = "There is nothing here that you may see."


class MethodNotAllowed(ServiceError):
    status = 405
    slug = "method-not-allowed"
    title = "The method is not one of this route's"
    advice = "The Allow header names the methods that work here."
    default_detail = "This route does not take this method."


class Conflict(ServiceError):
    status = 409
    slug = "conflict"
    title = "The change was overtaken or is not legal now"
    advice = "Read the thing again and decide anew."
    default_detail = "The present state does not allow this change."


class Gone(ServiceError):
    status = 410
    slug = "gone"
    title = "Erased"
    advice = "Nothing can be done: the data was erased for good."
    default_detail = "This was erased."


class BodyTooLarge(ServiceError):
    status = 413
    slug = "body-too-large"
    title = "The body is over 1 MiB"
    advice = "Send less."
    default_detail = "A body may have at most 1,048,576 bytes."


class MediaTypeNotSupported(ServiceError):
    status = 415
    slug = "media-type-not-supported"
    title = "This Content-Type is not taken here"
    advice = (
        "Send application/json; where the API says so, "
        "application/x-www-form-urlencoded or multipart/form-data will do as well."
    )
    default_detail = "The Content-Type of the body is not one that this route reads."


class Invalid(ServiceError):
    status = 422
    slug = "invalid-input"
    title = "Some fields are missing or invalid"
    advice = "`errors` names every field that has to change, and how."
    default_detail = "Correct what `errors` names and send it again."


class IdempotencyKeyReused(ServiceError):
    status = 422
    slug = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"
    advice = "Make a new key for each new submission; repeat a key only with the very same fields."
    default_detail = "This Idempotency-Key came before with other fields. Nothing was stored."


class RateLimited(ServiceError):
    status = 429
    slug = "rate-limited"
    title = "Too many requests"
    advice = "Wait for the seconds in Retry-After. Nothing was stored, and the refused try cost nothing."
    default_detail = "A rate limit was reached, and nothing was done. Try again later."


class Unavailable(ServiceError):
    status = 503
    slug = "unavailable"
    title = "A part that must be there is not"
    advice = (
        "Try again after the seconds in Retry-After. A change may have been made all the same: look first, "
        "or repeat a submission with its Idempotency-Key, which then gets the first answer."
    )
    default_detail = "The service cannot do this at the moment."

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after_seconds: int = 2,
        reason: Literal["database", "full"] = "database",
    ) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})
        self.reason = reason
        """Whether the database is to blame, or that too much waits."""


def list_problems() -> dict[str, type[ServiceError]]:
    """Name every problem by its slug, in the order of status and slug."""
    found: list[type[ServiceError]] = [ServiceError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return {kind.slug: kind for kind in sorted(found, key=lambda kind: (kind.status, kind.slug))}

"""All that is wrong with what one request sends, told at once."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from service.errors import FieldError, FieldRefused, Invalid

T = TypeVar("T")
R = TypeVar("R")


class Faults:
    """What is wrong with a request, gathered from its query, its headers and its body.

    Where its block ends, all of it is raised together, as Invalid. Of a place that was told of before
    nothing more is told: what is missing is not invalid as well.
    """

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was raised in the block goes before: of a site that is not there nothing is told.
        if error is None and self._errors:
            raise Invalid(errors=self._errors)

    def __bool__(self) -> bool:
        return bool(self._errors)

    def __contains__(self, parameter: str) -> bool:
        return any(one.parameter == parameter for one in self._errors)

    def add(self, errors: Iterable[FieldError]) -> None:
        """Take note of errors."""
        told = {(one.pointer, one.parameter) for one in self._errors}
        self._errors += [one for one in errors if (one.pointer, one.parameter) not in told]

    def check(
        self,
        check: Callable[[T], R],
        value: T | None,
        *,
        pointer: str | None = None,
        parameter: str | None = None,
    ) -> R | None:
        """Give what a check makes of a value; None where that is absent, or refused, which is noted."""
        try:
            return None if value is None else check(value)
        except FieldRefused as refusal:
            self.add([refusal.as_error(pointer=pointer, parameter=parameter)])
            return None

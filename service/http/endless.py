"""Answers that do not end by themselves, and what the edge and the server have to know of them."""

from typing import Protocol

# Under this name a handler leaves such an answer in the state of its request, and the edge the server.
ENDLESS = "endless_answer"
# Under this name the server leaves there that the connection is to end.
ENDING = "is_ending"
# Under this name the edge says that a request was a HEAD, which the framework sees as a GET.
IS_HEAD = "is_head"


class Endless(Protocol):
    """An answer that goes on until somebody ends it."""

    def end(self) -> None:
        """Have the answer end at once; returns before it has."""

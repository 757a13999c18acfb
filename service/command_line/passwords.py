"""A password that is typed, or piped in."""

import sys

from service.accounts.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from service.accounts.schemas import Password
from service.command_line.refusals import CommandFailed, Misconfigured
from service.http.fields import find_errors

# Of the longest line: a character has at most four bytes in UTF-8. What is endless is not read to its end.
MAX_BYTES = 4 * MAX_PASSWORD_CHARS + len(b"\r\n")


def read_password() -> str:
    """Read a password from the first line of standard input; raises Misconfigured or CommandFailed."""
    try:
        line = sys.stdin.buffer.readline(MAX_BYTES + 1)
        if not line:
            raise Misconfigured(
                "Standard input is empty or closed: send the password there, in one line."
            )
        # Of what is too long anyway the last character may be cut in two.
        password = line.decode(errors="strict" if len(line) <= MAX_BYTES else "replace")
    except UnicodeError:
        raise Misconfigured("The password on standard input is no UTF-8: write it so.") from None
    except OSError as error:
        raise Misconfigured(f"Standard input cannot be read: {error.strerror}.") from None
    password = password.rstrip("\r\n")
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise CommandFailed(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters."
        )
    if find_errors(password, Password, "#"):
        raise CommandFailed("A password has no NUL in it.")
    return password

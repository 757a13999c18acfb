"""Why a database does not do as it should: from a driver's error to what, where, and what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from service.command_line.refusals import Misconfigured
from service.settings import Settings

# By the names of SQLite's result codes, which begin the names of the extended ones.
_SQLITE_ADVICE = {
    "SQLITE_NOTADB": "Name another file in GREENROOM_DATABASE_URL, or put a backup in its place.",
    "SQLITE_CORRUPT": "Stop what uses it, and put a backup in its place.",
    "SQLITE_BUSY": "Another process writes to it: try again when it is done.",
    "SQLITE_LOCKED": "Another process writes to it: try again when it is done.",
    "SQLITE_FULL": "Make room on its disk.",
    "SQLITE_IOERR": "Look at its disk: it may be full, or broken.",
    "SQLITE_READONLY": "Let this account write to the file and its folder.",
    "SQLITE_CANTOPEN": "Make its folder, and let this account write there.",
}
# By SQLSTATE (PostgreSQL's documentation, appendix A); what fails while connecting has none.
_POSTGRES_ADVICE = {
    "42501": "Its role lacks a right: `ALTER DATABASE {database} OWNER TO {role}`, or GRANT what is named.",
    "3F000": "Its role finds no schema: create one on its search_path, or grant it USAGE and CREATE there.",
    "25006": "It takes no writes: is it a standby?",
    "53100": "Make room on its disk.",
}
_CONNECT_ADVICE = "Check GREENROOM_DATABASE_URL, and that the server runs and lets this role in."


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Say in one line what is wrong when the database cannot be worked with; raises Misconfigured."""
    try:
        yield
    except SQLAlchemyError as error:
        raise Misconfigured(explain(error, settings.database_url)) from None


def name_database(url: URL | str) -> str:
    """Name a database for a person, by its place and never by a password."""
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}"
    hosts = url.host or url.query.get("host") or "its local socket"
    host = hosts if isinstance(hosts, str) else ", ".join(hosts)
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or url.username or 'of this account'} at {host}{port}"


def explain(error: Exception, url: URL | str) -> str:
    """Say what is wrong, with which database, and what to do."""
    url = make_url(url)
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        # The driver's words; those of the error around them end in a link.
        cause = error.orig
    # Of several addresses psycopg tells how the last one failed, and then of each in a line of its own.
    lines = [line.strip(" -") for line in str(cause).splitlines() if line.strip()]
    why = (lines or [type(cause).__name__])[0].rstrip(".")
    if _repeats_secret(why, url):
        why = f"{type(cause).__name__}, in words that are not repeated here since they hold a password"
    return f"The {name_database(url)} cannot be used: {why}. {_advise(cause, url)}"


def _repeats_secret(words: str, url: URL) -> bool:
    """Tell whether a driver's words show a password of the URL, however it is spelt."""
    asked = {name: value for name, value in url.query.items() if "password" in name.lower()}
    given = {url.password, *(value for value in asked.values() if isinstance(value, str))}
    # What is shown anyway, as the name of a role or a database, tells nobody that it is the password too.
    secrets = given - {None, "", url.username, url.database, url.host}
    spellings = {form for one in secrets if one for form in (one, quote(one), quote_plus(one))}
    # As a word of its own: a short password is a part of many words.
    return any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", words) for form in spellings)


def _advise(cause: BaseException, url: URL) -> str:
    if name := getattr(cause, "sqlite_errorname", None):
        known = (text for code, text in _SQLITE_ADVICE.items() if name.startswith(code))
        return next(known, "Check GREENROOM_DATABASE_URL and the file.")
    if text := _POSTGRES_ADVICE.get(getattr(cause, "sqlstate", None) or ""):
        return text.format(database=url.database or "NAME", role=url.username or "ROLE")
    return _CONNECT_ADVICE

"""Why the schema cannot be used, or brought up to date: what happened, and what to do."""

from sqlalchemy.exc import DBAPIError

# By SQLSTATE (PostgreSQL's documentation, appendix A) or the name of SQLite's result code.
_ADVICE = {
    "57014": "Somebody ended the statement, or a limit of the server did.",
    "53100": "The disk of the database is full: make room on it.",
    "42501": "Let the role in GREENROOM_DATABASE_URL own the tables, and create in their schema: "
    "`ALTER DATABASE … OWNER TO …` or `GRANT CREATE ON SCHEMA public TO …`.",
    "3F000": "Let the role in GREENROOM_DATABASE_URL find a schema on its search_path, and create in it.",
    "25006": "The database takes no writes: is it a standby?",
    "SQLITE_FULL": "The disk is full: make room on it.",
    "SQLITE_IOERR": "Look at the disk: it may be full, or broken.",
    "SQLITE_READONLY": "Let this account write to the file and its folder.",
    "SQLITE_BUSY": "Another process wrote to the file all the time: stop the service, then migrate.",
}
# What has to be set right before another try could do better.
_HINDRANCES = (
    *("42501", "3F000", "25006", "53100"),
    *("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CORRUPT", "SQLITE_CANTOPEN"),
)
_LOST = "The connection to the database broke off."
AGAIN = "What was done stays done; run `greenroom migrate` again, and it goes on from there."


class SchemaOutdated(RuntimeError):
    """The database's schema is not the one that this version needs."""


class MigrationFailed(RuntimeError):
    """The schema could not be brought up to date; the text says what happened, and what to do."""


class MigrationHindered(MigrationFailed):
    """What a migration needs is missing, such as a right of the role or room on the disk."""


def refuse_newer(found: str) -> SchemaOutdated:
    """Say that a database belongs to a newer version."""
    return SchemaOutdated(
        f"The database is at schema {found}, which this version does not know: it was upgraded by a "
        "newer version. Run that one."
    )


def explain(error: DBAPIError, doing: str) -> MigrationFailed:
    """Say why a step did not succeed, in the server's words, which hold no values of rows."""
    # Its details, and the statement, may hold values.
    words = getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
    why = words.partition("\n")[0].rstrip(".")
    code = code_of(error)
    # The name of an extended code begins with that of its kind.
    known = (text for name, text in _ADVICE.items() if code and code.startswith(name))
    advice = next(known, "") if code else _LOST
    is_hindered = code is not None and code.startswith(_HINDRANCES)
    kind = MigrationHindered if is_hindered else MigrationFailed
    return kind(" ".join(part for part in (f"{doing}: {why}.", advice, AGAIN) if part))


def code_of(error: DBAPIError) -> str | None:
    """Give the SQLSTATE of PostgreSQL or the name of SQLite's result code, if the database said one."""
    orig = error.orig
    return getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None)

"""The database: the engine, and the two kinds of unit of work, `reading` and `writing`.

SQLite and PostgreSQL behind one shape.
"""

from service.database.bounds import MAINTENANCE, READINESS, REQUESTS, Bounds, Connections
from service.database.connections import Database
from service.database.pool import UNKNOWN, Pool
from service.database.statements import (
    count_up,
    index_of_some,
    insert,
    insert_new,
    insert_rows,
    table_of,
)

__all__ = [
    "MAINTENANCE",
    "READINESS",
    "REQUESTS",
    "UNKNOWN",
    "Bounds",
    "Connections",
    "Database",
    "Pool",
    "count_up",
    "index_of_some",
    "insert",
    "insert_new",
    "insert_rows",
    "table_of",
]

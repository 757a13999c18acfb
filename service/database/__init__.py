"""The database: the engine, and the two kinds of unit of work, `reading` and `writing`.

SQLite and PostgreSQL behind one shape.
"""

from service.database.bounds import MAINTENANCE, REQUESTS, Bounds
from service.database.statements import count_up, insert, insert_new, insert_rows
from service.database.units import Database

__all__ = [
    "MAINTENANCE",
    "REQUESTS",
    "Bounds",
    "Database",
    "count_up",
    "insert",
    "insert_new",
    "insert_rows",
]

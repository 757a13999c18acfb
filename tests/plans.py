"""How a database goes about the statements that the service really sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from service.services import Services
from tests.cast import House


@contextmanager
def statements_of(house: House, marker: str) -> Iterator[list[tuple[str, Any]]]:
    """Note each statement with `marker` in it, with its values, that the service sends meanwhile."""
    services: Services = house.app.process.services
    engines = [getattr(one, "sync_engine", one) for one in services.database.engines.values()]
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if marker in statement:
            sent.append((statement, values))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def explain(house: House, statement: str, values: Any) -> str:
    """Give the plan of a statement, as it would be if there were too many rows to read all of them."""
    async with house.database.reading() as session:
        connection = await session.connection()
        if not house.database.is_sqlite:
            for way in ("seqscan", "bitmapscan"):
                await connection.execute(text(f"SET enable_{way} = off"))
        word = "EXPLAIN QUERY PLAN" if house.database.is_sqlite else "EXPLAIN"
        plan = await connection.exec_driver_sql(f"{word} {statement}", values)
        return "\n".join(str(row) for row in plan.all())

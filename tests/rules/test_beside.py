"""What is too long for the event loop is done beside it, one piece after the other."""

import asyncio
import threading

from service.concurrency.beside import do_beside


async def test_of_many_pieces_one_is_done_at_a_time_and_in_order() -> None:
    threads: set[int] = set()
    done: list[int] = []

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        done.append(number)
        return number

    assert await asyncio.gather(*(do_beside(work, number) for number in range(20))) == done
    assert done == list(range(20))
    assert len(threads - {threading.get_ident()}) == 1


async def test_whoever_goes_away_before_the_turn_has_nothing_done() -> None:
    may_end = threading.Event()
    done: list[str] = []
    first = asyncio.create_task(do_beside(may_end.wait))
    gone = asyncio.create_task(do_beside(done.append, "gone"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    may_end.set()
    await first
    assert await do_beside(done.copy) == []

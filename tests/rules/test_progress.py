"""What a long command says of how far it is: a line now and then, with the time that is left."""

from service.command_line.progress import Progress


def test_a_line_every_five_seconds_and_none_before() -> None:
    now, lines = 0.0, list[str]()
    progress = Progress("addresses", lines.append, lambda: now)
    for second in range(0, 101, 2):
        now = float(second)
        progress(second * 100, 50_000)
    assert lines[0] == "600 of 50,000 addresses, about 8 minutes left"
    assert lines[-1] == "9,600 of 50,000 addresses, about 7 minutes left"
    assert len(lines) == 16


def test_what_was_waited_for_before_the_beginning_does_not_count() -> None:
    now, lines = 0.0, list[str]()
    progress = Progress("addresses", lines.append, lambda: now)
    now = 60.0
    progress(0, 1_000)
    assert lines == []
    now = 70.0
    progress(500, 1_000)
    assert lines == ["500 of 1,000 addresses, about 10 seconds left"]


def test_the_time_left_is_in_a_unit_that_one_can_read() -> None:
    now, lines = 0.0, list[str]()
    progress = Progress("rows", lines.append, lambda: now)
    for done in (1, 90, 99):
        now += 100.0
        progress(done, 100)
    assert [line.partition("about ")[2] for line in lines] == [
        "2.8 hours left",
        "22 seconds left",
        "3 seconds left",
    ]

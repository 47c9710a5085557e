"""A slot that another reader holds: walcat waits for it and takes over."""

import signal

import pytest
from configuration import configuration, entry
from waiting import hold_for
from walcat_process import Line, Walcat, WalcatProcess

QUICK = {"max_retries": 2, "initial_backoff": "100ms", "max_backoff": "300ms"}


@pytest.fixture
def second(tmp_path):
    """Runs in a folder, and so with offset files, of their own."""
    folder = tmp_path / "second"
    folder.mkdir()
    made = Walcat(folder)
    yield made
    made.close()


def seen(run: WalcatProcess, number: int) -> list[Line]:
    """The lines so far, once row `number` is among them."""
    lines = run.lines()
    return lines if any(line.after["id"] == number for line in lines) else []


def test_a_second_walcat_waits_for_the_slot_and_takes_over(database, walcat, second):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), retry_config=QUICK)
    first = walcat.start(config)
    first.wait_for(database.slot_reader, "the slot is streamed")
    waiting = second.start(config)
    waiting.wait_for_log(rf"{database.name}/{database.slot_name}.*in use")

    def still_waiting():
        assert waiting.is_running(), waiting.describe()
        assert waiting.output.count() == 0

    hold_for(3, still_waiting)
    database.execute("INSERT INTO t VALUES (1)")
    assert [line.after["id"] for line in first.wait_for_lines(1)] == [1]
    first.stop()
    waiting.wait_for(database.slot_reader, "the second one streams the slot")
    database.execute("INSERT INTO t VALUES (2)")
    assert [line.after["id"] for line in waiting.wait_for_lines(1)] == [2]
    waiting.stop()


def test_a_walcat_that_waits_for_a_slot_can_be_stopped(database, walcat, second):
    config = configuration(entry(database))
    first = walcat.start(config)
    first.wait_for(database.slot_reader, "the slot is streamed")
    waiting = second.start(config)
    waiting.wait_for_log("in use")
    waiting.stop(within=5)
    assert first.is_running()


def test_two_walcats_on_one_configuration_lose_nothing_when_the_first_dies(database, walcat):
    """The second one begins where the first one's offset file says, however long it has waited."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), retry_config=QUICK)
    first = walcat.start(config)
    first.wait_for(database.slot_reader, "the slot is streamed")
    waiting = walcat.start(config)
    waiting.wait_for_log("in use")
    for number in range(1, 6):
        database.execute(f"INSERT INTO t VALUES ({number})")
    first.wait_for_lines(5)
    lsn = database.wal_lsn()
    first.wait_for(lambda: database.passed(lsn), f"{lsn} is stored and confirmed")
    database.execute("INSERT INTO t VALUES (6)")
    first.wait_for_lines(6)
    first.kill()
    database.execute("INSERT INTO t VALUES (7)")
    lines = waiting.wait_for(lambda: seen(waiting, 7), "the second one goes on", within=60)
    # What was confirmed does not come again; what came since the last stored offset may.
    assert [line.after["id"] for line in lines] in ([6, 7], [7])
    assert "may be" not in waiting.log()
    positions = {line.position: line.text for line in first.lines()}
    assert all(positions.get(line.position, line.text) == line.text for line in lines)
    waiting.stop()


def test_one_that_was_cut_off_takes_over_in_its_turn(database, walcat):
    """Its own position is old by then; the offset file, which the other one has moved on, is not."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), retry_config=QUICK)
    first = walcat.start(config)
    walsender = first.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)")
    first.wait_for_lines(1)
    other = walcat.start(config)
    other.wait_for_log("in use")
    first.signal(signal.SIGSTOP)
    database.rows("SELECT pg_terminate_backend(%s)", (walsender,))
    other.wait_for(lambda: database.slot_reader() not in (None, walsender), "the other one streams the slot")
    database.execute("INSERT INTO t VALUES (2)")
    other.wait_for(lambda: seen(other, 2), "the other one prints")
    lsn = database.wal_lsn()
    other.wait_for(lambda: database.passed(lsn), f"{lsn} is stored and confirmed")
    first.signal(signal.SIGCONT)
    first.wait_for_log("in use")
    other.kill()
    database.execute("INSERT INTO t VALUES (3)")
    first.wait_for(lambda: seen(first, 3), "the first one goes on", within=60)
    assert [line.after["id"] for line in first.lines()] == [1, 3]
    first.stop()

"""A slot that another reader holds: walcat waits for it and takes over."""

import pytest
from configuration import configuration, entry
from waiting import hold_for
from walcat_process import Walcat


@pytest.fixture
def second(tmp_path):
    """Runs in a folder, and so with offset files, of their own."""
    folder = tmp_path / "second"
    folder.mkdir()
    made = Walcat(folder)
    yield made
    made.close()


def test_a_second_walcat_waits_for_the_slot_and_takes_over(database, walcat, second):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(
        entry(database), retry_config={"max_retries": 2, "initial_backoff": "100ms", "max_backoff": "300ms"}
    )
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

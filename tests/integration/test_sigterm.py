"""Clean stops under load: every committed change has exactly one line."""

import json
import signal

import knobs
import pytest
from configuration import configuration, entry
from database import number_of
from ledger import Ledger
from walcat_process import LineFile
from workload import MIXED_KEYS, MIXED_TABLES, mixed


@pytest.fixture
def loaded(database):
    database.execute(*MIXED_TABLES)
    return Ledger(database, MIXED_KEYS)


def test_rounds_of_sigterm_leave_no_gap_and_no_repeat(loaded, database, walcat, tmp_path):
    printed = LineFile(tmp_path / "out.jsonl")
    config = configuration(entry(database, *MIXED_KEYS), output={"path": str(printed.path)})
    walcat.catch_up(config)  # the ledger starts with the slot
    dice = knobs.dice()
    with mixed(database, tmp_path) as load:
        for _ in range(knobs.SIGTERM_ROUNDS):
            goal = printed.count() + dice.randint(1, 1000)
            run = walcat.start(config)
            run.wait_for(lambda: printed.count() >= goal, "some more lines")
            run.stop()
        assert load.is_running()
    walcat.catch_up(config)
    loaded.check_exactly_once(printed.lines())


def test_sigint_stops_as_cleanly(loaded, database, walcat, tmp_path):
    config = configuration(entry(database, *MIXED_KEYS))
    walcat.catch_up(config)
    with mixed(database, tmp_path):
        run = walcat.start(config)
        run.wait_for_lines(50)
        run.signal(signal.SIGINT)
        assert run.wait_exit() == 0, run.describe()
    loaded.check_exactly_once(run.lines() + walcat.catch_up(config).lines())


def test_a_stop_at_rest_is_quick(database, walcat):
    run = walcat.start(configuration(entry(database)))
    run.wait_for(database.slot_reader, "the slot is streamed")
    run.stop(within=5)


def test_a_stop_stores_and_confirms_what_was_printed(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(configuration(entry(database), flush_interval="1h"))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)")
    end = database.wal_lsn()
    (line,) = run.wait_for_lines(1)
    run.stop()
    assert database.passed(end)
    stored = json.loads((walcat.folder / f"offset_{database.slot_name}.json").read_text())
    positions = [number_of(value) for value in stored.values() if isinstance(value, str) and "/" in value]
    assert any(position > line.source["commit_lsn"] for position in positions), stored

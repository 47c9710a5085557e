"""Somebody takes slot or publication away from a run: it ends with the reason and the way out, and never goes on with a
gap.
"""

import pytest
from configuration import configuration, entry


@pytest.fixture
def run(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    started = walcat.start(configuration(entry(database)))
    started.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)")
    started.wait_for_lines(1)
    return started


def test_a_slot_that_is_dropped_meanwhile_is_a_gap(run, database, walcat):
    offset = walcat.folder / f"offset_{database.slot_name}.json"
    end = database.wal_lsn()
    run.wait_for(lambda: database.passed(end), "the position is stored")
    before = offset.read_bytes()
    database.drop_slots()
    database.execute("INSERT INTO t VALUES (2)")
    assert run.wait_exit() == 69
    assert database.slot() is None
    assert database.slot_name in run.log() and "hint" in run.log(), run.log()
    assert [line.after["id"] for line in run.lines()] == [1]
    assert offset.exists() and before


def test_a_publication_that_is_dropped_meanwhile_is_named(run, database):
    database.execute(f"DROP PUBLICATION pub_{database.name}", "INSERT INTO t VALUES (2)")
    assert run.wait_exit() == 69
    assert f"pub_{database.name}" in run.log(), run.log()
    assert [line.after["id"] for line in run.lines()] == [1]

"""Runs that end by themselves. One after the other they leave no gap and repeat nothing."""

import pytest
from configuration import configuration, entry
from ledger import Ledger
from workload import MIXED_KEYS, MIXED_TABLES, mixed


@pytest.fixture
def config(database, walcat):
    """A followed table; the slot is there."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    made = configuration(entry(database))
    walcat.catch_up(made)
    return made


def insert(database, *numbers):
    database.execute(*(f"INSERT INTO t VALUES ({number})" for number in numbers))


def printed(run):
    return [line.after["id"] for line in run.lines()]


def test_until_caught_up_prints_what_was_committed_before_the_start(config, database, walcat):
    insert(database, 1, 2, 3)
    assert printed(walcat.catch_up(config)) == [1, 2, 3]
    assert printed(walcat.catch_up(config)) == []
    insert(database, 4)
    assert printed(walcat.catch_up(config)) == [4]


def test_until_caught_up_prints_what_was_committed_and_is_not_flushed(make_database, walcat, server):
    """With synchronous_commit off a commit returns before the log is flushed."""
    database = make_database()
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database))
    walcat.catch_up(config)
    slow = ("ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()")
    database.execute(*slow)
    try:
        database.execute("SET synchronous_commit = off", *(f"INSERT INTO t VALUES ({i})" for i in range(20)))
        assert printed(walcat.catch_up(config)) == list(range(20))
    finally:
        database.execute("ALTER SYSTEM RESET wal_writer_delay", "SELECT pg_reload_conf()")


def test_until_caught_up_ends_on_an_idle_server(config, walcat):
    walcat.run(config, "--until-caught-up", within=10)


def test_until_caught_up_ends_under_load_and_the_runs_join(database, walcat, tmp_path):
    database.execute(*MIXED_TABLES)
    ledger = Ledger(database, MIXED_KEYS)
    config = configuration(entry(database, *MIXED_KEYS))
    walcat.catch_up(config)
    with mixed(database, tmp_path):
        lines = [line for _ in range(4) for line in walcat.catch_up(config).lines()]
    lines += walcat.catch_up(config).lines()
    ledger.check_exactly_once(lines)


def test_until_caught_up_waits_for_every_database(config, database, make_database, walcat):
    other = make_database()
    other.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    both = configuration(entry(database), entry(other))
    walcat.catch_up(both)
    insert(database, 1)
    insert(other, 2)
    assert sorted(printed(walcat.catch_up(both))) == [1, 2]


def test_until_lsn_ends_after_what_was_committed_before_it(config, database, walcat):
    insert(database, 1, 2)
    lsn = database.wal_lsn()
    insert(database, 3, 4)
    assert printed(walcat.run(config, "--until-lsn", lsn)) == [1, 2]
    assert printed(walcat.run(config, "--until-lsn", lsn)) == []
    assert printed(walcat.catch_up(config)) == [3, 4]


def test_until_lsn_waits_for_a_position_that_is_still_to_come(config, database, walcat):
    high, low = database.wal_lsn().split("/")
    run = walcat.start(config, "--until-lsn", f"{high}/{int(low, 16) + 100_000:X}")
    run.wait_for(database.slot_reader, "the slot is streamed")
    insert(database, 1)
    run.wait_for_lines(1)
    assert run.is_running()
    database.execute("CREATE TABLE filling AS SELECT repeat('x', 100) FROM generate_series(1, 5000)")
    assert run.wait_exit() == 0, run.describe()


def test_max_changes_ends_after_so_many_lines(config, database, walcat):
    insert(database, 1, 2, 3, 4, 5)
    assert printed(walcat.run(config, "--max-changes", "2")) == [1, 2]
    assert printed(walcat.run(config, "--max-changes", "2")) == [3, 4]
    assert printed(walcat.catch_up(config)) == [5]


def test_max_changes_may_end_inside_a_transaction(config, database, walcat):
    database.execute("INSERT INTO t SELECT id FROM generate_series(1, 5) AS id")
    assert printed(walcat.run(config, "--max-changes", "2")) == [1, 2]
    assert printed(walcat.run(config, "--max-changes", "2")) == [3, 4]
    assert printed(walcat.catch_up(config)) == [5]


def test_max_changes_waits_until_there_are_so_many(config, database, walcat):
    run = walcat.start(config, "--max-changes", "3")
    run.wait_for(database.slot_reader, "the slot is streamed")
    insert(database, 1, 2)
    run.wait_for_lines(2)
    assert run.is_running()
    insert(database, 3)
    assert run.wait_exit() == 0, run.describe()
    assert printed(run) == [1, 2, 3]


def test_the_first_run_creates_the_slot_and_prints_nothing(database, walcat):
    run = walcat.catch_up(configuration(entry(database)))
    assert run.output.texts() == []
    assert database.slot() is not None

"""Servers that stop, crash or end a connection: walcat comes back by itself, with no gap and, in one run, no repeat."""

import re

import knobs
import pytest
from configuration import configuration, entry
from ledger import Ledger
from workload import MIXED_KEYS, MIXED_TABLES, mixed


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_a_restart_of_the_server_in_mid_stream(mode, fragile, walcat, tmp_path):
    run = walcat.start(fragile.configuration())
    run.wait_for(fragile.database.slot_reader, "the slot is streamed")
    for _ in range(2):
        with mixed(fragile.database, tmp_path):
            run.wait_for_more(100)
            fragile.database.disconnect()
            fragile.server.restart(mode)
        run.wait_for(fragile.database.slot_reader, "the slot is streamed again")
    with mixed(fragile.database, tmp_path):
        run.wait_for_more(100)
    run.wait_for(lambda: run.output.count() >= fragile.ledger.count(), "every change is printed")
    run.stop()
    fragile.ledger.check_exactly_once(run.lines())


def test_terminated_walsenders_under_load(database, walcat, tmp_path):
    database.execute(*MIXED_TABLES)
    ledger = Ledger(database, MIXED_KEYS)
    run = walcat.start(configuration(entry(database, *MIXED_KEYS)))
    run.wait_for(database.slot_reader, "the slot is streamed")
    with mixed(database, tmp_path, rate=400):
        for _ in range(knobs.TERMINATE_ROUNDS):
            run.wait_for_more(30)
            walsender = run.wait_for(database.slot_reader, "the slot is streamed")
            database.rows("SELECT pg_terminate_backend(%s)", (walsender,))
            run.wait_for(lambda: database.slot_reader() not in (None, walsender), "another walsender streams the slot")
    run.wait_for(lambda: run.output.count() >= ledger.count(), "every change is printed")
    run.stop()
    ledger.check_exactly_once(run.lines())


def test_after_a_cut_the_stream_is_asked_for_from_what_is_written(database, walcat):
    """Though nothing of it is stored: the server need not send it again."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(configuration(entry(database), flush_interval="1h"))
    walsender = run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t SELECT generate_series(1, 100)")
    last = run.wait_for_lines(100)[-1]
    database.rows("SELECT pg_terminate_backend(%s)", (walsender,))
    run.wait_for(lambda: run.log().count("streaming from slot") == 2, "the slot is streamed again")
    position = re.findall(r"streaming from slot \S+ at ([0-9A-F]+/[0-9A-F]+)", run.log())[1]
    high, low = (int(half, 16) for half in position.split("/"))
    assert (high << 32) + low > last.source["commit_lsn"]
    run.stop()
    assert run.output.count() == 100


def test_a_walsender_terminated_inside_a_big_transaction(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(configuration(entry(database)))
    run.wait_for(database.slot_reader, "the slot is streamed")
    rows = 50_000
    database.execute(f"INSERT INTO t SELECT id FROM generate_series(1, {rows}) AS id")
    run.wait_for_lines(1)
    for _ in range(3):
        walsender = run.wait_for(database.slot_reader, "the slot is streamed")
        database.rows("SELECT pg_terminate_backend(%s)", (walsender,))
        run.wait_for(lambda: database.slot_reader() not in (None, walsender), "another walsender streams the slot")
    run.wait_for(lambda: run.output.count() >= rows, "every row is printed")
    run.stop()
    assert [line.after["id"] for line in run.lines()] == list(range(1, rows + 1))


def test_a_fast_stop_of_the_server_does_not_wait_for_walcat(fragile, walcat):
    run = walcat.start(fragile.configuration(flush_interval="1h"))
    run.wait_for(fragile.database.slot_reader, "the slot is streamed")
    fragile.database.execute("UPDATE accounts SET balance = 1")
    run.wait_for_lines(200)
    fragile.database.disconnect()
    fragile.server.stop("fast", within=20)
    fragile.server.start()
    run.wait_for(fragile.database.slot_reader, "the slot is streamed again")
    run.stop()
    assert len(run.lines()) == 200

"""heartbeat_interval: a message of walcat's own moves the slot where nothing else does, and nobody sees it."""

import pytest
from configuration import configuration, entry, follow_all
from database import number_of
from held_output import HeldOutput
from server_version import MAJOR, needs
from waiting import hold_for

PREFIX = "walcat.heartbeat"


@pytest.fixture
def heard(database):
    """Logical positions of the heartbeats of this database so far, seen by a slot beside walcat's."""
    slot = f"l_{database.name}"
    database.execute("CREATE PUBLICATION listening", f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")

    def positions():
        rows = database.rows(
            "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1', "
            "'publication_names', 'listening', 'messages', 'true')",
            (slot,),
        )
        frames = [bytes(row.data) for row in rows]
        prefix = PREFIX.encode() + b"\0"
        return [int.from_bytes(frame[2:10], "big") for frame in frames if frame[:1] == b"M" and frame[10:].startswith(prefix)]

    return positions


def busy_until(other, condition):
    """A condition that another database's transactions come before each look at."""

    def reached():
        other.execute("INSERT INTO busy SELECT id FROM generate_series(1, 100) AS id")
        return condition()

    return reached


@pytest.fixture
def other(make_database):
    made = make_database()
    made.execute("CREATE TABLE busy (id integer)")
    return made


@needs(14, "logical messages in the stream")
def test_a_heartbeat_moves_the_slot_and_is_not_printed(database, other, heard, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(follow_all(database, heartbeat_interval="1ms"))
    run.wait_for(database.slot_reader, "the slot is streamed")
    beats = run.wait_for(busy_until(other, heard), "a heartbeat is in the log")
    last = beats[-1]
    run.wait_for(
        busy_until(other, lambda: number_of(database.slot().confirmed_flush_lsn) >= last), "the slot has passed it"
    )
    database.execute("INSERT INTO t VALUES (1), (2)", "SELECT pg_logical_emit_message(true, 'mine', 'seen')")
    lines = run.wait_for_lines(3)
    assert [(line.op, line.source["index"]) for line in lines] == [("c", 0), ("c", 1), ("m", 0)]
    run.stop()
    assert run.output.count() == 3


@needs(14, "logical messages in the stream")
def test_there_is_no_heartbeat_without_need(database, heard, walcat):
    """Nothing is written to a server that stands still, however long."""
    run = walcat.start(follow_all(database, heartbeat_interval="50ms"))
    run.wait_for(database.slot_reader, "the slot is streamed")
    run.wait_for(lambda: database.passed(database.wal_lsn()), "all there is is confirmed")
    before = database.wal_lsn()
    hold_for(1, lambda: None)
    # The server's own records aside, which are few.
    assert number_of(database.wal_lsn()) - number_of(before) < 2000
    assert len(heard()) <= 3
    run.stop()


@needs(14, "logical messages in the stream")
def test_there_is_no_second_heartbeat_before_the_first_has_come(database, other, heard, walcat):
    """Where the output stands still, messages would only pile up."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, filler text)")
    config = follow_all(database, heartbeat_interval="100ms", pipeline={"memory_limit": "4MiB"})
    with HeldOutput(walcat, config) as held:
        held.run.wait_for(database.slot_reader, "the slot is streamed")
        for first in range(1, 10000, 1000):
            ids = f"generate_series({first}, {first + 999})"
            database.execute(f"INSERT INTO t SELECT id, repeat('x', 1000) FROM {ids} AS id")
        held.run.wait_for(busy_until(other, heard), "a heartbeat is in the log")
        beats = len(heard())
        hold_for(1, lambda: other.execute("INSERT INTO busy VALUES (1)"))
        assert len(heard()) == beats
        held.run.kill()


@pytest.mark.skipif(MAJOR >= 14, reason="the server sends logical messages")
def test_a_server_that_sends_no_messages_is_refused(database, walcat):
    log = walcat.run(follow_all(database, heartbeat_interval="10s"), status=69).log()
    assert "heartbeat_interval" in log and "14" in log
    assert database.slot() is None


def test_keepalives_alone_move_both_positions_of_a_quiet_slot(database, other, walcat):
    """Why heartbeats are off: what the slot has confirmed, and what the server retains for it, follow by themselves."""
    run = walcat.start(configuration(entry(database)))
    run.wait_for(database.slot_reader, "the slot is streamed")
    other.execute("INSERT INTO busy SELECT id FROM generate_series(1, 10000) AS id")
    lsn = number_of(other.wal_lsn())

    def moved():
        # Writes down which transactions run, from where the server may let go of its log.
        database.execute("CHECKPOINT")
        slot = database.slot()
        return min(number_of(slot.confirmed_flush_lsn), number_of(slot.restart_lsn)) >= lsn

    run.wait_for(moved, "confirmed_flush_lsn and restart_lsn have passed it", within=40)
    run.stop()
    assert run.output.texts() == []

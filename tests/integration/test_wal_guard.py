"""The WAL guard: warns while a slot retains more and more of the server's log, and before the server gives it up."""

import re
import signal

import pytest
from configuration import follow_all
from database import Database
from held_output import HeldOutput
from postgres_server import PostgresServer
from server_version import needs
from waiting import hold_for

FAST = {"interval": "100ms", "warn_at": ["24MiB", "8MiB"]}
MIB = 2**20


def count(run, pattern):
    return len(re.findall(pattern, run.log()))


def fill(database, mib):
    """Writes so much log, more or less. A segment that is left early counts whole."""
    before = database.value("SELECT pg_current_wal_lsn()")
    while database.value("SELECT pg_current_wal_lsn() - %s::pg_lsn", (before,)) < mib * MIB:
        database.execute("SELECT pg_logical_emit_message(true, 'filling', repeat('x', 1000000))")


@pytest.fixture
def own(walcat):
    """A server whose log grows by what the test writes, and by nothing else."""
    made = []

    def make(**settings):
        server = PostgresServer({"autovacuum": "off", "checkpoint_timeout": "1h", "max_wal_size": "10GB", **settings})
        made.append(server)
        return Database(server)

    yield make
    walcat.close()
    for server in made:
        server.close()


def test_each_size_is_warned_of_once_and_its_end_is_told(own, walcat):
    database = own()
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(follow_all(database, wal_guard=FAST, output={"skip": ["m"]}))
    run.wait_for(database.slot_reader, "the slot is streamed")
    # The slot must keep the log from where this transaction began.
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
        database.execute("CHECKPOINT")
        fill(database, 10)
        run.wait_for_log(r"warning.*the slot retains .* more than 8\.0 MiB")
        fill(database, 16)
        run.wait_for_log(r"warning.*the slot retains .* more than 24\.0 MiB")
    lsn = database.wal_lsn()
    run.wait_for(lambda: database.passed(lsn), f"{lsn} is confirmed")

    def retains_little():
        database.execute("CHECKPOINT")
        return "less than 8.0 MiB again" in run.log()

    run.wait_for(retains_little, "the guard has seen that the slot lets go")
    assert count(run, "more than 8.0 MiB") == 1 and count(run, "more than 24.0 MiB") == 1
    run.stop()


@needs(13, "max_slot_wal_keep_size")
def test_the_servers_own_limit_is_warned_of_before_it_is_reached(own, walcat):
    database = own(max_slot_wal_keep_size="96MB")
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    guard = {"interval": "100ms", "warn_at": []}
    # Nothing is confirmed in this test.
    config = follow_all(database, wal_guard=guard, flush_interval="1h", on_gap="snapshot", output={"skip": ["m"]})
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)

    def written_until(pattern):
        def seen():
            fill(database, 4)
            return re.search(pattern, run.log())

        return seen

    run.wait_for(written_until("more and then may invalidate the slot"), "the guard warns of the limit", within=60)
    assert "retains more than the server's max_slot_wal_keep_size" not in run.log()
    run.wait_for(written_until("retains more than the server's max_slot_wal_keep_size"), "the limit is passed", within=60)
    assert database.slot().wal_status == "unreserved"
    # And this is what was warned of.
    database.execute("CHECKPOINT")
    run.wait_for_log("was invalidated")
    run.wait_for_log("changes may be missing")
    assert [(line.op, line.after["id"]) for line in run.wait_for_lines(2)] == [("c", 1), ("r", 1)]
    assert count(run, "more and then may invalidate") == 1
    run.stop()


def test_a_lag_is_told_and_its_end(own, walcat):
    database = own()
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, filler text)")
    guard = {"interval": "100ms", "warn_at": []}
    config = follow_all(database, wal_guard=guard, pipeline={"memory_limit": "4MiB"})
    with HeldOutput(walcat, config) as held:
        held.run.wait_for(database.slot_reader, "the slot is streamed")
        for first in range(1, 30000, 1000):
            ids = f"generate_series({first}, {first + 999})"
            database.execute(f"INSERT INTO t SELECT id, repeat('x', 1000) FROM {ids} AS id")
        held.run.wait_for_log(r"info.*the output is [0-9.]+ MiB and \d+ s behind the server")
        assert "caught up" not in held.run.log()
        held.take(30000)
        held.run.wait_for_log("the output has caught up with the server")
        held.end(signal.SIGTERM)


@needs(13, "walsenders that a role's limit does not count")
def test_a_guard_that_cannot_connect_hurts_nobody(own, walcat):
    """The role may replicate, but one connection is all it gets. Walsenders do not count."""
    database = own()
    database.execute(
        "CREATE ROLE single LOGIN REPLICATION CONNECTION LIMIT 0",
        "CREATE TABLE t (id integer PRIMARY KEY)",
        f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES",
    )
    config = follow_all(database, wal_guard=FAST)
    config["databases"][0]["conn_str"] = database.server.conn_str(database.name, "single")
    run = walcat.start(config)
    run.wait_for_log("warning.*the slot can't be watched")
    database.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    lsn = database.wal_lsn()
    run.wait_for(lambda: database.passed(lsn), f"{lsn} is confirmed")
    run.stop()
    assert count(run, "can't be watched") == 1


def test_a_guard_whose_connection_is_ended_makes_another(own, walcat):
    database = own()
    run = walcat.start(follow_all(database, wal_guard=FAST))
    run.wait_for(database.slot_reader, "the slot is streamed")
    guards = """SELECT pid FROM pg_stat_activity
                WHERE application_name = 'walcat' AND backend_type = 'client backend'"""
    first = run.wait_for(lambda: database.rows(guards), "the guard has connected")[0].pid
    database.rows("SELECT pg_terminate_backend(%s)", (first,))
    run.wait_for(lambda: [row.pid for row in database.rows(guards)] not in ([], [first]), "the guard is back")
    stream = database.slot_reader()
    assert stream is not None and count(run, "streaming from slot") == 1
    run.stop()


def test_without_an_interval_there_is_no_guard(own, walcat):
    database = own()
    run = walcat.start(follow_all(database, wal_guard={"interval": "0s"}))
    run.wait_for(database.slot_reader, "the slot is streamed")
    others = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'walcat' AND backend_type = 'client backend'"

    def alone():
        assert database.value(others) == 0

    hold_for(1, alone)
    run.stop()

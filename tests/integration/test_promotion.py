"""A standby is promoted: the stream goes on where nothing is missing, and a gap is named where something is."""

import pytest
from configuration import configuration, entry, follow_all
from database import Database
from postgres_server import PostgresServer
from server_version import needs
from standby import Followed, Standby

pytestmark = needs(13, "standby that is promoted without a file")


@pytest.fixture
def primary(walcat):
    made = PostgresServer()
    yield made
    walcat.close()
    made.close()


@pytest.fixture
def standby(primary):
    made = Standby(primary)
    yield made
    made.close()


@pytest.fixture
def followed(primary, standby, walcat):
    """Row 1 is printed. The slot is on the primary's disk."""
    database = Database(primary)
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    walcat.catch_up(follow_all(database))
    database.execute("INSERT INTO t VALUES (1)")
    assert ids(walcat.catch_up(follow_all(database))) == [1]
    database.execute("CHECKPOINT")
    return database


def ids(run):
    return [line.after["id"] for line in run.lines()]


def copy_of(database, standby):
    return Followed(standby, database.name)


def fail_over(followed, primary, standby):
    """The standby has all that the primary had, and takes its place. Returns its copy of the database."""
    standby.wait_for(followed.wal_lsn())
    followed.disconnect()
    primary.stop()
    standby.promote()
    return copy_of(followed, standby)


def test_the_stream_goes_on_from_the_promoted_standby(followed, primary, standby, walcat):
    standby.copy_slot(followed.slot_name)
    followed.execute("INSERT INTO t VALUES (2)")
    promoted = fail_over(followed, primary, standby)
    promoted.execute("INSERT INTO t VALUES (3)")
    run = walcat.catch_up(follow_all(promoted))
    assert ids(run) == [2, 3]
    assert "promoted" in run.log() and run.warnings() == []
    promoted.execute("INSERT INTO t VALUES (4)")
    again = walcat.catch_up(follow_all(promoted))
    assert ids(again) == [4] and "promoted" not in again.log()
    promoted.disconnect()


def test_a_run_follows_the_promotion(followed, primary, standby, walcat):
    """One run, with both servers in its connection string, and the stored offset afterwards."""
    standby.copy_slot(followed.slot_name)
    hosts = f"host={primary.folder},{standby.folder} port=5432,5432 user=postgres dbname={followed.name}"
    config = configuration(entry(followed, conn_str=f"{hosts} target_session_attrs=read-write"))
    run = walcat.start(config)
    run.wait_for(followed.slot_reader, "the slot is streamed")
    promoted = fail_over(followed, primary, standby)
    run.wait_for(promoted.slot_reader, "the promoted standby's slot is streamed")
    promoted.execute("INSERT INTO t VALUES (2)")
    run.wait_for_lines(1)
    run.stop()
    assert ids(run) == [2] and "promoted" in run.log()
    promoted.execute("INSERT INTO t VALUES (3)")
    assert ids(walcat.catch_up(config)) == [3]
    promoted.disconnect()


def test_what_the_standby_never_had_is_a_gap(followed, primary, standby, walcat):
    standby.copy_slot(followed.slot_name)
    standby.wait_for(followed.wal_lsn())
    standby.stop()
    followed.execute("INSERT INTO t VALUES (2)")
    assert ids(walcat.catch_up(follow_all(followed))) == [2]
    followed.disconnect()
    primary.stop()
    standby.start()
    standby.promote()
    promoted = copy_of(followed, standby)
    # The same positions again, with other changes.
    promoted.execute(*(f"INSERT INTO t VALUES ({number})" for number in range(10, 20)))
    refused = walcat.run(follow_all(promoted), status=69)
    assert refused.lines() == [] and "never reached it" in refused.log()
    run = walcat.catch_up(follow_all(promoted, on_gap="continue"))
    assert ids(run)[-10:] == list(range(10, 20))
    assert "may be missing" in run.log()
    promoted.disconnect()


def test_log_that_the_promoted_standby_does_not_have_is_a_gap(followed, primary, walcat):
    """Its copy was made later than the slot: the slot looks sound, but the stream breaks."""
    followed.execute("SELECT pg_switch_wal()", "INSERT INTO t VALUES (2)")
    late = Standby(primary)
    try:
        late.copy_slot(followed.slot_name)
        promoted = fail_over(followed, primary, late)
        refused = walcat.run(follow_all(promoted), status=69)
        assert refused.lines() == [] and "has already been removed" in refused.log() and "on_gap" in refused.log()
        run = walcat.catch_up(follow_all(promoted, on_gap="snapshot"))
        assert [(line.op, line.after["id"]) for line in run.lines()] == [("r", 1), ("r", 2)]
        assert "may be missing" in run.log()
        promoted.disconnect()
    finally:
        walcat.close()
        late.close()


def test_a_slot_that_did_not_come_along_is_a_gap(followed, primary, standby, walcat):
    promoted = fail_over(followed, primary, standby)
    refused = walcat.run(follow_all(promoted), status=69)
    assert "does not exist" in refused.log()
    promoted.disconnect()


def test_a_primary_that_was_left_behind_is_a_gap(followed, primary, standby, walcat):
    standby.copy_slot(followed.slot_name)
    standby.wait_for(followed.wal_lsn())
    standby.promote()
    promoted = copy_of(followed, standby)
    assert ids(walcat.catch_up(follow_all(promoted))) == []
    promoted.disconnect()
    assert "left behind" in walcat.run(follow_all(followed), status=69).log()
    followed.disconnect()


@needs(16, "logical decoding on a standby")
def test_a_standby_that_is_followed_is_promoted(followed, primary, standby, walcat):
    """The stream goes on across the promotion without a word; nothing is missing at the next start either."""
    copy = copy_of(followed, standby)
    config = configuration(entry(copy, slot_name="on_standby"), snapshot={"mode": "never"}, flush_interval="50ms")
    run = walcat.start(config)

    def is_streamed():
        # The slot is made once the standby has heard which transactions run.
        followed.execute("SELECT pg_log_standby_snapshot()")
        return copy.slot_reader("on_standby")

    run.wait_for(is_streamed, "the standby's slot is streamed")
    followed.execute("INSERT INTO t VALUES (2)")
    run.wait_for_lines(1)
    fail_over(followed, primary, standby)
    copy.execute("INSERT INTO t VALUES (3)")
    run.wait_for_lines(2)
    run.wait_for(lambda: copy.passed(copy.wal_lsn(), "on_standby"), "the slot moves on")
    run.stop()
    assert ids(run) == [2, 3]
    copy.execute("INSERT INTO t VALUES (4)")
    assert ids(walcat.catch_up(config)) == [4]
    copy.disconnect()

"""What a publication publishes of its tables may change, and change back: what did not come meanwhile is named, or read."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2.errors
import pytest
from server_version import MAJOR, NEEDS_MESSAGES, needs
from stories import MOMENTS, Story
from waiting import wait_until

ALL = "insert, update, delete" + (", truncate" if MAJOR >= 11 else "")
WITHOUT = {
    "insert": ("INSERT INTO t VALUES (3, 'lost')",),
    "update": ("UPDATE t SET note = 'lost' WHERE id = 1",),
    "delete": ("DELETE FROM t WHERE id = 2",),
    "truncate": ("TRUNCATE t", "INSERT INTO t VALUES (1, 'new'), (2, 'new')"),
}


@pytest.fixture
def story(database, walcat):
    def begin(table="t (id integer PRIMARY KEY, note text)", **keys):
        database.execute(f"CREATE TABLE {table}", "INSERT INTO t VALUES (1, 'old'), (2, 'old')")
        told = Story(database, walcat, **keys)
        database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE t")
        return told

    return begin


def without(operation):
    left = ", ".join(kind for kind in ALL.split(", ") if kind != operation)
    return f"ALTER PUBLICATION {{p}} SET (publish = '{left}')"


AGAIN = f"ALTER PUBLICATION {{p}} SET (publish = '{ALL}')"


@NEEDS_MESSAGES
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("operation", WITHOUT)
def test_an_operation_that_was_not_published_for_a_while(operation, moment, story):
    told = story()
    run = told.happens(moment, without(operation), *WITHOUT[operation], AGAIN, "INSERT INTO t VALUES (9, 'then')")
    run.wait_for_log(rf"publication {told.publication} .*{operation}s.* of table public.t.*may be missing from .* to ")
    if operation in ("insert", "update"):
        told.converges({"public.t": ("id",)})
    else:
        assert "deletes show in no rows" in run.log()
        run.wait_for_log(r"incremental snapshot added-\d+ complete")
    run.stop()
    again = told.walcat.catch_up(told.config())
    assert again.lines() == [] and "missing" not in again.log()


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_operation_that_is_published_no_more(moment, story, database):
    told = story(snapshot={"mode": "never"})
    run = told.happens(moment, without("update"))
    run.wait_for_log(rf"warning.*publication {told.publication} publishes no updates any more: .*of public.t")
    run.stop()
    assert "publishes no" not in told.walcat.catch_up(told.config()).log()
    # It comes back: then it is known since when it was away.
    database.execute("UPDATE t SET note = 'lost'", AGAIN.format(p=told.publication))
    gap = told.walcat.run(told.config(), status=69).log()
    assert "did not publish updates of table public.t" in gap and "snapshot.mode reads none" in gap


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("on_gap", ["fail", "continue"])
def test_of_a_table_without_a_key_it_is_a_gap(on_gap, moment, story, database):
    told = story("t (id integer, note text)", on_gap=on_gap)
    run = told.happens(moment, without("insert"), *WITHOUT["insert"], AGAIN)
    run.wait_for_log("of table public.t.*may be missing")
    if on_gap == "fail":
        assert run.wait_exit() == 69
        assert "on_gap: snapshot" in run.log()
        return
    database.execute("INSERT INTO t VALUES (9, 'then')")
    run.wait_for(lambda: "9" in [line.after["id"] for line in run.lines()], "the stream goes on")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("change", [
    "OWNER TO other",
    pytest.param("SET (publish_via_partition_root)", marks=needs(13, "publish_via_partition_root")),
])
def test_what_loses_nothing_is_no_loss(change, moment, story, database):
    told = story()
    database.execute("DROP ROLE IF EXISTS other", "CREATE ROLE other SUPERUSER")
    run = told.happens(moment, f"ALTER PUBLICATION {{p}} {change}", "INSERT INTO t VALUES (9, 'then')")
    run.wait_for(lambda: "9" in [line.after["id"] for line in run.lines()], "the stream goes on")
    run.stop()
    again = told.walcat.catch_up(told.config())
    database.execute(f"ALTER PUBLICATION {told.publication} OWNER TO CURRENT_USER", "DROP ROLE other")
    log = "".join(one.log() for one in told.runs) + again.log()
    assert "missing" not in log and "incremental" not in log and again.lines() == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_and_so_is_what_is_altered_in_the_table_itself(moment, story, database):
    """Written anew, and then altered again: what told of the first is gone from the catalog."""
    told = story()
    run = told.happens(moment, "ALTER TABLE t ALTER note TYPE varchar(70) USING note || ''",
                       "ALTER TABLE t ADD loud text GENERATED ALWAYS AS (upper(note)) STORED",
                       "ALTER TABLE t ALTER note SET DEFAULT 'x'", "ALTER TABLE t DROP loud",
                       "INSERT INTO t VALUES (9, 'then')")
    run.wait_for(lambda: "9" in [line.after["id"] for line in run.lines()], "the stream goes on")
    run.stop()
    again = told.walcat.catch_up(told.config())
    log = "".join(one.log() for one in told.runs) + again.log()
    assert "missing" not in log and "incremental" not in log and again.lines() == []


@NEEDS_MESSAGES
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_table_that_is_unlogged_is_named_and_read_when_it_is_back(moment, database, walcat):
    """Nothing is in the server's log of that time."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)", "INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    told = Story(database, walcat)
    database.execute(f"CREATE PUBLICATION {told.publication} FOR ALL TABLES")
    run = told.happens(moment, "ALTER TABLE t SET UNLOGGED", "UPDATE t SET note = 'lost'")
    run.wait_for_log(f"warning.*table public.t has left publication {told.publication}: ")
    assert "dropped" not in run.log()
    run.stop()
    database.execute("ALTER TABLE t SET LOGGED", "INSERT INTO t VALUES (9, 'then')")
    back = told.start()
    back.wait_for_log("table public.t has left publication .* and come back.*changes of it may be missing")
    told.converges({"public.t": ("id",)})


def pending(database, table, detach):
    """DETACH CONCURRENTLY that was begun, waits for whoever uses the table, and is cut."""
    other = database.server.connect(database.name)
    other.autocommit = True
    with database.transaction() as cursor, ThreadPoolExecutor() as pool:
        cursor.execute(f"SELECT count(*) FROM {table}")
        waiting = pool.submit(other.cursor().execute, detach)
        wait_until(lambda: database.rows("SELECT 1 FROM pg_inherits WHERE inhdetachpending"), "the first half is done")
        other.cancel()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            waiting.result()
    other.close()


@needs(14, "DETACH PARTITION CONCURRENTLY")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_partition_whose_detachment_is_pending_has_left(moment, database, walcat):
    database.execute("CREATE TABLE e (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     "CREATE TABLE e_0 PARTITION OF e FOR VALUES FROM (0) TO (10)", "INSERT INTO e VALUES (1)")
    told = Story(database, walcat)
    database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE e")
    run = told.start(wal_guard={"interval": "100ms"})
    if moment == "between runs":
        run.stop()
    pending(database, "e", "ALTER TABLE e DETACH PARTITION e_0 CONCURRENTLY")
    if moment == "between runs":
        run = told.start()
    if moment == "behind a cut":
        database.rows("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = %s",
                      (database.name,))
    run.wait_for_log("warning.*table public.e_0 has left publication")
    run.stop()
    database.execute("ALTER TABLE e DETACH PARTITION e_0 FINALIZE")
    last = walcat.catch_up(told.config())
    assert last.lines() == [] and "come back" not in run.log() + last.log()

"""Who waits for whom while a snapshot is taken: rewrites wait for it, nothing else does, and it hangs on nobody."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg2.errors
import pytest
from configuration import configuration, entry
from database import Database
from held_output import HeldOutput
from mirror import Mirror
from snapshots import SMALL_CHUNKS, SMALL_PIPELINE
from waiting import wait_until

ROWS = 5000
KEYS = {"public.a": ("id",), "public.b": ("id",)}


@pytest.fixture
def tables(database):
    """In the order in which they are read."""
    for name in ("a", "b"):
        database.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY, note text)",
                         f"INSERT INTO {name} SELECT id, repeat('x', 90) FROM generate_series(1, {ROWS}) AS id")


@pytest.fixture
def config(database) -> dict[str, Any]:
    return configuration(entry(database), snapshot=SMALL_CHUNKS, pipeline=SMALL_PIPELINE, output={"values": "text"})


@pytest.fixture
def hold(config, walcat) -> Iterator[Callable[..., HeldOutput]]:
    """Begins a run and holds it after its first rows."""
    with ExitStack() as stack:

        def begin(*arguments: str) -> HeldOutput:
            held = stack.enter_context(HeldOutput(walcat, config, *arguments))
            held.take(10)
            return held

        yield begin


def waiting_for(database: Database, kind: str, identity: str) -> bool:
    """Whether a session waits for a lock, such as of a relation or a transaction."""
    query = f"SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = %s AND {identity}"
    return bool(database.rows(query, (kind,)))


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_rewrite_waits_until_the_rows_are_read(name, tables, database, hold):
    held = hold("--until-caught-up")
    rewrite = f"ALTER TABLE {name} ALTER note TYPE varchar(1000) USING note || '!'"
    with pytest.raises(psycopg2.errors.LockNotAvailable), database.transaction() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '50ms'")
        cursor.execute(rewrite)
    lines = held.finish()
    assert len(lines) == 2 * ROWS and not [line for line in lines if "!" in line.text]
    database.execute(rewrite)


def test_nobody_else_waits(tables, database, hold, walcat, config):
    """Rows can be written, tables read, analyzed and vacuumed, and indexes made."""
    held = hold("--until-caught-up")
    database.execute("SET lock_timeout = '5s'", "INSERT INTO a VALUES (0, 'new')",
                     "UPDATE a SET note = 'y' WHERE id = 7", "DELETE FROM b WHERE id = 8", "SELECT * FROM b FOR UPDATE",
                     "ANALYZE a", "VACUUM b", "CREATE INDEX ON a (note)", "RESET lock_timeout")
    lines = held.finish()
    changes = walcat.catch_up(config).lines()
    assert [line.op for line in changes] == ["c", "u", "d"]
    Mirror(KEYS).apply(lines).apply(changes).check_equal(database)


def test_a_rewrite_that_waits_in_line_does_not_hang_the_snapshot(tables, database, hold, walcat, config):
    """Whoever asks for a lock after it must wait too, until it has had its turn, and it waits for the snapshot."""
    held = hold("--until-caught-up")
    with ThreadPoolExecutor() as pool:
        rewrite = pool.submit(alter, database, "ALTER TABLE b ADD COLUMN made uuid DEFAULT md5(random()::text)::uuid")
        wait_until(lambda: waiting_for(database, "relation", "relation = 'b'::regclass"), "the rewrite waits in line")
        lines = held.finish()
        rewrite.result()
    rows = {line.after["id"]: line.after for line in lines if line.op == "r" and line.table == "public.b"}
    assert len(rows) == ROWS
    assert {line.after["id"] for line in lines if line.table == "public.a"} == {str(row) for row in range(1, ROWS + 1)}


def alter(database: Database, statement: str) -> None:
    with database.transaction() as cursor:
        cursor.execute(statement)


def test_a_long_wait_for_a_lock_is_told(tables, database, walcat):
    """By the process that waits, so that somebody can find out for whom."""
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE b IN ACCESS EXCLUSIVE MODE")
        impatient = entry(database, conn_str=f"{database.conn_str} connect_timeout=1")
        run = walcat.start(configuration(impatient, snapshot=SMALL_CHUNKS), "--until-caught-up")
        told = run.wait_for_log(r"files of published tables: process (\d+) of the server has given no whole answer for \d+ s")
        waits = database.rows("SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'b'::regclass")
        assert {row.pid for row in waits} == {int(pid) for pid in re.findall(r"process (\d+)", told)}
    assert run.wait_exit() == 0, run.describe()
    assert len(run.lines()) == 2 * ROWS


ALTERED = {
    "rewritten": "ALTER TABLE a ALTER id TYPE bigint",
    "column dropped": "ALTER TABLE a DROP note",
    "column renamed": "ALTER TABLE a RENAME note TO remark",
    "names swapped": "ALTER TABLE a RENAME note TO n; ALTER TABLE a RENAME other TO note; ALTER TABLE a RENAME n TO other",
    "column added": "ALTER TABLE a ADD made integer DEFAULT 7",
    "type without a rewrite": "ALTER TABLE a ALTER note TYPE varchar",
    "table renamed": "ALTER TABLE a RENAME TO z",
    "key dropped": "ALTER TABLE a DROP CONSTRAINT a_pkey",
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED.keys())
def test_a_table_that_is_altered_while_the_slot_is_made_is_read_as_it_then_is(alter, database, walcat, config):
    """A slot waits for the transactions it finds. One that begins after that may alter a table, and commit after the
    snapshot's point: the snapshot sees columns that are not there any more; of a table that was rewritten, no rows.
    """
    database.execute("CREATE TABLE a (id integer PRIMARY KEY, note text, other text)",
                     "INSERT INTO a SELECT i, 'note', 'other' FROM generate_series(1, 10) AS i")
    with ExitStack() as stack:
        first = OpenTransaction(stack, database)
        run = walcat.start(config, "--until-caught-up")
        run.wait_for(lambda: waiting_for(database, "transactionid", f"transactionid = '{first.xid}'"), "the slot waits")
        second = OpenTransaction(stack, database)
        first.commit()
        run.wait_for(lambda: waiting_for(database, "transactionid", f"transactionid = '{second.xid}'"), "again")
        third = OpenTransaction(stack, database)
        third.cursor.execute(alter)
        second.commit()
        run.wait_for(lambda: waiting_for(database, "relation", "relation = 'a'::regclass"), "the table is to be locked")
        third.commit()
        assert run.wait_exit() == 0, run.describe()
    (table,) = [row.relname for row in database.rows("SELECT relname FROM pg_class WHERE relname IN ('a', 'z')")]
    rows = database.rows(f"SELECT to_jsonb({table}) FROM {table} ORDER BY id")
    printed = sorted((line.after for line in run.lines()), key=lambda row: int(row["id"]))
    assert [{name: str(value) for name, value in row.to_jsonb.items()} for row in rows] == printed
    slots = database.rows("SELECT slot_name FROM pg_replication_slots WHERE database = %s", (database.name,))
    assert [row.slot_name for row in slots] == [database.slot_name]


class OpenTransaction:
    """A transaction that has an ID already."""

    def __init__(self, stack: ExitStack, database: Database):
        self._connection = database.server.connect(database.name)
        self._connection.autocommit = False
        stack.callback(self._connection.close)
        self.cursor = self._connection.cursor()
        self.cursor.execute("SELECT txid_current() % 4294967296")
        self.xid = self.cursor.fetchone()[0]

    def commit(self) -> None:
        self._connection.commit()


def test_a_snapshot_that_has_to_wait_holds_up_no_other_database(tables, database, make_database, walcat):
    other = make_database()
    other.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    walcat.catch_up(configuration(entry(other)))  # a new slot would wait for the transaction too, wherever it is
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE a")
        run = walcat.start(configuration(entry(database), entry(other), snapshot=SMALL_CHUNKS))
        run.wait_for(other.slot_reader, "the other one is streamed")
        other.execute("INSERT INTO t VALUES (2)")
        assert [line.source["db"] for line in run.wait_for_lines(1)] == [other.name]
    run.wait_for(database.slot_reader, "it goes on after all", within=60)
    run.stop()
    assert len([line for line in run.lines() if line.source["db"] == database.name]) == 2 * ROWS


TIMEOUTS = ("statement_timeout = 1", "lock_timeout = 1", "idle_in_transaction_session_timeout = 1")


def test_timeouts_of_the_database_and_the_role_do_not_cut_it(tables, database, hold):
    for timeout in TIMEOUTS:
        database.execute(f'ALTER DATABASE "{database.name}" SET {timeout}')
    held = hold("--until-caught-up")
    lines = held.finish()
    assert len(lines) == 2 * ROWS
    assert "timeout" not in held.run.log() and "resuming" not in held.run.log(), held.run.log()


def test_a_role_that_only_reads_takes_a_snapshot(tables, database, walcat, server):
    """Sessions of such roles begin read-only, at any level of isolation."""
    role = f"viewer_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN REPLICATION", f"GRANT SELECT ON a, b TO {role}",
                     f"ALTER ROLE {role} SET default_transaction_read_only = on",
                     f"ALTER ROLE {role} SET default_transaction_isolation = 'serializable'",
                     f"ALTER ROLE {role} SET default_transaction_deferrable = on",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE a, b")
    try:
        conn_str = server.conn_str(database.name, role)
        run = walcat.catch_up(configuration(entry(database, conn_str=conn_str), snapshot=SMALL_CHUNKS))
        assert len(run.lines()) == 2 * ROWS
    finally:
        database.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")

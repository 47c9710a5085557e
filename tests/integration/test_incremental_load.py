"""Incremental snapshots of tables that are written to meanwhile: a consumer that begins with empty tables, and applies
the lines in order, ends with the rows that are there.
"""

import pathlib
import signal

import knobs
import pytest
from database import Database
from incremental import DOCUMENT_KEYS, DOCUMENTS, KEYS, PLAIN, ROWS, Followed
from mirror import PLACEHOLDER
from server_version import NEEDS_MESSAGES
from walcat_process import Walcat, WalcatProcess
from workload import Pgbench

pytestmark = NEEDS_MESSAGES

LOAD_ROWS = knobs.number("INCREMENTAL_ROWS", 30_000, sanitized=6_000)
# The writers have this long.
LOAD_SECONDS = 6
# Places are far apart: between any two rows there is room for new ones.
PLACE = 1_000_000
LOAD_KEYS = {"public.items": ("id",), "public.whole": ("id",), "public.coded": ("code",)}

# Every tenth row has a large value that stands beside the table.
TABLES = (
    "CREATE SEQUENCE fresh",
    """CREATE TABLE items (id bigint PRIMARY KEY, code text NOT NULL, body text,
       revision integer NOT NULL DEFAULT 0)""",
    "ALTER TABLE items ALTER body SET STORAGE EXTERNAL",
    "CREATE TABLE whole (LIKE items INCLUDING ALL)",
    "ALTER TABLE whole REPLICA IDENTITY FULL",
    "CREATE TABLE coded (LIKE items INCLUDING ALL)",
    "CREATE UNIQUE INDEX coded_code ON coded (code)",
    "ALTER TABLE coded REPLICA IDENTITY USING INDEX coded_code",
    *(
        f"""INSERT INTO {table} SELECT n::bigint * {PLACE}, md5(n::text), CASE WHEN mod(n, 10) = 0 THEN (
                SELECT string_agg(md5(n::text || i || random()), '') FROM generate_series(1, 80) AS i)
                ELSE repeat('x', 60) END
            FROM generate_series(1, {LOAD_ROWS // 3}) AS n"""
        for table in ("items", "whole", "coded")
    ),
)

# Rows move to any place, read or not; most updates leave the large value alone.
SHORT = r"""
\set place random(1, {rows}) * {place}
\set other random(1, {rows}) * {place}
\set to random(0, {rows} + 100) * {place}
\set hot random(1, 3) * {place}
\set fate random(1, 6)
BEGIN;
UPDATE {table} SET revision = revision + 1 WHERE id = (SELECT min(id) FROM {table} WHERE id >= :place);
UPDATE {table} SET id = :to + nextval('fresh'), code = md5(random()::text)
    WHERE id = (SELECT min(id) FROM {table} WHERE id >= :other) AND octet_length(body) < {movable};
INSERT INTO {table} VALUES (:place + nextval('fresh'), md5(random()::text), repeat('new', 1000));
SAVEPOINT inside;
UPDATE {table} SET revision = revision + 1 WHERE id = :hot;
RELEASE inside;
\if :fate = 1
ROLLBACK;
\else
COMMIT;
\endif
DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table} WHERE id >= :other);
UPDATE {table} SET body = repeat(md5(random()::text), 90)
    WHERE id = (SELECT min(id) FROM {table} WHERE id >= :to);
"""
# Open across chunks.
LONG = r"""
\set place random(1, {rows}) * {place}
\set fate random(1, 3)
\set nap random(100, 500)
BEGIN;
UPDATE {table} SET revision = revision + 1 WHERE id > :place AND id < :place + 20 * {place};
\sleep :nap ms
DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table} WHERE id >= :place);
\if :fate = 1
ROLLBACK;
\else
COMMIT;
\endif
"""


# Keys of rows to be read by themselves live in memory, and changes are followed only while a chunk's reader is at work.
# So they stay where they are, in the load of tests in which something ends.
STAY = 1_000


def load(database: Database, folder: pathlib.Path, movable: int = 1_000_000) -> Pgbench:
    """Six writers, until they are stopped; deadlocks are tried again. Rows of more bytes than `movable` do not move."""
    scripts = []
    for table in ("items", "whole", "coded"):
        for name, text, weight in (("short", SHORT, 8), ("long", LONG, 1)):
            path = folder / f"{name}_{table}.sql"
            path.write_text(text.format(table=table, place=PLACE, rows=LOAD_ROWS // 3, movable=movable))
            scripts.append(f"--file={path}@{weight}")
    return Pgbench(database, folder, "--client=6", "--rate=250", "--time=3600", "--max-tries=50", *scripts)


def test_a_consumer_that_begins_empty_ends_with_the_tables(database, walcat, tmp_path):
    database.execute(*TABLES)
    followed = Followed(walcat, database, *LOAD_KEYS)
    with load(database, tmp_path) as writers:
        asker = followed.begin("--tables", ",".join(LOAD_KEYS), "--rate", str(LOAD_ROWS // LOAD_SECONDS))
        asker.wait_exit(60 + 5 * LOAD_SECONDS)
        assert writers.is_running()
    followed.end(asker)
    mirror = followed.check_mirror(LOAD_KEYS)
    lines = followed.lines()
    assert {line.op for line in lines} == {"r", "c", "u", "d"} and mirror.values_kept > 0
    kinds = [line.op == "r" for line in lines]
    assert True in kinds[kinds.index(False):], "changes came between the rows"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_same_with_restarts_in_the_middle(number, database, walcat, tmp_path):
    database.execute(*TABLES)
    followed = Followed(walcat, database, *LOAD_KEYS)
    with load(database, tmp_path, STAY) as writers:
        followed.begin("--tables", ",".join(LOAD_KEYS), "--no-wait", "--rate", str(LOAD_ROWS // LOAD_SECONDS))
        for _ in range(2):
            followed.run.wait_for_lines(LOAD_ROWS // 5)
            followed.restart(number)
        followed.run.wait_for_log("incremental snapshot .* complete", within=60)
        assert writers.is_running()
    followed.check_mirror(LOAD_KEYS)


def test_the_same_while_connections_are_cut(database, walcat, tmp_path):
    database.execute(*TABLES)
    followed = Followed(walcat, database, *LOAD_KEYS)
    cut = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = %s AND pid <> pg_backend_pid() AND application_name <> 'pgbench'"""
    with load(database, tmp_path, STAY) as writers:
        followed.begin("--tables", ",".join(LOAD_KEYS), "--no-wait", "--rate", str(LOAD_ROWS // LOAD_SECONDS))
        for share in range(1, 4):
            followed.run.wait_for_lines(share * LOAD_ROWS // 5)
            database.rows(cut, (database.name,))
        followed.run.wait_for_log("incremental snapshot .* complete", within=60)
        assert writers.is_running()
    followed.check_mirror(LOAD_KEYS)


def test_rows_that_change_inside_a_window_come_from_the_stream_only(database, walcat):
    """The window is open, the rows are changed, and then the chunk is read; two of them are there under their old key."""
    database.execute(*PLAIN)
    followed = Followed(walcat, database)
    asker = followed.midway("--tables", "public.t")
    known = max(followed.ids())
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE t")
        followed.ask("--resume")
        followed.wait_for_chunk_to_hang()
        cursor.execute("UPDATE t SET note = 'new' WHERE id = %s", (known + 1,))
        cursor.execute("DELETE FROM t WHERE id = %s", (known + 2,))
        cursor.execute("UPDATE t SET id = -id WHERE id = %s", (known + 3,))
        cursor.execute("DELETE FROM t WHERE id = %s", (known + 4,))
        cursor.execute("INSERT INTO t VALUES (%s, 'again')", (known + 4,))
        cursor.execute("INSERT INTO t VALUES (0, 'before all')")
    followed.end(asker)
    touched = {known + 1, known + 2, known + 3, known + 4}
    followed.check_mirror(KEYS)
    assert sorted(followed.ids()) == [id for id in range(1, ROWS + 1) if id not in touched]
    assert "the stream brought 2 others meanwhile" in followed.runs[0].log()


def test_large_values_that_changes_leave_out_are_read(database, walcat):
    """Of rows that change inside a window, that move to what was read before, and that do both."""
    database.execute(*DOCUMENTS)
    followed = Followed(walcat, database)
    asker = followed.midway("--tables", "public.documents")
    known = max(followed.ids("public.documents"))
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE documents")
        followed.ask("--resume")
        followed.wait_for_chunk_to_hang()
        cursor.execute("UPDATE documents SET revision = 1 WHERE id < 10 OR id > %s", (known,))
        cursor.execute("UPDATE documents SET id = -id WHERE mod(id, 7) = 0")
        cursor.execute(f"UPDATE documents SET id = id + {ROWS} WHERE mod(id, 5) = 0")
    followed.end(asker)
    mirror = followed.check_mirror(DOCUMENT_KEYS)
    assert mirror.values_kept > 0


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGKILL])
def test_rows_that_move_between_chunks_keep_their_large_values(number, database, walcat):
    """They move to what was read before, the snapshot hears of it by the stream alone; then walcat ends and starts."""
    followed, asker = after_moves(database, walcat)
    lsn = database.wal_lsn()
    followed.run.wait_for(lambda: database.passed(lsn), "the moves are confirmed")
    if number is not None:
        followed.restart(number)
    followed.go_on(asker)
    check_large_values(followed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_rows_that_move_while_walcat_is_away_keep_their_large_values(number, database, walcat):
    database.execute(*DOCUMENTS)
    followed = Followed(walcat, database)
    asker = followed.midway("--tables", "public.documents")
    lsn = database.wal_lsn()
    followed.run.wait_for(lambda: database.passed(lsn), "the rows are confirmed")
    if number == signal.SIGKILL:
        followed.run.kill()
    else:
        followed.run.stop()
    database.execute(f"UPDATE documents SET id = -id WHERE id > {ROWS} - 50")
    followed.start()
    followed.go_on(asker)
    check_large_values(followed)


def test_rows_that_move_while_the_reader_is_cut_off_keep_their_large_values(database, walcat):
    followed, asker = after_moves(database, walcat)
    database.rows("SELECT pg_terminate_backend(%s)", (followed.reader_pid(),))
    followed.say({"ask": "resume"})
    followed.end(asker)
    check_large_values(followed)


def after_moves(database: Database, walcat: Walcat) -> tuple[Followed, WalcatProcess]:
    """A snapshot in the middle, and who asked for it, once rows have moved to what was read before."""
    database.execute(*DOCUMENTS)
    followed = Followed(walcat, database)
    asker = followed.midway("--tables", "public.documents")
    count = followed.run.output.count()
    database.execute(f"UPDATE documents SET id = -id WHERE id > {ROWS} - 50")
    followed.run.wait_for_lines(count + 50)
    return followed, asker


def check_large_values(followed: Followed) -> None:
    mirror = followed.check_mirror(DOCUMENT_KEYS)
    assert mirror.values_kept > 0
    assert all(row["body"] != PLACEHOLDER for row in mirror.rows["public.documents"].values())

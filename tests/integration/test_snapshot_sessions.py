"""What happens to tables, and to the configuration, between a kill in the middle of a snapshot and the next start."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
from configuration import configuration, entry
from database import Database
from held_output import HeldOutput
from mirror import Mirror
from server_version import NEEDS_CHUNKS
from snapshots import SMALL_CHUNKS, Progress, TableProgress, done_chunks, pages_of, session_of
from waiting import wait_until
from walcat_process import Line, Walcat

pytestmark = NEEDS_CHUNKS

ROWS = 10_000
# Rows of some 130 bytes: about 500 in a chunk of 64 KiB.
PLAIN = (
    "CREATE TABLE t (id integer PRIMARY KEY, note text)",
    f"INSERT INTO t SELECT id, repeat('x', 90) FROM generate_series(1, {ROWS}) AS id",
)
# 500 bytes in the table and 2,5 KiB beside it: about 130 rows in a chunk.
DOCUMENTS = (
    "CREATE TABLE documents (id integer PRIMARY KEY, pad text, body text, revision integer NOT NULL DEFAULT 0)",
    "ALTER TABLE documents ALTER body SET STORAGE EXTERNAL",
    """INSERT INTO documents SELECT id, repeat('p', 400), repeat(md5(id::text), 80)
       FROM generate_series(1, 2000) AS id""",
)


class Killed:
    """A snapshot that was killed in the middle."""

    def __init__(self, database: Database, walcat: Walcat, mode: str, lines: int):
        self._walcat = walcat
        self.config = configuration(
            entry(database), snapshot={**SMALL_CHUNKS, "mode": mode}, output={"values": "text"}, flush_interval="50ms"
        )
        with HeldOutput(walcat, self.config) as held:
            held.take(lines)
            if lines > 1:
                held.run.wait_for(lambda: done_chunks(walcat, database), "a chunk is stored as done")
            self.lines = held.end(signal.SIGKILL)
        stored = Progress.read(walcat, database)
        assert stored is not None and not stored.complete
        self.before: Progress = stored
        # The killed run's connections are gone, and with them its locks and snapshots.
        others = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        wait_until(lambda: not database.rows(others, (database.name,)), "nobody else is connected")

    def table(self, name: str) -> TableProgress:
        return self.before.tables[f"public.{name}"]

    def go_on(self, **keys: Any) -> list[Line]:
        """The lines of the next start."""
        self.run = self._walcat.run({**self.config, **keys}, "--until-caught-up", within=60)
        return self.run.lines()


@pytest.fixture
def kill(database, walcat) -> Callable[..., Killed]:
    """Makes tables, and kills the snapshot of them after so many lines: of six chunks, two of which may be open."""

    def make(*statements: str, mode: str = "initial", lines: int = 3000) -> Killed:
        database.execute(*statements)
        return Killed(database, walcat, mode, lines)

    return make


def ids(lines: list[Line], table: str = "t") -> list[int]:
    return [int(line.after["id"]) for line in lines if line.op == "r" and line.source["table"] == table]


def check_rest_was_read(killed: Killed, lines: list[Line], database: Database) -> None:
    """Of an untouched table exactly the chunks that were not stored as done."""
    expected = [row for row, page in pages_of(database, "t", "id").items() if not killed.table("t").was_read(page)]
    assert sorted(ids(lines)) == sorted(expected)
    assert 0 < len(expected) < ROWS


@pytest.mark.parametrize("mode", ["initial", "initial_only", "always", "when_needed"])
def test_the_missing_chunks_are_read(mode, kill, database):
    killed = kill(*PLAIN, mode=mode)
    lines = killed.go_on()
    check_rest_was_read(killed, lines, database)
    assert {session_of(line) for line in killed.lines} == {0} and {session_of(line) for line in lines} == {1}
    assert {line.source["commit_lsn"] for line in (*killed.lines, *lines)} == {killed.lines[0].source["commit_lsn"]}


@pytest.mark.parametrize("snapshot", [{"chunk_size": "16MiB"}, {"chunk_size": "256KiB", "workers": 1}, {"workers": 5}])
def test_chunks_stay_what_they_are_whatever_the_configuration_says_now(snapshot, kill, database):
    killed = kill(*PLAIN)
    check_rest_was_read(killed, killed.go_on(snapshot={**SMALL_CHUNKS, **snapshot}), database)


def test_a_kill_at_the_first_line_loses_no_change(kill, database):
    """From the first line on, the stream begins at the snapshot's point: a row that was printed can be deleted."""
    killed = kill(*PLAIN, lines=1)
    database.execute(f"DELETE FROM t WHERE id = {killed.lines[0].after['id']}")
    Mirror({"public.t": ("id",)}).apply(killed.lines).apply(killed.go_on()).check_equal(database)


def test_changes_made_meanwhile_are_in_the_end_result(kill, database):
    killed = kill(*PLAIN)
    database.execute("UPDATE t SET note = 'new' WHERE mod(id, 7) = 0", "DELETE FROM t WHERE mod(id, 5) = 0",
                     "UPDATE t SET id = -id WHERE mod(id, 11) = 0", "INSERT INTO t VALUES (10, 'again'), (5, 'again')")
    Mirror({"public.t": ("id",)}).apply(killed.lines).apply(killed.go_on()).check_equal(database)


def test_rows_that_move_to_pages_that_were_read_keep_their_large_values(kill, database):
    """An update moves a row from a chunk that is left into one that is done, and does not send its large value."""
    killed = kill(*DOCUMENTS, lines=800)
    progress = killed.table("documents")
    pages = pages_of(database, "documents", "id")
    read = [row for row, page in pages.items() if progress.was_read(page)]
    left = [row for row, page in pages.items() if not progress.was_read(page)]
    database.execute(f"DELETE FROM documents WHERE id IN ({', '.join(map(str, read))})", "VACUUM documents")
    with database.transaction() as cursor:  # a new session, which looks for free places
        cursor.execute(f"UPDATE documents SET revision = 1 WHERE id IN ({', '.join(map(str, left[-60:]))})")
    now = pages_of(database, "documents", "id")
    moved = [row for row in left if progress.was_read(now[row])]
    assert moved, "the server has put no row into a page that was read: the test needs another way"
    mirror = Mirror({"public.documents": ("id",)}).apply(killed.lines).apply(killed.go_on())
    assert mirror.values_kept >= len(moved)
    mirror.check_equal(database)


def test_a_truncated_table_is_read_anew(kill, database):
    killed = kill(*PLAIN)
    database.execute("TRUNCATE t", "INSERT INTO t SELECT id, 'new' FROM generate_series(1, 20) AS id")
    lines = killed.go_on()
    assert sorted(ids(lines)) == list(range(1, 21)), "in the pages of a chunk that was done"
    assert [line.op for line in lines if line.op != "r"] == ["t"] + ["c"] * 20
    Mirror({"public.t": ("id",)}).apply(killed.lines).apply(lines).check_equal(database)


def test_a_rewritten_table_is_read_anew(kill, database):
    """The stream tells nothing of a rewrite: what it made of the rows is in their new lines only."""
    killed = kill(*PLAIN)
    database.execute("ALTER TABLE t ADD COLUMN made uuid NOT NULL DEFAULT gen_random_uuid()")
    lines = killed.go_on()
    assert sorted(ids(lines)) == list(range(1, ROWS + 1))
    Mirror({"public.t": ("id",)}).apply(killed.lines).apply(lines).check_equal(database)


def test_a_table_without_a_key_that_was_rewritten_is_read_anew(kill, database):
    """Though no row of it was written by a transaction that the point has seen."""
    killed = kill("CREATE TABLE t (id integer, note text)", PLAIN[1])
    database.execute("ALTER TABLE t ADD COLUMN made uuid NOT NULL DEFAULT gen_random_uuid()")
    assert sorted(ids(killed.go_on())) == list(range(1, ROWS + 1))


def test_a_dropped_table_is_passed_over_with_a_warning(kill, database):
    killed = kill(*PLAIN, "CREATE TABLE gone (LIKE t)", "INSERT INTO gone SELECT * FROM t")
    database.execute("DROP TABLE gone")
    lines = killed.go_on()
    warnings = [line for line in killed.run.log().splitlines() if "warning" in line]
    assert any("public.gone" in line for line in warnings), killed.run.log()
    assert ids(lines, "gone") == []
    assert {*ids(killed.lines), *ids(lines)} == set(range(1, ROWS + 1))


def test_a_table_that_came_meanwhile_comes_from_the_stream(kill, database):
    killed = kill(*PLAIN)
    database.execute("CREATE TABLE late (id integer PRIMARY KEY)", "INSERT INTO late VALUES (1), (2)")
    lines = [line for line in killed.go_on() if line.source["table"] == "late"]
    assert [(line.op, line.after["id"]) for line in lines] == [("c", "1"), ("c", "2")]


def test_a_slot_that_was_dropped_meanwhile(kill, database, walcat):
    """Changes are lost: an error, unless the snapshot may begin anew."""
    killed = kill(*PLAIN)
    database.drop_slots()
    refused = walcat.run(killed.config, "--until-caught-up", status=69)
    assert refused.output.texts() == [] and database.slot_name in refused.log()
    lines = killed.go_on(snapshot={**SMALL_CHUNKS, "mode": "when_needed"})
    assert sorted(ids(lines)) == list(range(1, ROWS + 1))
    assert not {line.position for line in killed.lines} & {line.position for line in lines}

"""Connections that break in the middle of a snapshot. A worker's comes back into the same snapshot and repeats nothing;
without the holder's the snapshot itself is gone, and what is left is read at a later point.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from configuration import configuration, entry
from database import Database
from held_output import HeldOutput
from mirror import Mirror
from server_version import NEEDS_CHUNKS
from snapshots import SMALL_CHUNKS, SMALL_PIPELINE, Progress, done_chunks, pages_of, session_of
from walcat_process import Line, Walcat

ROWS = 30_000
KEYS = {"public.t": ("id",)}


@pytest.fixture(autouse=True)
def table(database):
    """9 MB: far more than what is on its way while the output stands still."""
    database.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, note text)",
        f"INSERT INTO t SELECT id, 0, repeat('x', 250) FROM generate_series(1, {ROWS}) AS id",
    )


@pytest.fixture
def config(database) -> dict[str, Any]:
    made = configuration(entry(database), snapshot=SMALL_CHUNKS, pipeline=SMALL_PIPELINE, flush_interval="50ms")
    return {**made, "output": {"values": "text"}}


@pytest.fixture
def hold(config, walcat) -> Iterator[Callable[..., HeldOutput]]:
    """Begins a run to the server's position at its start, and holds it after some lines."""
    with ExitStack() as stack:

        def begin(**snapshot: Any) -> HeldOutput:
            held = HeldOutput(walcat, {**config, "snapshot": {**SMALL_CHUNKS, **snapshot}}, "--until-caught-up")
            stack.enter_context(held)
            held.take(3000)
            return held

        yield begin


def copying(database: Database) -> list[int]:
    """The server processes that wait until somebody takes the rows of their COPY."""
    query = """SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'
               AND state = 'active' AND query ILIKE 'copy%%' AND wait_event = 'ClientWrite'"""
    return [row.pid for row in database.rows(query, (database.name,))]


def holders(database: Database) -> list[int]:
    """The connection that holds the snapshot: the one that streams afterwards."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'walsender'"
    return [row.pid for row in database.rows(query, (database.name,))]


def terminate(database: Database, *processes: int) -> None:
    database.rows("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", (list(processes),))


def write(database: Database) -> None:
    database.execute("UPDATE t SET n = n + 1 WHERE mod(id, 3) = 0", "DELETE FROM t WHERE mod(id, 100) = 50",
                     "INSERT INTO t SELECT max(id) + 1, 0, 'late' FROM t")


def test_workers_come_back_into_the_same_snapshot(database, hold, walcat):
    """All that work, and twice. What was written after the snapshot's point is not in the rows."""
    held = hold(chunk_size="4MiB")
    ended: set[int] = set()
    for lines in (6000, 12_000):
        working = held.run.wait_for(lambda: set(copying(database)) - ended, "workers wait for the output")
        terminate(database, *working)
        ended |= working
        write(database)
        held.take(lines)
    lines = held.finish()
    shown = Counter((line.op, int(line.after["id"]), line.after["n"]) for line in lines)
    assert shown == Counter(("r", number, "0") for number in range(1, ROWS + 1))
    assert {session_of(line) for line in lines} == {0}
    assert len(ended) >= 2 and Progress.read(walcat, database).complete


@NEEDS_CHUNKS
def test_without_its_holder_the_rest_is_read_at_a_later_point(database, hold, walcat, config):
    held = hold()
    held.run.wait_for(lambda: done_chunks(walcat, database), "a chunk is stored as done")
    before = Progress.read(walcat, database).tables["public.t"]
    still = pages_of(database, "t", "id", "mod(id, 3) <> 0 AND mod(id, 100) <> 50")
    terminate(database, *holders(database))
    write(database)
    lines = held.finish()
    assert "resuming the snapshot" in held.run.log()
    rows = {session: {int(line.after["id"]) for line in lines if session_of(line) == session} for session in (0, 1)}
    assert rows[0] and rows[1] and {line.op for line in lines} == {"r"}
    assert len({line.position for line in lines}) == len(lines)
    again = [number for number in rows[1] & still.keys() if before.was_read(still[number])]
    assert not again, f"{len(again)} rows of chunks that were done are printed again, such as {again[0]}"
    assert still.keys() <= rows[0] | rows[1]
    check_end(database, walcat, config, lines)


def test_a_holder_that_is_cut_again_and_again(database, hold, walcat, config):
    held = hold()
    seen: set[int] = set()
    taken = 3000
    for _ in range(3):
        # A session begins once the lines of the one before are taken.
        while not (there := set(holders(database)) - seen):
            taken += 500
            held.take(taken)
        terminate(database, *there)
        seen |= there
    lines = held.finish()
    assert len({session_of(line) for line in lines}) > 2
    check_end(database, walcat, config, lines)


def check_end(database: Database, walcat: Walcat, config: dict[str, Any], lines: list[Line]) -> None:
    """A consumer of these lines and of the changes since then has the rows that are there; no slot is left over."""
    database.execute("SELECT txid_current()")  # a commit, so that the server's log ends with a whole record
    changes = walcat.catch_up(config).lines()
    assert "r" not in {line.op for line in changes}
    Mirror(KEYS).apply(lines).apply(changes).check_equal(database)
    assert Progress.read(walcat, database).complete
    query = "SELECT slot_name FROM pg_replication_slots WHERE database = %s"
    assert [row.slot_name for row in database.rows(query, (database.name,))] == [database.slot_name]

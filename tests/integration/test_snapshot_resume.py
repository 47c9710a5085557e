"""Snapshots that are killed and stopped in the middle, under a load that moves rows: each restart reads what is missing
and no more, and a consumer that applies the lines in order ends with the rows that are there.

The output is held by a pipe, so that each run is in the middle of the snapshot when it ends, however fast it is.
"""

import re
import signal
from collections.abc import Callable

import knobs
import pytest
from interrupted import KEYS, Interrupted, table_before
from mirror import Mirror
from server_version import NEEDS_CHUNKS
from snapshots import WORKERS

# Lines of more than two chunks of each worker: after them at least one chunk is done.
LINES_LEAST = 4000


@pytest.fixture
def make_interrupted(database, walcat, tmp_path) -> Callable[[int], Interrupted]:
    return lambda rows: Interrupted(database, walcat, tmp_path, rows)


@NEEDS_CHUNKS
def test_rounds_of_sigkill(make_interrupted):
    interrupted = make_interrupted(knobs.SNAPSHOT_ROWS)
    dice = knobs.dice()
    share = max(LINES_LEAST, knobs.SNAPSHOT_ROWS // (knobs.SNAPSHOT_KILLS + 2))
    with interrupted.load() as load:
        for _ in range(knobs.SNAPSHOT_KILLS):
            interrupted.interrupt(signal.SIGKILL, dice.randint(LINES_LEAST, share))
        assert load.is_running()
    interrupted.finish()
    check(interrupted)


@NEEDS_CHUNKS
def test_rounds_of_sigterm_repeat_nothing_but_the_chunks_that_were_cut(make_interrupted):
    interrupted = make_interrupted(knobs.SNAPSHOT_ROWS)
    with interrupted.load() as load:
        for _ in range(2):
            interrupted.interrupt(signal.SIGTERM, LINES_LEAST)
        assert load.is_running()
    interrupted.finish()
    check(interrupted)
    check_few_repeats(interrupted)


def check(interrupted: Interrupted) -> None:
    check_logs(interrupted)
    check_no_chunk_is_read_again(interrupted)
    check_every_row_is_read(interrupted)
    check_positions(interrupted)
    check_rows_without_a_key(interrupted)
    mirror = Mirror(KEYS).apply(interrupted.rows()).apply(interrupted.stream)
    mirror.check_equal(interrupted.database)
    assert interrupted.progress().complete
    slots = interrupted.database.rows(
        "SELECT slot_name FROM pg_replication_slots WHERE database = %s", (interrupted.database.name,)
    )
    assert [row.slot_name for row in slots] == [interrupted.database.slot_name]
    # There was something to show.
    assert {line.op for line in interrupted.stream} == {"c", "u", "d"} and mirror.values_kept > 0


def check_logs(interrupted: Interrupted) -> None:
    """Each restart says how much is left, and it becomes less."""
    left_before = None
    for session in interrupted.sessions[1:]:
        found = re.search(r"resuming the snapshot: (\d+) of (\d+) chunks are left", session.log)
        assert found, session.log
        left, chunks = map(int, found.groups())
        assert (left, chunks) == (session.before.chunks - session.before.done, session.before.chunks)
        assert left_before is None or left < left_before
        left_before = left


def check_no_chunk_is_read_again(interrupted: Interrupted) -> None:
    """Once it is stored as done. And inside one session no row is printed twice."""
    for number, session in enumerate(interrupted.sessions):
        rows = list(interrupted.still_rows(session))
        assert len(set(rows)) == len(rows), f"session {number} printed a row twice"
        for table, key, page in rows:
            known = table_before(session, table)
            assert known is None or not known.was_read(page), (
                f"session {number} printed row {key} of {table}, chunk {known.chunk_of(page)}; done was {known.done}"
            )


def check_every_row_is_read(interrupted: Interrupted) -> None:
    printed = {row[:2] for session in interrupted.sessions for row in interrupted.still_rows(session)}
    for table, pages in interrupted.pages().items():
        missing = [key for key in pages if (table, key) not in printed]
        assert not missing, f"{len(missing)} rows of {table} were never printed, such as {missing[0]}"


def check_positions(interrupted: Interrupted) -> None:
    """All rows stand before all changes, and no two lines have one position."""
    rows = [line.position for line in interrupted.rows()]
    changes = [line.position for line in interrupted.stream]
    assert len({*rows, *changes}) == len(rows) + len(changes)
    assert max(rows) < changes[0] and changes == sorted(changes)


def check_rows_without_a_key(interrupted: Interrupted) -> None:
    """What was written after the snapshot's point comes from the stream alone: nobody could tell the repeat."""
    read = {tuple(line.after.values()) for line in interrupted.rows() if line.table == "public.journal"}
    changes = [line for line in interrupted.stream if line.table == "public.journal" and line.op in "cu"]
    written = {tuple(line.after.values()) for line in changes}
    both = read & written
    assert not both, f"{len(both)} rows were read and streamed, such as {next(iter(both))}"
    assert read and written


def check_few_repeats(interrupted: Interrupted) -> None:
    """After a clean stop everything that was printed is known, but for a chunk of each worker that was cut."""
    seen: set[tuple[str, str]] = set()
    for number, session in enumerate(interrupted.sessions):
        rows = list(interrupted.still_rows(session))
        repeated = {
            (table, table_before(session, table).chunk_of(page)) for table, key, page in rows if (table, key) in seen
        }
        assert len(repeated) <= WORKERS, f"session {number} printed parts of these chunks again: {sorted(repeated)}"
        seen.update((table, key) for table, key, _ in rows)

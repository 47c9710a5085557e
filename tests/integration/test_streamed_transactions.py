"""Transactions that the server sends before they have ended: the lines are those of transactions that come whole."""

import os
import re
import resource
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from configuration import configuration, entry
from database import Database
from disk import enlarge
from server_version import needs
from walcat_process import Walcat, WalcatProcess

pytestmark = needs(14, "streaming of transactions that have not ended")

ROWS = 2000  # far beyond logical_decoding_work_mem
SPOOLED = {"streaming": True, "memory": 0}
NOTE = "repeat(md5(id::text), 8)"


@pytest.fixture
def impatient(database: Database) -> Database:
    """Its walsenders stream a transaction from 64 KiB on."""
    database.execute(
        f"ALTER DATABASE \"{database.name}\" SET logical_decoding_work_mem = '64kB'",
        "CREATE TABLE t (id integer PRIMARY KEY, note text)",
        "CREATE TABLE other (id integer PRIMARY KEY, note text)",
        "ALTER TABLE other REPLICA IDENTITY FULL, ALTER note SET STORAGE EXTERNAL",
    )
    return database


def follow(database: Database, slot: str, spool: dict[str, Any], **keys: Any) -> dict[str, Any]:
    offset_file = keys.pop("offset_file", f"{slot}.json")
    return configuration(entry(database, slot_name=slot), spool=spool, offset_file=offset_file, **keys)


def streamed(database: Database, slot: str) -> int:
    """How many transactions the server has streamed to the slot before their end."""
    database.rows("SELECT pg_stat_clear_snapshot()")
    query = "SELECT COALESCE((SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = %s), 0)"
    return database.value(query, (slot,))


def fill(cursor: Any, first: int, table: str = "t", rows: int = ROWS) -> None:
    cursor.execute(f"INSERT INTO {table} SELECT id, {NOTE} FROM generate_series(%s, %s) AS id", (first, first + rows - 1))


def entangled(database: Database) -> None:
    """Three transactions side by side, with savepoints, and one that fails."""
    with database.transaction() as one, database.transaction() as two:
        fill(one, 1)
        fill(two, 100_001)
        with pytest.raises(ZeroDivisionError), database.transaction() as lost:
            fill(lost, 200_001)
            raise ZeroDivisionError
        one.execute("SAVEPOINT a")
        fill(one, 10_001)
        one.execute("SAVEPOINT b")
        fill(one, 20_001)
        one.execute("ROLLBACK TO b")
        fill(one, 30_001, rows=10)
        one.execute("RELEASE a")
        two.execute("SAVEPOINT a")
        fill(two, 1, "other")
        two.execute("ROLLBACK TO a")
        fill(two, 300_001, "other")
        two.execute("UPDATE other SET id = -id WHERE id % 2 = 0")
        one.execute("SELECT pg_logical_emit_message(true, 'app', 'inside')")
        one.execute("SELECT pg_logical_emit_message(false, 'app', 'beside')")
        one.execute("UPDATE t SET note = note || 'x' WHERE id % 3 = 0")
        two.execute("DELETE FROM t WHERE id > 100500")
    database.execute("INSERT INTO t VALUES (-1, 'whole')")


def altered(database: Database) -> None:
    """Relations that are described in the middle, and in what is rolled back."""
    with database.transaction() as cursor:
        cursor.execute("SAVEPOINT a")
        cursor.execute("CREATE TABLE fresh (id integer PRIMARY KEY, note text)")
        fill(cursor, 1, "fresh")
        cursor.execute("ROLLBACK TO a")
        cursor.execute("SAVEPOINT b")
        fill(cursor, 400_001)
        cursor.execute("ALTER TABLE t ADD more integer DEFAULT 7")
        fill_three = f"INSERT INTO t SELECT id, {NOTE}, 8 FROM generate_series(500001, 502000) AS id"
        cursor.execute(fill_three)
        cursor.execute("ROLLBACK TO b")
        fill(cursor, 600_001)
        cursor.execute("ALTER TABLE t ADD other integer DEFAULT 9")
        cursor.execute(f"INSERT INTO t SELECT id, {NOTE}, 8 FROM generate_series(700001, 702000) AS id")
        cursor.execute("TRUNCATE other")


def rolled_back_often(database: Database) -> None:
    with database.transaction() as cursor:
        for number in range(50):
            cursor.execute("SAVEPOINT s")
            fill(cursor, 1_000_000 + number * ROWS, rows=300)
            cursor.execute("ROLLBACK TO s" if number % 2 else "RELEASE s")


@pytest.mark.parametrize("load", [entangled, altered, rolled_back_often], ids=lambda load: load.__name__)
@pytest.mark.parametrize("output", [{"envelope": "message"}, {"envelope": "debezium-schema", "transactions": True}],
                         ids=["message", "debezium-schema"])
def test_the_lines_are_those_without_streaming(impatient: Database, walcat: Walcat, load: Callable[[Database], None],
                                               output: dict[str, Any]) -> None:
    spooled = follow(impatient, "spooled", SPOOLED, output=output)
    in_memory = follow(impatient, "in_memory", {"streaming": True, "memory": "1GiB"}, output=output)
    whole = follow(impatient, "whole", {"streaming": False}, output=output)
    for config in (spooled, in_memory, whole):
        walcat.catch_up(config)
    load(impatient)
    expected = stable(walcat.catch_up(whole))
    assert len(expected) > ROWS
    assert stable(walcat.catch_up(spooled)) == expected
    assert stable(walcat.catch_up(in_memory)) == expected
    assert streamed(impatient, "spooled") > 0
    assert streamed(impatient, "whole") == 0


def stable(run: WalcatProcess) -> list[str]:
    """The lines without the times at which a message outside transactions was sent, and a debezium line made."""
    message = re.compile(r'"ts_ms":\d+(?=.*"op":"m")')
    made = re.compile(r'(?<="op":"."),"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+')
    return [made.sub("", message.sub("", text)) for text in run.output.texts()]


def test_a_connection_that_breaks_while_a_transaction_is_spooled(impatient: Database, walcat: Walcat) -> None:
    config = follow(impatient, "spooled", SPOOLED)
    run = walcat.start(config)
    walsender = run.wait_for(lambda: impatient.slot_reader("spooled"), "the slot is streamed")
    with impatient.transaction() as cursor:
        for round_number in range(3):
            fill(cursor, 1 + round_number * ROWS)
            run.wait_for(lambda: streamed(impatient, "spooled") > round_number, "the transaction is streamed")
            impatient.execute(f"INSERT INTO other VALUES ({round_number}, 'meanwhile')")
            run.wait_for_lines(round_number + 1)
            impatient.rows("SELECT pg_terminate_backend(%s)", (walsender,))
            walsender = run.wait_for(
                lambda: impatient.slot_reader("spooled") not in (None, walsender) and impatient.slot_reader("spooled"),
                "another walsender streams the slot",
            )
    run.wait_for_lines(3 + 3 * ROWS)
    run.stop()
    assert [line.after["id"] for line in run.lines()] == [0, 1, 2, *range(1, 3 * ROWS + 1)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_run_that_ends_with_a_spool_leaves_no_file_and_loses_nothing(
    impatient: Database, walcat: Walcat, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    config = follow(impatient, "spooled", {**SPOOLED, "directory": str(folder)})
    run = walcat.start(config)
    run.wait_for(lambda: impatient.slot_reader("spooled"), "the slot is streamed")
    with impatient.transaction() as cursor:
        fill(cursor, 1)
        run.wait_for(lambda: spools(run, folder), "the transaction is spooled to a file")
        impatient.execute("INSERT INTO other VALUES (1, 'meanwhile')")
        run.wait_for_lines(1)
        run.kill() if number == signal.SIGKILL else run.stop()
        assert list(folder.iterdir()) == []
    again = walcat.catch_up(config)
    printed = [line.after["id"] for line in again.lines() if line.table == "public.t"]
    assert printed == list(range(1, ROWS + 1))


def spools(run: WalcatProcess, folder: Path) -> int:
    """Bytes of the files without a name that the run has open there."""
    sizes = []
    for fd in Path(f"/proc/{run.pid}/fd").iterdir():
        try:
            if os.readlink(fd).startswith(str(folder)):
                sizes.append(fd.stat().st_size)
        except FileNotFoundError:  # closed meanwhile
            pass
    return sum(sizes)


def test_a_full_disk_is_waited_for(impatient: Database, walcat: Walcat, small_disk: Path) -> None:
    config = follow(impatient, "spooled", {**SPOOLED, "directory": str(small_disk)})
    run = walcat.start(config)
    run.wait_for(lambda: impatient.slot_reader("spooled"), "the slot is streamed")
    with impatient.transaction() as cursor:
        fill(cursor, 1)
        run.wait_for_log("spool in .*No space left on device; waiting for room")
        enlarge(small_disk)
        run.wait_for_log("the spool has room again")
    run.wait_for_lines(ROWS)
    run.stop()
    assert [line.after["id"] for line in run.lines()] == list(range(1, ROWS + 1))


def test_a_full_disk_does_not_keep_a_run_from_stopping(impatient: Database, walcat: Walcat, small_disk: Path) -> None:
    config = follow(impatient, "spooled", {**SPOOLED, "directory": str(small_disk)})
    run = walcat.start(config)
    run.wait_for(lambda: impatient.slot_reader("spooled"), "the slot is streamed")
    impatient.execute(f"INSERT INTO t SELECT id, {NOTE} FROM generate_series(1, {ROWS}) AS id")
    run.wait_for_log("waiting for room")
    run.stop(within=10)
    assert run.lines() == []
    config["spool"] = SPOOLED
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == list(range(1, ROWS + 1))


def test_beyond_the_size_limit_the_server_keeps_the_transaction(impatient: Database, walcat: Walcat) -> None:
    rows = 3 * ROWS
    config = follow(impatient, "spooled", {**SPOOLED, "size_limit": "1MiB"})
    run = walcat.start(config)
    run.wait_for(lambda: impatient.slot_reader("spooled"), "the slot is streamed")
    with impatient.transaction() as cursor:
        fill(cursor, 1, rows=rows)
        run.wait_for_log(r"more than 1048576 bytes \(spool.size_limit\)")
    run.wait_for_lines(rows)
    run.stop()
    assert [line.after["id"] for line in run.lines()] == list(range(1, rows + 1))


def test_beyond_its_share_of_descriptors_the_server_keeps_the_transactions(
    impatient: Database, make_database: Callable[[], Database], walcat: Walcat
) -> None:
    """Of 64 descriptors the spools of two databases have 16 each. The other database notices nothing."""
    other = make_database()
    other.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(impatient, slot_name="spooled"), entry(other, slot_name="beside"), spool=SPOOLED)
    run = walcat.start(config, prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 64)))
    assert resource.prlimit(run.pid, resource.RLIMIT_NOFILE)[1] == 64
    run.wait_for(lambda: impatient.slot_reader("spooled"), "the slot is streamed")
    run.wait_for(lambda: other.slot_reader("beside"), "the other slot is streamed")
    count = 20
    with ExitStack() as stack:
        for number in range(count):
            fill(stack.enter_context(impatient.transaction()), number * ROWS + 1)
        run.wait_for_log(r"need more than 16 files: \d+ are open \(ulimit -n 64\); hint: .*logical_decoding_work_mem")
        other.execute("INSERT INTO t VALUES (1)")
        run.wait_for_lines(1)
    run.wait_for_lines(count * ROWS + 1)
    run.stop()
    assert "Too many open files" not in run.log()

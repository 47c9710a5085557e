"""What rows larger than a batch take of memory, many databases at once, and what they leave behind.

The bounds are the sums that ARCHITECTURE.md writes down under "Memory".
"""

import json
import os
import signal
import subprocess
import threading

import knobs
import pytest
from configuration import configuration, entry
from database import Database
from postgres_server import PostgresServer
from server_version import NEEDS_MESSAGES, needs
from waiting import hold_for
from walcat_process import Walcat

pytestmark = pytest.mark.skipif(bool(knobs.SANITIZER), reason="a sanitizer's shadow memory counts too")

MIB = 1 << 20
MEMORY_LIMIT = 32 * MIB
DATABASES = 50
ROW = 20 * MIB
# What a row takes beyond the budget: libpq's room, and its batch with frames and lines of six times its size.
ROW_SHARE = 8
# Of what small blocks leave behind, and of threads that have not run yet.
SLACK = 16 * MIB


class Reader(threading.Thread):
    """Reads walcat's lines from a pipe as they come, and keeps of each its size and its two ends."""

    def __init__(self):
        super().__init__(daemon=True)
        source, self.target = os.pipe()
        self._source = os.fdopen(source, "rb", buffering=MIB)
        self.lines: list[tuple[int, bytes, bytes]] = []

    def run(self):
        size, head, tail = 0, b"", b""
        while piece := self._source.read1(MIB):
            while piece:
                part, ended, piece = piece.partition(b"\n")
                size += len(part)
                head += part[: max(0, 200 - len(head))]
                tail = (tail + part)[-600:]
                if ended:
                    self.lines.append((size, head, tail))
                    size, head, tail = 0, b"", b""

    def start_run(self, walcat: Walcat, config: dict):
        run = walcat.start(config, stdout=self.target)
        os.close(self.target)
        self.start()
        return run


@pytest.fixture(scope="module")
def wide_server():
    """One that takes as many connections as this needs."""
    made = PostgresServer({"max_wal_senders": "120", "max_replication_slots": "120", "max_connections": "400"})
    yield made
    made.close()


@pytest.fixture
def databases(wide_server, walcat):
    made: list[Database] = []

    def make(count: int) -> list[Database]:
        made.extend(Database(wide_server) for _ in range(count))
        for database in made:
            database.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
        return made

    yield make
    walcat.close()
    for database in made:
        database.drop_slots()
        database.disconnect()


def resident(run, field="VmRSS"):
    """Bytes, now or (VmHWM) at the most so far."""
    return run.memory_kib(field) * 1024


def follow(databases, **keys):
    return configuration(*map(entry, databases), pipeline={"memory_limit": MEMORY_LIMIT}, **keys)


def wait_for_streams(run, databases):
    run.wait_for(lambda: all(database.slot_reader() for database in databases), "all slots are streamed", 60)


def insert_at_once(databases, statement):
    """All transactions commit in the same moment."""
    gate = threading.Barrier(len(databases))

    def insert(database):
        with database.transaction() as cursor:
            cursor.execute(statement)
            gate.wait()

    threads = [threading.Thread(target=insert, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def row_of(size: int) -> str:
    return f"INSERT INTO t SELECT coalesce(max(id), 0) + 1, repeat('x', {size}) FROM t"


def wait_until_small(run, before):
    run.wait_for(lambda: resident(run) < before + SLACK, "the memory was given back", 10)


def test_many_databases_with_a_large_row_each(databases, walcat):
    followed = databases(DATABASES)
    reader = Reader()
    run = reader.start_run(walcat, follow(followed))
    wait_for_streams(run, followed)
    before = resident(run)
    insert_at_once(followed, row_of(ROW))
    run.wait_for(lambda: len(reader.lines) == DATABASES, "every row is printed", 120)
    # Batches; rows that fit into the budget, or libpq's room; one row that does not fit, and the room it leaves.
    most = before + 2 * MEMORY_LIMIT + (ROW_SHARE + 1) * ROW + SLACK
    assert resident(run, "VmHWM") < most, f"{resident(run, 'VmHWM') / MIB:.0f} MiB"
    printed = set()
    for size, head, tail in reader.lines:
        assert head.startswith(b'{"message":{"before":null,"after":{"id":1,"v":"xxxx')
        rest = tail[tail.index(b'x"},"source"') + len(b'x"},'):]
        printed.add(json.loads(b"{" + rest[:-1])["source"]["db"])
        assert size == len(b'{"message":{"before":null,"after":{"id":1,"v":"') + ROW + len(b'"},') + len(rest)
    assert printed == {database.name for database in followed}
    wait_until_small(run, before)
    run.stop()


def test_a_huge_row_leaves_nothing_behind(databases, walcat):
    (database,) = databases(1)
    huge = 200 * MIB
    reader = Reader()
    run = reader.start_run(walcat, follow([database]))
    wait_for_streams(run, [database])
    before = resident(run)
    database.execute(row_of(huge))
    run.wait_for(lambda: len(reader.lines) == 1, "it is printed", 60)
    assert reader.lines[0][0] > huge
    # libpq's room, its copy, the batch's frames; then the lines in place of the copy.
    assert resident(run, "VmHWM") < before + 3 * huge + SLACK
    wait_until_small(run, before)
    run.wait_for(database.slot_reader, "the slot is streamed anew")
    database.execute("INSERT INTO t VALUES (2, 'small')")
    run.wait_for(lambda: len(reader.lines) == 2, "the stream goes on where it was")
    assert b'"id":2,"v":"small"' in reader.lines[1][1]
    run.stop()


@NEEDS_MESSAGES
def test_a_thousand_large_messages_in_a_transaction(databases, walcat):
    (database,) = databases(1)
    reader = Reader()
    run = reader.start_run(walcat, follow([database]))
    wait_for_streams(run, [database])
    before = resident(run)
    database.execute("SELECT pg_logical_emit_message(true, 'p', repeat('x', 300000)) FROM generate_series(1, 1000)")
    run.wait_for(lambda: len(reader.lines) == 1000, "all are printed", 60)
    assert resident(run, "VmHWM") < before + 2 * MEMORY_LIMIT + SLACK
    # Batches keep what they have touched.
    wait_until_small(run, before + MEMORY_LIMIT)
    run.stop()


@needs(12, "wal_sender_timeout of a database")
def test_who_waits_for_the_memory_keeps_its_connection(databases, walcat):
    """The output stands still with one database's row, so the others wait; then it goes on."""
    followed = databases(4)
    for database in followed:
        timeout = f"{knobs.SENDER_TIMEOUT_SECONDS}s"
        database.execute(f"ALTER DATABASE \"{database.name}\" SET wal_sender_timeout = '{timeout}'")
    printed = walcat.folder / "printed.jsonl"
    with open(printed, "w") as target:
        cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=target)
    try:
        run = walcat.start(follow(followed), stdout=cat.stdin)
        cat.stdin.close()
        wait_for_streams(run, followed)
        before = resident(run)
        walsenders = {database.slot_reader() for database in followed}
        cat.send_signal(signal.SIGSTOP)
        insert_at_once(followed, row_of(ROW))

        def unmoved():
            assert {database.slot().active_pid for database in followed} == walsenders, run.describe()
            assert resident(run) < before + 2 * MEMORY_LIMIT + 4 * ROW

        hold_for(knobs.SENDER_TIMEOUT_SECONDS + 2, unmoved)
        cat.send_signal(signal.SIGCONT)
        run.wait_for(lambda: printed.read_bytes().count(b"\n") == len(followed), "every row is printed", 60)
        run.stop()
    finally:
        cat.kill()
        cat.wait()


def test_a_stop_reaches_who_waits_for_the_memory(databases, walcat):
    followed = databases(4)
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    config = follow(followed, shutdown_timeout="1s")
    try:
        run = walcat.start(config, stdout=cat.stdin)
        cat.stdin.close()
        wait_for_streams(run, followed)
        before = resident(run)
        cat.send_signal(signal.SIGSTOP)
        insert_at_once(followed, row_of(ROW))
        run.wait_for(lambda: resident(run) > before + ROW, "a row has come")
        run.signal(signal.SIGTERM)
        run.wait_exit(within=20)
    finally:
        cat.kill()
        cat.wait()
    lines = walcat.run(config, "--until-caught-up", within=60).output.texts()
    assert len(lines) >= len(followed) - 1
    assert all(len(line) > ROW for line in lines)


def test_snapshots_wait_for_the_memory_too(databases, walcat):
    """COPY's rows stand in libpq's buffer whole as the stream's do. Each table is read by two workers."""
    followed = databases(6)
    for database in followed:
        database.execute(row_of(ROW), row_of(ROW), "CREATE TABLE u AS SELECT * FROM t")
    reader = Reader()
    run = reader.start_run(walcat, follow(followed, snapshot={"mode": "initial", "workers": 2}))
    run.wait_for(lambda: len(reader.lines) == 4 * len(followed), "every row is printed", 120)
    # The program; the sum; and the last row of a chunk, for each worker at the most.
    assert resident(run, "VmHWM") < 64 * MIB + 2 * MEMORY_LIMIT + (ROW_SHARE + 1) * ROW + 2 * len(followed) * ROW
    wait_for_streams(run, followed)
    wait_until_small(run, 64 * MIB)
    run.stop()

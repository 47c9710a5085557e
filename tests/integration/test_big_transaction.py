"""A transaction far larger than the memory walcat may use."""

import signal
import subprocess

import knobs
import pytest
from configuration import configuration, entry
from server_version import MAJOR, needs
from waiting import hold_for
from walcat_process import LineFile

MEMORY_LIMIT_KIB = 64 * 1024
PIPE_BYTES = 64 * 1024


@pytest.fixture
def config(database):
    database.execute("CREATE TABLE big (id integer PRIMARY KEY, note text)")
    if MAJOR >= 12:
        timeout = f"{knobs.SENDER_TIMEOUT_SECONDS}s"
        database.execute(f"ALTER DATABASE \"{database.name}\" SET wal_sender_timeout = '{timeout}'")
    return configuration(entry(database))


INSERT = f"INSERT INTO big SELECT id, md5(id::text) FROM generate_series(1, {knobs.BIG_ROWS}) AS id"
# Seconds to decode, send and print the transaction, generously.
PRINTING_SECONDS = 30 + knobs.BIG_ROWS / 10_000


def check_memory(run, field):
    if not knobs.SANITIZER:  # whose shadow memory counts too
        assert run.memory_kib(field) < MEMORY_LIMIT_KIB, f"{field} {run.memory_kib(field)} KiB"


def check_rows(output):
    lines = output.texts()
    assert len(lines) == knobs.BIG_ROWS
    for number in (1, knobs.BIG_ROWS // 2, knobs.BIG_ROWS):
        check_row(lines[number - 1], number)


def check_row(text, number):
    assert f'"after":{{"id":{number},' in text, text


def test_it_streams_in_little_memory(config, database, walcat):
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(INSERT)
    run.wait_for(lambda: run.output.count() >= knobs.BIG_ROWS, "every row is printed", PRINTING_SECONDS)
    check_memory(run, "VmHWM")
    run.stop()
    check_rows(run.output)


@needs(12, "wal_sender_timeout of a database")
def test_a_reader_that_stands_still_costs_neither_memory_nor_the_connection(config, database, walcat, tmp_path):
    printed = LineFile(tmp_path / "printed.jsonl")
    with open(printed.path, "w") as target:
        cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=target)
    try:
        run = walcat.start(config, stdout=cat.stdin)
        cat.stdin.close()
        walsender = run.wait_for(database.slot_reader, "the slot is streamed")
        cat.send_signal(signal.SIGSTOP)
        database.execute(INSERT)

        def unmoved():
            assert run.is_running(), run.describe()
            assert database.slot().active_pid == walsender, f"the connection was lost\n{run.describe()}"
            check_memory(run, "VmRSS")

        hold_for(knobs.HOLD_SECONDS, unmoved)
        assert printed.count() == 0
        cat.send_signal(signal.SIGCONT)
        run.wait_for(lambda: printed.count() >= knobs.BIG_ROWS, "every row is printed", PRINTING_SECONDS)
        unmoved()
        check_memory(run, "VmHWM")
        run.stop()
        check_rows(printed)
    finally:
        cat.kill()
        cat.wait()


def test_it_can_be_stopped_while_the_reader_stands_still(config, database, walcat):
    """The output takes no more, so the stop gives up after shutdown_timeout, and the next run prints the rest."""
    config["shutdown_timeout"] = "1s"
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        run = walcat.start(config, stdout=cat.stdin)
        cat.stdin.close()
        run.wait_for(database.slot_reader, "the slot is streamed")
        cat.send_signal(signal.SIGSTOP)
        database.execute(INSERT)
        run.signal(signal.SIGTERM)
        run.wait_exit(within=20)
    finally:
        cat.kill()
        cat.wait()
    texts = walcat.run(config, "--until-caught-up", within=PRINTING_SECONDS).output.texts()
    taken = knobs.BIG_ROWS - len(texts)
    assert 0 <= taken <= PIPE_BYTES / len(texts[0])
    check_row(texts[0], taken + 1)
    check_row(texts[-1], knobs.BIG_ROWS)

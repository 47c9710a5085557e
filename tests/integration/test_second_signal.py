"""The second SIGINT or SIGTERM ends walcat within a second, whatever hangs, and the next run goes on where it must. So
does the first one, once the time is over that a stop may take."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import termios
import time

import pytest
from configuration import configuration, entry
from database import Database
from endless_scram import EndlessScram
from failing_calls import FailingCalls
from postgres_server import PostgresServer
from walcat_process import Line, LineFile

LEFT_HANGING = 75
OUTPUT_FAILED = 74
# What an overloaded machine may need to notice that one process has ended, and not the other.
SLACK = 0.5


@pytest.fixture
def calls(tmp_path):
    return FailingCalls(tmp_path / "calls")


@pytest.fixture(scope="module")
def own_server():
    """One whose address is looked up."""
    made = PostgresServer(tcp=True)
    yield made
    made.close()


def begin_stop(run, first=signal.SIGTERM):
    """Sends the first signal, and returns once walcat has taken it: a second one at once would be the same to the system."""
    run.signal(first)
    taken = 1 << (first - 1)
    pending = lambda: int(re.search(r"ShdPnd:\s*(\w+)", status_of(run)).group(1), 16)
    run.wait_for(lambda: not pending() & taken, "the first signal is taken")


def status_of(run):
    with open(f"/proc/{run.pid}/status") as file:
        return file.read()


def end(run, number=signal.SIGTERM):
    """Sends a signal, and returns the exit status. By then no second has passed, as a process that sleeps for one sees it:
    what makes the machine slow makes both slow."""
    began = time.monotonic()
    run.signal(number)
    second = subprocess.Popen(["sleep", "1"])
    status = run.process.wait(60)
    took = time.monotonic() - began
    second.wait()
    promised = time.monotonic() - began
    run.check_sanitizers()
    assert took < promised + SLACK, f"{took:.2f} s\n{run.describe()}"
    return status


def check_left_hanging(run, *words):
    """Two signals, after which walcat is gone, with these last words."""
    begin_stop(run)
    assert end(run) == LEFT_HANGING, run.describe()
    for text in words:
        assert re.search(text, run.log()), run.describe()


def fill(pipe):
    """Without leaving it to others as one that does not block."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(pipe, b"." * size)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


def unread(pipe):
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def threads(run):
    """The names of its threads, with their states: S is one that sleeps."""
    stats = [(thread / "stat").read_text() for thread in pathlib.Path(f"/proc/{run.pid}/task").iterdir()]
    return {text[text.index("(") + 1 : text.rindex(")")]: text[text.rindex(")") + 2] for text in stats}


def computes(run):
    """Whether a reader has kept a processor busy for a second."""
    stats = [(thread / "stat").read_text() for thread in pathlib.Path(f"/proc/{run.pid}/task").iterdir()]
    ticks = [int(text[text.rindex(")") :].split()[12]) for text in stats if "(reader)" in text]
    return max(ticks, default=0) > os.sysconf("SC_CLK_TCK")


def sleeps(run):
    """Whether the threads that take signals are there, and the main thread waits for something."""
    found = threads(run)
    return "stopper" in found and found.get("walcat") == "S"


def test_a_name_that_is_looked_up_for_ever(calls, walcat, tmp_path):
    calls.hang("getaddrinfo")
    lost = {"conn_str": "host=nowhere.invalid dbname=d", "slot_name": "s", "publication_name": "p"}
    run = walcat.start(configuration(lost), environment=calls.environment)
    calls.wait_until_it_hangs(run, "getaddrinfo")
    check_left_hanging(run, r"error +\[d/s\] left hanging \(connecting\): nothing was printed")


def test_a_name_that_is_looked_up_beside_the_stream(calls, walcat, own_server):
    """The stream has ended in order, and its position is stored; what looks at the slot hangs."""
    database = Database(own_server)
    address = own_server.tcp_conn_str(database.name)
    config = configuration(entry(database, conn_str=address), wal_guard={"interval": "100ms"})
    run = walcat.start(config, environment=calls.environment)
    run.wait_for(database.slot_reader, "the slot is streamed")
    calls.hang("getaddrinfo")

    def hangs():
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'walcat' AND backend_type = 'client backend'"
        )
        return calls.hangs("getaddrinfo")

    run.wait_for(hangs, "the watch connects again, and hangs")
    check_left_hanging(run, r"error +left hanging: watch; all databases had ended before")


def test_a_sync_of_the_output_that_does_not_return(calls, database, walcat, tmp_path):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    printed = LineFile(tmp_path / "out.jsonl")
    config = configuration(entry(database), output={"path": str(printed.path)})
    walcat.catch_up(config)
    run = walcat.start(config, environment=calls.environment)
    run.wait_for(database.slot_reader, "the slot is streamed")
    calls.hang("fdatasync")
    database.execute("INSERT INTO t VALUES (1)")
    calls.wait_until_it_hangs(run, "fdatasync")
    check_left_hanging(run, r"left hanging \(storing its position\): stored up to \w+/\w+; the next run repeats lines")
    walcat.catch_up(config)
    assert {line.after["id"] for line in printed.lines()} == {1}


def test_an_offset_file_whose_sync_does_not_return_stays_whole(calls, database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database))
    walcat.catch_up(config)
    offset = walcat.folder / f"offset_{database.slot_name}.json"
    before = offset.read_text()
    run = walcat.start(config, environment=calls.environment)
    run.wait_for(database.slot_reader, "the slot is streamed")
    calls.hang("fsync")
    database.execute("INSERT INTO t VALUES (1)")
    calls.wait_until_it_hangs(run, "fsync")
    run.wait_for_lines(1)
    check_left_hanging(run, r"left hanging \(storing its position\)")
    assert offset.read_text() == before
    assert json.loads(before)
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == [1]


def test_a_log_that_nobody_reads(database, walcat):
    """No word gets through, and yet the stop begins, and ends."""
    reading, writing = os.pipe()
    try:
        fill(writing)
        database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        walcat.catch_up(configuration(entry(database)))
        run = walcat.start(configuration(entry(database)), prepare=lambda: os.dup2(writing, 2))
        os.close(writing)
        run.wait_for(lambda: "reader" in threads(run), "it has begun")
        begin_stop(run)
        assert end(run) == LEFT_HANGING
    finally:
        os.close(reading)


def test_a_log_that_nobody_reads_does_not_keep_walcat_beyond_the_time_of_a_stop(database, walcat):
    """One signal is enough."""
    reading, writing = os.pipe()
    try:
        fill(writing)
        config = configuration(entry(database), shutdown_timeout="1s")
        run = walcat.start(config, prepare=lambda: os.dup2(writing, 2))
        os.close(writing)
        run.wait_for(lambda: "reader" in threads(run), "it has begun")
        run.signal(signal.SIGTERM)
        assert run.wait_exit(within=60) == LEFT_HANGING
    finally:
        os.close(reading)


def test_a_password_that_takes_hours_to_prove(database, walcat):
    """The good database's position is stored, and one signal is enough."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), flush_interval="1h", shutdown_timeout="1s")
    walcat.catch_up(config)
    with EndlessScram() as scram:
        lost = {"conn_str": scram.conn_str, "slot_name": "s", "publication_name": "p"}
        both = configuration(entry(database), lost, flush_interval="1h", shutdown_timeout="1s")
        run = walcat.start(both)
        run.wait_for(lambda: computes(run), "libpq computes the proof")
        run.wait_for(database.slot_reader, "the slot is streamed")
        database.execute("INSERT INTO t VALUES (1)")
        run.wait_for_lines(1)
        run.signal(signal.SIGTERM)
        assert run.wait_exit(within=60) == LEFT_HANGING, run.describe()
    assert "SIGTERM: the stop has not ended within 13 s" in run.log()
    assert re.search(r"error +\[d/s\] left hanging \(connecting\): nothing was printed", run.log()), run.describe()
    assert walcat.catch_up(config).lines() == []


def test_a_report_that_nobody_reads_does_not_keep_the_stop_from_beginning(database, walcat):
    """The main thread hangs in a line of its report; the stop stores what was printed all the same."""
    reading, writing = os.pipe()
    try:
        database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        config = configuration(entry(database), flush_interval="1h")
        walcat.catch_up(config)
        run = walcat.start(config, prepare=lambda: os.dup2(writing, 2))
        run.wait_for(database.slot_reader, "the slot is streamed")
        fill(writing)
        os.close(writing)
        run.signal(signal.SIGUSR1)
        database.execute("INSERT INTO t VALUES (1)")
        end_of_log = database.wal_lsn()
        run.wait_for_lines(1)
        begin_stop(run)
        run.wait_for(lambda: database.passed(end_of_log), "what was printed is stored and confirmed")
        assert end(run) == LEFT_HANGING
    finally:
        os.close(reading)


def test_an_output_that_nobody_reads_inside_a_large_transaction(database, walcat):
    """Nothing hangs that does not hear: the second stop is orderly, and what was taken is not repeated."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
    config = configuration(entry(database))
    walcat.catch_up(config)
    reading, writing = os.pipe()
    try:
        run = walcat.start(config, stdout=writing)
        os.close(writing)
        run.wait_for(database.slot_reader, "the slot is streamed")
        database.execute("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i")
        run.wait_for(lambda: unread(reading) >= 1 << 15, "the pipe is filled")
        begin_stop(run)
        assert end(run) == OUTPUT_FAILED, run.describe()
        assert "left hanging" not in run.log()
        taken = os.read(reading, unread(reading)).decode().split("\n")[:-1]
    finally:
        os.close(reading)
    lines = [Line.parse(text) for text in taken] + walcat.catch_up(config).lines()
    assert [line.after["id"] for line in lines] == list(range(1, 20001))


def test_a_server_that_accepts_and_says_nothing(walcat):
    """Whoever waits for a socket hears the first signal."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=d"
        run = walcat.start(configuration({"conn_str": address, "slot_name": "s", "publication_name": "p"}))
        accepted, _ = silent.accept()
        with accepted:
            assert end(run) == 0, run.describe()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_before_there_is_anything_to_stop_the_first_signal_ends_it(number, walcat, tmp_path):
    fifo = tmp_path / "lines"
    os.mkfifo(fifo)
    lost = {"conn_str": "host=nowhere.invalid dbname=d", "slot_name": "s", "publication_name": "p"}
    run = walcat.start(configuration(lost, output={"path": str(fifo)}))
    run.wait_for(lambda: sleeps(run), "it waits for a reader of the pipe")
    assert end(run, number) == -number, run.describe()


def test_a_configuration_that_is_never_written_is_left_at_the_first_signal(walcat, tmp_path):
    os.mkfifo(tmp_path / "config.yaml")
    run = walcat.command("config", "-c", "config.yaml")
    run.wait_for(lambda: sleeps(run), "it waits for a writer of the pipe")
    assert end(run) == -signal.SIGTERM, run.describe()


def test_a_question_to_a_server_that_says_nothing_is_left_at_the_first_signal(walcat, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=d"
        config = walcat.write(configuration({"conn_str": address, "slot_name": "s", "publication_name": "p"}))
        run = walcat.command("snapshot", "-c", str(config), "--tables", "public.t")
        accepted, _ = silent.accept()
        with accepted:
            assert end(run) == -signal.SIGTERM, run.describe()

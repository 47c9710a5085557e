"""Outputs that fail: an orderly stop with exit status 74, and nothing confirmed that was not written."""

import os
import subprocess

import pytest
from configuration import configuration, entry
from waiting import wait_until

PIPE_BYTES = 64 * 1024


@pytest.fixture
def config(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    return configuration(entry(database))


def test_after_head_the_next_run_starts_with_the_second_change(config, database, walcat):
    head = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    run = walcat.start(config, stdout=head.stdin)
    head.stdin.close()
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)")
    first, _ = head.stdout.read(), head.wait(timeout=20)
    assert b'"after":{"id":1}' in first
    database.execute("INSERT INTO t VALUES (2)")
    assert run.wait_exit(within=10) == 74, run.describe()
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == [2]


def check_resumed(lines, rows):
    """The lines go on without a gap after what the pipe had taken, whole lines in at most 64 KiB."""
    first = lines[0].after["id"]
    assert first - 1 <= PIPE_BYTES / len(lines[0].text)
    assert [line.after["id"] for line in lines] == list(range(first, rows + 1))


def test_a_pipe_closed_from_the_start(config, database, walcat):
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        walcat.run(config, status=74, stdout=writing)
    finally:
        os.close(writing)
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == [1]


def test_a_full_disk(config, database, walcat):
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    with open("/dev/full", "w") as full:
        run = walcat.run(config, status=74, stdout=full)
    assert "No space left" in run.log()
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == [1]


def test_a_stdout_that_is_closed(config, database, walcat):
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    walcat.run(config, status=74, prepare=lambda: os.close(1))
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == [1]


def test_a_reader_that_goes_away_inside_a_transaction(config, database, walcat):
    reading, writing = os.pipe()
    run = walcat.start(config, stdout=writing)
    os.close(writing)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t SELECT id FROM generate_series(1, 20000) AS id")
    assert os.read(reading, 100)
    os.close(reading)
    assert run.wait_exit(within=10) == 74, run.describe()
    check_resumed(walcat.catch_up(config).lines(), rows=20_000)


def test_an_output_file_in_a_folder_that_does_not_exist(config, walcat):
    config["output"] = {"path": str(walcat.folder / "nowhere" / "out.jsonl")}
    run = walcat.run(config, status=74)
    assert "nowhere/out.jsonl" in run.log()


def test_an_output_file_on_a_full_disk_is_named(config, database, walcat):
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    config["output"] = {"path": "/dev/full"}
    assert "/dev/full" in walcat.run(config, status=74).log()
    wait_until(lambda: database.slot_reader() is None, "the slot is free")

"""Signals that end walcat, or hold it, under load: nothing is missing, and every repeat is one that may be."""

import signal

import knobs
import pytest
from configuration import configuration, entry
from judge import Judge
from ledger import Ledger
from walcat_process import LineFile
from workload import MIXED_KEYS, MIXED_TABLES, mixed


@pytest.fixture
def printed(tmp_path):
    """What all runs of the test print."""
    return LineFile(tmp_path / "out.jsonl")


@pytest.fixture
def config(database, printed):
    return configuration(entry(database, *MIXED_KEYS), output={"path": str(printed.path)}, flush_interval="50ms")


@pytest.fixture
def judge(database, walcat, config, printed):
    """The ledger starts with the slot."""
    database.execute(*MIXED_TABLES)
    ledger = Ledger(database, MIXED_KEYS)
    walcat.catch_up(config)
    return Judge(ledger, printed, walcat.folder / f"offset_{database.slot_name}.json")


def test_rounds_of_sigkill_leave_no_gap_and_few_repeats(judge, config, database, walcat, printed, tmp_path):
    dice = knobs.dice()
    with mixed(database, tmp_path) as load:
        for _ in range(knobs.SIGKILL_ROUNDS):
            goal = printed.count() + dice.randint(1, 1000)
            run = walcat.start(config)
            run.wait_for(lambda: printed.count() >= goal, "some more lines")
            judge.end(run, "kill")
        assert load.is_running()
    walcat.catch_up(config)
    judge.check()
    print(judge.verdict)


def test_rounds_of_sigterm_and_sigkill_in_turn(judge, config, database, walcat, printed, tmp_path):
    with mixed(database, tmp_path) as load:
        for way in ("stop", "kill", "stop", "stop"):
            goal = printed.count() + 300
            run = walcat.start(config)
            run.wait_for(lambda: printed.count() >= goal, "some more lines")
            judge.end(run, way)
        assert load.is_running()
    walcat.catch_up(config)
    judge.check()


def test_a_kill_before_any_offset_is_stored_repeats_from_the_start(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), flush_interval="1h")
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    before = run.wait_for_lines(2)
    run.kill()
    after = walcat.catch_up(config).lines()
    assert [line.text for line in after] == [line.text for line in before]


@pytest.mark.settings(wal_sender_timeout="1s")
def test_a_run_that_is_stopped_and_continued_goes_on(fragile, walcat, tmp_path):
    """It stands still until the server has given it up."""
    run = walcat.start(fragile.configuration())
    run.wait_for(fragile.database.slot_reader, "the slot is streamed")
    with mixed(fragile.database, tmp_path):
        for _ in range(2):
            run.wait_for_more(200)
            run.signal(signal.SIGSTOP)
            run.wait_for(lambda: fragile.database.slot_reader() is None, "the server has ended the connection")
            run.signal(signal.SIGCONT)
            run.wait_for(fragile.database.slot_reader, "the slot is streamed again")
    run.wait_for(lambda: run.output.count() >= fragile.ledger.count(), "every change is printed")
    run.stop()
    fragile.ledger.check_exactly_once(run.lines())

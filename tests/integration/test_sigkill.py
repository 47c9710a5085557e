"""Kills under load: nothing is missing, and every repeat can be told by its position."""

import knobs
from configuration import configuration, entry
from ledger import Ledger
from walcat_process import LineFile
from workload import MIXED_KEYS, MIXED_TABLES, mixed


def test_rounds_of_sigkill_leave_no_gap_and_only_recognisable_repeats(database, walcat, tmp_path):
    database.execute(*MIXED_TABLES)
    ledger = Ledger(database, MIXED_KEYS)
    printed = LineFile(tmp_path / "out.jsonl")
    config = configuration(entry(database, *MIXED_KEYS), output={"path": str(printed.path)}, flush_interval="50ms")
    walcat.catch_up(config)  # the ledger starts with the slot
    dice = knobs.dice()
    with mixed(database, tmp_path) as load:
        for _ in range(knobs.SIGKILL_ROUNDS):
            goal = printed.count() + dice.randint(1, 1000)
            run = walcat.start(config)
            run.wait_for(lambda: printed.count() >= goal, "some more lines")
            run.kill()
        assert load.is_running()
    walcat.catch_up(config)
    ledger.check_at_least_once(printed.lines())


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

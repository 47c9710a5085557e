"""A full disk under output.path, again and again under load: walcat waits and goes on, with no gap and no torn line."""

import disk
from configuration import configuration, entry
from ledger import Ledger
from walcat_process import LineFile
from workload import MIXED_KEYS, MIXED_TABLES, mixed

ROUNDS = 3


def test_a_disk_that_fills_up_again_and_again(database, walcat, small_disk, tmp_path):
    database.execute(*MIXED_TABLES)
    ledger = Ledger(database, MIXED_KEYS)
    printed = LineFile(small_disk / "out.jsonl")
    run = walcat.start(configuration(entry(database, *MIXED_KEYS), output={"path": str(printed.path)}))
    walsender = run.wait_for(database.slot_reader, "the slot is streamed")
    with mixed(database, tmp_path):
        for number in range(ROUNDS):
            run.wait_for(lambda: run.log().count("waiting for room") > number, "the disk is full")
            disk.enlarge(small_disk, f"{512 * (number + 1)}k")
            run.wait_for(lambda: run.log().count("the disk has room again") > number, "the disk has room")
    disk.enlarge(small_disk)
    run.wait_for(lambda: printed.count() >= ledger.count(), "every change is printed")
    assert database.slot_reader() == walsender
    run.stop()
    ledger.check_exactly_once(printed.lines())

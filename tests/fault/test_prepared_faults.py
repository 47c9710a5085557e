"""Faults over a load with prepared transactions, which are sent when they are prepared: nothing is missing, nothing
that was rolled back is there, and every repeat is one that may be.
"""

import pathlib

import knobs
import pytest
from fragile import Fragile
from judge import Judge
from prepared_load import PreparedLoad
from server_version import needs
from walcat_process import LineFile, Walcat
from workload import mixed

# Walsenders stream a transaction from 64 KiB on.
pytestmark = [needs(15, "prepared transactions in pgoutput"), pytest.mark.settings(logical_decoding_work_mem="64kB")]

RATE = 45
PREPARED_RATE = 15


def test_kills_and_cuts_while_transactions_are_prepared(fragile: Fragile, walcat: Walcat,
                                                        tmp_path: pathlib.Path) -> None:
    dice = knobs.dice()
    printed = LineFile(tmp_path / "out.jsonl")
    config = fragile.configuration(two_phase=True, output={"path": str(printed.path)}, flush_interval="50ms")
    walcat.catch_up(config)
    judge = Judge(fragile.ledger, printed, walcat.folder / f"offset_{fragile.database.slot_name}.json")
    with mixed(fragile.database, tmp_path, rate=RATE) as load, PreparedLoad(fragile.database, dice,
                                                                           PREPARED_RATE) as prepared:
        for _ in range(knobs.PREPARED_ROUNDS):
            run = walcat.start(config)
            for fault in ["cut"] * dice.randint(0, 4) + [dice.choice(("kill", "kill", "kill", "stop"))]:
                goal = printed.count() + dice.randint(1, 500)
                run.wait_for(lambda: printed.count() >= goal, "some more lines")
                if fault == "cut":
                    run.wait_for(lambda: fragile.proxy.cut(reset=dice.random() < 0.5), "there is a connection to cut")
                else:
                    judge.end(run, fault)
        assert load.is_running()
    walcat.catch_up(config)
    judge.check()
    print(f"{judge.verdict}; {prepared.ends}")


def test_a_server_that_stops_or_crashes_while_transactions_are_prepared(fragile: Fragile, walcat: Walcat,
                                                                        tmp_path: pathlib.Path) -> None:
    dice = knobs.dice()
    run = walcat.start(fragile.configuration(two_phase=True))
    run.wait_for(fragile.database.slot_reader, "the slot is streamed")
    with PreparedLoad(fragile.database, dice, PREPARED_RATE) as prepared:
        for mode in dice.sample(("fast", "immediate", "kill"), 3):
            with mixed(fragile.database, tmp_path, rate=RATE):
                run.wait_for_more(dice.randint(1, 500))
                fragile.database.disconnect()
                fragile.server.restart(mode)
            run.wait_for_more(1)
    run.wait_for(lambda: run.output.count() >= fragile.ledger.count(), "every change is printed")
    run.stop()
    fragile.ledger.check_exactly_once(run.lines())
    assert prepared.ends.outlived > 0

"""Two databases under load at once: the lines equal the true changes of each, in its commit order."""

import knobs
from configuration import configuration, entry
from ledger import Ledger
from workload import TPCB_KEYS, create_tpcb, tpcb


def test_the_lines_equal_the_ledgers(make_database, walcat, tmp_path):
    databases = make_database(), make_database()
    for database in databases:
        create_tpcb(database, tmp_path)
    ledgers = [Ledger(database, TPCB_KEYS) for database in databases]
    run = walcat.start(configuration(*(entry(database, *TPCB_KEYS) for database in databases)))
    for database in databases:
        run.wait_for(database.slot_reader, f"{database.name} is streamed")
    loads = [tpcb(database, tmp_path, clients=4, seconds=knobs.LOAD_SECONDS) for database in databases]
    for load in loads:
        load.finish(within=knobs.LOAD_SECONDS + 60)
    expected = sum(ledger.count() for ledger in ledgers)
    run.wait_for_lines(expected, within=60 + knobs.LOAD_SECONDS)
    run.stop()
    lines = run.lines()
    assert len(lines) == expected
    for ledger in ledgers:
        assert ledger.count() > 0
        ledger.check_exactly_once(lines)

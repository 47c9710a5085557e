"""A large row that arrives slowly: others do not starve behind it, and it is not cut as long as it holds up nobody."""

import pytest
from configuration import configuration, entry
from fragile import QUICK

# Eight times a row is more than the limit, so that one goes at a time.
MEMORY_LIMIT = "32MiB"
ROW = 8 << 20
OTHERS = 3
# Of the row, what has come by before the others begin: more than is taken of a row before anybody is asked.
BEGUN = 512 << 10


@pytest.fixture
def others(make_database):
    made = [make_database() for _ in range(OTHERS)]
    for database in made:
        database.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
    return made


@pytest.fixture
def run(fragile, others, walcat):
    fragile.database.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)",
                             "ALTER TABLE t ALTER v SET STORAGE EXTERNAL")
    entries = [entry(fragile.database, "public.t", conn_str=fragile.conn_str()), *map(entry, others)]
    started = walcat.start(configuration(*entries, **QUICK, pipeline={"memory_limit": MEMORY_LIMIT}))
    for database in (fragile.database, *others):
        started.wait_for(database.slot_reader, "the slot is streamed")
    return started


def begin_slow_row(fragile, run, bytes_per_second):
    """Returns once it is on its way, but not here."""
    before = fragile.proxy.brought
    fragile.proxy.throttle(bytes_per_second)
    fragile.database.execute(f"INSERT INTO t VALUES (1, repeat('s', {ROW}))")
    run.wait_for(lambda: fragile.proxy.brought - before > BEGUN, "a part of the row has come", within=60)


def printed(run):
    return [(line.source["db"], line.after["id"]) for line in run.lines()]


def test_it_is_not_cut_where_it_holds_up_nobody(fragile, others, run):
    accepted = fragile.proxy.accepted
    begin_slow_row(fragile, run, ROW // 15)
    for n in range(100):
        others[n % OTHERS].execute(f"INSERT INTO t VALUES ({n}, 'small')")
    run.wait_for_lines(100)
    assert (fragile.database.name, 1) not in printed(run), "small rows do not wait for it"
    run.wait_for_lines(101, within=60)
    assert fragile.proxy.accepted == accepted, "it came over the connection that it began on"
    run.stop()
    assert printed(run)[100:] == [(fragile.database.name, 1)] and "others have waited" not in run.log()


def test_others_large_rows_do_not_starve_behind_it(fragile, others, run):
    # At this pace it would take hours.
    begin_slow_row(fragile, run, ROW // 15)
    fragile.proxy.throttle(1_000)
    for database in others:
        database.execute(f"INSERT INTO t VALUES (2, repeat('q', {ROW}))")
    run.wait_for_lines(OTHERS, within=120)
    assert sorted(printed(run)) == sorted((database.name, 2) for database in others)
    assert "others have waited" in run.log()
    fragile.proxy.heal()
    # What is throttled already stays so.
    fragile.proxy.cut()
    run.wait_for_lines(OTHERS + 1, within=60)
    run.stop()
    assert printed(run)[OTHERS:] == [(fragile.database.name, 1)]
    assert len(run.lines()[-1].after["v"]) == ROW

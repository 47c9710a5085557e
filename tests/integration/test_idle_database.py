"""A quiet database in a busy cluster must not hold back its WAL."""

from configuration import configuration, entry


def test_its_slot_moves_with_the_servers_position(make_database, walcat):
    quiet, busy = make_database(), make_database()
    run = walcat.start(configuration(entry(quiet)))
    run.wait_for(quiet.slot_reader, "the slot is streamed")
    busy.execute("CREATE TABLE t AS SELECT repeat('x', 100) FROM generate_series(1, 1000)")
    lsn = busy.wal_lsn()
    run.wait_for(lambda: quiet.passed(lsn), f"the slot has confirmed {lsn}", within=40)
    run.stop()
    assert run.output.texts() == []


def test_its_slot_moves_past_changes_of_tables_that_are_not_listed(database, walcat):
    database.execute("CREATE TABLE told (id integer PRIMARY KEY)", "CREATE TABLE untold (id integer PRIMARY KEY)")
    run = walcat.start(configuration(entry(database, "public.told")))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO untold SELECT id FROM generate_series(1, 1000) AS id")
    lsn = database.wal_lsn()
    run.wait_for(lambda: database.passed(lsn), f"the slot has confirmed {lsn}", within=40)
    run.stop()
    assert run.output.texts() == []


def test_an_open_transaction_is_not_confirmed_away(make_database, walcat):
    mine, busy = make_database(), make_database()
    mine.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(mine))
    run = walcat.start(config)
    run.wait_for(mine.slot_reader, "the slot is streamed")
    with mine.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
        busy.execute("CREATE TABLE t AS SELECT repeat('x', 100) FROM generate_series(1, 1000)")
        lsn = busy.wal_lsn()
        run.wait_for(lambda: mine.passed(lsn), f"the slot has confirmed {lsn}", within=40)
        run.stop()
    assert [line.after["id"] for line in walcat.catch_up(config).lines()] == [1]


def test_an_idle_walcat_uses_next_to_no_processor_time(database, walcat):
    from waiting import hold_for

    run = walcat.start(configuration(entry(database)))
    run.wait_for(database.slot_reader, "the slot is streamed")

    def ticks():
        with open(f"/proc/{run.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    hold_for(3, lambda: None)
    assert ticks() - before < 30, "more than a tenth of a core, doing nothing"
    run.stop()

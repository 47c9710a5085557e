"""Slots whose names walcat finds taken: by what a walcat before it is still making, or by somebody who was quicker.

A killed client's CREATE_REPLICATION_SLOT goes on in the server until the transactions that are open have ended.
"""

import pytest
from configuration import configuration, entry
from server_version import needs
from slot_faults import advance
from waiting import wait_until

BESIDE = "SELECT slot_name FROM pg_replication_slots WHERE database = %s AND temporary AND slot_name LIKE '%%_snapshot'"


def make_slot(database, name=None):
    database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (name or database.slot_name,))


def no_offset_file(database, walcat, config):
    make_slot(database)
    return {**config, "snapshot": {"mode": "initial"}}


def no_slot(database, walcat, config):
    return {**config, "snapshot": {"mode": "initial"}}


def all_rows_each_time(database, walcat, config):
    walcat.catch_up(config)
    return {**config, "snapshot": {"mode": "always"}}


def gap(database, walcat, config):
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (2)")
    advance(database)
    return {**config, "on_gap": "snapshot"}


# How walcat comes to make a slot, whether that is the temporary one beside `slot_name`, and what it says of it.
REASONS = {
    "no offset file": (no_offset_file, True, "taking a snapshot and going on from the slot"),
    "no slot": (no_slot, False, "creating slot"),
    "snapshot.mode: always": (all_rows_each_time, True, "snapshot: "),
    "a gap": (gap, True, "starting anew with a snapshot"),
}


def reader_of(database, is_beside):
    """Name and process of the slot that is being made."""
    names = [row.slot_name for row in database.rows(BESIDE, (database.name,))] if is_beside else [database.slot_name]
    slot = database.slot(names[0]) if names else None
    return (slot.slot_name, slot.active_pid) if slot and slot.active_pid else None


@pytest.fixture
def config(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)",
                     "CREATE TABLE other (id integer)", f"CREATE PUBLICATION pub_{database.name} FOR TABLE t")
    return configuration(entry(database))


@pytest.mark.parametrize(
    "reason", [pytest.param(name, marks=needs(11, "pg_replication_slot_advance()") if name == "a gap" else ())
               for name in REASONS])
def test_what_a_killed_walcat_still_makes_is_waited_for(reason, config, database, walcat):
    prepare, is_beside, words = REASONS[reason]
    config = prepare(database, walcat, config)
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO other VALUES (1)")
        killed = walcat.start(config)
        name, pid = killed.wait_for(lambda: reader_of(database, is_beside), "the slot is being made")
        killed.kill()
        again = walcat.start(config)
        again.wait_for_log(rf"warning .* slot {name} .*process {pid} of the server; waiting until .*looking again")
        assert words not in again.log(), "said before it is free, and so with each look"
        assert reader_of(database, is_beside) == (name, pid)
    again.wait_for(database.slot_reader, "the slot is streamed")
    assert words in again.log()
    rows = database.rows("SELECT id FROM t ORDER BY id")
    lines = again.wait_for_lines(len(rows))
    assert sorted((line.op, line.after["id"]) for line in lines) == [("r", row.id) for row in rows]
    assert not database.rows(BESIDE, (database.name,))
    again.stop()


@needs(12, "pg_copy_logical_replication_slot()")
def test_a_slot_that_somebody_made_meanwhile_is_adopted(config, database, walcat):
    """Between the look and the making; the next look finds it."""
    run = blocked_before_it_makes(walcat, config, database, "pg_copy_logical_replication_slot('{0}_model', '{0}')")
    assert [(line.op, line.after["id"]) for line in run.wait_for_lines(1)] == [("r", 1)]
    run.wait_for_log("found slot .* no offset file")
    run.stop()


@needs(12, "pg_copy_logical_replication_slot()")
def test_a_foreign_slot_that_somebody_made_meanwhile_is_refused(config, database, walcat):
    run = blocked_before_it_makes(walcat, config, database, "pg_create_physical_replication_slot('{0}')")
    assert run.wait_exit() == 69
    assert "no plugin (physical)" in run.log(), run.log()


def blocked_before_it_makes(walcat, config, database, slot):
    """A run that has seen no slot, and then `slot` was made."""
    make_slot(database, f"{database.slot_name}_model")
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        run = walcat.start({**config, "snapshot": {"mode": "initial"}})
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
        run.wait_for(lambda: database.rows(waiting), "walcat waits for the table")
        database.rows("SELECT " + slot.format(database.slot_name))
    return run


def test_a_permanent_slot_of_the_temporary_one_s_name_is_refused(config, database, walcat):
    config = no_offset_file(database, walcat, config)
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO other VALUES (1)")
        killed = walcat.start(config)
        name, _ = killed.wait_for(lambda: reader_of(database, True), "the slot is being made")
        killed.kill()
    wait_until(lambda: not database.rows(BESIDE, (database.name,)), "the temporary slot is gone")
    make_slot(database, name)
    refused = walcat.run(config, status=69)
    assert f"pg_drop_replication_slot('{name}')" in refused.log(), refused.log()
    assert database.slot(name) is not None

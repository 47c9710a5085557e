"""inactive_slot_check: slots of entries that were taken out of the configuration hold back WAL. What an offset file proves
ours may be dropped; everything else is somebody's."""

import json

import psycopg2.extras
import pytest
from configuration import configuration, entry

# The slot's offset file, as it differs from that of a slot of ours; None: there is none.
FILES = {
    "forgotten": {},
    "debezium": None,
    "of_another_system": {"system_identifier": "1"},
    "of_another_database": {"database": "another"},
    "of_another_slot": {"slot": "another"},
    "of_another_configuration": {"configured_slots": ["another", "of_another_configuration"]},
    "of_an_older_version": {"configured_slots": []},
    "moved_on": {"position": "0/1"},
    "torn": "{",
    "foreign": {},
    "active": {},
    "configured": {},
    "elsewhere": {},
}


@pytest.fixture
def slots(make_database, walcat):
    """Slots of many kinds; only `forgotten` fits what the check may drop."""
    mine, other = make_database(), make_database()

    def logical(database, name, plugin="pgoutput"):
        database.rows("SELECT pg_create_logical_replication_slot(%s, %s)", (f"{mine.name}_{name}", plugin))

    mine.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE PUBLICATION p FOR ALL TABLES")
    for name in FILES:
        if name not in ("foreign", "elsewhere"):
            logical(mine, name)
    logical(mine, "foreign", plugin="test_decoding")
    logical(other, "elsewhere")
    mine.rows("SELECT pg_create_physical_replication_slot(%s)", (f"{mine.name}_physical",))
    # A run of ours, whose file the others are made from.
    walcat.catch_up(configuration(entry(mine, publication_name="p")))
    ours = json.loads((walcat.folder / f"offset_{mine.slot_name}.json").read_text())
    for name, changed in FILES.items():
        if changed is not None:
            stored = {**ours, "slot": f"{mine.name}_{name}", **changed} if isinstance(changed, dict) else None
            path = walcat.folder / f"offset_{mine.name}_{name}.json"
            path.write_text(json.dumps(stored) if stored else changed)
    reader = psycopg2.connect(mine.conn_str, connection_factory=psycopg2.extras.LogicalReplicationConnection)
    with reader.cursor() as cursor:
        options = {"proto_version": "1", "publication_names": "p"}
        cursor.start_replication(slot_name=f"{mine.name}_active", options=options)
        yield mine
    reader.close()
    mine.rows("SELECT pg_drop_replication_slot(%s)", (f"{mine.name}_physical",))


def remaining(database):
    rows = database.rows("SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE %s", (f"{database.name}\\_%",))
    return {row.slot_name.removeprefix(f"{database.name}_") for row in rows}


EVERY_SLOT = {*FILES, "physical"}


def config_of(database, **keys):
    first = entry(database, publication_name="p")
    second = entry(database, publication_name="p", slot_name=f"{database.name}_configured")
    return configuration(first, second, **keys)


def test_only_slots_that_an_offset_file_proves_ours_are_dropped(slots, walcat):
    log = walcat.catch_up(config_of(slots, inactive_slot_check=True)).log()
    assert remaining(slots) == EVERY_SLOT - {"forgotten"}
    dropped = [line for line in log.splitlines() if f"dropping slot {slots.name}_forgotten" in line]
    for line in dropped:
        assert "warning" in line and "of WAL" in line and f"offset_{slots.name}_forgotten.json" in line
    assert dropped, log
    listed = [line for line in log.splitlines() if "left, as no offset file proves them ours" in line]
    named = {name for name in FILES if f"{slots.name}_{name} (" in listed[0]}
    assert named == EVERY_SLOT - {"forgotten", "active", "configured", "elsewhere", "physical"}
    assert f"offset_{slots.name}_torn.json can't be read" in log and f"{slots.name}_moved_on stands at" in log


def test_by_default_no_slot_is_dropped(slots, walcat):
    walcat.catch_up(config_of(slots))
    assert remaining(slots) == EVERY_SLOT


def test_a_run_that_fails_drops_nothing(slots, walcat):
    slots.rows("SELECT pg_drop_replication_slot(%s)", (slots.slot_name,))
    config = configuration(entry(slots, publication_name="p"), inactive_slot_check=True)
    assert "on_gap" in walcat.run(config, status=69).log()
    assert remaining(slots) == EVERY_SLOT


def test_an_entry_that_was_taken_out_and_comes_back_finds_a_gap(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
    stays, goes = entry(database), entry(database, slot_name=f"{database.name}_goes")
    walcat.catch_up(configuration(stays, goes))
    walcat.catch_up(configuration(stays, inactive_slot_check=True))
    assert remaining(database) == set()
    assert "on_gap" in walcat.run(configuration(goes), status=69).log()


def test_another_configuration_in_the_folder_keeps_its_slots(database, walcat):
    """Both name no offset_file and no connector; the other one is down for a moment."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
    other = configuration(entry(database, slot_name=f"{database.name}_other"))
    walcat.catch_up(other)
    log = walcat.catch_up(configuration(entry(database), inactive_slot_check=True)).log()
    assert "other" in remaining(database) and "dropping" not in log
    walcat.catch_up(other)


def test_a_long_list_of_what_is_left_is_cut(database, walcat):
    for n in range(12):
        database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (f"{database.name}_{n:02}",))
    log = walcat.catch_up(configuration(entry(database), inactive_slot_check=True)).log()
    assert f"{database.name}_09 (" in log and f"{database.name}_10" not in log and "and 2 more" in log
    assert len(remaining(database)) == 12

"""inactive_slot_check: forgotten slots hold back WAL; some of them may be dropped."""

import psycopg2.extras
import pytest
from configuration import configuration, entry


@pytest.fixture
def slots(make_database):
    """Slots of many kinds; only `forgotten` fits what the check may drop."""
    mine, other = make_database(), make_database()

    def logical(database, name, plugin="pgoutput"):
        database.rows("SELECT pg_create_logical_replication_slot(%s, %s)", (f"{mine.name}_{name}", plugin))

    mine.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE PUBLICATION p FOR ALL TABLES")
    logical(mine, "forgotten")
    logical(mine, "foreign", plugin="test_decoding")
    logical(mine, "configured")
    logical(mine, "active")
    logical(other, "elsewhere")
    mine.rows("SELECT pg_create_physical_replication_slot(%s)", (f"{mine.name}_physical",))
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


EVERY_SLOT = {"forgotten", "foreign", "configured", "active", "elsewhere", "physical"}


def run(database, walcat, **keys):
    first = entry(database, publication_name="p")
    second = entry(database, publication_name="p", slot_name=f"{database.name}_configured")
    return walcat.catch_up(configuration(first, second, **keys))


def test_only_inactive_pgoutput_slots_of_the_database_that_nobody_names_are_dropped(slots, walcat):
    log = run(slots, walcat, inactive_slot_check=True).log()
    assert remaining(slots) == EVERY_SLOT - {"forgotten"}
    assert f"{slots.name}_forgotten" in log
    dropped = [line for line in log.splitlines() if f"{slots.name}_forgotten" in line]
    assert any("bytes" in line for line in dropped), f"the retained bytes are logged\n{log}"


def test_by_default_no_slot_is_dropped(slots, walcat):
    run(slots, walcat)
    assert remaining(slots) == EVERY_SLOT

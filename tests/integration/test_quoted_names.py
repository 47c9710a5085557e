"""Names that need quotes."""

import pytest
from configuration import configuration, entry
from database import Database, quoted

# The schema and the table as they are, and as the configuration writes them.
NAMES = {
    "capitals": ("Sales", "Orders", '"Sales"."Orders"'),
    "dots": ("eu.west", "a.b", '"eu.west"."a.b"'),
    "quotes": ('q"s', 'the "big" one', '"q""s"."the ""big"" one"'),
    "a keyword": ("public", "select", 'public."select"'),
    "letters beyond ASCII": ("straße", "größe", '"straße"."größe"'),
    "folded": ("public", "plain", "Public.PLAIN"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_table_is_found_and_printed_under_its_own_name(case, database, walcat):
    schema, table, written = NAMES[case]
    target = f"{quoted(schema)}.{quoted(table)}"
    database.execute(
        f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}",
        f'CREATE TABLE {target} (id integer PRIMARY KEY, "Some ""Column""" text)',
    )
    config = configuration(entry(database, written))
    walcat.catch_up(config)
    database.execute(f"INSERT INTO {target} VALUES (1, 'x')")
    (line,) = walcat.catch_up(config).lines()
    assert (line.source["schema"], line.source["table"]) == (schema, table)
    assert line.source["name"] == f"it_{schema}"
    assert line.after == {"id": 1, 'Some "Column"': "x"}


def test_slot_and_publication_names_are_quoted(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database, slot_name=f"1_{database.name}", publication_name='The "First" Pub, lication'))
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    assert len(walcat.catch_up(config).lines()) == 1
    assert database.value("SELECT pubname FROM pg_publication") == 'The "First" Pub, lication'


def test_a_database_with_a_strange_name_is_followed(server, walcat):
    strange = Database(server, 'odd "name" db')
    try:
        strange.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        config = configuration(entry(strange, slot_name="slot_odd", publication_name="pub_odd"))
        walcat.catch_up(config)
        strange.execute("INSERT INTO t VALUES (1)")
        (line,) = walcat.catch_up(config).lines()
        assert line.source["db"] == 'odd "name" db'
    finally:
        walcat.close()
        strange.close()

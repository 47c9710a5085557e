"""The first start on a database: publication, slot, and what may be there already."""

import re

import pytest
from configuration import configuration, entry, follow_all


@pytest.fixture(autouse=True)
def tables(database):
    database.execute("CREATE TABLE a (id integer PRIMARY KEY)", "CREATE TABLE b (id integer PRIMARY KEY)")


def published(database):
    rows = database.rows(
        "SELECT tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1", (f"pub_{database.name}",)
    )
    return [row.tablename for row in rows]


def test_publication_and_slot_are_created(database, walcat):
    walcat.catch_up(configuration(entry(database, "public.a")))
    slot = database.slot()
    assert (slot.plugin, slot.database, slot.temporary, slot.active) == ("pgoutput", database.name, False, False)
    assert published(database) == ["a"]


def test_without_tables_all_are_published(database, walcat):
    walcat.catch_up(follow_all(database))
    assert database.value("SELECT puballtables FROM pg_publication")


def test_missing_tables_are_added_to_a_publication_and_none_is_dropped(database, walcat):
    database.execute(
        "CREATE TABLE c (id integer PRIMARY KEY)", f"CREATE PUBLICATION pub_{database.name} FOR TABLE a, c"
    )
    config = configuration(entry(database, "public.a", "public.b"))
    walcat.catch_up(config)
    assert published(database) == ["a", "b", "c"]
    database.execute("INSERT INTO b VALUES (1)")
    assert [line.source["table"] for line in walcat.catch_up(config).lines()] == ["b"]


def test_a_table_added_to_the_configuration_later_is_published(database, walcat):
    walcat.catch_up(configuration(entry(database, "public.a")))
    config = configuration(entry(database, "public.a", "public.b"))
    walcat.catch_up(config)
    database.execute("INSERT INTO b VALUES (1)")
    assert [line.source["table"] for line in walcat.catch_up(config).lines()] == ["b"]


def test_a_slot_that_exists_is_adopted_from_where_it_stands(database, walcat):
    database.execute(f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
    database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (database.slot_name,))
    database.execute("INSERT INTO a VALUES (1)")
    assert [line.after for line in walcat.catch_up(follow_all(database)).lines()] == [{"id": 1}]


def test_rows_that_were_there_before_the_slot_are_not_printed(database, walcat):
    database.execute("INSERT INTO a VALUES (1)")
    assert walcat.catch_up(follow_all(database)).lines() == []


def test_changes_made_while_walcat_is_away_are_printed_at_the_next_start(database, walcat):
    walcat.catch_up(follow_all(database))
    database.execute("INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (2)")
    lines = walcat.catch_up(follow_all(database)).lines()
    assert [(line.source["table"], line.after["id"]) for line in lines] == [("a", 1), ("b", 2)]


def test_each_database_has_an_offset_file_named_after_its_slot(make_database, walcat):
    first, second = make_database(), make_database()
    walcat.catch_up(configuration(entry(first), entry(second)))
    names = {path.name for path in walcat.folder.glob("offset*.json")}
    assert names == {f"offset_{first.slot_name}.json", f"offset_{second.slot_name}.json"}


def test_a_slot_of_another_plugin_is_refused(database, walcat):
    database.rows("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", (database.slot_name,))
    run = walcat.run(follow_all(database), status=69)
    assert "test_decoding" in run.log()
    assert database.slot().plugin == "test_decoding"


def test_a_slot_of_another_database_is_refused(make_database, walcat):
    mine, other = make_database(), make_database()
    other.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (mine.slot_name,))
    run = walcat.run(follow_all(mine), status=69)
    assert re.search(rf"{other.name}\b", run.log())


def test_a_uri_is_as_good_as_keys_and_values(database, walcat):
    folder = str(database.server.folder).replace("/", "%2F")
    uri = f"postgresql://postgres@{folder}:{database.server.port}/{database.name}"
    config = configuration(entry(database, conn_str=uri))
    walcat.catch_up(config)
    database.execute("INSERT INTO a VALUES (1)")
    assert len(walcat.catch_up(config).lines()) == 1

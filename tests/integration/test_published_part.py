"""Publications that hold back columns or rows."""

import pytest
from configuration import configuration, entry
from server_version import needs


def prepare(database, walcat, publication):
    database.execute(
        "CREATE TABLE people (id integer PRIMARY KEY, name text, wage integer)",
        f"CREATE PUBLICATION pub_{database.name} FOR TABLE {publication}",
    )
    config = configuration(entry(database, "public.people"))
    walcat.catch_up(config)
    return config


@needs(15, "column lists")
def test_columns_outside_the_list_are_not_printed(database, walcat):
    config = prepare(database, walcat, "people (id, name)")
    database.execute("INSERT INTO people VALUES (1, 'Ann', 100)", "UPDATE people SET wage = 200")
    lines = walcat.catch_up(config).lines()
    assert [(line.op, line.after) for line in lines] == [("c", {"id": 1, "name": "Ann"}), ("u", {"id": 1, "name": "Ann"})]


@needs(15, "row filters")
def test_rows_outside_the_filter_are_not_printed(database, walcat):
    config = prepare(database, walcat, "people WHERE (id > 10)")
    database.execute(
        "INSERT INTO people VALUES (1, 'out'), (11, 'in')",
        "UPDATE people SET id = 12 WHERE id = 1",
        "UPDATE people SET id = 2 WHERE id = 11",
        "DELETE FROM people",
    )
    lines = walcat.catch_up(config).lines()
    assert [(line.op, (line.after or line.before)["id"]) for line in lines] == [("c", 11), ("c", 12), ("d", 11), ("d", 12)]


@needs(18, "generated columns in its streams")
@pytest.mark.parametrize("publication, columns", [
    ("sums WITH (publish_generated_columns = stored)", ["id", "twice", "note"]),
    ("sums (id, twice)", ["id", "twice"]),
    ("sums", ["id", "note"]),
])  # fmt: skip
def test_stored_generated_columns_come_where_they_are_published(publication, columns, database, walcat):
    database.execute(
        """CREATE TABLE sums (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED,
                              never integer GENERATED ALWAYS AS (id * 3) VIRTUAL, note text)""",
        "INSERT INTO sums VALUES (1)",
        f"CREATE PUBLICATION pub_{database.name} FOR TABLE {publication}",
    )
    config = configuration(entry(database), snapshot={"mode": "initial"})
    read = walcat.catch_up(config).lines()
    database.execute("INSERT INTO sums VALUES (2)")
    lines = [*read, *walcat.catch_up(config).lines()]
    assert [(line.op, line.after["id"]) for line in lines] == [("r", 1), ("c", 2)]
    for line in lines:
        assert list(line.after) == columns
        assert line.after.get("twice") in (None, line.after["id"] * 2)


@needs(11, "TRUNCATE in its streams")
def test_operations_that_are_not_published_are_not_printed(database, walcat):
    config = prepare(database, walcat, "people WITH (publish = 'insert, delete')")
    database.execute(
        "INSERT INTO people VALUES (1, 'Ann')", "UPDATE people SET wage = 1", "DELETE FROM people", "TRUNCATE people"
    )
    assert [line.op for line in walcat.catch_up(config).lines()] == ["c", "d"]


def test_tables_that_are_not_listed_are_not_printed(database, walcat):
    database.execute("CREATE TABLE told (id integer PRIMARY KEY)", "CREATE TABLE untold (id integer PRIMARY KEY)")
    config = configuration(entry(database, "public.told"))
    walcat.catch_up(config)
    database.execute("INSERT INTO untold VALUES (1)", "INSERT INTO told VALUES (2)")
    assert [line.source["table"] for line in walcat.catch_up(config).lines()] == ["told"]

"""Which tables' rows a snapshot has, under which names and with which columns: what the stream would show of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from configuration import configuration, entry
from database import Database
from partitioned import EVENTS
from postgres_server import PostgresServer
from server_version import MAJOR, NEEDS_PARTITIONS, needs
from walcat_process import Line, Walcat

INITIAL = {"mode": "initial"}

# Each case: statements, then the rows that are printed under a publication of all tables. {s} is the case's schema.
CASES: dict[str, tuple[list[str], dict[str, list[dict[str, Any]]]]] = {
    "an empty table": (["CREATE TABLE {s}.t (id integer)"], {}),
    "a table without columns": (
        ["CREATE TABLE {s}.t ()", *["INSERT INTO {s}.t DEFAULT VALUES"] * 3], {"t": [{}, {}, {}]},
    ),
    "a table that has lost its only column": (
        ["CREATE TABLE {s}.t (id integer)", "INSERT INTO {s}.t VALUES (1), (2)", "ALTER TABLE {s}.t DROP id"],
        {"t": [{}, {}]},
    ),
    "dropped columns": (
        ["CREATE TABLE {s}.t (gone integer, a integer, lost text, b text)", "INSERT INTO {s}.t VALUES (1, 2, 'x', 'y')",
         "ALTER TABLE {s}.t DROP gone, DROP lost, ADD c integer DEFAULT 7"],
        {"t": [{"a": 2, "b": "y", "c": 7}]},
    ),
    "generated columns": (
        ["CREATE TABLE {s}.t (a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED, b text)",
         "INSERT INTO {s}.t (a, b) VALUES (1, 'x')"],
        {"t": [{"a": 1, "b": "x"}]},
    ),
    "nothing but a generated column": (
        ["CREATE TABLE {s}.t (one integer GENERATED ALWAYS AS (1) STORED)", "INSERT INTO {s}.t DEFAULT VALUES"],
        {"t": [{}]},
    ),
    "equal rows of a table without a key": (
        ["CREATE TABLE {s}.t (a integer, b text)", "INSERT INTO {s}.t VALUES (1, NULL), (1, NULL), (NULL, 'x')"],
        {"t": [{"a": 1, "b": None}, {"a": 1, "b": None}, {"a": None, "b": "x"}]},
    ),
    "rows that are gone": (
        ["CREATE TABLE {s}.t (id integer PRIMARY KEY, n integer)", "INSERT INTO {s}.t VALUES (1, 1), (2, 1), (3, 1)",
         "UPDATE {s}.t SET n = 2 WHERE id = 2", "DELETE FROM {s}.t WHERE id = 3"],
        {"t": [{"id": 1, "n": 1}, {"id": 2, "n": 2}]},
    ),
    "names that need quotes": (
        ['CREATE TABLE {s}."The ""big"" one, 100% {0}" ("select" integer, "a ""b"" \\ c" text, "größe" text)',
         """INSERT INTO {s}."The ""big"" one, 100% {0}" VALUES (1, 'x', 'y')"""],
        {'The "big" one, 100% {0}': [{"select": 1, 'a "b" \\ c': "x", "größe": "y"}]},
    ),
    "what COPY escapes": (
        ["CREATE TABLE {s}.t (id integer, a text, b text)",
         r"INSERT INTO {s}.t VALUES (1, E'\\N', ''), (2, E'\t\n\r\b\f\x0b\\', E'\\.'), (3, NULL, E'a\\tb\\')",
         r"INSERT INTO {s}.t VALUES (4, '', NULL)",
         r"INSERT INTO {s}.t VALUES (5, E'\\\\N', E'\x01\x7f'), (6, E'\n', E'\\x41\\101')"],
        {"t": [{"id": 1, "a": "\\N", "b": ""}, {"id": 2, "a": "\t\n\r\b\f\v\\", "b": "\\."},
               {"id": 3, "a": None, "b": "a\\tb\\"}, {"id": 4, "a": "", "b": None},
               {"id": 5, "a": "\\\\N", "b": "\x01\x7f"}, {"id": 6, "a": "\n", "b": "\\x41\\101"}]},
    ),
    "large values": (
        ["CREATE TABLE {s}.t (a text, b text)", "ALTER TABLE {s}.t ALTER a SET STORAGE EXTERNAL",
         "INSERT INTO {s}.t VALUES (repeat('a', 10000), repeat('b', 100000))"],
        {"t": [{"a": "a" * 10_000, "b": "b" * 100_000}]},
    ),
    "parents and their children": (
        ["CREATE TABLE {s}.parent (id integer)", "CREATE TABLE {s}.child (more text) INHERITS ({s}.parent)",
         "INSERT INTO {s}.parent VALUES (1)", "INSERT INTO {s}.child VALUES (2, 'x')"],
        {"parent": [{"id": 1}], "child": [{"id": 2, "more": "x"}]},
    ),
    "partitions": (
        ["CREATE TABLE {s}.root (id integer, day integer, note text) PARTITION BY RANGE (day)",
         "CREATE TABLE {s}.low PARTITION OF {s}.root FOR VALUES FROM (0) TO (10)",
         "CREATE TABLE {s}.high (note text, day integer NOT NULL, id integer)",
         "ALTER TABLE {s}.root ATTACH PARTITION {s}.high FOR VALUES FROM (10) TO (20)",
         "CREATE TABLE {s}.rest PARTITION OF {s}.root DEFAULT PARTITION BY LIST (id)",
         "CREATE TABLE {s}.rest_1 PARTITION OF {s}.rest FOR VALUES IN (3)",
         "INSERT INTO {s}.root VALUES (1, 5, 'a'), (2, 15, 'b'), (3, 25, 'c')"],
        {"low": [{"id": 1, "day": 5, "note": "a"}], "high": [{"note": "b", "day": 15, "id": 2}],
         "rest_1": [{"id": 3, "day": 25, "note": "c"}]},
    ),
    "what is never streamed": (
        ["CREATE UNLOGGED TABLE {s}.unlogged AS SELECT 1 AS id", "CREATE VIEW {s}.seen AS SELECT 2 AS id",
         "CREATE MATERIALIZED VIEW {s}.kept AS SELECT 3 AS id", "CREATE SEQUENCE {s}.numbers",
         "CREATE FOREIGN DATA WRAPPER nowhere", "CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere",
         "CREATE FOREIGN TABLE {s}.far (id integer) SERVER nowhere"],
        {},
    ),
    "no replica identity": (
        ["CREATE TABLE {s}.t (id integer PRIMARY KEY)", "ALTER TABLE {s}.t REPLICA IDENTITY NOTHING",
         "INSERT INTO {s}.t VALUES (1)"],
        {"t": [{"id": 1}]},
    ),
}


NEEDED = {"generated columns": 12, "nothing but a generated column": 12, "partitions": 11}
CASES_NOW = [case for case in CASES if MAJOR >= NEEDED.get(case, 0)]


def schema_of(case: str) -> str:
    return "s" + str(list(CASES).index(case))


@pytest.fixture(scope="module")
def printed(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Line]]:
    """The snapshot of one database that holds every case."""
    database, walcat = Database(server), Walcat(tmp_path_factory.mktemp("snapshot"))
    for case in CASES_NOW:
        schema = schema_of(case)
        statements, _ = CASES[case]
        database.execute(f"CREATE SCHEMA {schema}", *(text.replace("{s}", schema) for text in statements))
    yield walcat.catch_up(configuration(entry(database), snapshot=INITIAL)).lines()
    walcat.close()
    database.close()


@pytest.mark.parametrize("case", CASES_NOW)
def test_the_rows_of(case, printed):
    found: dict[str, list[dict[str, Any]]] = {}
    for line in printed:
        assert (line.op, line.before) == ("r", None)
        if line.source["schema"] == schema_of(case):
            found.setdefault(line.source["table"], []).append(line.after)
    _, expected = CASES[case]
    assert {table: in_order(rows) for table, rows in found.items()} == {
        table: in_order(rows) for table, rows in expected.items()
    }
    for table, rows in expected.items():
        assert [list(row) for row in found[table]] == [list(row) for row in rows], "columns come in the table's order"


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=repr)


@pytest.fixture
def published(database: Database, walcat: Walcat) -> Callable[..., list[tuple[str, dict[str, Any]]]]:
    """The rows that are printed under a publication; and no other publication is needed for the stream."""

    def run(publication: str, *tables: str) -> list[tuple[str, dict[str, Any]]]:
        database.execute(f"CREATE PUBLICATION pub_{database.name} FOR {publication}")
        lines = walcat.catch_up(configuration(entry(database, *tables), snapshot=INITIAL)).lines()
        assert {line.op for line in lines} == {"r"}
        return [(line.source["table"], line.after) for line in lines]

    return run


@pytest.fixture
def people(database):
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, name text, wage integer)",
                     "INSERT INTO people VALUES (1, 'Ann', 100), (2, 'Eve', 50)",
                     "CREATE TABLE other (id integer PRIMARY KEY)", "INSERT INTO other VALUES (3)")


@needs(15, "column lists")
def test_columns_outside_the_list_are_not_read(people, published):
    assert published("TABLE people (id, name)") == [
        ("people", {"id": 1, "name": "Ann"}), ("people", {"id": 2, "name": "Eve"}),
    ]


@needs(15, "row filters")
def test_rows_outside_the_filter_are_not_read(people, published, database):
    """The filter may ask for columns that are not in the list."""
    database.execute("ALTER TABLE people REPLICA IDENTITY FULL")
    rows = published("TABLE people (id, name) WHERE (wage > 60 OR name = 'nobody'), other WHERE (id < 3)")
    assert rows == [("people", {"id": 1, "name": "Ann"})]


def test_only_published_tables_are_read(people, published):
    assert published("TABLE other") == [("other", {"id": 3})]


def test_tables_that_the_configuration_adds_are_read(people, published):
    rows = published("TABLE other", "public.other", "public.people")
    assert sorted(table for table, _ in rows) == ["other", "people", "people"]


@needs(15, "FOR TABLES IN SCHEMA")
def test_the_tables_of_a_schema_are_read(people, published, database):
    database.execute("CREATE SCHEMA shop", "CREATE TABLE shop.here AS SELECT 1 AS id")
    assert published("TABLES IN SCHEMA shop") == [("here", {"id": 1})]


@NEEDS_PARTITIONS
def test_rows_of_partitions_have_the_roots_name_and_columns_where_changes_do(published, database):
    database.execute(*EVENTS)
    rows = published("TABLE events WITH (publish_via_partition_root = true)")
    assert sorted(rows, key=repr) == [
        ("events", {"id": 1, "day": 5, "note": "a"}),
        ("events", {"id": 2, "day": 15, "note": "b"}),
        ("events", {"id": 3, "day": 6, "note": "c"}),
    ]
    assert {tuple(row) for _, row in rows} == {("id", "day", "note")}


@needs(15, "column lists")
def test_the_roots_columns_and_filter_hold_for_its_partitions(published, database):
    database.execute(*EVENTS)
    rows = published("TABLE events (day, id) WHERE (id > 1) WITH (publish_via_partition_root = true)")
    assert sorted(rows, key=repr) == [("events", {"id": 2, "day": 15}), ("events", {"id": 3, "day": 6})]


@needs(11, "keys of partitioned tables")
def test_one_partition_can_be_published_alone(published, database):
    database.execute(*EVENTS)
    assert published("TABLE events_2") == [("events_2", {"note": "b", "day": 15, "id": 2})]


@NEEDS_PARTITIONS
def test_the_table_may_have_no_file_that_was_ever_written(published, database):
    """A partitioned table without partitions has no rows, and nothing that could be read."""
    database.execute("CREATE TABLE events (id integer) PARTITION BY LIST (id)", "CREATE TABLE t AS SELECT 1 AS id")
    assert published("ALL TABLES WITH (publish_via_partition_root = true)") == [("t", {"id": 1})]

"""What of the old row is printed, by replica identity."""

import pytest
from server_version import NEEDS_TRUNCATE

ROWS = ("INSERT INTO t VALUES (1, 'a', 10)", "UPDATE t SET c = 20", "UPDATE t SET a = 2", "DELETE FROM t")


@pytest.fixture(autouse=True)
def table(database):
    database.execute("CREATE TABLE t (a integer PRIMARY KEY, b text NOT NULL, c integer)")


def befores(lines):
    return [(line.op, line.before) for line in lines]


def test_default_shows_the_old_key_when_it_changed(lines_of):
    assert befores(lines_of(*ROWS)) == [("c", None), ("u", None), ("u", {"a": 1}), ("d", {"a": 2})]


def test_full_shows_the_whole_old_row(database, lines_of):
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    assert befores(lines_of(*ROWS)) == [
        ("c", None),
        ("u", {"a": 1, "b": "a", "c": 10}),
        ("u", {"a": 1, "b": "a", "c": 20}),
        ("d", {"a": 2, "b": "a", "c": 20}),
    ]


def test_full_shows_nulls_of_the_old_row(database, lines_of):
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    lines = lines_of("INSERT INTO t VALUES (1, 'a', NULL)", "UPDATE t SET c = 1", "DELETE FROM t")
    assert befores(lines)[1:] == [("u", {"a": 1, "b": "a", "c": None}), ("d", {"a": 1, "b": "a", "c": 1})]


def test_an_index_shows_its_columns(database, lines_of):
    database.execute("CREATE UNIQUE INDEX t_b ON t (b)", "ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
    lines = lines_of(*ROWS[:-1], "UPDATE t SET b = 'z'", "DELETE FROM t")
    assert befores(lines) == [("c", None), ("u", None), ("u", None), ("u", {"b": "a"}), ("d", {"b": "z"})]


@NEEDS_TRUNCATE
def test_nothing_still_shows_inserts_and_truncates(database, lines_of):
    database.execute("ALTER TABLE t REPLICA IDENTITY NOTHING")
    assert befores(lines_of(ROWS[0], "TRUNCATE t")) == [("c", None), ("t", None)]


def test_the_identity_can_change_in_mid_stream(lines_of):
    lines = lines_of(ROWS[0], "ALTER TABLE t REPLICA IDENTITY FULL", "UPDATE t SET c = 20",
                     "ALTER TABLE t REPLICA IDENTITY DEFAULT", "UPDATE t SET c = 30")
    assert befores(lines) == [("c", None), ("u", {"a": 1, "b": "a", "c": 10}), ("u", None)]

"""Large values that an update leaves alone: the server does not send them again."""

import pytest

PLACEHOLDER = "__debezium_unavailable_value"
LARGE = "x" * 10_000


@pytest.fixture(autouse=True)
def documents(database):
    database.execute(
        "CREATE TABLE documents (id integer PRIMARY KEY, body text, revision integer)",
        "ALTER TABLE documents ALTER COLUMN body SET STORAGE EXTERNAL",
    )


INSERT = f"INSERT INTO documents VALUES (1, '{LARGE}', 1)"


def test_the_placeholder_stands_for_an_unchanged_large_value(lines_of):
    insert, update = lines_of(INSERT, "UPDATE documents SET revision = 2")
    assert insert.after["body"] == LARGE
    assert update.after == {"id": 1, "body": PLACEHOLDER, "revision": 2}


def test_the_old_row_gives_the_value_under_full_identity(database, lines_of):
    database.execute("ALTER TABLE documents REPLICA IDENTITY FULL")
    _, update = lines_of(INSERT, "UPDATE documents SET revision = 2")
    assert update.after == {"id": 1, "body": LARGE, "revision": 2}
    assert update.before == {"id": 1, "body": LARGE, "revision": 1}


def test_a_changed_large_value_is_printed(lines_of):
    _, update = lines_of(INSERT, "UPDATE documents SET body = body || 'y'")
    assert update.after["body"] == LARGE + "y"


def test_the_old_row_gives_a_large_value_of_the_key(database, lines_of):
    database.execute(
        "CREATE TABLE keyed (name text PRIMARY KEY, hits integer)",
        "ALTER TABLE keyed ALTER COLUMN name SET STORAGE EXTERNAL",
    )
    # Two and a half thousand bytes fit an index entry and are still stored apart from the row.
    name = "k" * 2500
    _, update = lines_of(f"INSERT INTO keyed VALUES ('{name}', 1)", "UPDATE keyed SET hits = 2")
    assert update.after == {"name": name, "hits": 2}

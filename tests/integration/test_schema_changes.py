"""Tables that change their shape while they are followed."""

import pytest
from configuration import follow_all


@pytest.fixture(autouse=True)
def table(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, a text)")


CHANGES = (
    "INSERT INTO t VALUES (1, 'one')",
    "ALTER TABLE t ADD COLUMN b integer DEFAULT 7",
    "INSERT INTO t VALUES (2, 'two', 2)",
    "UPDATE t SET a = 'uno' WHERE id = 1",
    "ALTER TABLE t DROP COLUMN a",
    "INSERT INTO t VALUES (3, 3)",
    "ALTER TABLE t RENAME COLUMN b TO c",
    "INSERT INTO t VALUES (4, 4)",
    "ALTER TABLE t ALTER COLUMN c TYPE text",
    "INSERT INTO t VALUES (5, 'five')",
    "ALTER TABLE t RENAME TO u",
    "INSERT INTO u VALUES (6, 'six')",
)
ROWS = [
    ("t", {"id": 1, "a": "one"}),
    ("t", {"id": 2, "a": "two", "b": 2}),
    ("t", {"id": 1, "a": "uno", "b": 7}),
    ("t", {"id": 3, "b": 3}),
    ("t", {"id": 4, "c": 4}),
    ("t", {"id": 5, "c": "five"}),
    ("u", {"id": 6, "c": "six"}),
]


def test_rows_show_the_columns_they_had_when_they_were_written(lines_of):
    assert [(line.source["table"], line.after) for line in lines_of(*CHANGES)] == ROWS


def test_the_same_holds_while_streaming(database, walcat):
    run = walcat.start(follow_all(database))
    run.wait_for(database.slot_reader, "the slot is streamed")
    for number, statement in enumerate(CHANGES):
        database.execute(statement)
        run.wait_for_lines(sum(1 for made in CHANGES[: number + 1] if not made.startswith("ALTER")))
    run.stop()
    assert [(line.source["table"], line.after) for line in run.lines()] == ROWS


def test_a_shape_may_change_inside_a_transaction(database, lines_of):
    lines_of()
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (1, 'one')")
        cursor.execute("ALTER TABLE t ADD COLUMN b integer")
        cursor.execute("INSERT INTO t VALUES (2, 'two', 2)")
    assert [line.after for line in lines_of()] == [{"id": 1, "a": "one"}, {"id": 2, "a": "two", "b": 2}]


def test_a_rolled_back_shape_leaves_nothing(database, lines_of):
    lines_of("INSERT INTO t VALUES (1, 'one')")
    with pytest.raises(ZeroDivisionError), database.transaction() as cursor:
        cursor.execute("ALTER TABLE t ADD COLUMN b integer")
        cursor.execute("INSERT INTO t VALUES (2, 'two', 2)")
        raise ZeroDivisionError
    (line,) = lines_of("INSERT INTO t VALUES (3, 'three')")
    assert line.after == {"id": 3, "a": "three"}


def test_a_table_created_in_mid_stream_is_followed_when_all_are(database, walcat):
    run = walcat.start(follow_all(database))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("CREATE TABLE late (id integer PRIMARY KEY)", "INSERT INTO late VALUES (1)")
    (line,) = run.wait_for_lines(1)
    assert line.source["table"] == "late"
    run.stop()

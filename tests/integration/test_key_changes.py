"""Updates that change a row's key, as one update or as a delete and an insert (output.key_changes)."""

from typing import Any

import pytest
from feed import Feed, Pair

LARGE = "x" * 10_000
KEYED = {"envelope": "debezium", "framing": "key-value"}
SPLIT = {**KEYED, "key_changes": "split"}
INSERT = "INSERT INTO t VALUES (1, 'a', 10)"


@pytest.fixture(autouse=True)
def table(database):
    database.execute("CREATE TABLE t (a integer PRIMARY KEY, b text NOT NULL, c integer)")


@pytest.fixture
def pairs_of(walcat, database):
    """What the second and later statements print."""

    def run(output: dict[str, Any], first: str, *statements: str) -> list[Pair]:
        feed = Feed(walcat, database, output)
        feed.after(first)
        return feed.pairs(*statements)

    return run


def shown(pairs: list[Pair]) -> list[tuple[Any, ...]]:
    return [
        (pair.value["op"], pair.key, pair.value["before"], pair.value["after"]) if pair.value else ("-", pair.key)
        for pair in pairs
    ]


def test_as_an_update_it_has_the_new_key_and_the_old_one_before(pairs_of):
    assert shown(pairs_of({**KEYED, "key_changes": "update"}, INSERT, "UPDATE t SET a = 2")) == [
        ("u", {"a": 2}, {"a": 1, "b": None, "c": None}, {"a": 2, "b": "a", "c": 10}),
    ]


def test_split_it_is_a_delete_of_the_old_key_and_an_insert_of_the_new(pairs_of):
    assert shown(pairs_of(SPLIT, INSERT, "UPDATE t SET a = 2")) == [
        ("d", {"a": 1}, {"a": 1, "b": None, "c": None}, None),
        ("c", {"a": 2}, None, {"a": 2, "b": "a", "c": 10}),
    ]


def test_split_with_tombstones_forgets_the_old_key_before_the_new_one_comes(pairs_of):
    assert shown(pairs_of({**SPLIT, "tombstones": True}, INSERT, "UPDATE t SET a = 2")) == [
        ("d", {"a": 1}, {"a": 1, "b": None, "c": None}, None),
        ("-", {"a": 1}),
        ("c", {"a": 2}, None, {"a": 2, "b": "a", "c": 10}),
    ]


def test_split_in_the_message_envelope(walcat, database):
    feed = Feed(walcat, database, {"key_changes": "split"})
    feed.after(INSERT)
    messages = [event["message"] for event in feed.events("UPDATE t SET a = 2")]
    assert [(message["op"], message["before"], message["after"]) for message in messages] == [
        ("d", {"a": 1}, None),
        ("c", None, {"a": 2, "b": "a", "c": 10}),
    ]


@pytest.mark.parametrize("identity", ["DEFAULT", "FULL"])
def test_an_update_of_other_columns_is_not_split(identity, pairs_of, database):
    database.execute(f"ALTER TABLE t REPLICA IDENTITY {identity}")
    statements = ("UPDATE t SET c = 20", "UPDATE t SET a = a", "UPDATE t SET a = 1, b = 'z'")
    assert [pair.value["op"] for pair in pairs_of(SPLIT, INSERT, *statements)] == ["u"] * len(statements)


def test_a_long_key_that_stays_is_not_split(pairs_of, database):
    """The server sends the old key with every update where it is too large to stand in the row."""
    database.execute("CREATE TABLE named (name text PRIMARY KEY, hits integer)",
                     "ALTER TABLE named ALTER COLUMN name SET STORAGE EXTERNAL")
    name = "k" * 2500
    (pair,) = pairs_of(SPLIT, f"INSERT INTO named VALUES ('{name}', 1)", "UPDATE named SET hits = 2")
    assert (pair.value["op"], pair.key, pair.value["after"]) == ("u", {"name": name}, {"name": name, "hits": 2})


def test_under_full_identity_the_delete_has_the_whole_old_row(pairs_of, database):
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL", "ALTER TABLE t ALTER COLUMN b SET STORAGE EXTERNAL")
    pairs = pairs_of(SPLIT, f"INSERT INTO t VALUES (1, '{LARGE}', 10)", "UPDATE t SET a = 2")
    assert shown(pairs) == [
        ("d", {"a": 1}, {"a": 1, "b": LARGE, "c": 10}, None),
        ("c", {"a": 2}, None, {"a": 2, "b": LARGE, "c": 10}),
    ]


def test_the_key_of_an_index_may_change_too(pairs_of, database):
    database.execute("ALTER TABLE t DROP CONSTRAINT t_pkey", "CREATE UNIQUE INDEX t_b ON t (b)",
                     "ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
    assert shown(pairs_of(SPLIT, INSERT, "UPDATE t SET a = 2", "UPDATE t SET b = 'z'")) == [
        ("u", {"b": "a"}, None, {"a": 2, "b": "a", "c": 10}),
        ("d", {"b": "a"}, {"a": None, "b": "a", "c": None}, None),
        ("c", {"b": "z"}, None, {"a": 2, "b": "z", "c": 10}),
    ]


def test_one_of_several_key_columns_is_enough(pairs_of, database):
    database.execute("CREATE TABLE pairs (x integer, y integer, PRIMARY KEY (y, x))")
    assert shown(pairs_of(SPLIT, "INSERT INTO pairs VALUES (1, 2)", "UPDATE pairs SET x = 3")) == [
        ("d", {"y": 2, "x": 1}, {"x": 1, "y": 2}, None),
        ("c", {"y": 2, "x": 3}, None, {"x": 3, "y": 2}),
    ]


def test_a_configured_key_counts_where_the_old_row_is_known(walcat, database):
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    feed = Feed(walcat, database, SPLIT, {"key_columns": {"public.t": ["b"]}})
    feed.after(INSERT)
    assert shown(feed.pairs("UPDATE t SET a = 2", "UPDATE t SET b = 'z'")) == [
        ("u", {"b": "a"}, {"a": 1, "b": "a", "c": 10}, {"a": 2, "b": "a", "c": 10}),
        ("d", {"b": "a"}, {"a": 2, "b": "a", "c": 10}, None),
        ("c", {"b": "z"}, None, {"a": 2, "b": "z", "c": 10}),
    ]


def test_a_change_of_the_key_without_an_old_row_to_tell_is_an_update(walcat, database):
    """The server sends the primary key's old value only: nobody knows what the configured key was."""
    feed = Feed(walcat, database, SPLIT, {"key_columns": {"public.t": ["b"]}})
    feed.after(INSERT)
    assert [(pair.key, pair.value["op"]) for pair in feed.pairs("UPDATE t SET b = 'z'")] == [({"b": "z"}, "u")]


# Without the key, an output that hides the old key splits; where `before` shows it, an update is an update.
DEFAULTS = {
    "message": ({}, "update"),
    "debezium": ({"envelope": "debezium"}, "update"),
    "row": ({"envelope": "row"}, "split"),
    "message with keys": ({"framing": "key-value"}, "split"),
    "debezium with topics": ({"envelope": "debezium", "framing": "topic-key-value"}, "split"),
    "row, asked not to": ({"envelope": "row", "key_changes": "update"}, "update"),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_old_key_leaves_a_trace_by_default(name, walcat, database):
    output, expected = DEFAULTS[name]
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    feed = Feed(walcat, database, output)
    records = feed.after(INSERT, "UPDATE t SET a = 2")
    assert len(records) == {"update": 2, "split": 3}[expected]
    run = walcat.command("config", "-c", str(walcat.write(feed.config)))
    assert run.wait_exit() == 0
    effective = run.output.path.read_text()
    assert f"key_changes: {expected}" in effective

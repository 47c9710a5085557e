"""BEGIN and END lines and the transaction block (output.transactions): they tell a consumer when it has seen it all."""

import os
import subprocess
from collections import Counter
from typing import Any

import pytest
from feed import Feed
from server_version import NEEDS_MESSAGES
from walcat_process import LineFile

TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
    "CREATE TABLE items (id integer PRIMARY KEY, note text)",
)
MIXED = """DO $$ BEGIN
    INSERT INTO orders SELECT n FROM generate_series(1, 3) AS n;
    INSERT INTO items SELECT n FROM generate_series(1, 4) AS n;
    UPDATE orders SET note = 'x' WHERE id < 3;
    PERFORM pg_logical_emit_message(true, 'audit', 'by Ann');
    DELETE FROM items WHERE id = 1;
    TRUNCATE orders, items;
END $$"""

BIG_ROWS = 50_000


@pytest.fixture(autouse=True)
def tables(database):
    database.execute(*TABLES)


@pytest.fixture
def make_feed(walcat, database):
    def make(selection: dict[str, Any] | None = None, **output: Any) -> Feed:
        return Feed(walcat, database, {"envelope": "debezium", "transactions": True, "skip": [], **output}, selection)

    return make


def test_a_transaction_stands_between_begin_and_end(make_feed):
    begin, *changes, end = make_feed().events("INSERT INTO orders VALUES (1), (2)")
    (transaction,) = {change["transaction"]["id"] for change in changes}
    assert begin == {"status": "BEGIN", "id": transaction, "event_count": None, "data_collections": None,
                     "ts_ms": begin["ts_ms"]}
    assert end == {"status": "END", "id": transaction, "event_count": 2, "ts_ms": begin["ts_ms"],
                   "data_collections": [{"data_collection": "public.orders", "event_count": 2}]}
    assert list(begin) == list(end) == ["status", "id", "event_count", "data_collections", "ts_ms"]
    assert begin["ts_ms"] == changes[0]["source"]["ts_ms"]


def test_the_id_is_the_transactions_and_its_commits(make_feed):
    _, change, _ = make_feed(position=True).events("INSERT INTO orders VALUES (1)")
    assert change["transaction"]["id"] == f"{change['source']['txId']}:{change['source']['commit_lsn']}"


def test_changes_are_numbered_in_the_transaction_and_in_their_table(make_feed):
    _, *changes, end = make_feed().events(MIXED)
    assert [change["transaction"]["total_order"] for change in changes] == list(range(1, len(changes) + 1))
    of_table: Counter[str] = Counter()
    for change in changes:
        table = change["source"]["table"]
        of_table[table] += 1
        assert change["transaction"]["data_collection_order"] == of_table[table]
    check_counts(changes, end)


def test_the_counts_are_of_what_is_printed(make_feed):
    """Whatever is left out of the output is left out of the numbers too."""
    _, *changes, end = make_feed(skip=["t", "m", "u"]).events(MIXED)
    assert [change["op"] for change in changes] == ["c"] * 7 + ["d"]
    assert [change["transaction"]["total_order"] for change in changes] == list(range(1, len(changes) + 1))
    check_counts(changes, end)


@NEEDS_MESSAGES
def test_tables_that_are_left_out_are_not_counted(make_feed):
    _, *changes, end = make_feed(selection={"exclude_tables": [r"public\.items"]}).events(MIXED)
    assert {change["source"]["table"] for change in changes} == {"orders", ""}
    check_counts(changes, end)


def test_split_key_changes_are_counted_as_they_are_printed(make_feed):
    feed = make_feed(key_changes="split")
    _, *changes, end = feed.events("INSERT INTO orders VALUES (1)", "UPDATE orders SET id = 2")[3:]
    assert [change["op"] for change in changes] == ["d", "c"]
    assert [change["transaction"]["total_order"] for change in changes] == [1, 2]
    check_counts(changes, end)


@pytest.mark.parametrize("statement", ["TRUNCATE orders", "SELECT pg_logical_emit_message(true, 'audit', 'x')",
                                       "CREATE TABLE more ()"])
def test_a_transaction_that_prints_nothing_has_no_border(statement, make_feed):
    assert make_feed(skip=["t", "m"]).events(statement) == []


def test_a_big_transaction_has_one_border_and_right_numbers(make_feed):
    feed = make_feed()
    begin, *changes, end = feed.events(f"INSERT INTO orders SELECT n FROM generate_series(1, {BIG_ROWS}) AS n")
    check_numbered(begin, changes, end, BIG_ROWS)


def test_a_cut_connection_repeats_no_border_and_no_number(make_feed, walcat, database, tmp_path):
    feed = make_feed()
    feed.config["pipeline"] = {"memory_limit": "4MiB"}
    reading, writing = os.pipe()
    run = walcat.start(feed.config, stdout=writing)
    os.close(writing)
    walsender = run.wait_for(database.slot_reader, "the slot is streamed")
    # Twice what walcat may hold back, so that the cut is in the middle as long as nobody reads.
    database.execute(f"INSERT INTO orders SELECT n, repeat('x', 120) FROM generate_series(1, {BIG_ROWS}) AS n")
    first = os.read(reading, 1)
    database.rows("SELECT pg_terminate_backend(%s)", (walsender,))
    printed = LineFile(tmp_path / "printed.jsonl")
    with open(printed.path, "wb") as target:
        target.write(first)
        target.flush()
        cat = subprocess.Popen(["cat"], stdin=reading, stdout=target)
    os.close(reading)
    try:
        run.wait_for(lambda: printed.count() >= BIG_ROWS + 2, "the transaction is printed")
        assert database.slot_reader() not in (None, walsender)
        run.stop()
        assert cat.wait(timeout=30) == 0
    finally:
        cat.kill()
        cat.wait()
    begin, *changes, end = feed.parsed(printed.texts())
    check_numbered(begin, changes, end, BIG_ROWS)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_run_that_ends_inside_a_transaction_leaves_the_rest_to_the_next(most, make_feed, walcat, database):
    feed = make_feed()
    database.execute("INSERT INTO orders SELECT n FROM generate_series(1, 3) AS n")
    first = feed.records(walcat.run(feed.config, "--max-changes", str(most)))
    # Borders are no changes.
    assert sum("status" not in event for event in feed.parsed(first)) == most
    begin, *changes, end = feed.parsed([*first, *feed.rest()])
    check_numbered(begin, changes, end, 3)


def test_the_borders_have_keys_and_a_topic_of_their_own(make_feed):
    feed = make_feed(framing="topic-key-value")
    records = [record.split("\t") for record in feed.after("INSERT INTO orders VALUES (1)")]
    assert [topic for topic, *_ in records] == ["it.transaction", "it.public.orders", "it.transaction"]
    assert records[0][1] == records[2][1] != records[1][1]


@pytest.mark.parametrize("envelope", ["message", "row", "debezium-schema"])
def test_every_envelope_can_show_transactions(envelope, make_feed):
    texts = make_feed(envelope=envelope).after("INSERT INTO orders VALUES (1), (2)")
    assert ["BEGIN" in text for text in texts] == [True, False, False, False]
    assert ["END" in text for text in texts] == [False, False, False, True]


def check_counts(changes: list[dict[str, Any]], end: dict[str, Any]) -> None:
    of_table = Counter(name_of(change) for change in changes)
    assert end["event_count"] == len(changes)
    assert {each["data_collection"]: each["event_count"] for each in end["data_collections"]} == of_table


def name_of(change: dict[str, Any]) -> str:
    source = change["source"]
    return f"{source['schema']}.{source['table']}" if source["table"] else ""


def check_numbered(begin: dict[str, Any], changes: list[dict[str, Any]], end: dict[str, Any], rows: int) -> None:
    """One transaction of `rows` rows of one table, from BEGIN to END."""
    assert (begin["status"], end["status"]) == ("BEGIN", "END")
    assert [change["after"]["id"] for change in changes] == list(range(1, rows + 1))
    blocks = [change["transaction"] for change in changes]
    assert blocks == [
        {"id": begin["id"], "total_order": number, "data_collection_order": number} for number in range(1, rows + 1)
    ]
    assert end["id"] == begin["id"]
    check_counts(changes, end)

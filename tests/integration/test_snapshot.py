"""The rows that are there when a database is first followed: what their lines look like, and that changes follow."""

import json
import time
from collections import Counter
from typing import Any

import knobs
import pytest
from configuration import configuration, entry
from feed import Feed, Pair
from snapshots import SMALL_CHUNKS
from test_envelopes import SOURCE, VALUE, check_fits

INITIAL = {"mode": "initial"}
# Table after table, and each row after the one before.
IN_TURN = {"mode": "initial", "workers": 1}


@pytest.fixture(autouse=True)
def people(database):
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, name text, vip boolean)")


@pytest.fixture
def snapshot_of(database, walcat):
    """What a first run prints after the statements."""

    def run(*statements: str, selection: dict[str, Any] | None = None, **keys: Any):
        database.execute(*statements)
        config = configuration(entry(database, **(selection or {})), **{"snapshot": INITIAL, **keys})
        return walcat.catch_up(config)

    return run


@pytest.fixture
def records_of(database, walcat, snapshot_of):
    """The records of a first run, under the keys of `output`."""

    def run(*statements: str, snapshot: dict[str, Any] = INITIAL, **output: Any) -> list[str]:
        return snapshot_of(*statements, snapshot=snapshot, output=output).output.texts()

    return run


def people_of(count: int) -> str:
    return f"INSERT INTO people SELECT id, 'name ' || id, id % 2 = 0 FROM generate_series(1, {count}) AS id"


def ids(lines) -> list[int]:
    return [line.after["id"] for line in lines]


def test_a_row_is_this_exact_line(database, snapshot_of):
    earliest = int(time.time() * 1000)
    (line,) = snapshot_of("INSERT INTO people VALUES (1, 'Ann', true)").lines()
    source = line.source
    assert line.text == (
        '{"message":{"before":null,"after":{"id":1,"name":"Ann","vip":true},"source":{'
        f'"version":"{source["version"]}","connector":"it","name":"it_public","ts_ms":{source["ts_ms"]},'
        f'"snapshot":"last","db":"{database.name}","schema":"public","table":"people","txId":null,'
        f'"lsn":{source["lsn"]},"xmin":null,"commit_lsn":{source["lsn"]},"index":{source["index"]}'
        '},"op":"r"}}'
    )
    assert earliest <= source["ts_ms"] <= time.time() * 1000


def test_rows_come_first_and_once_and_changes_after_them(database, walcat):
    """Without a word about snapshots in the configuration: this is what happens by default."""
    database.execute(people_of(5))
    config = configuration(entry(database))
    config.pop("snapshot", None)
    rows = walcat.catch_up(config).lines()
    database.execute("UPDATE people SET name = 'Eve' WHERE id = 1", "INSERT INTO people VALUES (6)")
    changes = walcat.catch_up(config).lines()
    assert [(line.op, line.after["id"]) for line in rows] == [("r", number) for number in range(1, 6)]
    assert [(line.op, line.after["id"]) for line in changes] == [("u", 1), ("c", 6)]
    assert len({line.position for line in rows}) == 5
    assert max(line.position for line in rows) < changes[0].position < changes[1].position
    assert {line.source["snapshot"] for line in changes} == {"false"}


def test_changes_follow_in_the_same_run(database, walcat):
    database.execute(people_of(3))
    run = walcat.start(configuration(entry(database), snapshot=INITIAL))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO people VALUES (4)", "DELETE FROM people WHERE id = 1")
    lines = run.wait_for_lines(5)
    run.stop()
    assert [line.op for line in lines] == ["r", "r", "r", "c", "d"]
    assert max(line.position for line in lines[:3]) < lines[3].position


def test_all_rows_are_of_one_moment(snapshot_of):
    lines = snapshot_of(people_of(1000), snapshot=SMALL_CHUNKS).lines()
    assert sorted(ids(lines)) == list(range(1, 1001))
    assert len({(line.source["lsn"], line.source["commit_lsn"], line.source["ts_ms"]) for line in lines}) == 1
    assert len({line.source["index"] for line in lines}) == 1000


MARKS = {1: ["last"], 2: ["first", "last"], 5: ["first", "true", "true", "true", "last"]}


@pytest.mark.parametrize("count", MARKS)
def test_the_first_and_the_last_row_are_marked(count, database, snapshot_of):
    """Tables without rows have no part in it."""
    database.execute("CREATE TABLE aa_empty (id integer)", "CREATE TABLE zz_empty (id integer)")
    lines = snapshot_of(people_of(count), snapshot=IN_TURN).lines()
    assert [line.source["snapshot"] for line in lines] == MARKS[count]


TABLES = (
    "CREATE TABLE aa_empty (id integer PRIMARY KEY)",
    "CREATE TABLE one (id integer PRIMARY KEY)", "INSERT INTO one VALUES (1)",
    "CREATE TABLE three (id integer PRIMARY KEY)", "INSERT INTO three VALUES (1), (2), (3)",
    "CREATE TABLE zz_empty (id integer PRIMARY KEY)",
)


def marks(count: int, is_first: bool, is_last: bool) -> list[str]:
    """What Debezium says in the rows of a table, which is the first or the last of all."""
    last = "last" if is_last else "last_in_data_collection"
    if count == 1:
        return [last]
    return ["first" if is_first else "first_in_data_collection", *["true"] * (count - 2), last]


@pytest.mark.parametrize("envelope", ["debezium", "debezium-schema"])
def test_the_rows_of_each_table_are_marked_in_debezium(envelope, records_of):
    records = records_of(*TABLES, people_of(4), envelope=envelope, snapshot=IN_TURN)
    sources = [json.loads(record).get("payload", json.loads(record))["source"] for record in records]
    assert Counter(source["table"] for source in sources) == {"one": 1, "three": 3, "people": 4}
    for table in ("one", "three", "people"):
        own = [source["snapshot"] for source in sources if source["table"] == table]
        is_first, is_last = table == sources[0]["table"], table == sources[-1]["table"]
        assert own == marks(len(own), is_first, is_last), table


def test_each_mark_is_there_once_whoever_reads_the_rows(records_of):
    """Of several connections that read parts of two tables at the same time."""
    pets = ("CREATE TABLE pets (LIKE people INCLUDING ALL)", people_of(3000).replace("people", "pets", 1))
    records = records_of(*pets, people_of(3000), envelope="debezium", snapshot={**SMALL_CHUNKS, "workers": 3})
    shown = [json.loads(record)["source"] for record in records]
    every = Counter(source["snapshot"] for source in shown)
    assert every.pop("true") == 6000 - 4
    assert every == {"first": 1, "first_in_data_collection": 1, "last_in_data_collection": 1, "last": 1}
    assert (shown[0]["snapshot"], shown[-1]["snapshot"]) == ("first", "last")
    for mark, place in (("first_in_data_collection", 0), ("last_in_data_collection", -1)):
        (marked,) = [source for source in shown if source["snapshot"] == mark]
        assert [source for source in shown if source["table"] == marked["table"]][place] is marked


@pytest.mark.parametrize("transactions", [False, True])
def test_a_row_in_debezium(transactions, records_of, database):
    """It belongs to no transaction, and none begins or ends with it."""
    (record,) = records_of("INSERT INTO people VALUES (1, 'Ann', true)", envelope="debezium", position=True,
                           transactions=transactions)
    event = json.loads(record)
    source = event["source"]
    assert list(event) == VALUE and list(source) == [*SOURCE, "commit_lsn", "index"]
    assert (event["op"], event["before"], event["transaction"]) == ("r", None, None)
    assert event["after"] == {"id": 1, "name": "Ann", "vip": True}
    assert (source["snapshot"], source["db"], source["table"]) == ("last", database.name, "people")
    assert (source["txId"], source["xmin"]) == (None, None)
    assert source["lsn"] == source["commit_lsn"] > 0
    assert source["ts_ms"] <= event["ts_ms"]


def test_a_row_in_debezium_is_what_its_schema_says(records_of):
    for record in records_of("INSERT INTO people VALUES (1, 'Ann', true), (2, NULL, NULL)",
                             envelope="debezium-schema"):
        event = json.loads(record)
        check_fits(event["schema"], event["payload"])


def test_a_flat_row(records_of, database):
    (record,) = records_of("INSERT INTO people VALUES (1, 'Ann', true)", envelope="row")
    row = json.loads(record)
    assert list(row) == ["id", "name", "vip", "__op", "__db", "__schema", "__table", "__ts_ms", "__lsn",
                         "__commit_lsn", "__index"]
    assert (row["id"], row["name"], row["vip"]) == (1, "Ann", True)
    assert (row["__op"], row["__db"], row["__schema"], row["__table"]) == ("r", database.name, "public", "people")
    assert row["__lsn"] == row["__commit_lsn"]


def test_rows_have_keys_and_topics_like_changes(records_of):
    records = records_of(people_of(2), framing="topic-key-value", topic="{schema}.{table}.{op}")
    topics, rest = zip(*(record.split("\t", 1) for record in records))
    pairs = [Pair.parse(record) for record in rest]
    assert topics == ("public.people.r",) * 2
    assert [(pair.key, pair.value["message"]["after"]["name"]) for pair in pairs] == [
        ({"id": 1}, "name 1"), ({"id": 2}, "name 2"),
    ]


def test_rows_can_be_skipped_and_changes_follow(database, walcat):
    database.execute(people_of(3))
    feed = Feed(walcat, database, {"skip": ["r"]}, snapshot=INITIAL)
    assert walcat.folder.joinpath("run-0.jsonl").read_text() == ""
    assert [event["message"]["op"] for event in feed.events("INSERT INTO people VALUES (4)")] == ["c"]


def test_a_selection_holds_for_rows(database, snapshot_of):
    database.execute("CREATE TABLE hidden AS SELECT 1 AS id", "CREATE TABLE shown AS SELECT 2 AS id")
    selection = {
        "exclude_tables": [r".*\.hidden"],
        "exclude_columns": [r".*\.vip"],
        "mask_columns": [{"columns": r".*\.people\.name", "with": "?"}],
    }
    lines = snapshot_of(people_of(1), "INSERT INTO people VALUES (2)", selection=selection).lines()
    rows = sorted((line.source["table"], line.after["id"], line.after) for line in lines)
    assert [(table, row) for table, _, row in rows] == [
        ("people", {"id": 1, "name": "?"}), ("people", {"id": 2, "name": None}), ("shown", {"id": 2}),
    ]


def test_only_included_tables_are_read(database, snapshot_of):
    database.execute(*TABLES)
    lines = snapshot_of(people_of(2), selection={"include_tables": [r"public\.(one|three)"]}).lines()
    assert Counter(line.table for line in lines) == {"public.one": 1, "public.three": 3}


def test_the_log_tells_what_there_is_and_what_was_printed(database, snapshot_of):
    database.execute(*TABLES[1:5], "ANALYZE")
    log = snapshot_of().log()
    (start,) = [line for line in log.splitlines() if "chunks," in line]
    assert f"{database.name}/{database.slot_name}" in start
    assert "about 4 rows" in start and "worker" in start
    assert "snapshot complete: 4 rows of " in log
    assert log.index("about 4 rows") < log.index("snapshot complete")


def test_rows_count_towards_max_changes(database, walcat):
    database.execute(people_of(10))
    config = configuration(entry(database), snapshot=INITIAL)
    some = walcat.run(config, "--max-changes", "4").lines()
    rest = walcat.catch_up(config).lines()
    assert [line.op for line in some] == ["r"] * 4
    assert {line.op for line in rest} == {"r"}
    assert {*ids(some), *ids(rest)} == set(range(1, 11))
    assert len({line.position for line in (*some, *rest)}) == len(some) + len(rest)
    assert walcat.catch_up(config).output.texts() == []


def test_it_takes_little_memory(database, walcat):
    """Of more rows, and of a row that is larger, than what may be on its way."""
    database.execute(people_of(knobs.SNAPSHOT_ROWS // 2),
                     "UPDATE people SET name = repeat('long', 1000000) WHERE id = 1000")
    run = walcat.start(configuration(entry(database), snapshot=SMALL_CHUNKS, pipeline={"memory_limit": "4MiB"}))
    run.wait_for(database.slot_reader, "the slot is streamed", within=60)
    if not knobs.SANITIZER:  # whose shadow memory counts too
        assert run.memory_kib("VmHWM") < 64 * 1024
    run.stop()
    lines = run.lines()
    assert len(lines) == knobs.SNAPSHOT_ROWS // 2
    (long,) = [line for line in lines if line.after["id"] == 1000]
    assert long.after["name"] == "long" * 1_000_000

"""Keys, topics and separators: records that a producer takes apart without a doubt."""

import json
import re
from typing import Any

import pytest
from feed import Feed, Pair
from server_version import MAJOR, NEEDS_MESSAGES, NEEDS_TRUNCATE

KEYED = {"framing": "key-value"}
TEXT = {"framing": "key-value", "key": "text"}
TOPIC = {"framing": "topic-key-value"}


@pytest.fixture
def make_feed(walcat, database):
    return lambda output=KEYED, **selection: Feed(walcat, database, output, selection)


def keys(pairs: list[Pair]) -> list[Any]:
    return [pair.key for pair in pairs]


def test_a_record_is_the_line_behind_its_key(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    (record,) = make_feed().after(r"INSERT INTO t VALUES (1, E'a\tb\nc')")
    key, value = record.split("\t")
    assert key == '{"id":1}'
    assert json.loads(value)["message"]["after"] == {"id": 1, "note": "a\tb\nc"}


def test_every_change_of_a_row_has_its_key(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    pairs = make_feed().pairs("INSERT INTO t VALUES (1)", "UPDATE t SET note = 'x'", "UPDATE t SET id = 2",
                              "DELETE FROM t")
    # d and c of a changed key.
    assert keys(pairs) == [{"id": 1}, {"id": 1}, {"id": 1}, {"id": 2}, {"id": 2}]


def test_keys_are_in_the_order_of_the_primary_key(make_feed, database):
    database.execute("CREATE TABLE t (b text, a integer, c date, PRIMARY KEY (c, a, b))")
    (record,) = make_feed().after("INSERT INTO t VALUES ('x', 1, '2024-02-29')")
    assert record.startswith('{"c":"2024-02-29","a":1,"b":"x"}\t')


def test_values_of_a_key_are_printed_like_those_of_the_row(make_feed, database):
    database.execute("CREATE TABLE t (day date, at timestamptz, price numeric(5, 2), raw bytea, flag boolean,"
                     " PRIMARY KEY (day, at, price, raw, flag))")
    feed = make_feed({**KEYED, "envelope": "debezium", "debezium": {"decimal_handling_mode": "precise"}})
    (pair,) = feed.pairs(r"INSERT INTO t VALUES ('2024-02-29', '2024-02-29 12:00+00', 1.5, '\xff', true)")
    assert pair.key == pair.value["after"]
    assert pair.key["day"] == 19782


def test_keys_have_their_schema_beside_them_in_debezium_schema(make_feed, database):
    database.execute("CREATE TABLE t (b text, a integer, PRIMARY KEY (a, b))")
    (pair,) = make_feed({**KEYED, "envelope": "debezium-schema"}).pairs("INSERT INTO t VALUES ('x', 1)")
    assert pair.key["payload"] == {"a": 1, "b": "x"}
    assert [field["field"] for field in pair.key["schema"]["fields"]] == ["a", "b"]
    assert pair.key["schema"]["name"] == "it.public.t.Key"


@NEEDS_MESSAGES
def test_what_belongs_to_no_table_has_its_schema_beside_its_key_too(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    feed = make_feed({**KEYED, "envelope": "debezium-schema", "skip": [], "transactions": True})
    for pair in feed.pairs("SELECT pg_logical_emit_message(true, 'audit', 'x')"):
        assert list(pair.key) == ["schema", "payload"]
        assert [field["field"] for field in pair.key["schema"]["fields"]] == list(pair.key["payload"])


def test_the_index_of_the_replica_identity_is_the_key_without_a_primary_one(make_feed, database):
    database.execute("CREATE TABLE t (a integer NOT NULL, b text NOT NULL)", "CREATE UNIQUE INDEX t_a ON t (a)",
                     "CREATE UNIQUE INDEX t_b ON t (b)", "ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
    pairs = make_feed().pairs("INSERT INTO t VALUES (1, 'x')", "UPDATE t SET a = 2", "DELETE FROM t")
    assert keys(pairs) == [{"b": "x"}] * 3


def test_the_index_of_the_replica_identity_is_the_key_before_the_primary_one(make_feed, database):
    """For of a deleted row the server tells the columns of the identity only."""
    database.execute("CREATE TABLE t (a integer PRIMARY KEY, b text NOT NULL)", "CREATE UNIQUE INDEX t_b ON t (b)",
                     "ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
    pairs = make_feed({**KEYED, "tombstones": True}).pairs("INSERT INTO t VALUES (1, 'x')", "DELETE FROM t")
    assert keys(pairs) == [{"b": "x"}] * 3


# What t(a, b, c) has under REPLICA IDENTITY FULL, and the key that it makes.
UNIQUE = {
    "of a column that is never null": (["CREATE UNIQUE INDEX ON t (b)", "ALTER TABLE t ALTER b SET NOT NULL"], ["b"]),
    "the older of two": (["ALTER TABLE t ALTER a SET NOT NULL, ALTER b SET NOT NULL", "CREATE UNIQUE INDEX ON t (b)",
                          "CREATE UNIQUE INDEX ON t (a)"], ["b"]),
    "older than the primary key": (["CREATE UNIQUE INDEX ON t (b)", "ALTER TABLE t ADD PRIMARY KEY (a)"], ["a"]),
    "younger than one that may be null": (["CREATE UNIQUE INDEX ON t (b)", "ALTER TABLE t ALTER c SET NOT NULL",
                                           "CREATE UNIQUE INDEX ON t (c)"], ["c"]),
    "that may be null": (["CREATE UNIQUE INDEX ON t (b)"], None),
    "of which a column may be null": (["ALTER TABLE t ALTER a SET NOT NULL", "CREATE UNIQUE INDEX ON t (a, b)"], None),
    "of a part of the rows": (["ALTER TABLE t ALTER a SET NOT NULL", "CREATE UNIQUE INDEX ON t (a) WHERE a > 0"], None),
    "of an expression": (["ALTER TABLE t ALTER a SET NOT NULL", "CREATE UNIQUE INDEX ON t (abs(a))"], None),
    "that is checked at the end": (["ALTER TABLE t ALTER a SET NOT NULL, ADD UNIQUE (a) DEFERRABLE"], None),
    "that is primary and checked at the end": (["ALTER TABLE t ADD PRIMARY KEY (a) DEFERRABLE"], None),
    "that excludes": (["ALTER TABLE t ALTER a SET NOT NULL, ADD EXCLUDE USING btree (a WITH =)"], None),
    "that is not there": ([], None),
}
if MAJOR >= 11:
    UNIQUE["that includes a column"] = (["CREATE UNIQUE INDEX ON t (b) INCLUDE (c)",
                                         "ALTER TABLE t ALTER b SET NOT NULL"], ["b"])
if MAJOR >= 15:
    UNIQUE["that tells no nulls apart"] = (["CREATE UNIQUE INDEX ON t (b) NULLS NOT DISTINCT"], None)
if MAJOR >= 18:
    UNIQUE["that may be null in old rows"] = (["ALTER TABLE t ADD CONSTRAINT n NOT NULL b NOT VALID",
                                               "CREATE UNIQUE INDEX ON t (b)"], None)


def test_a_unique_index_is_the_key_if_no_two_rows_share_one(make_feed, database):
    """At no time, and none of them null: a tombstone must not take another row's key."""
    for number, (statements, _) in enumerate(UNIQUE.values()):
        database.execute(f"CREATE TABLE t{number} (a integer, b text, c integer)",
                         f"ALTER TABLE t{number} REPLICA IDENTITY FULL",
                         *(re.sub(r"\bt\b", f"t{number}", statement) for statement in statements))
    row = {"a": 1, "b": "x", "c": 2}
    feed = make_feed({**KEYED, "tombstones": True})
    for number, (case, (_, key)) in enumerate(UNIQUE.items()):
        pairs = feed.pairs(f"INSERT INTO t{number} VALUES (1, 'x', 2)", f"DELETE FROM t{number}")
        expected = [{column: row[column] for column in key}] * 3 if key else [None] * 2
        assert keys(pairs) == expected, case


@pytest.mark.parametrize("envelope", ["message", "debezium"])
def test_configured_columns_are_the_key_in_their_order(envelope, make_feed, database):
    database.execute('CREATE TABLE "My Table" (id integer PRIMARY KEY, a text, "B" text)')
    feed = make_feed({**KEYED, "envelope": envelope}, key_columns={'public."My Table"': ["B", "a"]})
    (record,) = feed.after("""INSERT INTO "My Table" VALUES (1, 'x', 'y')""")
    assert record.startswith('{"B":"y","a":"x"}\t')


def test_a_large_key_that_is_not_sent_again_comes_from_the_old_row(make_feed, database):
    database.execute("CREATE TABLE t (name text PRIMARY KEY, hits integer)",
                     "ALTER TABLE t ALTER COLUMN name SET STORAGE EXTERNAL")
    name = "k" * 2500
    pairs = make_feed().pairs(f"INSERT INTO t VALUES ('{name}', 1)", "UPDATE t SET hits = 2")
    assert keys(pairs) == [{"name": name}] * 2


# What became of the table while nobody followed it, and what it held before.
LATER = {
    "its key's column was renamed": ["ALTER TABLE t RENAME id TO number"],
    "another column is the key": ["ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (code)"],
    "the key was dropped": ["ALTER TABLE t DROP CONSTRAINT t_pkey"],
    "it was dropped": ["DROP TABLE t"],
    "it was made anew": ["DROP TABLE t", "CREATE TABLE t (code text PRIMARY KEY)"],
}


@pytest.mark.parametrize("later", LATER)
def test_the_key_is_that_of_the_time_of_the_change_even_when(later, make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, code text NOT NULL)")
    pairs = make_feed({**KEYED, "tombstones": True}).pairs("INSERT INTO t VALUES (1, 'x')", "DELETE FROM t",
                                                           *LATER[later])
    shown = [(pair.key, pair.value["message"]["op"] if pair.value else None) for pair in pairs]
    assert shown == [({"id": 1}, "c"), ({"id": 1}, "d"), ({"id": 1}, None)]


@NEEDS_MESSAGES
def test_a_truncate_and_a_message_have_keys_too(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    truncate, message = make_feed().pairs("TRUNCATE t", "SELECT pg_logical_emit_message(true, 'audit', 'x')")
    assert (truncate.key, message.key) == (None, {"prefix": "audit"})


TEXT_KEYS = {
    "a word": ("plain", "plain"),
    "spaces": (" a b ", " a b "),
    "a number": ("12", "12"),
    "empty": ("", '""'),
    "null as a word": ("null", '"null"'),
    "a quote at the start": ('"quoted"', r'"\"quoted\""'),
    "a quote inside": ('a"b', 'a"b'),
    "a bracket": ("[1]", '"[1]"'),
    "a brace": ('{"a":1}', r'"{\"a\":1}"'),
    "a tab": ("a\tb", r'"a\tb"'),
    "a line feed": ("a\nb", r'"a\nb"'),
    "a carriage return": ("a\rb", r'"a\rb"'),
    "DEL": ("a\x7fb", None),
    "a control character": ("a\x01b", None),
    "a line separator of Unicode": ("a\u2028b", "a\u2028b"),
    "four bytes a letter": ("🐘", "🐘"),
}


def test_text_keys_stand_as_they_are_unless_they_could_be_something_else(make_feed, database):
    database.execute("CREATE TABLE t (id text PRIMARY KEY)")
    feed = make_feed(TEXT)
    for text, _ in TEXT_KEYS.values():
        database.rows("INSERT INTO t VALUES (%s) RETURNING id", (text,))
    printed = [record.split("\t") for record in feed.after("DELETE FROM t")]
    for (name, (text, expected)), (key, value) in zip(TEXT_KEYS.items(), printed):
        assert json.loads(value)["message"]["after"]["id"] == text, name
        assert key == expected or (expected is None and json.loads(key) == text), name
    assert len({key for key, _ in printed}) == len(TEXT_KEYS)
    # Deletes have the same keys.
    assert [key for key, _ in printed[len(TEXT_KEYS):]] == [key for key, _ in printed[: len(TEXT_KEYS)]]


def test_text_keys_of_several_columns_are_arrays(make_feed, database):
    database.execute("CREATE TABLE t (a text, b integer, PRIMARY KEY (b, a))")
    records = make_feed(TEXT).after("INSERT INTO t VALUES ('x', 1), ('a,b', 2), ('\"', 3)")
    assert [json.loads(record.split("\t")[0]) for record in records] == [["1", "x"], ["2", "a,b"], ["3", '"']]


def test_a_null_in_a_text_key_is_no_text(make_feed, database):
    database.execute("CREATE TABLE t (a text)")
    records = make_feed(TEXT, key_columns={"public.t": ["a"]}).after("INSERT INTO t VALUES ('null'), (NULL)")
    assert [record.split("\t")[0] for record in records] == ['"null"', "null"]


@NEEDS_TRUNCATE
def test_tombstones_follow_deletes(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    pairs = make_feed({**KEYED, "tombstones": True}).pairs("INSERT INTO t VALUES (1), (2)", "DELETE FROM t",
                                                           "TRUNCATE t")
    shown = [(pair.key, pair.value["message"]["op"] if pair.value else None) for pair in pairs]
    assert shown == [({"id": 1}, "c"), ({"id": 2}, "c"), ({"id": 1}, "d"), ({"id": 1}, None), ({"id": 2}, "d"),
                     ({"id": 2}, None), (None, "t")]


def test_a_delete_without_a_key_has_no_tombstone(make_feed, database):
    database.execute("CREATE TABLE t (a integer)", "ALTER TABLE t REPLICA IDENTITY FULL")
    pairs = make_feed({**KEYED, "tombstones": True}).pairs("INSERT INTO t VALUES (1)", "DELETE FROM t")
    assert [(pair.key, pair.value["message"]["op"]) for pair in pairs] == [(None, "c"), (None, "d")]


@NEEDS_MESSAGES
def test_a_record_may_begin_with_its_topic(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    insert, message = make_feed(TOPIC).after("INSERT INTO t VALUES (1)",
                                             "SELECT pg_logical_emit_message(true, 'audit', 'x')")
    topic, key, value = insert.split("\t")
    assert (topic, key, json.loads(value)["message"]["after"]) == ("it.public.t", '{"id":1}', {"id": 1})
    assert message.split("\t")[0] == "it.message"


def test_a_topic_is_made_by_a_template(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    feed = make_feed({**TOPIC, "topic": "cdc-{op}.{table}.{schema}.{database}.{connector}.{op}"})
    topics = [record.split("\t")[0] for record in feed.after("INSERT INTO t VALUES (1)", "DELETE FROM t")]
    assert topics == [f"cdc-{op}.t.public.{database.name}.it.{op}" for op in "cd"]


def test_a_topic_has_no_character_that_kafka_refuses(make_feed, database):
    database.execute('CREATE SCHEMA "my schema"', 'CREATE TABLE "my schema"."Größe\t1" (id integer PRIMARY KEY)')
    (record,) = make_feed(TOPIC).after('INSERT INTO "my schema"."Größe\t1" VALUES (1)')
    topic, key, _ = record.split("\t")
    assert (topic, key) == ("it.my_schema.Gr__e_1".replace("__", "_" * len("öß".encode())), '{"id":1}')


def test_records_may_end_with_a_nul(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    output = {**KEYED, "tombstones": True, "record_separator": "nul", "key_separator": "\x1f\n"}
    records = make_feed(output).after(r"INSERT INTO t VALUES (1, E'a\nb')", "DELETE FROM t")
    assert [record.split("\x1f\n")[0] for record in records] == ['{"id":1}'] * 3
    assert [len(record.split("\x1f\n")) for record in records] == [2, 2, 2]
    assert records[2].split("\x1f\n")[1] == ""


def test_lines_alone_may_end_with_a_nul_too(make_feed, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    feed = make_feed({"record_separator": "nul"})
    assert [event["message"]["op"] for event in feed.events("INSERT INTO t VALUES (1)", "DELETE FROM t")] == ["c", "d"]


def test_a_separator_of_several_bytes_stands_in_no_key(make_feed, database):
    database.execute("CREATE TABLE t (id text PRIMARY KEY)")
    separator = "-\x1f-"
    records = make_feed({**TEXT, "key_separator": separator}).after(
        "INSERT INTO t VALUES ('-'), (E'a-\x1f-b'), (E'a\tb')"
    )
    parts = [record.split(separator) for record in records]
    assert [len(part) for part in parts] == [2, 2, 2]
    assert parts[0][0] == "-"
    assert [json.loads(part[0]) for part in parts[1:]] == ["a-\x1f-b", "a\tb"]


WRONG = {
    "a key without a place for it": ({"key": "json"}, "key"),
    "a place for a key without a key": ({"framing": "key-value", "key": "none"}, "key"),
    "tombstones without keys": ({"tombstones": True}, "tombstones"),
    "a separator that may stand in JSON": ({**KEYED, "key_separator": ", "}, "key_separator"),
    "an empty separator": ({**KEYED, "key_separator": ""}, "key_separator"),
    "a separator that ends records": ({**KEYED, "key_separator": "\n\t"}, "key_separator"),
    "a separator of too many bytes": ({**KEYED, "key_separator": "\t" * 17}, "key_separator"),
    "a topic of unknown things": ({**TOPIC, "topic": "{connector}.{tabel}"}, "tabel"),
    "a topic that does not close": ({**TOPIC, "topic": "{connector"}, "topic"),
    "an empty topic": ({**TOPIC, "topic": ""}, "topic"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_could_be_misread_is_refused_at_start(name, walcat):
    output, word = WRONG[name]
    database = {"conn_str": "host=/nowhere dbname=a", "slot_name": "s", "publication_name": "p"}
    run = walcat.run({"databases": [database], "output": output}, status=78, within=10)
    assert word in run.log()

"""The envelopes other than message, key by key."""

import base64
import json
import time
from typing import Any

import pytest
from database import number_of
from feed import Feed
from server_version import NEEDS_MESSAGES, NEEDS_TRUNCATE

SOURCE = ["version", "connector", "name", "ts_ms", "snapshot", "db", "sequence", "ts_us", "ts_ns", "schema", "table",
          "txId", "lsn", "xmin", "origin", "origin_lsn"]
VALUE = ["before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns"]
MESSAGE = ["op", "ts_ms", "source", "transaction", "message"]
ROWS = ("INSERT INTO people VALUES (1, 'Ann', true)", "UPDATE people SET name = 'Eve'", "DELETE FROM people")
EVERYTHING = (*ROWS, "TRUNCATE people", "SELECT pg_logical_emit_message(true, 'audit', 'by Ann')")

ALL = {"envelope": "debezium", "skip": []}


@pytest.fixture(autouse=True)
def people(database):
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, name text, vip boolean)")


@pytest.fixture
def make_feed(walcat, database):
    return lambda **output: Feed(walcat, database, output)


@pytest.fixture
def feeds_of(walcat, database):
    """Feeds of one log, each with a slot and an output of its own."""

    def make(outputs: dict[str, dict[str, Any]]) -> dict[str, Feed]:
        return {
            name: Feed(walcat, database, output, {"slot_name": f"{database.slot_name}_{number}"})
            for number, (name, output) in enumerate(outputs.items())
        }

    return make


def test_a_debezium_line_has_debeziums_fields_in_debeziums_order(make_feed):
    for event in make_feed(envelope="debezium").events(*ROWS):
        assert list(event) == VALUE
        assert list(event["source"]) == SOURCE


def test_a_debezium_insert_is_this_exact_line(make_feed, database):
    (text,) = make_feed(envelope="debezium").after(ROWS[0])
    event = json.loads(text)
    source = event["source"]
    sequence = json.dumps(source["sequence"])
    assert text == (
        '{"before":null,"after":{"id":1,"name":"Ann","vip":true},"source":{'
        f'"version":"{source["version"]}","connector":"postgresql","name":"it","ts_ms":{source["ts_ms"]},'
        f'"snapshot":"false","db":"{database.name}","sequence":{sequence},"ts_us":{source["ts_us"]},'
        f'"ts_ns":{source["ts_ns"]},"schema":"public","table":"people","txId":{source["txId"]},"lsn":{source["lsn"]},'
        '"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,"op":"c",'
        f'"ts_ms":{event["ts_ms"]},"ts_us":{event["ts_us"]},"ts_ns":{event["ts_ns"]}}}'
    )


def test_what_the_server_did_not_send_of_the_old_row_is_null_in_debezium(make_feed):
    rows = [(event["op"], event["before"], event["after"]) for event in make_feed(envelope="debezium").events(*ROWS)]
    assert rows == [
        ("c", None, {"id": 1, "name": "Ann", "vip": True}),
        ("u", None, {"id": 1, "name": "Eve", "vip": True}),
        ("d", {"id": 1, "name": None, "vip": None}, None),
    ]


def test_the_clocks_of_a_line_agree(make_feed):
    earliest = time.time_ns()
    (event,) = make_feed(envelope="debezium").events(ROWS[0])
    for block in (event, event["source"]):
        assert block["ts_ns"] // 1000 == block["ts_us"]
        assert block["ts_us"] // 1000 == block["ts_ms"]
        assert earliest // 1_000_000 <= block["ts_ms"] <= time.time_ns() // 1_000_000
    assert event["source"]["ts_us"] <= event["ts_us"]


def test_the_sequence_is_the_commit_before_and_the_event(make_feed):
    events = make_feed(envelope="debezium").events(*ROWS)
    sequences = [json.loads(event["source"]["sequence"]) for event in events]
    assert [int(own) for _, own in sequences] == [event["source"]["lsn"] for event in events]
    commits = [int(before) for before, _ in sequences[1:]]
    for earlier, commit, later in zip(events, commits, events[1:]):
        assert earlier["source"]["lsn"] < commit <= later["source"]["lsn"]


def test_the_sequence_has_no_commit_before_the_first_one_seen(make_feed):
    (event,) = make_feed(envelope="debezium").events(ROWS[0])
    assert json.loads(event["source"]["sequence"]) == [None, str(event["source"]["lsn"])]


def test_the_position_can_be_added_to_debezium(make_feed):
    event, *_ = make_feed(envelope="debezium", position=True).events(*ROWS)
    assert list(event["source"]) == [*SOURCE, "commit_lsn", "index"]


def test_truncates_and_messages_are_left_out_of_debezium_unless_asked_for(make_feed):
    assert [event["op"] for event in make_feed(envelope="debezium").events(*EVERYTHING)] == ["c", "u", "d"]


@NEEDS_TRUNCATE
def test_a_truncate_in_debezium(make_feed):
    event = make_feed(**ALL).events(*EVERYTHING)[3]
    assert list(event) == VALUE
    assert (event["op"], event["before"], event["after"]) == ("t", None, None)
    assert event["source"]["table"] == "people"


@NEEDS_MESSAGES
def test_a_logical_message_in_debezium(make_feed):
    event = make_feed(**ALL).events(*EVERYTHING)[4]
    assert list(event) == MESSAGE
    assert list(event["source"]) == SOURCE
    assert (event["source"]["schema"], event["source"]["table"]) == ("", "")
    content = base64.b64encode(b"by Ann").decode()
    assert (event["op"], event["message"]) == ("m", {"prefix": "audit", "content": content})


CONTENTS = {"bytes": "+/8=", "base64": "+/8=", "base64-url-safe": "-_8=", "hex": "fbff"}


@NEEDS_MESSAGES
def test_the_content_of_a_message_follows_the_binary_mode(feeds_of, database):
    feeds = feeds_of({mode: {**ALL, "debezium": {"binary_handling_mode": mode}} for mode in CONTENTS})
    database.execute(r"SELECT pg_logical_emit_message(true, 'b', '\xfbff'::bytea)")
    assert {mode: event["message"]["content"] for mode, feed in feeds.items() for event in feed.events()} == CONTENTS


@NEEDS_MESSAGES
def test_a_message_outside_of_transactions_has_no_transaction_id(make_feed, database):
    feed = make_feed(**ALL, transactions=True)
    lsn = database.value("SELECT pg_logical_emit_message(false, 'beat', 'one')::text")
    message, *_ = feed.events(ROWS[0])
    assert message["op"] == "m"
    assert (message["source"]["txId"], message["transaction"]) == (None, None)
    assert message["source"]["lsn"] == number_of(lsn)


def test_the_origin_of_a_replayed_transaction_is_named(make_feed, database):
    feed = make_feed(envelope="debezium")
    database.execute("SELECT pg_replication_origin_create('elsewhere')")
    with database.transaction() as cursor:
        cursor.execute("SELECT pg_replication_origin_session_setup('elsewhere')")
        cursor.execute("SELECT pg_replication_origin_xact_setup('0/ABCD', now())")
        cursor.execute(ROWS[0])
    (event,) = feed.events()
    assert (event["source"]["origin"], event["source"]["origin_lsn"]) == ("elsewhere", 0xABCD)
    database.execute("SELECT pg_replication_origin_drop('elsewhere')")


def test_native_values_can_be_asked_for_in_debezium(make_feed, database):
    database.execute("CREATE TABLE days (day date, price numeric)")
    feed = make_feed(envelope="debezium", values="native")
    (event,) = feed.events("INSERT INTO days VALUES ('2024-02-29', 1.50)")
    assert event["after"] == {"day": "2024-02-29", "price": 1.5}


SCHEMA_TABLE = """
    CREATE TABLE things (
        id integer PRIMARY KEY, name text NOT NULL, price numeric(10, 2), amount numeric, day date, at timestamp,
        noon time(3), zoned timestamptz NOT NULL, span interval, raw bytea, flags bit(10), flag bit(1), tags text[],
        days date[], place point, kind mood, u uuid, j jsonb NOT NULL, cash money, small smallint, large bigint,
        ratio real, score double precision)
"""
THING = r"""
    INSERT INTO things VALUES (1, 'one', 1.5, 10.50, '2024-02-29', '2024-02-29 12:00:00.123456', '12:00:00.123',
        '2024-02-29 12:00+00', '1 day', '\x00ff', B'1000000001', B'1', '{a,NULL,"b c"}', '{2024-02-29}', '(1.5,-2)',
        'fine', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', 12.34, 3, 9007199254740993, 1.5, 'NaN')
"""


@pytest.fixture
def things(database):
    database.execute("CREATE TYPE mood AS ENUM ('fine', 'so so')", SCHEMA_TABLE)


def test_a_schema_stands_before_its_payload(make_feed):
    for event in make_feed(envelope="debezium-schema", skip=[], transactions=True).events(*EVERYTHING):
        assert list(event) == ["schema", "payload"]
        assert field_names(event["schema"]) == list(event["payload"])


def test_the_schemas_of_a_row_name_its_fields_and_columns(make_feed, things):
    (event,) = make_feed(envelope="debezium-schema").events(THING)
    value = fields(event["schema"])
    assert field_names(value["source"]) == SOURCE
    assert field_names(value["before"]) == field_names(value["after"]) == list(event["payload"]["after"])
    assert event["schema"]["name"] == "it.public.things.Envelope"
    assert value["after"]["name"] == "it.public.things.Value"


MODES = (
    {},
    {"decimal_handling_mode": "precise", "hstore_handling_mode": "map", "time_precision_mode": "connect"},
    {"decimal_handling_mode": "double", "interval_handling_mode": "string", "binary_handling_mode": "hex"},
    {"time_precision_mode": "isostring"},
    {"time_precision_mode": "nanoseconds"},
)


@NEEDS_MESSAGES
def test_a_payload_is_what_its_schema_says(feeds_of, database, things):
    schema = {"envelope": "debezium-schema", "skip": []}
    feeds = feeds_of({str(number): {**schema, "debezium": modes} for number, modes in enumerate(MODES)})
    database.execute(THING, *EVERYTHING)
    for feed in feeds.values():
        events = feed.events()
        assert len(events) == 1 + len(EVERYTHING)
        for event in events:
            check_fits(event["schema"], event["payload"])


@pytest.mark.parametrize("values", ["native", "text"])
def test_a_payload_of_other_values_is_what_its_schema_says(values, make_feed, things):
    (event,) = make_feed(envelope="debezium-schema", values=values).events(THING)
    check_fits(event["schema"], event["payload"])


def test_a_null_for_what_was_not_sent_is_what_its_schema_says(make_feed, things):
    """The schema of NOT NULL columns must leave room for the rows of deletes, of which only the key is sent."""
    *_, delete = make_feed(envelope="debezium-schema").events(THING, "DELETE FROM things")
    assert delete["payload"]["before"]["name"] is None
    check_fits(delete["schema"], delete["payload"])


@NEEDS_MESSAGES
def test_a_payload_of_transactions_is_what_its_schema_says(make_feed):
    events = make_feed(envelope="debezium-schema", skip=[], transactions=True, position=True).events(*EVERYTHING)
    assert len(events) == 3 * len(EVERYTHING)
    for event in events:
        check_fits(event["schema"], event["payload"])


def test_a_row_is_flat(make_feed, database):
    insert, update, delete = make_feed(envelope="row").events(*ROWS)
    meta = ["__op", "__db", "__schema", "__table", "__ts_ms", "__lsn", "__commit_lsn", "__index"]
    assert list(insert) == ["id", "name", "vip", *meta]
    assert list(update) == ["id", "name", "vip", *meta]
    assert list(delete) == ["id", *meta]
    assert [(row["__op"], row["__db"], row["__schema"], row["__table"]) for row in (insert, update, delete)] == [
        (op, database.name, "public", "people") for op in "cud"
    ]
    assert (insert["name"], update["name"], delete["id"]) == ("Ann", "Eve", 1)


def test_a_row_can_be_without_its_position(make_feed):
    insert, *_ = make_feed(envelope="row", position=False).events(*ROWS)
    assert list(insert)[-1] == "__lsn"


@NEEDS_MESSAGES
def test_what_is_no_row_has_only_its_description_in_row(make_feed):
    *_, truncate, message = make_feed(envelope="row").events(*EVERYTHING)
    assert (truncate["__op"], truncate["__table"], "id" in truncate) == ("t", "people", False)
    content = base64.b64encode(b"by Ann").decode()
    assert (message["__op"], message["__prefix"], message["__content"]) == ("m", "audit", content)


@NEEDS_MESSAGES
def test_operations_can_be_skipped_in_every_envelope(feeds_of, database):
    expected = {"cudtm": "", "c": "udtm", "tm": "cud"}
    feeds = feeds_of({skip: {"skip": list(skip)} for skip in expected})
    database.execute(*EVERYTHING)
    shown = {skip: "".join(event["message"]["op"] for event in feed.events()) for skip, feed in feeds.items()}
    assert shown == expected


def fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["field"]: field for field in schema["fields"]}


def field_names(schema: dict[str, Any]) -> list[str]:
    return [field["field"] for field in schema["fields"]]


PLAIN = {"boolean": bool, "int16": int, "int32": int, "int64": int, "float": float, "double": float, "string": str,
         "bytes": str}


def check_fits(schema: dict[str, Any], value: Any, path: str = "payload") -> None:
    """What Kafka Connect checks when it reads a value with its schema."""
    if value is None:
        assert schema["optional"], f"{path} is null, and its schema says it never is"
        return
    match schema["type"]:
        case "struct":
            assert isinstance(value, dict) and list(value) == field_names(schema), f"{path}: {value}"
            for field in schema["fields"]:
                check_fits(field, value[field["field"]], f"{path}.{field['field']}")
        case "array":
            assert isinstance(value, list), f"{path}: {value}"
            for number, element in enumerate(value):
                check_fits(schema["items"], element, f"{path}[{number}]")
        case "map":
            assert isinstance(value, dict), f"{path}: {value}"
            for key, element in value.items():
                check_fits(schema["values"], element, f"{path}[{key!r}]")
        case "float" | "double" if value in ("NaN", "Infinity", "-Infinity"):
            pass
        case plain:
            kind = PLAIN[plain]
            assert isinstance(value, kind) and (kind is bool) == isinstance(value, bool), f"{path}: {value!r} {schema}"
            if plain == "bytes":
                base64.b64decode(value, validate=True)
            if schema.get("name") == "io.debezium.data.Enum":
                assert f",{value}," in f",{schema['parameters']['allowed']},", f"{path}: {value!r} {schema}"

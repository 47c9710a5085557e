"""Databases in other encodings, and the one that lets bytes pass that are no text at all (output.invalid_utf8)."""

import json

import pytest
from configuration import configuration, entry
from database import Database
from encoded import TABLE
from feed import Feed
from incremental import Followed
from server_version import NEEDS_MESSAGES

# Encodings under their names in PostgreSQL and in Python, and a text that each can hold.
ENCODINGS = {
    "LATIN1": ("latin-1", "Größe\x85ÿ¤"),
    "LATIN9": ("iso8859-15", "100 € für Žižka"),
    "EUC_JP": ("euc_jp", "漢字とかな"),
    "WIN1251": ("cp1251", "Привет «мир»"),
}

# Bytes and what is printed of them: U+FFFD for each longest piece that is no character, as Unicode recommends.
INVALID = {
    "a lone byte": (b"a\xffb", "a\ufffdb"),
    "a character cut short": (b"a\xc3", "a\ufffd"),
    "a character cut short before a letter": (b"\xe2\x82b", "\ufffdb"),
    "an overlong slash": (b"\xc0\xaf", "\ufffd\ufffd"),
    "a surrogate": (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    "beyond the last code point": (b"\xf4\x90\x80\x80", "\ufffd" * 4),
    "four bytes cut after three": (b"\xf0\x9f\x90!", "\ufffd!"),
    "a continuation alone": (b"\x80\x80", "\ufffd\ufffd"),
    "LATIN1": ("Größe".encode("latin-1"), "Gr\ufffd\ufffde"),
    "valid": ("Größe 🐘".encode(), "Größe 🐘"),
    "beside a quote": (b'"\xff"\\', '"\ufffd"\\'),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_database_in_another_encoding_prints_utf8(encoding, make_encoded, walcat):
    database = make_encoded(encoding)
    feed = Feed(walcat, database)
    python_name, text = ENCODINGS[encoding]
    database.insert(1, text.encode(python_name))
    (event,) = feed.events()
    assert event["message"]["after"]["note"] == text


def test_what_is_no_text_is_replaced_and_counted(make_encoded, walcat):
    database = make_encoded()
    feed = Feed(walcat, database)
    for number, (note, _) in enumerate(INVALID.values()):
        database.insert(number, note)
    run = walcat.catch_up(feed.config)
    for (name, (note, expected)), record in zip(INVALID.items(), feed.records(run), strict=True):
        assert json.loads(record)["message"]["after"]["note"] == expected, name
        assert expected == note.decode("utf-8", "replace"), "not as Unicode recommends"
    assert f"values that were no UTF-8: {len(INVALID) - 1}" in run.log()
    assert run.log().count("replaced what is no UTF-8 in ") == 1, run.log()


def test_what_a_server_says_of_its_encoding_is_not_relied_on(make_encoded, walcat):
    """A database in SQL_ASCII that was made UTF8 in the catalog, as some do; a snapshot, inserts, old and new rows."""
    database = make_encoded()
    database.execute(TABLE.replace(" t ", " old "))
    for number, (note, _) in enumerate(INVALID.values()):
        text = f"convert_from('\\x{note.hex()}', 'SQL_ASCII')"
        database.execute(f"INSERT INTO old VALUES ({number}, {text}, repeat('x', 200))")
    database.execute("UPDATE pg_database SET encoding = 6 WHERE datname = current_database()")
    database.disconnect()
    feed = Feed(walcat, database, {"key": "text", "framing": "key-value"}, {"key_columns": {"public.old": ["note"]}},
                snapshot={"mode": "initial"})
    database.execute("INSERT INTO t SELECT * FROM old", "ALTER TABLE t REPLICA IDENTITY FULL",
                     "UPDATE t SET more = note")
    run = walcat.catch_up(feed.config)
    printed = [record.split("\t") for record in feed.records(feed.first) + feed.records(run)]
    wanted = [text for _, text in INVALID.values()]
    rows = [json.loads(value)["message"] for _, value in printed]
    assert [row["after"]["note"] for row in rows] == 3 * wanted
    assert [row["after"]["more"] for row in rows][-len(wanted):] == wanted
    assert all("\ufffd" in key for (key, _), text in zip(printed, wanted) if "\ufffd" in text)


def test_it_is_replaced_in_old_rows_keys_and_hidden_columns_too(make_encoded, walcat):
    database = make_encoded()
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    feed = Feed(walcat, database, {"framing": "key-value", "key": "text", "tombstones": True},
                {"key_columns": {"public.t": ["note"]}, "truncate_columns": [{"columns": r".*\.more", "length": 2}]})
    database.insert(1, b"a\xffb")
    database.execute("UPDATE t SET more = note || note", "DELETE FROM t")
    insert, update, delete, tombstone = [record.split("\t") for record in feed.rest()]
    assert [record[0] for record in (insert, update, delete, tombstone)] == ["a\ufffdb"] * 4
    assert json.loads(update[1])["message"]["after"]["more"] == "a\ufffd"
    assert json.loads(delete[1])["message"]["before"]["note"] == "a\ufffdb"


def test_arrays_and_other_values_made_of_text_are_replaced_too(make_encoded, walcat):
    database = make_encoded()
    database.execute("ALTER TABLE t ADD COLUMN tags text[]")
    feed = Feed(walcat, database, {"envelope": "debezium"})
    database.insert(1, b'"\xff"')
    database.execute("UPDATE t SET tags = ARRAY[note, NULL, note || ',']")
    _, update = feed.events()
    assert update["after"]["tags"] == ['"\ufffd"', None, '"\ufffd",']


def test_the_names_of_tables_and_columns_are_replaced_too(make_encoded, walcat):
    database = make_encoded()
    name = "convert_from('\\x61ff62', 'SQL_ASCII')"
    create = "DO $$ BEGIN EXECUTE format('CREATE TABLE %I (%I integer)', {0}, {0}); END $$".format(name)
    insert = "DO $$ BEGIN EXECUTE format('INSERT INTO %I VALUES (1)', {0}); END $$".format(name)
    (event,) = Feed(walcat, database).events(create, insert)
    assert (event["message"]["source"]["table"], event["message"]["after"]) == ("a\ufffdb", {"a\ufffdb": 1})


@NEEDS_MESSAGES
def test_the_contents_of_a_message_are_bytes_and_stay_as_they_are(make_encoded, walcat):
    feed = Feed(walcat, make_encoded())
    message, = feed.events(r"SELECT pg_logical_emit_message(true, 'b', '\xff00fe'::bytea)")
    assert message["message"]["message"]["content"] == "/wD+"


def waiting_inserts(database: Database) -> int:
    """Inserts that the slot still holds for its reader."""
    return database.value(
        "SELECT count(*) FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1',"
        " 'publication_names', %s) WHERE get_byte(data, 0) = ascii('I')",
        (database.slot_name, f"pub_{database.name}"),
    )


@pytest.fixture
def refusing(make_encoded, walcat):
    database = make_encoded()
    return database, Feed(walcat, database, {"invalid_utf8": "refuse"})


def test_refused_it_stops_the_database_and_names_relation_and_column(refusing, walcat):
    database, feed = refusing
    database.insert(1, b"fine")
    database.insert(2, b"a\xff")
    database.insert(3, b"fine again")
    run = walcat.run(feed.config, "--until-caught-up", status=69)
    assert [json.loads(record)["message"]["after"]["id"] for record in feed.records(run)] == [1]
    errors = [line for line in run.log().splitlines() if "UTF-8" in line]
    assert len(errors) == 1, run.log()
    (error,) = errors
    assert "public.t" in error and "note" in error and database.name in error
    assert waiting_inserts(database) == 2, "the refused change is confirmed"


def test_refused_it_is_met_again_until_it_is_accepted(refusing, walcat):
    database, feed = refusing
    database.insert(1, b"fine")
    database.insert(2, b"a\xff")
    walcat.run(feed.config, "--until-caught-up", status=69)
    again = walcat.run(feed.config, "--until-caught-up", status=69)
    assert feed.records(again) == []
    feed.config["output"]["invalid_utf8"] = "replace"
    (event,) = feed.events()
    assert event["message"]["after"] == {"id": 2, "note": "a\ufffd", "more": None}


def test_refused_inside_a_transaction_what_stands_before_it_is_printed_once(refusing, walcat):
    database, feed = refusing
    database.execute(
        "DO $$ BEGIN INSERT INTO t VALUES (1), (2); INSERT INTO t VALUES (3, convert_from('\\xff', 'SQL_ASCII'));"
        " INSERT INTO t VALUES (4); END $$"
    )
    first = walcat.run(feed.config, "--until-caught-up", status=69)
    feed.config["output"]["invalid_utf8"] = "replace"
    printed = feed.parsed([*feed.records(first), *feed.rest()])
    assert [event["message"]["after"]["id"] for event in printed] == [1, 2, 3, 4]


def test_refused_it_stops_no_other_database(refusing, make_database, walcat):
    database, feed = refusing
    other = make_database()
    other.execute(TABLE)
    both = configuration(*feed.config["databases"], entry(other), output=feed.config["output"])
    run = walcat.start(both)
    run.wait_for(lambda: database.slot_reader() and other.slot_reader(), "both slots are streamed")
    database.insert(1, b"\xff")
    run.wait_for_log("UTF-8")
    other.execute("INSERT INTO t VALUES (1)")
    (line,) = run.wait_for_lines(1)
    assert line.source["db"] == other.name
    run.stop()


@NEEDS_MESSAGES
def test_rows_of_a_chunk_that_was_refused_come_in_the_next_run(make_encoded, walcat):
    """A chunk of which not every row was printed has not been read."""
    database = make_encoded()
    for number in range(1, 6):
        database.insert(number, b"\xff" if number == 3 else b"good")
    followed = Followed(walcat, database, output={"values": "text", "invalid_utf8": "refuse"})
    asker = followed.begin("--tables", "public.t")
    assert followed.run.wait_exit() == 69
    assert "invalid_utf8" in followed.run.log()
    followed.config["output"]["invalid_utf8"] = "replace"
    followed.start()
    followed.end(asker)
    # Whoever asked is told when the last row is on its way.
    followed.run.wait_for(lambda: set(followed.ids()) == {1, 2, 3, 4, 5}, "all rows are printed")


def test_rows_of_a_snapshot_that_was_refused_come_in_the_next_run(make_encoded, walcat):
    database = make_encoded()
    for number in range(1, 6):
        database.insert(number, b"\xff" if number == 3 else b"good")
    config = configuration(entry(database), snapshot={"mode": "initial"}, output={"invalid_utf8": "refuse"})
    first = walcat.run(config, "--until-caught-up", status=69)
    config["output"]["invalid_utf8"] = "replace"
    second = walcat.catch_up(config)
    assert {line.after["id"] for line in [*first.lines(), *second.lines()]} == {1, 2, 3, 4, 5}

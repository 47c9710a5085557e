"""Columns named like the members that the row envelope puts beside them, and topics that several tables would share."""

import json

import pytest
from configuration import configuration, entry
from feed import Feed

TOPIC = {"envelope": "debezium", "framing": "topic-key-value"}


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a name stands twice: {[name for name, _ in pairs]}"
    return found


def test_a_column_named_like_a_member_of_the_row_envelope_is_printed_under_another_name(walcat, database):
    columns = ["__op", "__table", "__index", "__index_", "__content", "__OP"]
    database.execute("CREATE TABLE t ({}, id integer PRIMARY KEY)".format(
        ", ".join(f'"{column}" text' for column in columns)))
    feed = Feed(walcat, database, {"envelope": "row", "framing": "key-value"}, {"key_columns": {"public.t": ["__op"]}})
    database.execute("INSERT INTO t VALUES ('a', 'b', 'c', 'd', 'e', 'f', 1)")
    run = walcat.catch_up(feed.config)
    (record,) = feed.records(run)
    key, value = record.split("\t")
    row = json.loads(value, object_pairs_hook=unique)
    assert json.loads(key) == {"__op_": "a"}
    assert {name: row[name] for name in ("__op_", "__table_", "__index__", "__index_", "__content_", "__OP", "id")} == {
        "__op_": "a", "__table_": "b", "__index__": "c", "__index_": "d", "__content_": "e", "__OP": "f", "id": 1}
    assert (row["__op"], row["__table"]) == ("c", "t")
    told = [line for line in run.log().splitlines() if "is printed as" in line]
    assert len(told) == 4 and "public.t: column __op is printed as __op_" in told[0], run.log()


def test_columns_that_differ_in_what_is_no_utf8_alone_stay_two(make_encoded, walcat):
    database = make_encoded()
    feed = Feed(walcat, database, {"framing": "key-value"})
    database.execute(
        r"""DO $$ BEGIN EXECUTE format('CREATE TABLE two (%I integer, %I integer PRIMARY KEY)',
            convert_from('\x61ff', 'SQL_ASCII'), convert_from('\x61fe', 'SQL_ASCII')); END $$""",
        "INSERT INTO two VALUES (1, 2)")
    (record,) = feed.rest()
    key, value = record.split("\t")
    row = json.loads(value, object_pairs_hook=unique)["message"]["after"]
    assert sorted(row.values()) == [1, 2]
    assert [row[name] for name in json.loads(key)] == [2]


# Tables, `output.topic`, and words of the refusal; none: it starts.
TOPICS = {
    "what Kafka does not allow": (['"a""b"', '"a|b"'], None, ['it.public.a_b', '"a"b"', '"a|b"']),
    "dots of names": (['x."y.z"', '"x.y".z'], None, ["it.x.y.z", '"x"."y.z"', '"x.y"."z"']),
    "too long a name": (['"' + "t" * 60 + '"'], "{table}" + "x" * 200, ["249", "t" * 60]),
    "the topic of messages": (["message"], "{connector}.{table}", ["it.message", "logical messages"]),
    "one topic for all": (['"a""b"', '"a|b"'], "{connector}.all", []),
    "case is told apart": (["tt", '"TT"'], None, []),
}


@pytest.mark.parametrize("name", TOPICS)
def test_two_tables_that_would_share_a_topic_are_refused_at_start(name, walcat, database):
    tables, topic, words = TOPICS[name]
    database.execute("CREATE SCHEMA x", 'CREATE SCHEMA "x.y"',
                     *(f"CREATE TABLE {table} (id int PRIMARY KEY)" for table in tables))
    output = {**TOPIC, "skip": [], **({"topic": topic} if topic else {})}
    config = configuration(entry(database), output=output)
    run = walcat.run(config, "--until-caught-up", status=69 if words else 0)
    assert all(word in run.log() for word in words), run.log()
    assert database.slot() is None or not words, "the slot was made first"


def test_an_excluded_table_shares_no_topic_and_a_later_one_is_told_of_once(walcat, database):
    database.execute('CREATE TABLE "a|b" (id int PRIMARY KEY)', 'CREATE TABLE "a""b" (id int PRIMARY KEY)')
    feed = Feed(walcat, database, TOPIC, {"exclude_tables": [r'public\.a"b']})
    run = walcat.start(feed.config)
    run.wait_for_log("streaming")
    database.execute('INSERT INTO "a|b" VALUES (1)', 'CREATE TABLE "a b" (id int PRIMARY KEY)',
                     'INSERT INTO "a b" VALUES (1)', 'ANALYZE "a b"', 'INSERT INTO "a b" VALUES (2)')
    run.wait_for(lambda: run.output.count() >= 3, "three records")
    run.stop()
    told = [line for line in run.log().splitlines() if "it.public.a_b" in line]
    assert len(told) == 1 and "error" in told[0] and '"a b"' in told[0], run.log()


def test_tables_of_two_databases_that_share_a_topic_are_told_of(walcat, make_database):
    one, two = make_database(), make_database()
    for database in (one, two):
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    for topic, is_told in (({}, True), ({"topic": "{database}.{table}"}, False)):
        run = walcat.catch_up(configuration(entry(one), entry(two), output={**TOPIC, **topic}))
        assert ("it.public.t holds the records of" in run.log()) == is_told

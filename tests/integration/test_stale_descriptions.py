"""What the catalog said of a table when it was described, and is true no longer: each value fits the schema beside it."""

import json

from configuration import configuration, entry
from feed import Feed
from test_envelopes import check_fits

OUTPUT = {"envelope": "debezium-schema", "key": "json", "framing": "key-value"}
TABLES = ("CREATE TYPE mood AS ENUM ('a', 'b')", "CREATE DOMAIN feeling AS mood",
          "CREATE TABLE t (id mood PRIMARY KEY, plain mood, many mood[], tamed feeling, note text)",
          "ALTER TABLE t REPLICA IDENTITY FULL")
# Labels that come and change while the table is streamed, without a word of it in the stream.
STATEMENTS = (
    "INSERT INTO t VALUES ('a', 'b', '{a,b}', 'a', 'x')",
    "ALTER TYPE mood ADD VALUE 'c' BEFORE 'b'",
    "UPDATE t SET plain = 'c'",
    "ALTER TYPE mood ADD VALUE 'd, \"e\"'",
    "UPDATE t SET many = ARRAY['d, \"e\"', NULL]::mood[]",
    "ALTER TYPE mood RENAME VALUE 'a' TO 'z'",
    "INSERT INTO t VALUES ('d, \"e\"', 'z', '{z}', 'z', 'y')",
    "DELETE FROM t",
)


def check(feed, run):
    documents = [json.loads(text) for record in feed.records(run) for text in record.split("\t")]
    for document in documents:
        check_fits(document["schema"], document["payload"])
    return documents


def test_labels_that_an_enum_has_gained_are_allowed(walcat, database):
    database.execute(*TABLES)
    feed = Feed(walcat, database, OUTPUT)
    run = walcat.start(feed.config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    written = 0
    for statement in STATEMENTS:
        database.execute(statement)
        if not statement.startswith("ALTER"):
            written += 2 if statement.startswith("DELETE") else 1
            run.wait_for(lambda: run.output.count() >= written, "it is printed")
    run.stop()
    documents = check(feed, run)
    assert len(documents) == 2 * written
    # What was allowed stays so, and new labels come behind it.
    plain = documents[3]["schema"]["fields"][1]["fields"][1]
    assert plain["parameters"]["allowed"] == "a,b,c"


def test_columns_that_were_null_before_they_were_forbidden_to_be_may_be_so(walcat, database):
    database.execute("CREATE TABLE n (id integer PRIMARY KEY, v integer)", "ALTER TABLE n REPLICA IDENTITY FULL")
    feed = Feed(walcat, database, OUTPUT)
    database.execute("INSERT INTO n VALUES (1, NULL)", "UPDATE n SET v = 1", "ALTER TABLE n ALTER v SET NOT NULL",
                     "UPDATE n SET v = 2", "ALTER TABLE n ALTER v DROP NOT NULL", "UPDATE n SET v = NULL",
                     "UPDATE n SET v = 3", "ALTER TABLE n ALTER v SET NOT NULL")
    documents = check(feed, walcat.catch_up(feed.config))
    assert len(documents) == 2 * 5


HIDDEN_KEYS = {
    "mask": ({"mask_columns": [{"columns": r"public\.k\.email"}]}, "masked (mask_columns"),
    "truncate": ({"truncate_columns": [{"columns": r"public\.k\.email", "length": 1}]}, "truncated (truncate_columns"),
    "exclude": ({"exclude_columns": [r"public\.k\.email"]}, "left out (exclude_columns"),
    "hash": ({"hash_columns": [{"columns": r"public\.k\.email", "salt": "s"}]}, None),
}


def test_a_key_that_is_hidden_is_told_at_start(walcat, database):
    database.execute("CREATE TABLE k (email text PRIMARY KEY, email2 text)")
    for rule, (selection, told) in HIDDEN_KEYS.items():
        for output in ({"framing": "key-value", "key": "json"}, {}):
            keys = {**selection, "slot_name": f"{database.slot_name}_{rule}_{len(output)}"}
            log = walcat.catch_up(configuration(entry(database, **keys), output=output)).log()
            warnings = [line for line in log.splitlines() if "part of the key" in line]
            assert len(warnings) == (1 if told and output else 0), log
            assert all("public.k: the column email" in line and told in line for line in warnings), log


def test_and_when_a_key_is_changed_to_a_hidden_column(walcat, database):
    database.execute("CREATE TABLE k (id integer PRIMARY KEY, email text NOT NULL)")
    selection = {"mask_columns": [{"columns": r".*\.email"}]}
    run = walcat.start(configuration(entry(database, **selection), output={"framing": "key-value", "key": "json"}))
    run.wait_for(database.slot_reader, "the slot is streamed")
    assert "part of the key" not in run.log()
    database.execute("ALTER TABLE k DROP CONSTRAINT k_pkey, ADD PRIMARY KEY (email)", "INSERT INTO k VALUES (1, 'x')")
    run.wait_for_log("public.k: the column email is part of the key")
    run.stop()

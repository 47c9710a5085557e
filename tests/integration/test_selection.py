"""What is printed of a database, chosen by patterns over its tables and columns."""

import hashlib
from typing import Any

import pytest
from configuration import configuration, entry
from feed import Feed
from server_version import needs

PEOPLE = """CREATE TABLE people (id integer PRIMARY KEY, name text, email varchar(200), born date, salary numeric,
            secret bytea)"""
ANN = r"INSERT INTO people VALUES (1, 'Ann', 'ann@example.org', '1990-02-28', 100.50, '\xff00')"
NOBODY = "INSERT INTO people (id) VALUES (2)"


@pytest.fixture(autouse=True)
def tables(database):
    database.execute(PEOPLE, "CREATE TABLE orders (id integer PRIMARY KEY, note text)", 'CREATE SCHEMA "Sales"',
                     'CREATE TABLE "Sales".orders (id integer PRIMARY KEY, note text)')


@pytest.fixture
def rows_of(walcat, database):
    """The rows that statements print after them, under the keys of the selection."""

    def run(*statements: str, **selection: Any) -> list[dict[str, Any]]:
        return [event["message"]["after"] for event in Feed(walcat, database, {}, selection).events(*statements)]

    return run


@pytest.fixture
def tables_of(walcat, database):
    """The tables of which lines are printed when each is written to."""

    def run(**selection: Any) -> list[str]:
        feed = Feed(walcat, database, {}, selection)
        sources = [event["message"]["source"] for event in feed.events(
            ANN, "INSERT INTO orders VALUES (1)", 'INSERT INTO "Sales".orders VALUES (1)'
        )]
        return [f"{source['schema']}.{source['table']}" for source in sources]

    return run


TABLES = {
    "one by its name": ({"include_tables": [r"public\.orders"]}, ["public.orders"]),
    "a schema": ({"include_tables": [r"public\..*"]}, ["public.people", "public.orders"]),
    "any of several": ({"include_tables": [r"public\.people", r"Sales\..*"]}, ["public.people", "Sales.orders"]),
    "all but one": ({"exclude_tables": [r".*\.people"]}, ["public.orders", "Sales.orders"]),
    "exclusion before inclusion": (
        {"include_tables": [r".*\.orders"], "exclude_tables": [r"public\..*"]}, ["Sales.orders"],
    ),
    "names with their case": ({"include_tables": [r"(?i)sales\.ORDERS"]}, ["Sales.orders"]),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_chosen(name, tables_of):
    selection, expected = TABLES[name]
    assert tables_of(**selection) == expected


def test_a_table_made_in_mid_stream_is_chosen_by_the_same_patterns(walcat, database):
    database.execute("CREATE TABLE hidden_zero (id integer)")
    feed = Feed(walcat, database, {}, {"exclude_tables": [r"public\.(people|hidden_.*)"]})
    events = feed.events("CREATE TABLE hidden_one (id integer)", "INSERT INTO hidden_one VALUES (1)",
                         "CREATE TABLE open_one (id integer)", "INSERT INTO open_one VALUES (1)",
                         "ALTER TABLE open_one RENAME TO hidden_two", "INSERT INTO hidden_two VALUES (1)",
                         "ALTER TABLE hidden_two RENAME TO open_one", "INSERT INTO open_one VALUES (2)")
    assert [event["message"]["source"]["table"] for event in events] == ["open_one", "open_one"]


def test_excluded_columns_are_not_there(rows_of):
    assert rows_of(ANN, exclude_columns=[r".*\.(secret|salary|born)"]) == [
        {"id": 1, "name": "Ann", "email": "ann@example.org"}
    ]


def test_only_included_columns_are_there(rows_of):
    (row,) = rows_of(ANN, include_columns=[r"public\.people\.(id|name)", r".*\.note"])
    assert row == {"id": 1, "name": "Ann"}


def test_of_a_table_without_an_included_column_empty_rows_are_left(rows_of):
    assert rows_of("INSERT INTO orders VALUES (1)", include_columns=[r"public\.people\..*"]) == [{}]


def test_excluded_columns_are_not_in_old_rows_either(walcat, database):
    database.execute("ALTER TABLE people REPLICA IDENTITY FULL")
    feed = Feed(walcat, database, {}, {"exclude_columns": [r".*\.(id|secret)"]})
    feed.after(ANN)
    texts = feed.after("UPDATE people SET name = 'Eve'", "DELETE FROM people")
    for text in texts:
        assert '"id"' not in text and "secret" not in text and "ff00" not in text


def test_masked_columns_show_a_fixed_text_whatever_their_type(rows_of):
    masks = [{"columns": r".*\.(salary|born)", "with": "?"}, {"columns": r"public\.people\.n.*"},
             {"columns": r".*\.email", "with": 'a "quoted" one'}]
    ann, nobody = rows_of(ANN, NOBODY, mask_columns=masks)
    assert ann == {"id": 1, "name": "***", "email": 'a "quoted" one', "born": "?", "salary": "?", "secret": r"\xff00"}
    assert nobody == {"id": 2, "name": None, "email": None, "born": None, "salary": None, "secret": None}


def test_old_rows_are_masked_too(walcat, database):
    database.execute("ALTER TABLE people REPLICA IDENTITY FULL")
    feed = Feed(walcat, database, {}, {"mask_columns": [{"columns": r".*\.name"}]})
    events = feed.events(ANN, "UPDATE people SET id = 2", "DELETE FROM people")
    assert [event["message"]["before"]["name"] for event in events[1:]] == ["***", "***"]


LONG = {
    "cut": ("abcdef", "abc"),
    "short enough": ("abc", "abc"),
    "empty": ("", ""),
    "two bytes a letter": ("äöüß", "äöü"),
    "three bytes a letter": ("漢字漢字", "漢字漢"),
    "four bytes a letter": ("🐘🐘🐘🐘", "🐘🐘🐘"),
    "mixed": ("a🐘漢ß", "a🐘漢"),
    "control characters": ("\t\n\x01x", "\t\n\x01"),
}


def test_truncated_columns_keep_so_many_characters(walcat, database):
    feed = Feed(walcat, database, {}, {"truncate_columns": [{"columns": r".*\.note", "length": 3},
                                                            {"columns": r".*\.name", "length": 0}]})
    for number, (text, _) in enumerate(LONG.values()):
        database.rows("INSERT INTO orders VALUES (%s, %s) RETURNING id", (number, text))
    for (name, (_, expected)), event in zip(LONG.items(), feed.events()):
        assert event["message"]["after"]["note"] == expected, name
    assert [event["message"]["after"]["name"] for event in feed.events(ANN, NOBODY)] == ["", None]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
@needs(11, "sha256()")
def test_hashed_columns_show_the_digest_of_salt_and_text(algorithm, walcat, database):
    salt = "a salt of ß and 🐘"
    feed = Feed(walcat, database, {}, {"hash_columns": [
        {"columns": r".*\.people\.(name|email|salary|born)", "algorithm": algorithm, "salt": salt},
    ]})
    ann, nobody = [event["message"]["after"] for event in feed.events(ANN, NOBODY)]
    for column in ("name", "email", "salary", "born"):
        # What the server makes of it, and what everybody else does.
        text = database.value(f"SELECT {column}::text FROM people WHERE id = 1")
        salted = "convert_to(%s || %s, 'UTF8')"
        function = f"md5({salted})" if algorithm == "md5" else f"encode({algorithm}({salted}), 'hex')"
        assert ann[column] == database.value(f"SELECT {function}", (salt, text))
        assert ann[column] == hashlib.new(algorithm, (salt + text).encode()).hexdigest()
        assert nobody[column] is None


def test_the_rule_that_shows_least_wins(rows_of):
    everything = r"public\.people\.(name|email|born)"
    (row,) = rows_of(
        ANN,
        truncate_columns=[{"columns": everything, "length": 1}],
        hash_columns=[{"columns": r".*\.(name|email)", "algorithm": "md5", "salt": "s"}],
        mask_columns=[{"columns": r".*\.name", "with": "first"}, {"columns": r".*\.name", "with": "second"}],
    )
    assert (row["name"], row["email"], row["born"]) == ("first", hashlib.md5(b"sann@example.org").hexdigest(), "1")


HIDING = {
    "mask": {"mask_columns": [{"columns": r".*\.email"}]},
    "hash": {"hash_columns": [{"columns": r".*\.email", "algorithm": "md5", "salt": "s"}]},
    "truncate": {"truncate_columns": [{"columns": r".*\.email", "length": 1}]},
    "exclude": {"exclude_columns": [r".*\.email"]},
}


@pytest.mark.parametrize("key", ["json", "text"])
def test_what_is_hidden_is_in_no_key_either(key, walcat, database):
    output = {"framing": "key-value", "key": key, "tombstones": True, "key_changes": "split"}
    database.execute("CREATE TABLE users (email text PRIMARY KEY, hits integer)",
                     "CREATE TABLE pairs (email text, n integer, PRIMARY KEY (email, n))")
    feeds = {
        rule: Feed(walcat, database, output, {**selection, "slot_name": f"{database.slot_name}_{rule}"})
        for rule, selection in HIDING.items()
    }
    for table in ("users", "pairs"):
        database.execute(f"INSERT INTO {table} VALUES ('hush@example.org', 1)",
                         f"UPDATE {table} SET email = 'hush@example.com'", f"DELETE FROM {table}")
    leaks = {rule: [record for record in feed.rest() if "hush" in record] for rule, feed in feeds.items()}
    assert not any(leaks.values()), "\n".join(f"{rule}: {records[0]}" for rule, records in leaks.items() if records)


def test_unchanged_large_values_are_hidden_too(walcat, database):
    database.execute("ALTER TABLE people ALTER COLUMN name SET STORAGE EXTERNAL")
    feed = Feed(walcat, database, {}, {"mask_columns": [{"columns": r".*\.name"}]})
    feed.after(f"INSERT INTO people VALUES (1, '{'x' * 10_000}')")
    (event,) = feed.events("UPDATE people SET salary = 1")
    assert event["message"]["after"]["name"] == "***"


def test_updates_that_change_nothing_are_skipped_on_request(walcat, database):
    database.execute("ALTER TABLE people REPLICA IDENTITY FULL",
                     "ALTER TABLE people ALTER COLUMN name SET STORAGE EXTERNAL")
    feed = Feed(walcat, database, {}, {"skip_unchanged": True, "exclude_columns": [r".*\.secret"]})
    feed.after(f"INSERT INTO people VALUES (1, '{'x' * 10_000}', NULL, NULL, 100.50, NULL)")
    events = feed.events(
        "UPDATE people SET id = 1, salary = 100.50",
        r"UPDATE people SET secret = '\xee'",
        "UPDATE people SET salary = 100.5",
        "UPDATE people SET email = ''",
        "UPDATE people SET email = NULL",
        "UPDATE people SET id = 1",
    )
    assert [(event["message"]["after"]["salary"], event["message"]["after"]["email"]) for event in events] == [
        (100.5, None), (100.5, ""), (100.5, None),
    ]


def test_without_the_request_they_are_printed(rows_of, database):
    database.execute("ALTER TABLE people REPLICA IDENTITY FULL")
    assert len(rows_of(ANN, "UPDATE people SET id = 1")) == 2


def test_nothing_is_skipped_where_the_old_row_is_not_known(rows_of):
    assert len(rows_of(ANN, "UPDATE people SET id = 1", skip_unchanged=True)) == 2


def test_positions_do_not_depend_on_what_is_chosen(walcat, database):
    """So a consumer may change its mind and still tell a repeat."""
    feeds = {
        chosen: Feed(walcat, database, {}, {"slot_name": f"{database.slot_name}_{chosen}", "include_tables": [pattern]})
        for chosen, pattern in (("all", ".*"), ("orders", r"public\.orders"))
    }
    database.execute(
        "DO $$ BEGIN INSERT INTO people (id) VALUES (1), (2); INSERT INTO orders VALUES (1);"
        " UPDATE people SET name = 'x'; INSERT INTO orders VALUES (2); END $$"
    )
    positions = {
        chosen: [
            (event["message"]["source"]["commit_lsn"], event["message"]["source"]["index"])
            for event in feed.events() if event["message"]["source"]["table"] == "orders"
        ]
        for chosen, feed in feeds.items()
    }
    assert len(positions["all"]) == 2
    assert positions["all"] == positions["orders"]


IDLE = {
    "include_tables": {"include_tables": [r"public\..*", r"public\.ordrs"]},
    "exclude_tables": {"exclude_tables": [r"ordrs"]},
    "include_columns": {"include_columns": [r".*", r"public\.people\.ordrs"]},
    "exclude_columns": {"exclude_columns": [r"public\.ordrs\.id"]},
    "mask_columns": {"mask_columns": [{"columns": "ordrs"}]},
    "truncate_columns": {"truncate_columns": [{"columns": "ordrs", "length": 1}]},
    "hash_columns": {"hash_columns": [{"columns": "ordrs", "algorithm": "md5", "salt": "s"}]},
    "key_columns": {"key_columns": {"public.ordrs": ["id"]}},
}


def test_what_matches_nothing_is_an_error_at_start_that_names_it(walcat, database):
    for key, selection in IDLE.items():
        run = walcat.run(configuration(entry(database, **selection)), "--until-caught-up", status=69)
        errors = [line for line in run.log().splitlines() if "ordrs" in line]
        assert len(errors) == 1 and key in errors[0], run.log()
        assert run.output.texts() == []


def test_a_table_that_is_not_published_matches_nothing(walcat, database):
    config = configuration(entry(database, "public.people", include_tables=[r"public\.orders"]))
    run = walcat.run(config, "--until-caught-up", status=69)
    assert "orders" in run.log()


def test_a_pattern_that_is_none_is_a_fault_of_the_configuration(walcat, database):
    run = walcat.run(configuration(entry(database, exclude_tables=["public.(orders"])), status=78)
    assert "exclude_tables" in run.log() and "public.(orders" in run.log()

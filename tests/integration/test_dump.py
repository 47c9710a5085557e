"""`walcat snapshot`: rows printed once, without a slot."""

import json

import pytest
from configuration import configuration, entry, follow_all


@pytest.fixture
def filled(database):
    database.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
        "INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 5) AS n",
        "CREATE TABLE items (id integer)",
        "INSERT INTO items VALUES (7)",
    )
    return database


@pytest.fixture
def dump(filled, walcat):
    def run(*arguments, config=None, status=0):
        made = walcat.command("snapshot", "-c", str(walcat.write(config or follow_all(filled))), *arguments)
        assert made.wait_exit() == status, made.describe()
        return made

    return run


def rows(run, table):
    return sorted(line.after["id"] for line in run.lines() if line.source["table"] == table)


def test_listed_tables_are_printed_and_nothing_is_left_behind(filled, walcat, dump):
    run = dump("--tables", "public.orders,public.items")
    assert {line.op for line in run.lines()} == {"r"}
    assert (rows(run, "orders"), rows(run, "items")) == ([1, 2, 3, 4, 5], [7])
    assert filled.slot() is None
    assert filled.rows("SELECT 1 FROM pg_publication") == []
    assert list(walcat.folder.glob("offset*")) == []


def test_a_condition_chooses_rows(dump):
    assert rows(dump("--tables", "public.orders", "--where", "id = 1 OR id = 4"), "orders") == [1, 4]


def test_a_condition_that_is_wrong_names_the_table(dump):
    log = dump("--tables", "public.orders", "--where", "nothing = 1", status=69).log()
    assert "public.orders" in log and "nothing" in log


def test_without_tables_it_is_what_the_publication_publishes(filled, dump):
    filled.execute(f"CREATE PUBLICATION pub_{filled.name} FOR TABLE items")
    run = dump()
    assert (rows(run, "orders"), rows(run, "items")) == ([], [7])


def test_tables_agree_with_each_other(filled, walcat, dump):
    """Every transaction moves a unit from one table to the other: at each moment their sum is the same."""
    filled.execute("CREATE TABLE a (id integer PRIMARY KEY, n integer)", "INSERT INTO a SELECT i, 0 FROM generate_series(1, 400) i",
                   "CREATE TABLE b (id integer PRIMARY KEY, n integer)", "INSERT INTO b SELECT i, 0 FROM generate_series(1, 400) i")
    config = follow_all(filled, snapshot={"workers": 2})
    for _ in range(3):
        made = walcat.command("snapshot", "-c", str(walcat.write(config)), "--tables", "public.a,public.b")
        while made.process.poll() is None:
            filled.execute("DO $$ BEGIN UPDATE a SET n = n + 1; UPDATE b SET n = n - 1; END $$")
        assert made.wait_exit() == 0, made.describe()
        assert len(made.lines()) == 800
        assert sum(line.after["n"] for line in made.lines()) == 0


def test_a_stream_knows_nothing_of_it(filled, walcat, dump):
    stream = walcat.start(follow_all(filled))
    stream.wait_for(filled.slot_reader, "the slot is streamed")
    assert rows(dump("--tables", "public.orders", "--dump"), "orders") == [1, 2, 3, 4, 5]
    filled.execute("INSERT INTO orders VALUES (6)")
    stream.wait_for_lines(1)
    stream.stop()
    assert [line.after["id"] for line in stream.lines()] == [6]


@pytest.mark.parametrize("statement, table, reason", [
    ("CREATE VIEW v AS SELECT 1 AS id", "public.v", "a view"),
    ("CREATE UNLOGGED TABLE u (id integer)", "public.u", "unlogged"),
    ("SELECT 1", "public.nothing", "does not exist"),
])  # fmt: skip
def test_what_is_no_table_is_refused_by_name(statement, table, reason, filled, dump):
    filled.execute(statement)
    log = dump("--tables", f"public.orders,{table}", status=69).log()
    assert table in log and reason in log


def test_with_several_databases_one_is_named(make_database, walcat, dump):
    one, two = make_database(), make_database()
    two.execute("CREATE TABLE t (id integer)", "INSERT INTO t VALUES (1)")
    config = configuration(entry(one), entry(two))
    log = dump("--tables", "public.t", config=config, status=78).log()
    assert "--database" in log and two.slot_name in log
    assert rows(dump("--tables", "public.t", "--database", f"{two.name}/{two.slot_name}", config=config), "t") == [1]


def test_a_dry_run_shows_the_plan_and_reads_nothing(filled, dump):
    filled.execute("ANALYZE orders")
    lines = dump("--tables", "public.orders,public.items", "--dry-run").output.texts()
    assert not any(line.startswith("{") for line in lines)
    planned = {line.split()[-1]: line.split()[:-1] for line in lines[1:-1]}
    assert planned.keys() == {"public.orders", "public.items"}
    assert planned["public.orders"][0] == "5" and planned["public.orders"][-1] == "1"
    assert planned["public.items"][0] == "unknown"


def test_the_lines_are_those_of_the_chosen_envelope(filled, dump):
    config = follow_all(filled, output={"envelope": "row"})
    printed = [json.loads(text) for text in dump("--tables", "public.items", config=config).output.texts()]
    assert [(row["id"], row["__op"], row["__table"]) for row in printed] == [(7, "r", "items")]

"""Tables that a later configuration adds: the rows they have already come between the changes, once."""

import re
import signal

import pytest
from configuration import configuration, entry
from incremental import fresh
from mirror import Mirror
from server_version import NEEDS_MESSAGES

pytestmark = NEEDS_MESSAGES

INITIAL = {"mode": "initial"}
TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
    "INSERT INTO orders VALUES (1, 'first')",
    "CREATE TABLE items (id integer PRIMARY KEY, note text)",
    "INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 5) AS n",
    "CREATE TABLE loose (id integer)",
    "INSERT INTO loose VALUES (1)",
)


@pytest.fixture
def run(database, walcat):
    """Runs until the log says what is expected; without that, until everything until now is printed."""
    database.execute(*TABLES)

    def go(*tables, expects=r"incremental snapshot added-\d+ complete", mode="initial", **selection):
        config = configuration(
            entry(database, *tables, **selection), snapshot={"mode": mode}, output={"values": "text"}
        )
        if not expects:
            return walcat.catch_up(config)
        started = walcat.start(config)
        started.wait_for_log(expects)
        started.stop()
        return started

    return go


def read(made):
    return [(line.op, line.source["table"], line.after["id"]) for line in made.lines()]


ITEMS = [("r", "items", str(n)) for n in range(1, 6)]


def test_the_rows_of_a_table_that_is_added_are_read(run, database):
    first = run("public.orders", expects=None)
    assert read(first) == [("r", "orders", "1")]
    database.execute("INSERT INTO orders VALUES (2)")
    second = run("public.orders", "public.items")
    assert sorted(read(second)) == sorted([("c", "orders", "2"), *ITEMS])
    assert {line.source["snapshot"] for line in second.lines() if line.op == "r"} == {"incremental"}
    assert re.search(r"come to include public\.items\b", second.log())
    database.execute("UPDATE items SET note = 'new' WHERE id = 3", "DELETE FROM items WHERE id = 4")
    third = run("public.orders", "public.items", expects=None)
    assert [line.op for line in third.lines()] == ["u", "d"]
    lines = lines_of_all(first, second, third)
    Mirror({"public.items": ("id",), "public.orders": ("id",)}).apply(lines).check_equal(database)


def lines_of_all(*runs):
    """Of all runs; the first ones are those of an ordinary snapshot."""
    lines = [line for made in runs for line in made.lines()]
    assert len({line.position for line in lines}) == len(lines)
    return lines


def test_what_stays_as_it_is_is_not_read_again(run):
    run("public.orders", expects=None)
    run("public.orders", "public.items")
    for tables in (["public.orders", "public.items"], ["public.items", "public.orders"], ["public.items"]):
        assert read(run(*tables, expects=None)) == []


def test_a_table_that_was_away_is_read_anew(run, database):
    """What changed meanwhile did not come."""
    run("public.orders", "public.items", expects=None)
    run("public.orders", expects=None)
    again = run("public.orders", "public.items")
    assert read(again) == ITEMS


def test_a_list_of_included_tables_that_grows(run):
    run(include_tables=[r"public\.orders"], expects=None)
    second = run(include_tables=[r"public\.orders", r"public\.items"])
    assert read(second) == ITEMS


def test_a_list_of_excluded_tables_that_shrinks(run):
    run(exclude_tables=[r"public\.(items|loose)"], expects=None)
    second = run(exclude_tables=[r"public\.loose"])
    assert read(second) == ITEMS


def test_a_list_that_shrinks_reads_nothing(run):
    run(include_tables=[r"public\.orders", r"public\.items"], expects=None)
    assert read(run(include_tables=[r"public\.orders"], expects=None)) == []


def test_never_means_never(run, database):
    """And what was added then is nothing new later."""
    run("public.orders", expects=None)
    assert read(run("public.orders", "public.items", expects=None, mode="never")) == []
    database.execute("INSERT INTO items VALUES (6)")
    assert read(run("public.orders", "public.items", expects=None, mode="never")) == [("c", "items", "6")]
    assert read(run("public.orders", "public.items", expects=None)) == []


def test_when_needed_reads_them_too(run):
    run("public.orders", expects=None, mode="when_needed")
    assert read(run("public.orders", "public.items", mode="when_needed")) == ITEMS


def test_a_table_without_a_key_is_named_and_the_others_are_read(run):
    run("public.orders", expects=None)
    second = run("public.orders", "public.loose", "public.items")
    assert read(second) == ITEMS
    warnings = [line for line in second.warnings() if "publication" not in line]
    assert len(warnings) == 1 and "public.loose" in warnings[0] and "key" in warnings[0]
    assert read(run("public.orders", "public.loose", "public.items", expects=None)) == []


def test_nothing_but_a_table_without_a_key(run, database):
    run("public.orders", expects=None)
    second = run("public.orders", "public.loose", expects="public.loose")
    assert read(second) == []
    database.execute("INSERT INTO loose VALUES (2)")
    assert read(run("public.orders", "public.loose", expects=None)) == [("c", "loose", "2")]


@pytest.fixture
def reader(server, database):
    """A role that may read `orders` and `items`, and how to connect as it."""
    name = f"reader_{database.name}"
    database.execute(f"CREATE ROLE {name} LOGIN REPLICATION", *TABLES, f"GRANT SELECT ON orders, items TO {name}",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE orders, items, loose",
                     "ALTER TABLE loose ADD PRIMARY KEY (id)")
    yield name, server.conn_str(database.name, name)
    database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def as_reader(database, reader, *included):
    patterns = [rf"public\.{table}" for table in included]
    made = entry(database, conn_str=reader[1], include_tables=patterns)
    return configuration(made, snapshot=INITIAL, output={"values": "text"}, flush_interval="50ms")


def test_a_table_that_may_not_be_read_is_named_and_the_others_are_read(database, walcat, reader):
    walcat.catch_up(as_reader(database, reader, "orders"))
    second = walcat.start(as_reader(database, reader, "orders", "items", "loose"))
    second.wait_for_log(r"warning .*public\.loose.*GRANT SELECT ON \S*loose")
    second.wait_for_lines(5)
    assert len(re.findall("warning .*loose", second.log())) == 1
    database.execute(f"GRANT SELECT ON loose TO {reader[0]}")
    second.wait_for_lines(6)
    second.stop()
    assert read(second) == [*ITEMS, ("r", "loose", "1")]
    assert read(walcat.catch_up(as_reader(database, reader, "orders", "items", "loose"))) == []


def test_the_next_run_reads_what_could_not_be_read_before(database, walcat, reader):
    walcat.catch_up(as_reader(database, reader, "orders"))
    config = as_reader(database, reader, "orders", "loose")
    second = walcat.catch_up(config)
    assert read(second) == []
    database.execute("INSERT INTO loose VALUES (2)")
    third = walcat.catch_up(config)
    assert read(third) == [("c", "loose", "2")]
    database.execute(f"GRANT SELECT ON loose TO {reader[0]}", "DELETE FROM loose WHERE id = 2")
    fourth = walcat.start(config)
    fourth.wait_for_lines(2)
    fourth.stop()
    assert sorted(line.op for line in fourth.lines()) == ["d", "r"]
    assert [line.after["id"] for line in fourth.lines() if line.op == "r"] == ["1"]


def test_a_partition_that_may_not_be_read_is_read_once_it_may(database, walcat, reader):
    database.execute("CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
                     "CREATE TABLE parts_2 (id integer PRIMARY KEY)", "INSERT INTO parts_2 VALUES (11)",
                     f"GRANT SELECT ON parts, parts_1 TO {reader[0]}",
                     f"ALTER PUBLICATION pub_{database.name} ADD TABLE parts")
    run = walcat.start(as_reader(database, reader, "parts.*"))
    run.wait_for_log("streaming from")
    database.execute("ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (10) TO (20)",
                     "INSERT INTO parts VALUES (1), (12)")
    run.wait_for_log(r"warning .*parts_2.*GRANT SELECT")
    database.execute(f"GRANT SELECT ON parts_2 TO {reader[0]}")
    run.wait_for(lambda: len(run.lines()) >= 4, "its rows are read")
    run.stop()
    assert sorted((line.op, line.after["id"]) for line in run.lines()) == [
        ("c", "1"), ("c", "12"), ("r", "11"), ("r", "12")]


def test_partitions_of_a_table_that_is_added(run, database):
    database.execute(
        "CREATE TABLE events (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20)",
        "INSERT INTO events VALUES (1), (11)",
    )
    run("public.orders", expects=None)
    second = run("public.orders", "public.events")
    assert sorted(read(second)) == [("r", "events_1", "1"), ("r", "events_2", "11")]


def test_changes_made_while_walcat_was_away_are_not_undone(run, database):
    """What was committed before the table was published comes by its rows, what came after by the stream."""
    run("public.orders", expects=None)
    database.execute("UPDATE items SET note = 'new' WHERE id = 1", "DELETE FROM items WHERE id = 2")
    second = run("public.orders", "public.items")
    assert sorted(row for _, _, row in read(second)) == ["1", "3", "4", "5"]
    assert [line.after["note"] for line in second.lines() if line.after["id"] == "1"] == ["new"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_end_in_the_middle_is_not_the_end_of_it(number, run, database, walcat):
    """The next start reads what is left."""
    database.execute("INSERT INTO items SELECT n, repeat('x', 500) FROM generate_series(6, 20000) AS n")
    run("public.orders", expects=None)
    keys = {"snapshot": INITIAL, "output": {"values": "text"}, "flush_interval": "50ms"}
    config = configuration(entry(database, "public.orders", "public.items"), **keys)
    started = walcat.start(config)
    started.wait_for_lines(1)
    started.signal(number)
    started.process.wait()
    second = walcat.start(config)
    second.wait_for_log("incremental snapshot added-.* complete|streaming from")
    if len(started.lines()) < 20000:
        second.wait_for_log("incremental snapshot added-.* complete")
    second.stop()
    lines = [*started.lines(), *second.lines()]
    assert {int(line.after["id"]) for line in lines} == set(range(1, 20001))
    assert {line.source["snapshot"] for line in lines} == {"incremental"}
    fresh(lines)


def test_bounded_runs_read_them_too(run, database, walcat):
    """A run that ends when it has caught up leaves the rest to the next one; nothing is lost."""
    run("public.orders", expects=None)
    keys = {"snapshot": INITIAL, "output": {"values": "text"}}
    config = configuration(entry(database, "public.orders", "public.items"), **keys)
    lines = []
    for _ in range(5):
        lines += walcat.catch_up(config).lines()
    assert sorted(line.after["id"] for line in lines) == ["1", "2", "3", "4", "5"]

"""Rights that a snapshot needs and the stream does not: what is missing is named before anything is made."""

import re

import pytest
from configuration import configuration, entry
from server_version import NEEDS_PARTITIONS


@pytest.fixture
def reader(database):
    """A role that may replicate, in a database with a publication made for it; nothing may be read by it yet."""
    name = f"reader_{database.name}"
    database.execute(
        f"CREATE ROLE {name} LOGIN REPLICATION",
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.goods (id integer PRIMARY KEY)",
        "INSERT INTO shop.goods VALUES (1)",
        "CREATE TABLE orders (id integer PRIMARY KEY)",
        "INSERT INTO orders VALUES (2)",
        f"CREATE PUBLICATION pub_{database.name} FOR TABLE shop.goods, orders",
    )
    yield name
    database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.fixture
def config(server, database, reader):
    def make(mode="initial", **selection):
        conn_str = server.conn_str(database.name, reader)
        return configuration(entry(database, conn_str=conn_str, **selection), snapshot={"mode": mode})

    return make


@pytest.fixture
def refused(database, walcat, config):
    """The log of a run that prints nothing, and leaves nothing behind that holds back the server's log."""

    def run():
        ended = walcat.run(config(), "--until-caught-up", status=69)
        assert ended.output.texts() == []
        assert database.slot() is None, ended.log()
        assert not (walcat.folder / f"offset_{database.slot_name}.json").exists()
        assert f"{database.name}/{database.slot_name}" in ended.log()
        return ended.log()

    return run


def printed(run):
    return sorted(line.after["id"] for line in run.lines())


def test_a_table_that_may_not_be_read_is_named(database, reader, refused):
    database.execute(f"GRANT USAGE ON SCHEMA shop TO {reader}", f"GRANT SELECT ON shop.goods TO {reader}")
    log = refused()
    assert re.search(r"\bpublic\.orders\b", log) and re.search("GRANT SELECT", log)
    assert "goods" not in log, "what may be read is not complained about"


def test_a_table_in_a_schema_that_may_not_be_used_is_named(database, reader, refused):
    database.execute(f"GRANT SELECT ON shop.goods, orders TO {reader}")
    log = refused()
    assert re.search(r"\bshop\.goods\b", log) and re.search(r"GRANT.*USAGE", log, re.DOTALL)
    assert "orders" not in log


def test_all_that_may_not_be_read_is_named_at_once_and_mended_by_what_is_said(database, reader, walcat, config, refused):
    log = refused()
    assert "no right to read 2 tables: public.orders, shop.goods" in log
    database.execute(*re.search(r"hint: (GRANT USAGE .*; GRANT SELECT .*;) or", log)[1].rstrip(";").split(";"))
    assert printed(walcat.catch_up(config())) == [1, 2]


def test_of_many_tables_some_are_named_and_the_statement_is_whole(database, walcat, config, refused):
    for n in range(30):
        database.execute(f"CREATE TABLE shop.t{n} (id integer PRIMARY KEY)",
                         f"ALTER PUBLICATION pub_{database.name} ADD TABLE shop.t{n}")
    log = refused()
    assert "no right to read 32 tables:" in log and "and 12 more" in log
    database.execute(*re.search(r"hint: (GRANT USAGE .*; GRANT SELECT .*;) or", log)[1].rstrip(";").split(";"))
    assert printed(walcat.catch_up(config())) == [1, 2]


def test_with_the_rights_the_rows_are_printed(database, reader, walcat, config, refused):
    refused()
    database.execute(f"GRANT USAGE ON SCHEMA shop TO {reader}", f"GRANT SELECT ON shop.goods, orders TO {reader}")
    assert printed(walcat.catch_up(config())) == [1, 2]


def test_without_a_snapshot_they_are_not_needed(database, walcat, config):
    walcat.catch_up(config("never"))
    database.execute("INSERT INTO orders VALUES (3)")
    assert printed(walcat.catch_up(config("never"))) == [3]


def test_a_table_that_is_not_selected_need_not_be_readable(database, reader, walcat, config):
    database.execute(f"GRANT SELECT ON orders TO {reader}")
    assert printed(walcat.catch_up(config(exclude_tables=[r"shop\..*"]))) == [2]


@NEEDS_PARTITIONS
def test_a_partition_needs_the_right_itself(database, reader, walcat, config, refused):
    """Each is read alone, whatever name its rows are printed under."""
    database.execute(
        "CREATE TABLE events (id integer) PARTITION BY LIST (id)",
        "CREATE TABLE events_7 PARTITION OF events FOR VALUES IN (7)",
        "INSERT INTO events VALUES (7)",
        f"ALTER PUBLICATION pub_{database.name} SET TABLE events",
        f"ALTER PUBLICATION pub_{database.name} SET (publish_via_partition_root = true)",
        f"GRANT SELECT ON events TO {reader}",
    )
    log = refused()
    assert re.search(r"\bpublic\.events_7\b", log) and "GRANT SELECT" in log
    database.execute(f"GRANT SELECT ON events_7 TO {reader}")
    assert printed(walcat.catch_up(config())) == [7]


def test_row_level_security_that_would_hide_rows_is_an_error(database, reader, walcat, config):
    database.execute(
        f"GRANT USAGE ON SCHEMA shop TO {reader}", f"GRANT SELECT ON shop.goods, orders TO {reader}",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "CREATE POLICY mine ON orders USING (id > 100)",
    )
    ended = walcat.run(config(), "--until-caught-up", status=69)
    assert "row-level security" in ended.log() and "orders" in ended.log()
    assert not [line for line in ended.lines() if line.table == "public.orders"]


def test_row_level_security_that_hides_nothing_is_none(database, reader, walcat, config):
    database.execute(
        f"GRANT USAGE ON SCHEMA shop TO {reader}", f"GRANT SELECT ON shop.goods, orders TO {reader}",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "CREATE POLICY mine ON orders USING (id > 100)",
        f"ALTER ROLE {reader} BYPASSRLS",
    )
    assert printed(walcat.catch_up(config())) == [1, 2]

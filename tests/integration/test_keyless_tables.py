"""on_keyless: PostgreSQL fails every UPDATE and DELETE of a published table that has no replica identity. walcat names
such tables, with the SQL that heals them, before it publishes what nobody has listed."""

import re

import psycopg2.errors
import pytest
from configuration import configuration, entry
from server_version import NEEDS_PARTITIONS, needs

# Each makes a table by its name and a note of whether the server comes to refuse its updates, and what walcat advises.
FULL, DEFAULT = "REPLICA IDENTITY FULL;", "REPLICA IDENTITY DEFAULT;"
KINDS = {
    "plain": (FULL, "CREATE TABLE {0} (id integer)"),
    "with_key": (None, "CREATE TABLE {0} (id integer PRIMARY KEY)"),
    "with_deferrable": (FULL, "CREATE TABLE {0} (id integer PRIMARY KEY DEFERRABLE)"),
    "with_unique": (FULL, "CREATE TABLE {0} (id integer NOT NULL UNIQUE)"),
    "with_full": (None, "CREATE TABLE {0} (id integer); ALTER TABLE {0} REPLICA IDENTITY FULL"),
    "with_nothing": (DEFAULT, "CREATE TABLE {0} (id integer PRIMARY KEY); ALTER TABLE {0} REPLICA IDENTITY NOTHING"),
    "with_index": (None, "CREATE TABLE {0} (id integer NOT NULL); CREATE UNIQUE INDEX {0}_i ON {0} (id);"
                         "ALTER TABLE {0} REPLICA IDENTITY USING INDEX {0}_i"),
    "index_gone": (FULL, "CREATE TABLE {0} (id integer NOT NULL); CREATE UNIQUE INDEX {0}_i ON {0} (id);"
                         "ALTER TABLE {0} REPLICA IDENTITY USING INDEX {0}_i; DROP INDEX {0}_i"),
    "child": (FULL, "CREATE TABLE {0} () INHERITS (with_key)"),
    "unlogged": (None, "CREATE UNLOGGED TABLE {0} (id integer)"),
    '"Odd ""name"': (FULL, "CREATE TABLE {0} (id integer)"),
}  # fmt: skip
# What counts is the leaf, whatever the root has.
PARTITIONED = "CREATE TABLE {0}_root ({1}) PARTITION BY RANGE (id); CREATE TABLE {0} PARTITION OF {0}_root DEFAULT; "
LEAVES = {
    "leaf": (FULL, PARTITIONED.format("{0}", "id integer")),
    "leaf_full": (None, PARTITIONED.format("{0}", "id integer") + "ALTER TABLE {0} REPLICA IDENTITY FULL"),
    "leaf_nothing": (DEFAULT, PARTITIONED.format("{0}", "id integer PRIMARY KEY")
                     + "ALTER TABLE {0} REPLICA IDENTITY NOTHING"),
    "leaf_of_full": (FULL, PARTITIONED.format("{0}", "id integer") + "ALTER TABLE {0}_root REPLICA IDENTITY FULL"),
}  # fmt: skip
INDEX = "REPLICA IDENTITY USING INDEX <a unique index without generated columns>;"
TWICE = "id integer, twice integer GENERATED ALWAYS AS (id * 2)"
GENERATED = {
    "stored_in_key": (INDEX, f"CREATE TABLE {{0}} ({TWICE} STORED PRIMARY KEY)"),
    "stored_in_full": (INDEX, f"CREATE TABLE {{0}} ({TWICE} STORED); ALTER TABLE {{0}} REPLICA IDENTITY FULL"),
    "virtual_in_full": (INDEX, f"CREATE TABLE {{0}} ({TWICE} VIRTUAL); ALTER TABLE {{0}} REPLICA IDENTITY FULL"),
    "beside_key": (None, f"CREATE TABLE {{0}} ({TWICE} STORED, PRIMARY KEY (id))"),
    "full_beside_key": (DEFAULT, f"CREATE TABLE {{0}} ({TWICE} STORED, PRIMARY KEY (id));"
                                 "ALTER TABLE {0} REPLICA IDENTITY FULL"),
    "included": (None, f"CREATE TABLE {{0}} ({TWICE} STORED, PRIMARY KEY (id) INCLUDE (twice))"),
    "no_key": (INDEX, f"CREATE TABLE {{0}} ({TWICE} STORED)"),
}  # fmt: skip


def follow(database, *tables, **keys):
    """With walcat's own default, unlike the rest of the suite."""
    return configuration(entry(database, *tables), **{"on_keyless": "refuse", **keys})


def make(database, kinds):
    for name, (_, statements) in kinds.items():
        database.execute(statements.format(name))


def expected(kinds):
    return {f"ALTER TABLE public.{name} {remedy}" for name, (remedy, _) in kinds.items() if remedy}


def broken(database, kinds):
    """The tables whose updates the server refuses."""
    names = set()
    for name in kinds:
        try:
            database.execute(f"UPDATE ONLY {name} SET id = id", f"DELETE FROM ONLY {name}")
        except psycopg2.errors.ObjectNotInPrerequisiteState:
            names.add(name)
        except psycopg2.errors.InvalidColumnReference:  # a generated column in the identity
            names.add(name)
    return names


def advised(log):
    return set(re.findall(r"ALTER TABLE .+?;", log))


def warnings(run):
    return [line for line in run.log().splitlines() if "UPDATE and DELETE fail" in line and "warning" in line.lower()]


@pytest.mark.parametrize("kinds", [
    pytest.param(KINDS, id="tables"),
    pytest.param(LEAVES, id="leaves", marks=needs(11, "keys of partitioned tables")),
    pytest.param(GENERATED, id="generated columns", marks=needs(18, "virtual columns, nor minds stored ones")),
])  # fmt: skip
def test_tables_that_would_break_are_refused_by_name(kinds, database, walcat):
    """walcat's word is the server's, and nothing is left behind; with the SQL of its hint every update works."""
    make(database, kinds)
    refused = walcat.run(follow(database), status=69)
    assert advised(refused.log()) == expected(kinds)
    assert "on_keyless: publish" in refused.log() and "`tables`" in refused.log()
    assert database.slot() is None and database.rows("SELECT 1 FROM pg_publication") == []
    assert list(walcat.folder.glob("offset*")) == []
    with_all = "CREATE PUBLICATION theirs FOR ALL TABLES"
    database.execute(with_all)
    assert broken(database, kinds) == {name for name, (remedy, _) in kinds.items() if remedy}
    database.execute("DROP PUBLICATION theirs")
    for statement in advised(refused.log()):
        if "<" not in statement:
            database.execute(statement)
    left = {name: kind for name, kind in kinds.items() if kind[0] == INDEX}
    database.execute(*(f"DROP TABLE {name}" for name in left))
    healed = walcat.catch_up(follow(database))
    assert advised(healed.log()) == set()
    assert broken(database, set(kinds) - set(left)) == set()


def test_a_long_list_is_cut(database, walcat):
    database.execute(*(f"CREATE TABLE t{n:02} (id integer)" for n in range(13)))
    log = walcat.run(follow(database), status=69).log()
    assert advised(log) == {f"ALTER TABLE public.t{n:02} {FULL}" for n in range(10)}
    assert "and 3 more" in log and "13 tables" in log


def test_a_run_at_a_table_does_not_end_the_other_databases(make_database, walcat):
    keyless, keyed = make_database(), make_database()
    keyless.execute("CREATE TABLE t (id integer)")
    keyed.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(configuration(entry(keyless), entry(keyed), on_keyless="refuse"))
    run.wait_for(keyed.slot_reader, "the other slot is streamed")
    run.wait_for_log("public.t REPLICA IDENTITY FULL")
    keyed.execute("INSERT INTO t VALUES (1)")
    assert [line.source["db"] for line in run.wait_for_lines(1)] == [keyed.name]


@pytest.mark.parametrize("tables, top, own, is_made", [
    pytest.param((), "refuse", None, False, id="all tables"),
    pytest.param((), "publish", None, True, id="all tables, published for every database"),
    pytest.param((), "refuse", "publish", True, id="all tables, published for this one"),
    pytest.param((), "publish", "refuse", False, id="all tables, published but for this one"),
    pytest.param(("public.t",), "refuse", None, True, id="listed"),
    pytest.param(("public.events",), "refuse", None, True, id="a listed root's leaf", marks=NEEDS_PARTITIONS),
])  # fmt: skip
def test_who_asks_for_such_a_table_gets_it_with_a_warning(tables, top, own, is_made, database, walcat):
    database.execute("CREATE TABLE t (id integer)",
                     "CREATE TABLE events (id integer) PARTITION BY RANGE (id)",
                     "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)")
    keys = {"on_keyless": own} if own else {}
    config = configuration(entry(database, *tables, **keys), on_keyless=top)
    if not is_made:
        walcat.run(config, status=69)
        return
    run = walcat.catch_up(config)
    names = {"public.events_1"} if "public.events" in tables else {"public.t"} if tables else {"public.events_1", "public.t"}
    assert len(warnings(run)) == 1 and advised(warnings(run)[0]) == {f"ALTER TABLE {name} {FULL}" for name in names}
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState):
        database.execute("DELETE FROM events" if "public.events" in tables else "DELETE FROM t")


def test_a_table_that_is_added_to_the_list_is_warned_of_alone(database, walcat):
    database.execute("CREATE TABLE keyed (id integer PRIMARY KEY)", "CREATE TABLE later (id integer)",
                     "CREATE TABLE untold (id integer)")
    assert warnings(walcat.catch_up(follow(database, "public.keyed"))) == []
    run = walcat.catch_up(follow(database, "public.keyed", "public.later"))
    assert [advised(line) for line in warnings(run)] == [{f"ALTER TABLE public.later {FULL}"}]


@pytest.mark.parametrize("what, is_told", [
    pytest.param("FOR ALL TABLES", True, id="all tables"),
    pytest.param("FOR TABLE t", True, id="a table"),
    pytest.param("FOR TABLES IN SCHEMA public", True, id="a schema", marks=needs(15, "all tables of a schema")),
    pytest.param("FOR ALL TABLES WITH (publish = 'insert')", False, id="no updates"),
])  # fmt: skip
def test_a_publication_of_somebody_else_is_theirs(what, is_told, database, walcat):
    name = f"dba_{database.name}"
    database.execute("CREATE TABLE t (id integer)", f"CREATE ROLE {name} SUPERUSER", f"SET ROLE {name}",
                     f"CREATE PUBLICATION pub_{database.name} {what}", "RESET ROLE")
    try:
        run = walcat.catch_up(follow(database))
        assert warnings(run) == []
        assert advised(run.log()) == ({f"ALTER TABLE public.t {FULL}"} if is_told else set())
    finally:
        database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_table_made_since_is_warned_of_at_the_start_and_not_at_each_connection(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    assert warnings(walcat.catch_up(follow(database))) == []
    database.execute("CREATE TABLE since (id integer)")
    run = walcat.start(follow(database))
    first = run.wait_for(database.slot_reader, "the slot is streamed")
    assert [advised(line) for line in warnings(run)] == [{f"ALTER TABLE public.since {FULL}"}]
    database.rows("SELECT pg_terminate_backend(%s)", (first,))
    run.wait_for(lambda: database.slot_reader() not in (None, first), "it is streamed again")
    database.execute("INSERT INTO since VALUES (1)")
    assert [line.after for line in run.wait_for_lines(1)] == [{"id": 1}]
    assert len(warnings(run)) == 1

"""A listed table with inheritance children: it is followed alone, in the stream and in every kind of snapshot. Its
children are tables of their own."""

import pytest
from configuration import configuration, entry
from server_version import NEEDS_MESSAGES, NEEDS_TRUNCATE

PARENT, CHILD = "public.p", "public.c"


@pytest.fixture(autouse=True)
def family(database):
    database.execute(
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE c (note text, PRIMARY KEY (id)) INHERITS (p)",
        "CREATE TABLE told (id integer PRIMARY KEY)",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO c VALUES (2, 'child')",
    )


def published(database):
    return {row[0] for row in database.rows("SELECT schemaname || '.' || tablename FROM pg_publication_tables")}


def printed(run):
    return [(line.op, line.table, (line.after or line.before)["id"]) for line in run.lines()]


CHANGES = ("INSERT INTO p VALUES (3)", "INSERT INTO c VALUES (4)", "UPDATE p SET id = id + 10", "DELETE FROM p")
OF_PARENT = [("c", PARENT, 3), ("u", PARENT, 11), ("u", PARENT, 13), ("d", PARENT, 11), ("d", PARENT, 13)]
OF_CHILD = [("c", CHILD, 4), ("u", CHILD, 12), ("u", CHILD, 14), ("d", CHILD, 12), ("d", CHILD, 14)]


@pytest.mark.parametrize("listed, rows, changes", [
    pytest.param([PARENT], [("r", PARENT, 1)], OF_PARENT, id="the parent"),
    pytest.param([CHILD], [("r", CHILD, 2)], OF_CHILD, id="the child"),
])  # fmt: skip
@pytest.mark.parametrize("made", ["with it", "before, without it"])
def test_only_the_listed_one_is_followed(made, listed, rows, changes, database, walcat):
    """Whether walcat makes the publication or adds the table to one that is there."""
    if made == "before, without it":
        database.execute(f"CREATE PUBLICATION pub_{database.name} FOR TABLE told")
    config = configuration(entry(database, *listed), snapshot={"mode": "initial"})
    assert printed(walcat.catch_up(config)) == rows
    assert published(database) - {"public.told"} == set(listed)
    database.execute(*CHANGES)
    assert printed(walcat.catch_up(config)) == changes


@NEEDS_TRUNCATE
def test_a_truncate_of_the_parent_is_told_of_it_alone(database, walcat):
    config = configuration(entry(database, PARENT))
    walcat.catch_up(config)
    database.execute("TRUNCATE p")
    assert [(line.op, line.table) for line in walcat.catch_up(config).lines()] == [("t", PARENT)]


def test_a_dump_of_the_parent_holds_its_own_rows(database, walcat):
    config = walcat.write(configuration(entry(database, PARENT, CHILD)))
    run = walcat.command("snapshot", "-c", str(config), "--dump", "--tables", PARENT)
    assert run.wait_exit() == 0, run.describe()
    assert printed(run) == [("r", PARENT, 1)]


@NEEDS_MESSAGES
@pytest.mark.parametrize("asked, row", [(PARENT, ("r", PARENT, 1)), (CHILD, ("r", CHILD, 2))])
def test_an_incremental_snapshot_reads_what_it_is_asked_for(asked, row, database, walcat):
    config = configuration(entry(database, PARENT, CHILD))
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    asking = walcat.command("snapshot", "-c", str(walcat.write(config)), "--tables", asked)
    assert asking.wait_exit() == 0, asking.describe()
    assert printed(run) == [row]

"""Columns that a rule hides, and that a publication's column list takes out of the stream and brings back."""

import pytest
from configuration import configuration, entry
from server_version import needs

pytestmark = needs(15, "column lists")

SECRET = "hush"
MASK = {"mask_columns": [{"columns": r"public\.t\.email"}]}
OMIT = {"exclude_columns": [r"public\.t\.email"]}


@pytest.fixture(autouse=True)
def tables(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, email text, name text)",
                     "CREATE TABLE beacon (id integer PRIMARY KEY)",
                     "CREATE PUBLICATION narrow FOR TABLE t, beacon")


def rules(database, rule, **keys):
    listed = {"publication_name": "narrow", **rule}
    return configuration(entry(database, **listed), wal_guard={"interval": "100ms"},
                         snapshot={"mode": "initial"}, **keys)


NARROW = "ALTER PUBLICATION narrow SET TABLE t (id, name), beacon"
WIDE = "ALTER PUBLICATION narrow SET TABLE t, beacon"
RENAME = "ALTER TABLE t RENAME email TO mail"


def row(number, name="Ann"):
    return f"INSERT INTO t VALUES ({number}, '{SECRET}', '{name}')"


@pytest.mark.parametrize("rule", [MASK, OMIT], ids=["mask", "exclude"])
@pytest.mark.parametrize("between", [(), (row(2),)], ids=["in silence", "with a row"])
def test_a_column_that_comes_back_renamed_in_a_later_run_is_a_lost_rule(between, rule, walcat, database):
    config = rules(database, rule)
    walcat.catch_up(config)
    database.execute(row(1), NARROW, *between)
    seen = walcat.catch_up(config)
    database.execute(RENAME, WIDE, row(3))
    stopped = walcat.run(config, "--until-caught-up", status=69)
    assert "public.t.email" in stopped.log() and "mail" in stopped.log()
    assert SECRET not in "".join(seen.output.texts() + stopped.output.texts())


@pytest.mark.parametrize("rule", [MASK, OMIT], ids=["mask", "exclude"])
def test_and_while_walcat_runs(rule, walcat, database):
    run = walcat.start(rules(database, rule))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(row(1))
    run.wait_for_lines(1)
    database.execute(NARROW, row(2))
    run.wait_for(lambda: "published otherwise" in run.log(), "the narrower list is seen")
    database.execute(RENAME, WIDE, row(3))
    assert run.wait_exit() == 69, run.describe()
    assert SECRET not in "".join(run.output.texts())


def test_one_that_comes_back_as_it_was_stays_hidden(walcat, database):
    config = rules(database, MASK)
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(row(1), NARROW, row(2), WIDE, row(3))
    run.wait_for(lambda: len([line for line in run.lines() if line.op == "c"]) == 3, "all rows")
    run.stop()
    walcat.catch_up(config)
    assert SECRET not in "".join(run.output.texts())


def test_a_column_that_was_dropped_makes_way_for_another_one(walcat, database):
    """Once a run has seen that it is gone for good."""
    config = rules(database, MASK)
    walcat.catch_up(config)
    database.execute(row(1), "ALTER TABLE t DROP email", "INSERT INTO t VALUES (2, 'Bob')")
    walcat.catch_up(config)
    config["databases"][0]["mask_columns"] = [{"columns": r"public\.(t\.email|beacon\.id)"}]
    database.execute("ALTER TABLE t ADD note text", "INSERT INTO t VALUES (3, 'Eve', 'seen')")
    assert [line.after for line in walcat.catch_up(config).lines()] == [{"id": 3, "name": "Eve", "note": "seen"}]


def test_and_so_it_does_while_walcat_runs(walcat, database):
    run = walcat.start(rules(database, MASK, log={"level": "debug"}))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(row(1), "ALTER TABLE t DROP email", "INSERT INTO t VALUES (2, 'Bob')")
    run.wait_for(lambda: "column public.t.email was dropped" in run.log(), "the drop is seen")
    database.execute("ALTER TABLE t ADD note text", "INSERT INTO t VALUES (3, 'Eve', 'seen')")
    run.wait_for(lambda: "seen" in "".join(run.output.texts()), "the new column")
    run.stop()

"""Tables that enter a publication, leave it, come back, or take another one's name: nothing of them is lost unnamed.

Whatever is done to them, and whenever (between two runs, behind a cut in the same run, while the stream goes on), a
consumer that applies the lines has the right rows at the end, or the table is named.
"""

import pytest
from configuration import configuration, entry
from server_version import MAJOR, NEEDS_MESSAGES, needs
from stories import MOMENTS, Story

NEEDS_SCHEMAS = needs(15, "schemas in publications")
ROWS = "SELECT n, 'old' FROM generate_series(1, 3) AS n"
NEW_ROWS = "SELECT n, 'new' FROM generate_series(1, 5) AS n"

TABLES = (
    *(f"CREATE TABLE {name} (id integer PRIMARY KEY, note text)" for name in ("anew", "swapped", "away", "narrow")),
    "CREATE TABLE parted (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id)",
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE parted_2 (id integer PRIMARY KEY, note text)",
    "CREATE SCHEMA shop",
    "CREATE TABLE moved (id integer PRIMARY KEY, note text)",
    "CREATE TABLE shop.still (id integer PRIMARY KEY, note text)",
    *(f"INSERT INTO {name} {ROWS}" for name in ("anew", "swapped", "away", "narrow", "parted", "shop.still", "moved")),
    "INSERT INTO parted_2 VALUES (11, 'old')",
)
# `{p}` is the publication.
EVENTS = (
    # Dropped and made anew.
    "DROP TABLE anew", "CREATE TABLE anew (id integer PRIMARY KEY, note text)", f"INSERT INTO anew {NEW_ROWS}",
    "ALTER PUBLICATION {p} ADD TABLE anew", "INSERT INTO anew VALUES (6, 'then')",
    # A copy that takes its name.
    "CREATE TABLE copy (LIKE swapped INCLUDING ALL)", f"INSERT INTO copy {NEW_ROWS}",
    "BEGIN; ALTER TABLE swapped RENAME TO swapped_old; ALTER TABLE copy RENAME TO swapped; COMMIT",
    "ALTER PUBLICATION {p} DROP TABLE swapped_old", "ALTER PUBLICATION {p} ADD TABLE swapped",
    "UPDATE swapped SET note = 'then' WHERE id = 2",
    # Out of the publication for a while.
    "ALTER PUBLICATION {p} DROP TABLE away", "UPDATE away SET note = 'new' WHERE id < 3",
    "INSERT INTO away VALUES (4, 'new')", "ALTER PUBLICATION {p} ADD TABLE away",
    "UPDATE away SET note = 'then' WHERE id = 1",
    # Published otherwise.
    "ALTER PUBLICATION {p} DROP TABLE narrow", "ALTER PUBLICATION {p} ADD TABLE narrow WHERE (id > 0)",
    # A partition full of rows, and one that is made as such.
    "ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20)", "INSERT INTO parted VALUES (12, 'then')",
    "CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30)", "INSERT INTO parted VALUES (21, 'then')",
    # Into a schema that is published.
    "ALTER TABLE moved SET SCHEMA shop", "INSERT INTO shop.moved VALUES (4, 'then')",
    "CREATE TABLE shop.made (id integer PRIMARY KEY, note text)", "INSERT INTO shop.made VALUES (1, 'then')",
)
KEYS = {
    name: ("id",)
    for name in (
        "public.anew", "public.swapped", "public.away", "public.narrow", "public.parted_1", "public.parted_2",
        "public.parted_3", "shop.moved", "shop.still", "shop.made",
    )
}


@pytest.fixture
def story(database, walcat):
    return lambda **keys: Story(database, walcat, **keys)


@NEEDS_SCHEMAS
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_rows_are_right_whatever_was_done_to_the_tables(moment, story, database):
    database.execute(*TABLES)
    told = story()
    database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE anew, swapped, away, narrow, parted, "
                     "TABLES IN SCHEMA shop")
    run = told.happens(moment, *EVENTS)
    told.converges(KEYS)
    log = run.log()
    for name in ("anew", "swapped", "away", "narrow", "parted_2"):
        assert f"table public.{name} " in log
    # What was made where it is published came by the stream alone.
    complete = [line.table for line in told.lines() if line.op == "r"]
    assert "public.parted_3" not in complete and "shop.made" not in complete
    run.stop()
    # All of it is known now.
    again = told.walcat.catch_up(told.config())
    assert again.lines() == [] and "incremental" not in again.log()


@NEEDS_MESSAGES
@pytest.mark.parametrize("moment", MOMENTS)
def test_of_a_partitioned_table_only_what_was_attached_is_read(moment, story, database):
    """Printed as the root's, and not with all that the root has."""
    database.execute("CREATE TABLE e (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id)",
                     "CREATE TABLE e_0 PARTITION OF e FOR VALUES FROM (0) TO (10)", "INSERT INTO e VALUES (1, 'old')")
    told = story()
    database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE e WITH (publish_via_partition_root)")
    run = told.happens(moment, "CREATE TABLE e_1 (note text, id integer PRIMARY KEY)",
                       "INSERT INTO e_1 VALUES ('new', 11), ('new', 12)",
                       "ALTER TABLE e ATTACH PARTITION e_1 FOR VALUES FROM (10) TO (20)")
    run.wait_for_log(r"incremental snapshot added-\d+ complete: 2 rows")
    told.converges({"public.e": ("id",)})
    assert [(line.op, line.after["id"]) for line in told.lines()] == [("r", "1"), ("r", "11"), ("r", "12")]


@NEEDS_MESSAGES
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_publication_that_was_dropped_and_made_anew(moment, story, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    told = story()
    database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE t")
    run = told.happens(moment, "DROP PUBLICATION {p}", "CREATE PUBLICATION {p} FOR TABLE t", "INSERT INTO t VALUES (2)")
    run.wait_for_log("table public.t has left publication .* and come back")
    run.wait_for_log(r"incremental snapshot added-\d+ complete")
    told.converges({"public.t": ("id",)})


AWAY = ("ALTER PUBLICATION {p} DROP TABLE t", "INSERT INTO t VALUES (2, 'new')", "ALTER PUBLICATION {p} ADD TABLE t")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("on_gap", ["fail", "continue", "snapshot"])
def test_a_table_without_a_key_that_was_away_is_a_gap(on_gap, moment, story, database):
    database.execute("CREATE TABLE t (id integer, note text)", "INSERT INTO t VALUES (1, 'old')")
    told = story(on_gap=on_gap)
    database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE t")
    run = told.happens(moment, *AWAY)
    run.wait_for_log("table public.t has left publication .* come back.*changes of it may be missing")
    if on_gap == "fail":
        assert run.wait_exit() == 69
        assert "key" in run.log() and "on_gap: snapshot" in run.log()
        # As long as nobody has chosen.
        assert "has left publication" in told.walcat.run(told.config(), status=69).log()
        return
    database.execute("INSERT INTO t VALUES (3, 'then')")
    run.wait_for(lambda: "3" in [line.after["id"] for line in run.lines()], "the stream goes on")
    came = [line.after["id"] for line in told.lines()]
    assert came.count("2") == (1 if on_gap == "snapshot" else 0)
    run.stop()
    assert told.walcat.catch_up(told.config(on_gap="fail")).lines() == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_table_that_leaves_is_named(moment, story, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE u (id integer PRIMARY KEY)")
    told = story()
    database.execute(f"CREATE PUBLICATION {told.publication} FOR TABLE t, u")
    run = told.happens(moment, "ALTER PUBLICATION {p} DROP TABLE t")
    run.wait_for_log("warning.* table public.t has left publication")


def test_a_listed_table_that_was_renamed_is_followed_in_the_next_run_too(database, walcat):
    """By its OID, beside the one that has its name now."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE u (id integer PRIMARY KEY)")
    config = configuration(entry(database, "public.t"))
    walcat.catch_up(config)
    database.execute("ALTER TABLE t RENAME TO t_old", "INSERT INTO t_old VALUES (1)")
    for number in (2, 3):
        made = walcat.catch_up(config)
        assert [line.source["table"] for line in made.lines()] == ["t_old"]
        assert "table public.t is public.t_old now" in made.log()
        database.execute(f"INSERT INTO t_old VALUES ({number})")
    database.execute("ALTER TABLE u RENAME TO t")
    made = walcat.catch_up(config)
    assert [line.source["table"] for line in made.lines()] == ["t_old"]
    database.execute("INSERT INTO t VALUES (9)", "INSERT INTO t_old VALUES (9)")
    assert [line.source["table"] for line in walcat.catch_up(config).lines()] == ["t", "t_old"]


def test_a_file_that_knows_no_tables_learns_them_in_silence(database, walcat):
    """As versions before left it."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), snapshot={"mode": "initial" if MAJOR >= 14 else "never"})
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    (path,) = walcat.folder.glob("offset*.json")
    text = path.read_text()
    begin = text.index('"published":')
    path.write_text(text[:begin] + text[text.index('],"', begin) + 2:])
    made = walcat.catch_up(config)
    assert [line.op for line in made.lines()] == ["c"] and made.warnings() == []
    assert '"published":[{"oid":' in path.read_text()

"""What `tables` lists is what is printed, whatever else the publication sends."""

import re
import signal

import pytest
from configuration import configuration, entry
from server_version import NEEDS_MESSAGES, NEEDS_PARTITIONS


def printed(made):
    return [(line.op, line.source["table"], line.after["id"]) for line in made.lines()]


@pytest.fixture
def follow(database, walcat):
    """Runs until everything until now is printed."""

    def go(*tables, mode="never", **keys):
        return walcat.catch_up(configuration(entry(database, *tables, **keys), snapshot={"mode": mode}))

    return go


def publish(database, what, *options):
    database.execute(f"CREATE PUBLICATION pub_{database.name} FOR {what}", *options)


@pytest.mark.parametrize("publication", ["TABLE a, b, \"C d\"", "ALL TABLES"])
def test_what_is_not_listed_is_not_printed(publication, database, follow):
    """Neither its rows nor its changes, and that is said once; its changes count."""
    database.execute(*(f"CREATE TABLE {name} (id integer PRIMARY KEY)" for name in ("a", "b", '"C d"')),
                     "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)")
    publish(database, publication)
    first = follow("public.a", 'public."C d"', mode="initial")
    assert printed(first) == [("r", "a", 1)]
    assert first.log().count("what is not printed: public.b") == 1
    with database.transaction() as cursor:
        for name in ("b", "a", '"C d"'):
            cursor.execute(f"INSERT INTO {name} VALUES (2)")
    second = follow("public.a", 'public."C d"', mode="initial")
    assert printed(second) == [("c", "a", 2), ("c", "C d", 2)]
    assert [line.source["index"] for line in second.lines()] == [1, 2]
    # A later configuration that lists none has come to include the others.
    if publication == "ALL TABLES":
        assert [row[1] for row in printed(follow(mode="initial"))] in (["b", "b"], [])


def test_children_by_inheritance_are_tables_of_their_own(database, follow):
    database.execute("CREATE TABLE p (id integer)", "CREATE TABLE child () INHERITS (p)")
    publish(database, "ALL TABLES")
    follow("public.p")
    database.execute("INSERT INTO p VALUES (1)", "INSERT INTO child VALUES (2)")
    assert printed(follow("public.p")) == [("c", "p", 1)]


@NEEDS_PARTITIONS
def test_partitions_of_a_listed_table_are_printed(database, walcat):
    """Those attached, made and dropped later too; not those of others."""
    for root in ("e", "f"):
        database.execute(f"CREATE TABLE {root} (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                         f"CREATE TABLE {root}_0 PARTITION OF {root} FOR VALUES FROM (0) TO (10)")
    database.execute("CREATE TABLE e_1 (id integer PRIMARY KEY)", "INSERT INTO e_1 VALUES (11)")
    publish(database, "ALL TABLES")
    started = walcat.start(configuration(entry(database, "public.e")))
    started.wait_for_log("streaming from")
    database.execute(
        "INSERT INTO e VALUES (1)", "INSERT INTO f VALUES (1)",
        "ALTER TABLE e ATTACH PARTITION e_1 FOR VALUES FROM (10) TO (20)", "INSERT INTO e VALUES (12)",
        "CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM (20) TO (30)", "INSERT INTO e VALUES (22)",
        "CREATE TABLE f_2 PARTITION OF f FOR VALUES FROM (20) TO (30)", "INSERT INTO f VALUES (22)",
        "INSERT INTO e VALUES (3)",
    )
    started.wait_for(lambda: ("c", "e_0", 3) in printed(started), "the last row")
    expected = [("c", "e_0", 1), ("c", "e_1", 12), ("c", "e_2", 22), ("c", "e_0", 3)]
    assert printed(started) == expected
    started.stop()
    database.execute("CREATE TABLE e_3 PARTITION OF e FOR VALUES FROM (30) TO (40)", "INSERT INTO e VALUES (33)",
                     "DROP TABLE e_3")
    second = walcat.catch_up(configuration(entry(database, "public.e")))
    assert printed(second) == [("c", "e_3", 33)]
    assert "e_3 is gone, and may have been a partition" in second.log()
    # What a partition had before it was detached is not passed over.
    database.execute("INSERT INTO e VALUES (13)", "ALTER TABLE e DETACH PARTITION e_1")
    third = walcat.catch_up(configuration(entry(database, "public.e")))
    assert printed(third) == [("c", "e_1", 13)]
    assert "public.e_1 stands for no listed table any more" in third.log()


@NEEDS_PARTITIONS
@NEEDS_MESSAGES
def test_rows_that_a_partition_had_before_it_was_attached_are_printed(database, walcat):
    """The stream has brought them as those of a table that is not listed."""
    database.execute("CREATE TABLE e (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    publish(database, "ALL TABLES")
    config = configuration(entry(database, "public.e"), snapshot={})
    walcat.catch_up(config)
    database.execute("CREATE TABLE e_1 (id integer PRIMARY KEY)", "INSERT INTO e_1 VALUES (1), (2)",
                     "ALTER TABLE e ATTACH PARTITION e_1 FOR VALUES FROM (0) TO (10)", "INSERT INTO e VALUES (3)")
    run = walcat.catch_up(config)
    assert {line.after["id"] for line in run.lines()} == {1, 2, 3}, run.describe()


def test_a_listed_partition_whose_changes_come_as_the_roots(database, follow):
    database.execute("CREATE TABLE e (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     "CREATE TABLE e_0 PARTITION OF e FOR VALUES FROM (0) TO (10)",
                     "CREATE TABLE other (id integer)")
    publish(database, "TABLE e, other WITH (publish_via_partition_root)")
    follow("public.e_0")
    database.execute("INSERT INTO e VALUES (1)", "INSERT INTO other VALUES (1)")
    second = follow("public.e_0")
    assert printed(second) == [("c", "e", 1)]
    assert "changes of public.e_0 come as those of public.e" in second.log()


def test_a_listed_table_that_is_renamed_goes_on_being_printed(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE u (id integer PRIMARY KEY)")
    publish(database, "TABLE t, u")
    started = walcat.start(configuration(entry(database, "public.t")))
    started.wait_for_log("streaming from")
    database.execute("INSERT INTO t VALUES (1)", "ALTER TABLE t RENAME TO t_old", "INSERT INTO t_old VALUES (2)",
                     "INSERT INTO u VALUES (1)", "ALTER TABLE u RENAME TO t", "INSERT INTO t VALUES (2)")
    started.wait_for_lines(3)
    assert printed(started) == [("c", "t", 1), ("c", "t_old", 2), ("c", "t", 2)]
    assert "public.t is public.t_old now" in started.log()
    started.stop()


@NEEDS_MESSAGES
def test_an_incremental_snapshot_of_what_is_not_listed_is_refused(database, walcat):
    database.execute("CREATE TABLE a (id integer PRIMARY KEY)", "CREATE TABLE b (id integer PRIMARY KEY)")
    publish(database, "TABLE a, b")
    config = configuration(entry(database, "public.a"))
    started = walcat.start(config)
    started.wait_for_log("streaming from")

    def snapshot(*arguments, status=0):
        made = walcat.command("snapshot", "-c", str(walcat.write(config)), *arguments)
        assert made.wait_exit() == status, made.describe()
        return made

    asked = snapshot("--tables", "public.b", status=69)
    assert "public.b: the configuration leaves it out (tables, " in asked.log()
    # A dump prints what it is told to.
    database.execute("INSERT INTO b VALUES (1)")
    dumped = snapshot("--dump", "--tables", "public.b")
    assert printed(dumped) == [("r", "b", 1)]
    database.execute("INSERT INTO a VALUES (1)")
    assert printed(snapshot("--dump")) == [("r", "a", 1)]
    started.stop()


AWAY = {
    "dropped": ("DROP TABLE t", "is gone"),
    "a view": ("DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id", r"\(now a view\) is gone"),
    "a materialized view": ("DROP TABLE t; CREATE MATERIALIZED VIEW t AS SELECT 1 AS id",
                            r"\(now a materialized view\) is gone"),
    "a sequence": ("DROP TABLE t; CREATE SEQUENCE t", r"\(now a sequence\) is gone"),
    "an unlogged table": ("DROP TABLE t; CREATE UNLOGGED TABLE t (id integer PRIMARY KEY)",
                          r"\(now an unlogged table\) is gone"),
    "renamed": ("ALTER TABLE t RENAME TO t_old", "is public.t_old now"),
    "renamed behind a view": ("ALTER TABLE t RENAME TO t_old; CREATE VIEW t AS SELECT * FROM t_old",
                              r"\(now a view\) goes on as public.t_old"),
    "moved": ("CREATE SCHEMA shop; ALTER TABLE t SET SCHEMA shop", "is shop.t now"),
    "moved behind a view": ("CREATE SCHEMA shop; ALTER TABLE t SET SCHEMA shop; CREATE VIEW t AS SELECT * FROM shop.t",
                            r"\(now a view\) goes on as shop.t"),
}


@pytest.mark.parametrize("moment", ["between runs", "behind a cut", "behind both"])
@pytest.mark.parametrize("case", AWAY)
def test_a_listed_table_that_is_none_any_more_ends_no_stream(case, moment, database, walcat):
    """It is named, with what has its name now, and the others are followed on; so is it, where it is only renamed."""
    event, told = AWAY[case]
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE u (id integer PRIMARY KEY)")
    config = configuration(entry(database, "public.t", "public.u"))
    run = walcat.start(config)
    run.wait_for_log("streaming from")
    if moment == "between runs":
        run.stop()
    database.execute(*event.split("; "), "INSERT INTO u VALUES (1)")
    if moment != "between runs":
        run.wait_for_lines(1)
        database.rows("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = %s",
                      (database.name,))
        run.wait_for_log(f"warning .*table public.t {told}")
        run.stop()
    if moment != "behind a cut":
        run = walcat.catch_up(config)
    assert re.search(f"table public.t {told}", run.log())
    name = {"renamed": "t_old", "moved": "shop.t"}.get(case.split(" ")[0])
    if name:
        database.execute(f"INSERT INTO {name} VALUES (2)")
    database.execute("INSERT INTO u VALUES (2)")
    last = walcat.catch_up(config)
    expected = ([("c", name.removeprefix("shop."), 2)] if name else []) + [("c", "u", 2)]
    assert printed(last) == expected, last.describe()


@pytest.mark.parametrize("what", ["nothing", "a view"])
def test_a_first_start_refuses_what_is_no_table(what, database, walcat):
    """So does the first start with a table that was listed since."""
    database.execute("CREATE TABLE u (id integer PRIMARY KEY)")
    if what == "a view":
        database.execute("CREATE VIEW t AS SELECT 1 AS id")
    both = configuration(entry(database, "public.t", "public.u"))
    for _ in range(2):
        assert "take it out of `tables`" in walcat.run(both, status=69).log()
        walcat.catch_up(configuration(entry(database, "public.u")))


@pytest.fixture
def parted(database, walcat):
    """Followed once: `e`, with one partition, beside what is not listed. Returns the configuration."""
    database.execute("CREATE TABLE e (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     "CREATE TABLE e_0 PARTITION OF e FOR VALUES FROM (0) TO (10)",
                     "CREATE TABLE u (id integer PRIMARY KEY)", "CREATE TABLE t (id integer PRIMARY KEY)")
    publish(database, "ALL TABLES")
    config = configuration(entry(database, "public.e"))
    walcat.catch_up(config)
    return config


@NEEDS_PARTITIONS
@pytest.mark.parametrize("drop", ["DROP TABLE e_0", "DROP TABLE e"])
def test_a_partition_that_an_earlier_run_knew_is_printed_though_it_is_gone(drop, parted, database, walcat):
    """Nothing is left that it could be told by: no partition, or not even the table above."""
    database.execute("INSERT INTO e VALUES (1)", drop)
    made = walcat.catch_up(parted)
    assert printed(made) == [("c", "e_0", 1)]
    assert "may have been" not in made.log()


@NEEDS_PARTITIONS
@pytest.mark.parametrize("drop", ["DROP TABLE e_1; DROP TABLE e_0", "DROP TABLE e"])
def test_a_partition_that_came_and_went_unseen_is_printed_with_a_warning(drop, parted, database, walcat):
    database.execute("CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM (10) TO (20)", "INSERT INTO e VALUES (11)",
                     *drop.split("; "))
    made = walcat.catch_up(parted)
    assert printed(made) == [("c", "e_1", 11)]
    assert "public.e_1 is gone, and may have been a partition" in made.log()


@NEEDS_PARTITIONS
def test_a_table_that_was_seen_to_be_none_of_the_list_is_not_printed_when_it_is_gone(parted, database, walcat):
    run = walcat.start(parted)
    run.wait_for_log("streaming from")
    run.signal(signal.SIGSTOP)
    database.execute("INSERT INTO u VALUES (1)", "DROP TABLE u", "INSERT INTO e VALUES (2)")
    run.signal(signal.SIGCONT)
    run.wait_for_lines(1)
    assert printed(run) == [("c", "e_0", 2)]
    assert "table public.u is gone; it stood for no listed table" in run.log()
    run.stop()


def test_where_no_listed_table_has_partitions_nothing_that_is_gone_was_one(database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE u (id integer PRIMARY KEY)")
    publish(database, "ALL TABLES")
    config = configuration(entry(database, "public.t"))
    walcat.catch_up(config)
    database.execute("INSERT INTO u VALUES (1)", "DROP TABLE u", "INSERT INTO t VALUES (2)")
    made = walcat.catch_up(config)
    assert printed(made) == [("c", "t", 2)] and "is gone" not in made.log()


@NEEDS_PARTITIONS
@pytest.mark.parametrize("publication", ["ALL TABLES", "TABLE e", "TABLE e WITH (publish_via_partition_root)"])
@pytest.mark.parametrize("moment", ["while streaming", "between runs", "in the run after"])
def test_a_partition_that_is_made_after_its_root_was_renamed_is_printed(moment, publication, database, walcat):
    """The table that is listed is the one that had the name, whatever it is called now."""
    database.execute("CREATE TABLE e (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     "CREATE TABLE e_0 PARTITION OF e FOR VALUES FROM (0) TO (10)")
    publish(database, publication)
    config = configuration(entry(database, "public.e"), wal_guard={"interval": "100ms"})
    run = walcat.start(config)
    run.wait_for_log("streaming from")
    if moment != "while streaming":
        run.stop()
    database.execute("ALTER TABLE e RENAME TO e_old")
    if moment == "in the run after":
        walcat.catch_up(config)
    database.execute("CREATE TABLE e_1 PARTITION OF e_old FOR VALUES FROM (10) TO (20)",
                     "INSERT INTO e_old VALUES (1), (11)")
    if moment != "while streaming":
        run = walcat.start(config)
    run.wait_for_lines(2)
    names = ("e_old", "e_old") if "via" in publication else ("e_0", "e_1")
    assert printed(run) == [("c", names[0], 1), ("c", names[1], 11)], run.describe()
    run.stop()
    database.execute("INSERT INTO e_old VALUES (2), (12)")
    again = walcat.catch_up(config)
    assert printed(again) == [("c", names[0], 2), ("c", names[1], 12)], again.describe()
    assert "table public.e is public.e_old now" in again.log() and "stands for no listed" not in again.log()

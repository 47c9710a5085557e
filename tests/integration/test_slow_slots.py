"""Tables that come while the first slot waits for transactions that are open on the server."""

import pytest
from configuration import configuration, entry
from server_version import NEEDS_MESSAGES, needs
from waiting import wait_until

NEEDS_ROOTS = needs(13, "partitioned tables in publications")


def is_waited_for(database):
    return database.rows("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'virtualxid')")


@NEEDS_ROOTS
@NEEDS_MESSAGES
@pytest.mark.parametrize("mode", ["initial", "never"])
@pytest.mark.parametrize("options", ["", " WITH (publish_via_partition_root)"])
@pytest.mark.parametrize("tables", [("public.e",), ()])
def test_what_comes_meanwhile_comes_once(tables, options, mode, database, walcat):
    """By the snapshot, which sees it, or by the stream; and without rows nothing is said to be missing."""
    database.execute("CREATE TABLE e (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     "CREATE TABLE e_0 PARTITION OF e FOR VALUES FROM (0) TO (10)", "INSERT INTO e VALUES (1)",
                     "CREATE TABLE other (id integer)", "CREATE TABLE e_1 (id integer PRIMARY KEY)",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE e{options}")
    config = configuration(entry(database, *tables), snapshot={"mode": mode}, wal_guard={"interval": "100ms"})
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO other VALUES (1)")
        run = walcat.start(config)
        run.wait_for_log("creating slot")
        wait_until(lambda: is_waited_for(database), "the slot waits")
        # The first is wanted as a part of what is listed, and by no name of its own.
        database.execute("INSERT INTO e_1 VALUES (11)",
                         "ALTER TABLE e ATTACH PARTITION e_1 FOR VALUES FROM (10) TO (20)",
                         "CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM (20) TO (30)", "INSERT INTO e VALUES (21)")
    run.wait_for_log("streaming from")
    database.execute("INSERT INTO e VALUES (12), (22)")
    run.wait_for(lambda: {12, 22} <= {line.after["id"] for line in run.lines()}, "what comes then")
    run.stop()
    again = walcat.catch_up(config)
    rows = sorted((line.op, line.after["id"]) for line in (*run.lines(), *again.lines()))
    read = [("r", 1), ("r", 11), ("r", 21)] if mode == "initial" else []
    assert rows == [("c", 12), ("c", 22), *read]
    assert "has come into publication" not in run.log() + again.log()

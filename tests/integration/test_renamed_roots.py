"""A partitioned table that takes a listed name while the stream goes on: the server describes no partition anew."""

import pytest
from configuration import configuration, entry
from server_version import NEEDS_MESSAGES, needs

NEEDS_ROOTS = needs(13, "partitioned tables in publications")
WATCHED = {"wal_guard": {"interval": "100ms"}}
SWAP = "BEGIN; ALTER TABLE orders RENAME TO orders_old; ALTER TABLE orders_new RENAME TO orders; COMMIT"


def make(database, name, leaf):
    database.execute(
        f"CREATE TABLE {name} (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id)",
        f"CREATE TABLE {leaf} PARTITION OF {name} FOR VALUES FROM (0) TO (1000)",
    )


def printed(run, table):
    return {line.after["id"] for line in run.lines() if line.source["table"] == table and line.after}


@NEEDS_ROOTS
@NEEDS_MESSAGES
@pytest.mark.parametrize("publication", [
    "ALL TABLES", "TABLE orders, orders_new", "TABLE orders, orders_new WITH (publish_via_partition_root)",
    "TABLE orders WITH (publish_via_partition_root)",
])
def test_a_partitioned_table_that_takes_a_listed_name(publication, database, walcat):
    """Though the stream has described its partitions before, as those of a table that nobody wants."""
    make(database, "orders", "leaf_a")
    make(database, "orders_new", "leaf_b")
    database.execute("INSERT INTO orders VALUES (1, 'a')", "INSERT INTO orders_new VALUES (2, 'b')",
                     f"CREATE PUBLICATION pub_{database.name} FOR {publication}")
    is_through_root = "via" in publication
    old, new = ("orders_old", "orders") if is_through_root else ("leaf_a", "leaf_b")
    run = walcat.start(configuration(entry(database, "public.orders"), snapshot={}, **WATCHED))
    run.wait_for_log("streaming from")
    database.execute("INSERT INTO orders VALUES (3, 'a')", "INSERT INTO orders_new VALUES (4, 'b')")
    run.wait_for(lambda: 3 in printed(run, "orders" if is_through_root else old), "what was before")
    assert 4 not in printed(run, new)
    database.execute(SWAP, "INSERT INTO orders VALUES (5, 'b')", "INSERT INTO orders_old VALUES (6, 'a')")
    run.wait_for(lambda: {2, 4, 5} <= printed(run, new), "the rows of the one that is listed now")
    # The session that was begun for this describes all as it is.
    database.execute("UPDATE orders SET note = 'then' WHERE id = 2", "INSERT INTO orders VALUES (7, 'b')",
                     "INSERT INTO orders_old VALUES (8, 'a')")
    run.wait_for(lambda: 7 in printed(run, new) and 8 in printed(run, old), "what comes then")
    came = [(line.op, line.after["id"]) for line in run.lines() if line.source["table"] == new]
    assert ("u", 2) in came
    run.stop()
    again = walcat.catch_up(configuration(entry(database, "public.orders"), snapshot={}))
    assert again.lines() == [] and "incremental" not in again.log()

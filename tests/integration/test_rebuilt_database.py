"""The stream rebuilds the database: an applier that reads nothing but debezium records makes every table of a second
database equal to the first, under a load that alters schemas while it writes.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import knobs
import pytest
from altering import AlteringWriter
from applier import TELL, Applier
from database import Database
from feed import Feed
from server_version import NEEDS_MESSAGES

SCHEMAS = ("north", "south")

# What of a database is compared: its tables (partitions are in their roots) and their columns.
TABLES = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname ~ '^(north|south)'
"""
COLUMNS = """
    SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || ordinal_position || ' ' || data_type
    FROM information_schema.columns WHERE table_schema ~ '^(north|south)'
"""


@pytest.fixture
def source(make_database) -> Database:
    made = make_database()
    made.execute("CREATE EXTENSION hstore", *TELL)
    return made


@pytest.fixture
def target(make_database) -> Database:
    made = make_database()
    made.execute("CREATE EXTENSION hstore", "CREATE SCHEMA comparing", "CREATE EXTENSION dblink SCHEMA comparing")
    return made


@contextmanager
def writing(source: Database, move_large_keys: bool) -> Iterator[None]:
    """Both writers at the same time, while the block runs; they end by themselves."""
    seed = knobs.dice().randrange(2**32)
    with ThreadPoolExecutor() as pool:
        writers = [
            pool.submit(AlteringWriter(source, schema, random.Random(seed + number), move_large_keys).run)
            for number, schema in enumerate(SCHEMAS)
        ]
        yield
        for writer in writers:
            writer.result()


def difference(source: Database, target: Database, query: str) -> list[str]:
    """What the query finds in one of the two databases only, each row as a text; rows found twice count twice."""
    there = f"SELECT * FROM comparing.dblink($c${source.conn_str}$c$, $q${query}$q$) AS there (found text)"
    found = target.rows(
        f"(SELECT 'missing: ' || found FROM ({there} EXCEPT ALL ({query})) AS missing)"
        f" UNION ALL (SELECT 'surplus: ' || found FROM (({query}) EXCEPT ALL {there}) AS surplus (found))"
    )
    return [row[0] for row in found]


def check_equal(source: Database, target: Database) -> int:
    """Every table, row by row in PostgreSQL's text form, digit by digit. Returns how many rows there are."""
    assert difference(source, target, TABLES) == []
    assert difference(source, target, COLUMNS) == []
    count = 0
    for (table,) in source.rows(TABLES):
        wrong = difference(source, target, f"SELECT t::text FROM {table} AS t")
        assert wrong == [], f"{len(wrong)} rows of {table} differ, such as:\n" + "\n".join(wrong[:4])[:4000]
        count += source.value(f"SELECT count(*) FROM {table}")
    return count


FEEDS: dict[str, tuple[dict[str, Any], bool]] = {
    "debezium": (
        {
            "envelope": "debezium",
            "key_changes": "update",
            "debezium": {
                "time_precision_mode": "isostring",
                "interval_handling_mode": "string",
                "binary_handling_mode": "hex",
            },
        },
        False,
    ),
    "debezium-schema": (
        {
            "envelope": "debezium-schema",
            "key_changes": "split",
            "tombstones": True,
            "debezium": {
                "decimal_handling_mode": "precise",
                "interval_handling_mode": "string",
                "hstore_handling_mode": "map",
            },
        },
        True,
    ),
}


@pytest.mark.parametrize("name", FEEDS)
@NEEDS_MESSAGES
def test_the_records_rebuild_every_table(name, source, target, walcat):
    """With a cut connection, a stop and a start on the way. One feed shows partitions, the other their roots."""
    output, via_root = FEEDS[name]
    source.execute(
        f"CREATE PUBLICATION pub_{source.name} FOR ALL TABLES WITH (publish_via_partition_root = {via_root})"
    )
    feed = Feed(walcat, source, {"framing": "key-value", "skip": [], **output})
    run = walcat.start(feed.config)
    walsender = run.wait_for(source.slot_reader, "the slot is streamed")
    with writing(source, move_large_keys=output["key_changes"] == "update"):
        run.wait_for(lambda: run.output.count() >= 100, "records are printed")
        source.rows("SELECT pg_terminate_backend(%s)", (walsender,))
        run.wait_for(lambda: source.slot_reader() not in (None, walsender), "another walsender streams the slot")
        run.wait_for(lambda: run.output.count() >= 1000, "more records are printed")
        run.stop()
    records = [*feed.records(run), *feed.rest()]
    applier = Applier(target)
    applier.apply(records)
    rows = check_equal(source, target)
    print(f"{len(records)} records, {dict(applier.applied)}; {rows} rows are equal")
    # There was something to show.
    assert rows > 300 and applier.values_left_out > 10
    assert all(applier.applied[op] > 3 for op in "cudtm"), applier.applied

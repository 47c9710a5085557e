"""Every line is JSON for every parser: all types, all operations, all envelopes, and the texts that break parsers.

    WALCAT_TEST_LINES           changes whose lines are parsed (100000; the claim is a million)
    WALCAT_TEST_PARSE_LINES     the reader made of simdjson (beside the binary, tests/integration/parse_lines)
    WALCAT_TEST_DUCKDB          libduckdb.so; without one that case is skipped
"""

import hashlib
import json
import os
import pathlib
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import knobs
import pytest
from altering import TABLES, TABLES_NOW, VALUES, Table
from configuration import configuration, entry
from database import Database
from duck_db import DUCKDB, DuckDb
from postgres_server import PostgresServer
from server_version import NEEDS_MESSAGES
from walcat_process import LineFile, Walcat

pytestmark = NEEDS_MESSAGES

LINES = knobs.number("LINES", 100_000, sanitized=20_000)
PARSE_LINES = pathlib.Path(
    os.environ.get("WALCAT_TEST_PARSE_LINES") or knobs.WALCAT.parent / "tests" / "integration" / "parse_lines"
)

# What is printed of one log, each under a slot of its own, and its share of the lines. Schemas are some KiB a line.
FEEDS = {
    "message": ({"transactions": True}, 0.4),
    "text": ({"values": "text"}, 0.1),
    "debezium": ({"envelope": "debezium", "skip": [], "transactions": True}, 0.2),
    "precise": (
        {"envelope": "debezium", "debezium": {"decimal_handling_mode": "precise", "hstore_handling_mode": "map"}}, 0.09,
    ),
    "row": ({"envelope": "row", "key_changes": "update"}, 0.2),
    "debezium-schema": ({"envelope": "debezium-schema", "skip": [], "transactions": True}, 0.01),
}
MOST = max(share for _, share in FEEDS.values())

POOL_ROWS = 500
EXTREME = ["NaN", "Infinity", "-Infinity", "9" * 300, "-0." + "0" * 200 + "1", "1e1000", "1e-300", "0", "-1.50"]
# All that JSON escapes, what it need not, and what JavaScript, YAML and terminals take for a line's end or an order.
HOSTILE = [*map(chr, range(1, 32)), '"', "\\", "/", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\ufffd", "\uffff",
           "\U0001F418", "\U0010FFFF", "e\u0301", "\u202e", "</script>", "漢", "ß", "\\u0000", "\\ud800", "{", "]", ","]

# One round: two hundred rows and more through every operation.
ROUND = (
    """INSERT INTO mixed.rows SELECT {first} + id, {columns} FROM mixed.pool WHERE id <= 200""",
    """UPDATE mixed.rows AS r
       SET (yes, single, note, tags, body, digest, extreme) = (SELECT yes, single, note, tags, body, digest, extreme
                                                               FROM mixed.pool WHERE id = 1 + (r.id + {first}) % 500)
       WHERE r.id > {first} AND r.id % 3 = 0""",
    "UPDATE mixed.rows SET id = -id WHERE id > {first} AND id % 7 = 0",
    "DELETE FROM mixed.rows WHERE id > {first} AND id % 2 = 0 OR id < 0",
    "SELECT pg_logical_emit_message(true, body, raw) FROM mixed.pool WHERE id = 1 + {first} % 500",
    "SELECT pg_logical_emit_message(false, body, digest) FROM mixed.pool WHERE id = 1 + {first} % 500",
    "INSERT INTO mixed.few VALUES ({first})",
    "TRUNCATE mixed.few",
)


@dataclass(frozen=True)
class Printed:
    """The lines of all feeds in one file, and those of the row envelope in another; how many they are."""

    every: pathlib.Path
    rows: pathlib.Path
    count: int


@pytest.fixture(scope="module")
def printed(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printed]:
    folder = tmp_path_factory.mktemp("parsers")
    walcat = Walcat(folder)
    database = Database(server)
    try:
        fill_pool(database)
        configurations = {
            name: configuration(
                entry(database, slot_name=f"{database.slot_name}_{name.replace('-', '_')}"), output=output
            )
            for name, (output, _) in FEEDS.items()
        }
        for config in configurations.values():
            walcat.catch_up(config)
        write_rounds(database)
        outputs = {
            name: walcat.run(config, "--max-changes", str(round(LINES * FEEDS[name][1])), within=600).output.path
            for name, config in configurations.items()
        }
        every = folder / "every.jsonl"
        with open(every, "wb") as target:
            subprocess.run(["cat", *outputs.values()], stdout=target, check=True)
        yield Printed(every, outputs["row"], LineFile(every).count())
    finally:
        walcat.close()
        database.close()


def fill_pool(database: Database) -> None:
    """Rows of random values, out of which those of the tables that are followed are put together."""
    dice = knobs.dice()
    database.execute("CREATE EXTENSION hstore", *(statement.replace("{s}", "mixed") for statement in TABLES[:5]))
    database.execute(
        "CREATE TABLE mixed.pool (LIKE mixed.wide)",
        "ALTER TABLE mixed.pool ADD extreme numeric, ADD body text, ADD digest text",
        "CREATE TABLE mixed.rows (LIKE mixed.pool, PRIMARY KEY (id))",
        "CREATE TABLE mixed.few (id integer)",
    )
    with database.transaction() as cursor:
        cursor.execute(TABLES_NOW, ("mixed",))
        pool = next(table for table in (Table(cursor, *row) for row in cursor.fetchall()) if table.relation == "pool")
        places = ", ".join(["%s"] * len(pool.columns))
        for number in range(1, POOL_ROWS + 1):
            row = {column.name: value_of(column.kind, dice) for column in pool.columns}
            body = "".join(dice.choices(HOSTILE, k=dice.randint(0, 40)))
            digest = hashlib.md5(body.encode()).hexdigest()
            row |= {"id": str(number), "extreme": dice.choice(EXTREME), "body": body, "digest": digest}
            cursor.execute(f"INSERT INTO mixed.pool VALUES ({places})", tuple(row.values()))


def value_of(kind: str, dice: Random) -> str | None:
    """Short ones, so that there are many lines in little time."""
    if dice.random() < 0.1:
        return None
    return next(value for value in iter(lambda: VALUES[kind](dice), None) if len(value) < 100)


def write_rounds(database: Database) -> None:
    columns = database.value(
        """SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = 'mixed.pool'::regclass AND attnum > 0 AND attname <> 'id'"""
    )
    # A round changes over three hundred rows.
    for number in range(round(LINES * MOST) // 300 + 1):
        for statement in ROUND:
            database.execute(statement.format(first=number * 1000, columns=columns))


def test_pythons_parser_reads_every_line_and_every_text_is_whole(printed):
    ops: Counter[str] = Counter()
    texts = 0
    with open(printed.every, encoding="utf-8", newline="\n") as stream:
        for line in stream:
            event = json.loads(line, object_pairs_hook=unique)
            event = event.get("message", event) if "op" not in event else event
            event = event.get("payload", event)
            ops[event.get("op") or event.get("__op") or "border"] += 1
            row = event.get("after") or event
            if row.get("digest"):
                texts += 1
                assert hashlib.md5(row["body"].encode()).hexdigest() == row["digest"], line
    print(f"{ops.total()} lines, {dict(ops)}, {texts} texts")
    assert ops.total() == printed.count
    assert ops.total() - ops["border"] == LINES
    assert set(ops) >= set("cudtm") | {"border"}
    assert texts > LINES / 3


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a key stands twice: {[key for key, _ in pairs]}"
    return found


def test_jq_reads_every_line(printed):
    done = subprocess.run(["jq", "-n", "reduce inputs as $line (0; . + 1)", printed.every], capture_output=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(printed.count).encode(), b"")


def test_simdjson_reads_every_line(printed):
    assert PARSE_LINES.exists(), f"{PARSE_LINES} is not built; WALCAT_TEST_PARSE_LINES names it"
    done = subprocess.run([PARSE_LINES, printed.every], capture_output=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout == f"{printed.count} lines, 0 errors\n".encode()


needs_duckdb = pytest.mark.skipif(not DUCKDB, reason="no DuckDB: WALCAT_TEST_DUCKDB names a libduckdb.so")


@needs_duckdb
def test_duckdb_reads_every_line(printed):
    with DuckDb(DUCKDB) as duckdb:
        assert duckdb.rows(
            f"SELECT count(*), count(json_structure(json)) FROM read_ndjson_objects('{printed.every}')"
        ) == [(str(printed.count), str(printed.count))]


@needs_duckdb
def test_duckdb_makes_a_table_of_rows(printed):
    with DuckDb(DUCKDB) as duckdb:
        counts = dict(duckdb.rows(
            f"SELECT __op, count(*) FROM read_json('{printed.rows}', format='newline_delimited', sample_size=-1)"
            " GROUP BY ALL"
        ))
    assert sum(map(int, counts.values())) == round(LINES * FEEDS["row"][1])
    assert set(counts) == set("cudtm")

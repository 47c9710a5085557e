"""The queries of docs/current-state.md make of row lines what the table holds.

    WALCAT_TEST_DUCKDB          libduckdb.so; without it, and without Python's duckdb, that case is skipped

ClickHouse is Python's chdb.
"""

import importlib.util
import json
import pathlib

import knobs
import pytest
from database import Database
from duck_db import DUCKDB, DuckDb
from feed import Feed
from server_version import NEEDS_TRUNCATE

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "current-state.md"
Rows = list[tuple[str | None, ...]]


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def by_duckdb(query: str) -> Rows:
    if DUCKDB:
        with DuckDb(DUCKDB) as duckdb:
            return duckdb.rows(query)
    import duckdb

    return [as_text(row) for row in duckdb.sql(query).fetchall()]


def by_clickhouse(query: str) -> Rows:
    import chdb

    return [as_text(row) for row in json.loads(chdb.query(query, "JSONCompact").bytes())["data"]]


def as_text(row: list[object]) -> tuple[str | None, ...]:
    return tuple(None if value is None else str(value) for value in row)


ENGINES = [
    pytest.param("DuckDB", by_duckdb, id="DuckDB", marks=pytest.mark.skipif(
        not DUCKDB and not has("duckdb"), reason="no DuckDB: WALCAT_TEST_DUCKDB names a libduckdb.so")),
    pytest.param("ClickHouse", by_clickhouse, id="ClickHouse", marks=pytest.mark.skipif(
        not has("chdb"), reason="no ClickHouse: pip install chdb")),
]

STATEMENTS = (
    "INSERT INTO orders VALUES ({a}, 'new', repeat('{a}', 3000)) ON CONFLICT DO NOTHING",
    "INSERT INTO orders VALUES ({a}, NULL, NULL) ON CONFLICT DO NOTHING",
    "UPDATE orders SET status = 'paid {a}' WHERE id >= {a}",
    "UPDATE orders SET note = NULL WHERE id = {a}",
    "UPDATE orders SET id = {b}, status = 'moved' WHERE id = {a} AND NOT EXISTS (SELECT FROM orders WHERE id = {b})",
    "UPDATE orders SET id = id + (SELECT max(id) FROM orders) WHERE id > {a}",
    "DELETE FROM orders WHERE id = {a}",
)


def query_of(engine: str, database: Database) -> str:
    section = DOCUMENT.read_text().split(f"## {engine}\n")[1]
    return section.split("```sql\n")[1].split("```")[0].replace("'shop'", f"'{database.name}'")


@pytest.fixture
def history(walcat, database, tmp_path, monkeypatch) -> Database:
    """Lines of rows that were there before and of what became of them, some of them twice."""
    database.execute("CREATE TABLE orders (id bigint PRIMARY KEY, status text, note text)",
                     "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
                     "INSERT INTO orders SELECT n, 'old', repeat('o', 3000) FROM generate_series(1, 9) AS n")
    feed = Feed(walcat, database, {"envelope": "row"}, snapshot={"mode": "initial"})
    lines = feed.first.output.texts()
    dice = knobs.dice()
    for number in range(120):
        a, b = dice.randint(1, 20), dice.randint(1, 20)
        database.execute("TRUNCATE orders" if number == 40 else dice.choice(STATEMENTS).format(a=a, b=b))
    lines += feed.rest()
    assert {json.loads(line)["__op"] for line in lines} == set("rcudt")
    monkeypatch.chdir(tmp_path)
    pathlib.Path("changes.jsonl").write_text("\n".join(lines + lines[len(lines) // 2:]) + "\n")
    return database


@pytest.mark.parametrize("name, engine", ENGINES)
@NEEDS_TRUNCATE
def test_the_lines_make_the_table(name, engine, history):
    there = [as_text(row) for row in history.rows("SELECT * FROM orders ORDER BY id")]
    assert there and engine(query_of(name, history)) == there

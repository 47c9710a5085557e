"""The run that took the snapshot is cut off again and again: nothing is missing, and nothing comes twice."""

from collections.abc import Iterator

import knobs
import pytest
from configuration import configuration, entry
from database import Database
from mirror import Mirror
from postgres_server import PostgresServer
from waiting import hold_for
from walcat_process import WalcatProcess
from workload import Pgbench

TABLES = 10
# Every other one has no key. Its rows differ all the same, by a number that is given out once.
KEYS = {f"public.t_{number}": ("id",) if number % 2 else () for number in range(TABLES)}
WRITES = r"""
\set id random(1, {rows})
\set gone random(1, {rows})
BEGIN;
UPDATE t_{keyed} SET note = 'changed ' || nextval('fresh') WHERE id = :id;
UPDATE t_{keyless} SET note = 'changed ' || nextval('fresh') WHERE id = :id;
INSERT INTO t_{keyed} VALUES (nextval('fresh'), 'new');
INSERT INTO t_{keyless} VALUES (nextval('fresh'), 'new');
DELETE FROM t_{keyed} WHERE id = :gone;
DELETE FROM t_{keyless} WHERE id = :gone;
COMMIT;
"""


def cut(database: Database, run: WalcatProcess) -> None:
    """Ends the walsender, and returns when another streams the slot."""
    walsender = run.wait_for(database.slot_reader, "the slot is streamed")
    database.rows("SELECT pg_terminate_backend(%s)", (walsender,))
    run.wait_for(lambda: database.slot_reader() not in (None, walsender), "another walsender streams the slot")


def tables(rows: int) -> Iterator[str]:
    yield "CREATE SEQUENCE fresh START 1000000000"
    for name, key in KEYS.items():
        yield f"CREATE TABLE {name} (id integer NOT NULL, note text)"
        yield f"INSERT INTO {name} SELECT id, 'row ' || id FROM generate_series(1, {rows}) AS id"
        yield f"CREATE INDEX ON {name} (id)" if not key else f"ALTER TABLE {name} ADD PRIMARY KEY (id)"
        if not key:
            yield f"ALTER TABLE {name} REPLICA IDENTITY FULL"


def test_a_cut_every_second_under_load(database, walcat, tmp_path):
    rows = knobs.SEAM_ROWS // TABLES
    database.execute(*tables(rows))
    script = tmp_path / "load.sql"
    script.write_text("".join(WRITES.format(rows=rows, keyless=n, keyed=n + 1) for n in range(0, TABLES, 2)))
    run = walcat.start(configuration(entry(database), snapshot={"mode": "initial"}, output={"values": "text"}))
    with Pgbench(database, tmp_path, "--client=2", "--rate=40", "--time=3600", f"--file={script}") as load:
        run.wait_for(database.slot_reader, "the slot is streamed", 60)
        for _ in range(knobs.SEAM_CUT_SECONDS):
            cut(database, run)
            hold_for(1.0, lambda: run.wait_for(run.is_running, "it runs"))
        assert load.is_running()
    end = database.wal_lsn()
    run.wait_for(lambda: database.passed(end), "all is printed and stored", 60)
    run.stop()
    lines = run.lines()
    assert len({line.position for line in lines}) == len(lines), "a position comes twice"
    assert sum(line.op == "r" for line in lines) <= knobs.SEAM_ROWS * 2 and {line.op for line in lines} == set("rcud")
    Mirror(KEYS).apply(lines).check_equal(database)


@pytest.fixture
def own_database(walcat) -> Iterator[Database]:
    """On a server that may be stopped."""
    server = PostgresServer()
    database = Database(server)
    yield database
    walcat.close()
    database.disconnect()
    server.close()


def test_a_finished_snapshot_is_finished(own_database, walcat):
    """However often the stream is cut; and the right to read rows is needed no more."""
    database = own_database
    database.execute(
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "INSERT INTO t SELECT generate_series(1, 1000)",
        "CREATE ROLE reader LOGIN REPLICATION",
        "GRANT SELECT ON t TO reader",
        f"CREATE PUBLICATION pub_{database.name} FOR TABLE t",
    )
    conn_str = database.server.conn_str(database.name, "reader")
    # As it stands where nothing is configured: the offset is stored much later.
    run = walcat.start(configuration(entry(database, conn_str=conn_str), snapshot={}, flush_interval="10s"))
    for _ in range(3):
        cut(database, run)
    database.disconnect()
    database.server.restart()
    run.wait_for(database.slot_reader, "the slot is streamed again")
    database.execute("REVOKE SELECT ON t FROM reader")
    cut(database, run)
    database.execute("INSERT INTO t VALUES (1001)")
    run.wait_for(lambda: run.lines()[-1].op == "c", "the change is printed")
    run.stop()
    assert [(line.op, line.after["id"]) for line in run.lines()] == [
        *(("r", n) for n in range(1, 1001)), ("c", 1001)
    ]

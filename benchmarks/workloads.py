"""The seven workloads of the end-to-end benchmark: what is in the table before, and what is written to the log.

Each has a database of its own. What it prepares is there before the slot is made; what it writes is what is drained.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from postgres_server import PostgresServer

Execute = Callable[[str], list[tuple[Any, ...]]]

# About 150 bytes a pgoutput frame.
NARROW = """CREATE TABLE narrow (
    id bigint PRIMARY KEY, account integer NOT NULL, amount numeric(12, 2), note text, made timestamptz)"""
NARROW_ROW = """i, (i * 7919 % 100000)::integer, (i * 31 % 1000000) / 100.0,
    'row number ' || i || ', a note of some length, as people write them, about this and that',
    '2026-01-01'::timestamptz + i * interval '1 second'"""

# About 1.3 kB a frame. A quarter of the texts needs escaping; the last columns are null in half of the rows.
WIDE = {
    "id bigint PRIMARY KEY": "i",
    "customer integer": "(i * 7919 % 1000000)::integer",
    "warehouse smallint": "(i % 300)::smallint",
    "quantity integer": "(i % 17)::integer",
    "weight_grams bigint": "i * 12345 % 10000000000",
    "price numeric(12, 2)": "(i * 31 % 1000000) / 100.0",
    "tax numeric(6, 4)": "(i % 2500) / 10000.0",
    "total numeric(14, 2)": "(i * 37 % 100000000) / 100.0",
    "discount real": "(i % 100)::real / 8",
    "latitude double precision": "(i % 180000) / 1000.0 - 90",
    "longitude double precision": "(i % 360000) / 1000.0 - 180",
    "paid boolean": "i % 3 = 0",
    "shipped boolean": "i % 5 = 0",
    "ordered date": "'2026-01-01'::date + (i % 365)::integer",
    "due date": "'2026-02-01'::date + (i % 365)::integer",
    "made timestamptz": "'2026-01-01'::timestamptz + i * interval '1 second'",
    "changed timestamptz": "'2026-01-01'::timestamptz + i * interval '1.234567 seconds'",
    "local timestamp": "'2026-01-01'::timestamp + i * interval '1 minute'",
    "reference uuid": "md5(i::text)::uuid",
    "status varchar(20)": "(ARRAY['new', 'paid', 'packed', 'shipped', 'returned'])[1 + i % 5]",
    "name text": "'customer number ' || i",
    "street text": "i % 9999 || ' Long \"Winding\" Road, second floor, door ' || i % 7",
    "city text": "(ARRAY['Kyoto', 'Zürich', 'São Paulo', 'Oslo'])[1 + i % 4]",
    "comment text": "repeat('words that somebody wrote about this order; ', 8) || E'\\n\\tlast line ' || i",
    "attributes jsonb": """jsonb_build_object('colour', 'green', 'size', i % 50, 'tags', ARRAY['a', 'b', 'c'],
        'nested', jsonb_build_object('number', i, 'text', repeat('value ', 18)))""",
    "digest bytea": "decode(md5(i::text) || md5((i + 1)::text), 'hex')",
    "address inet": "('10.0.0.0'::inet + i % 16000000)",
    "lines integer[]": "ARRAY[i % 11, i % 13, i % 17, i % 19]::integer[]",
    "instructions text": "CASE WHEN i % 2 = 0 THEN repeat('leave it at the back door, please. ', 10) END",
    "voucher text": "CASE WHEN i % 2 = 0 THEN 'VOUCHER-' || i END",
}
WIDE_TABLE = f"CREATE TABLE wide ({', '.join(WIDE)})"
WIDE_ROW = ", ".join(WIDE.values())

# Rows of one transaction.
MANY = 1000
# Clients of pgbench, threads of it, and rows of its smallest table (of its largest: 100000 times as many).
PGBENCH_CLIENTS, PGBENCH_THREADS, PGBENCH_SCALE = 4, 2, 10
PGBENCH_CHANGES = 4


@dataclass(frozen=True)
class Workload:
    """`size`: changes at scale 1.0, in transactions of `per_transaction`."""

    name: str
    what: str
    size: int
    per_transaction: int
    prepare: Callable[["Load"], None]
    write: Callable[["Load"], None]

    def changes(self, scale: float) -> int:
        """How many there are at that scale: whole transactions, at least one."""
        wanted = max(1, round(self.size * scale))
        if self.per_transaction == self.size:
            return wanted
        return max(1, round(wanted / self.per_transaction)) * self.per_transaction

    def load(self, server: PostgresServer, database: str, scale: float, execute: Execute) -> "Load":
        changes = self.changes(scale)
        return Load(server, database, changes, min(changes, self.per_transaction), execute)


@dataclass(frozen=True)
class Load:
    """One workload in one database: `changes` in all, in transactions of `per_transaction`."""

    server: PostgresServer
    database: str
    changes: int
    per_transaction: int
    execute: Execute

    def in_transactions(self, statement: str) -> None:
        """Runs `statement` once in each transaction; low and high in it are the transaction's own numbers."""
        self.execute(
            f"""DO $$ DECLARE high bigint; BEGIN
                FOR low IN 1..{self.changes} BY {self.per_transaction} LOOP
                    high := low + {self.per_transaction} - 1;
                    {statement};
                    COMMIT;
                END LOOP; END $$"""
        )


def empty_narrow(load: Load) -> None:
    load.execute(NARROW)


def full_narrow(load: Load) -> None:
    load.execute(NARROW)
    load.execute(f"INSERT INTO narrow SELECT {NARROW_ROW} FROM generate_series(1::bigint, {load.changes}) AS i")


def full_narrow_with_identity(load: Load) -> None:
    full_narrow(load)
    load.execute("ALTER TABLE narrow REPLICA IDENTITY FULL")


def insert(load: Load) -> None:
    load.in_transactions(f"INSERT INTO narrow SELECT {NARROW_ROW} FROM generate_series(low::bigint, high) AS i")


def update(load: Load) -> None:
    load.in_transactions("UPDATE narrow SET amount = amount + 1, made = now() WHERE id BETWEEN low AND high")


def delete(load: Load) -> None:
    load.in_transactions("DELETE FROM narrow WHERE id BETWEEN low AND high")


def empty_wide(load: Load) -> None:
    load.execute(WIDE_TABLE)


def insert_wide(load: Load) -> None:
    load.in_transactions(f"INSERT INTO wide SELECT {WIDE_ROW} FROM generate_series(low::bigint, high) AS i")


def fill_pgbench(load: Load) -> None:
    pgbench(load, "--initialize", "--quiet", "--scale", str(PGBENCH_SCALE))


def run_pgbench(load: Load) -> None:
    """Each of the clients runs as many transactions."""
    each = load.changes // PGBENCH_CHANGES // PGBENCH_CLIENTS
    clients = ("--client", str(PGBENCH_CLIENTS), "--jobs", str(PGBENCH_THREADS))
    pgbench(load, "--no-vacuum", "--protocol", "prepared", *clients, "--transactions", str(each))


def pgbench(load: Load, *arguments: str) -> None:
    command = [load.server.program("pgbench"), *arguments, load.server.conn_str(load.database)]
    subprocess.run(command, check=True, capture_output=True, cwd="/")


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("insert-1", "narrow inserts, 1 a transaction", 300_000, 1, empty_narrow, insert),
        Workload("insert-100", "narrow inserts, 100 a transaction", 1_000_000, 100, empty_narrow, insert),
        Workload("insert-1m", "narrow inserts, one transaction", 1_000_000, 1_000_000, empty_narrow, insert),
        Workload("update-full", "updates, identity FULL, 1000 a transaction", 1_000_000, MANY,
                 full_narrow_with_identity, update),
        Workload("delete", "deletes, 1000 a transaction", 1_000_000, MANY, full_narrow, delete),
        Workload("wide", "inserts of 30 mixed columns, 100 a transaction", 300_000, 100, empty_wide, insert_wide),
        Workload("tpcb", "pgbench TPC-B, 4 changes a transaction", 1_000_000, PGBENCH_CLIENTS * PGBENCH_CHANGES,
                 fill_pgbench, run_pgbench),
    )
}



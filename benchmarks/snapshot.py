#!/usr/bin/python3
"""Rows a second of a snapshot, beside `psql \\copy` of the same table in the same run.

    benchmarks/snapshot.py [--rows N] [--rounds N]

Starts a PostgreSQL of its own, fills one narrow table and reads it in turns: by psql into /dev/null, by walcat with one
worker, by walcat with two, by walcat between the changes of a stream. Prints medians and the ratios that matter. Needs
the release build (scripts/build), and the packages of the sections server and test in packages.txt.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from postgres_server import PostgresServer  # noqa: E402

WALCAT = os.environ.get("WALCAT") or str(ROOT / "build" / "release" / "walcat")
FILL = """CREATE TABLE narrow (id bigint PRIMARY KEY, a integer, b text, ts timestamptz);
INSERT INTO narrow SELECT i, i % 1000, 'row number ' || i, '2026-01-01'::timestamptz + i * interval '1 second'
FROM generate_series(1, {rows}) AS i; VACUUM (ANALYZE, FREEZE) narrow; CREATE PUBLICATION all_tables FOR ALL TABLES"""


class Bench:
    def __init__(self, server: PostgresServer, folder: pathlib.Path, rows: int):
        self.server = server
        self.folder = folder
        self.rows = rows
        self.config = folder / "walcat.yaml"
        conn_str = server.conn_str("postgres")
        self.config.write_text(
            f'databases: [{{conn_str: "{conn_str}", slot_name: bench, publication_name: all_tables}}]\n'
        )
        self.sql(FILL.format(rows=rows))

    def sql(self, statements: str) -> None:
        connection = self.server.connect("postgres")
        with connection.cursor() as cursor:
            for statement in statements.split(";"):
                cursor.execute(statement)
        connection.close()

    def psql(self) -> float:
        copy = "\\copy narrow to '/dev/null'"
        return self.timed(self.server.program("psql"), "-X", "-q", "-c", copy, self.server.conn_str("postgres"))

    def dump(self, workers: int) -> float:
        return self.walcat("snapshot", "--dump", "--set", f"snapshot.workers={workers}")

    def between_changes(self) -> float:
        (self.folder / "offset_bench.json").unlink(missing_ok=True)
        follower = subprocess.Popen(
            [WALCAT, "-c", str(self.config), "--set", "snapshot.mode=never"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while "streaming" not in follower.stderr.readline():
            pass
        seconds = self.walcat("snapshot", "--tables", "public.narrow")
        follower.terminate()
        follower.communicate()
        self.sql("SELECT pg_drop_replication_slot('bench')")
        return seconds

    def walcat(self, *arguments: str) -> float:
        return self.timed(WALCAT, *arguments, "-c", str(self.config), "--log-level", "error")

    def timed(self, *command: str) -> float:
        began = time.monotonic()
        subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    server = PostgresServer({"max_wal_size": "16GB", "shared_buffers": "1GB"})
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(Bench(server, pathlib.Path(folder), options.rows), options.rounds)
    finally:
        server.close()


def run(bench: Bench, rounds: int) -> None:
    ways = {
        "psql \\copy": bench.psql,
        "walcat, 1 worker": lambda: bench.dump(1),
        "walcat, 2 workers": lambda: bench.dump(2),
        "walcat, between changes": bench.between_changes,
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    bench.psql()  # Warms the server's buffers.
    for _ in range(rounds):
        for way, measure in ways.items():
            seconds[way].append(measure())
    print(f"{bench.rows} rows, medians of {rounds} interleaved rounds")
    for way, times in seconds.items():
        print(f"{way:<26}{bench.rows / statistics.median(times) / 1e6:6.2f} million rows/s")
    for way, peer in (
        ("walcat, 1 worker", "psql \\copy"),
        ("walcat, 2 workers", "walcat, 1 worker"),
        ("walcat, between changes", "walcat, 1 worker"),
    ):
        ratio = statistics.median(theirs / ours for ours, theirs in zip(seconds[way], seconds[peer], strict=True))
        print(f"{way} over {peer}: {ratio:.2f}")


if __name__ == "__main__":
    main()

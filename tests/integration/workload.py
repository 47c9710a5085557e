"""Loads made by pgbench, in the background of a test."""

import pathlib
import subprocess

from database import Database
from waiting import wait_until
from walcat_process import clean_environment

# Inserts, updates and deletes, from three to some sixty rows a transaction; every seventh transaction or so is rolled
# back, and must leave no line.
MIXED = r"""
\set id random(1, 200)
\set many random_exponential(1, 60, 5)
\set fate random(1, 7)
BEGIN;
INSERT INTO entries (account, note) SELECT :id, 'entry "of" ' || number FROM generate_series(1, :many) AS number;
UPDATE accounts SET balance = balance + 1, note = repeat('x', :id) WHERE id = :id;
DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE account = :id LIMIT 1 FOR UPDATE SKIP LOCKED);
\if :fate = 7
ROLLBACK;
\else
COMMIT;
\endif
"""

MIXED_TABLES = (
    "CREATE TABLE accounts (id integer PRIMARY KEY, balance bigint NOT NULL, note text)",
    "INSERT INTO accounts SELECT id, 0, NULL FROM generate_series(1, 200) AS id",
    """CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account integer NOT NULL,
       note text, made timestamp NOT NULL DEFAULT clock_timestamp())""",
    "CREATE INDEX ON entries (account)",
)
MIXED_KEYS = {"public.accounts": ("id",), "public.entries": ("id",)}

TPCB_KEYS = {
    "public.pgbench_accounts": ("aid",),
    "public.pgbench_tellers": ("tid",),
    "public.pgbench_branches": ("bid",),
    "public.pgbench_history": (),
}


class Pgbench:
    """A running pgbench. Stop it in any case: use it in a `with` block."""

    def __init__(self, database: Database, folder: pathlib.Path, *arguments: str):
        self._database = database
        self._log = folder / f"pgbench-{database.name}.log"
        server = database.server
        command = [server.program("pgbench"), "--no-vacuum", "-h", str(server.folder), "-p", str(server.port)]
        with open(self._log, "a") as log:
            self.process = subprocess.Popen(
                [*command, "-U", "postgres", *arguments, database.name],
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> "Pgbench":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def is_running(self) -> bool:
        return self.process.poll() is None

    def finish(self, within: float) -> None:
        """Waits until the load has ended by itself, and well."""
        status = self.process.wait(timeout=within)
        assert status == 0, f"pgbench ended with {status}\n{self._log.read_text()[-2000:]}"

    def stop(self) -> None:
        """Ends the load. When this returns, nothing more will be committed."""
        if self.is_running():
            self.process.terminate()
        self.process.wait(timeout=30)
        wait_until(lambda: not self._sessions(), "the sessions of pgbench have ended")

    def _sessions(self) -> list[object]:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench' AND datname = %s"
        return self._database.rows(query, (self._database.name,))


def create_tpcb(database: Database, folder: pathlib.Path) -> None:
    """The tables of pgbench's TPC-B, at scale 1."""
    Pgbench(database, folder, "--initialize", "--quiet").finish(within=60)


def tpcb(database: Database, folder: pathlib.Path, clients: int, seconds: int) -> Pgbench:
    return Pgbench(database, folder, f"--client={clients}", f"--time={seconds}")


def mixed(database: Database, folder: pathlib.Path, clients: int = 2, rate: int = 150, seconds: int = 3600) -> Pgbench:
    """The mixed load, at `rate` transactions a second until it is stopped; its tables are MIXED_TABLES."""
    script = folder / "mixed.sql"
    script.write_text(MIXED)
    return Pgbench(
        database, folder, f"--client={clients}", f"--rate={rate}", f"--time={seconds}", f"--file={script}"
    )

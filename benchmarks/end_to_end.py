#!/usr/bin/python3
"""Rows a second, CPU and memory of walcat and of others that drain the same log from copies of one slot.

    benchmarks/end_to_end.py [--workloads A,B] [--clients A,B] [--rounds N] [--scale X] [--json FILE] [--pg-bin FOLDER]

Starts a PostgreSQL of its own, without fsync and with a log that no checkpoint cuts. For each workload (workloads.py)
it makes a slot, writes the changes once, and lets each client (clients.py) drain them from a copy of the slot, one
after the other and in a different order each round. Before that, the changes of each are counted once: who loses some
is no faster. How a run is measured stands in measure.py. Medians of the rounds are printed; a ratio is the median of
the rounds' ratios, as what disturbs one of two neighbouring runs often disturbs both. A client that is not here is left
out by name.

Needs the release build (scripts/build), and the packages of the sections server, test and benchmark in packages.txt.
"""

import argparse
import itertools
import json
import os
import pathlib
import sys
import tempfile
from contextlib import ExitStack, closing
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "benchmarks")]

from clients import BASELINE, CLIENTS, PEER, PUBLICATION, Client, Target  # noqa: E402
from measure import LOG_SETTINGS, Drain, Failed, drain  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from results import Measured, Results, table  # noqa: E402
from workloads import WORKLOADS, Workload  # noqa: E402

SETTINGS = {
    **LOG_SETTINGS,
    "max_wal_size": "200GB",
    "min_wal_size": "2GB",
    "checkpoint_timeout": "1d",
    "shared_buffers": "1GB",
    "synchronous_commit": "off",
    # Neither its workers' CPU nor their disturbance.
    "autovacuum": "off",
    "max_logical_replication_workers": "0",
}
# Newer minor versions of the server load no other plugins; older ones do not know the setting.
PLUGINS = "pgoutput, test_decoding, wal2json"
# A client that is slower has failed: seconds, and changes a second.
PATIENCE_SECONDS, SLOWEST_PER_SECOND = 120, 2000
ORIGIN = "origin"


class Bench:
    def __init__(self, options: argparse.Namespace, stack: ExitStack):
        self.options = options
        self.server = PostgresServer(SETTINGS, tcp=True)
        stack.callback(self.server.close)
        self._sessions = {"postgres": stack.enter_context(closing(self.server.connect("postgres")))}
        self.sql("postgres", f"CREATE ROLE {PEER} SUPERUSER LOGIN PASSWORD '{PEER}'")
        self._allow_plugins()
        self.clients, self.skipped = self._choose()
        if BASELINE not in self.clients:
            say(f"without {BASELINE} there are no ratios to it")

    def _allow_plugins(self) -> None:
        if self.sql("postgres", "SELECT 1 FROM pg_settings WHERE name = 'output_plugin_libraries'"):
            self.sql("postgres", f"ALTER SYSTEM SET output_plugin_libraries = {PLUGINS}")
            self.sql("postgres", "SELECT pg_reload_conf()")

    def _choose(self) -> tuple[dict[str, Client], dict[str, str]]:
        """The clients that are here, and why the others are not."""
        missing = {name: CLIENTS[name].missing(self.server) for name in self.options.clients}
        for name, why in missing.items():
            if why:
                say(f"{name} is left out: {why}")
        return (
            {name: CLIENTS[name] for name, why in missing.items() if not why},
            {name: why for name, why in missing.items() if why},
        )

    def run(self) -> Results:
        version = self.sql("postgres", "SHOW server_version")[0][0]
        results = Results(version, self.options.scale, self.options.rounds, self.skipped)
        for name in self.options.workloads:
            results.workloads[name] = self._measure(WORKLOADS[name])
        return results

    def _measure(self, workload: Workload) -> Measured:
        target = self._write(workload)
        measured = Measured(workload.what, target.changes)
        clients = self._checked(target, measured)
        for number in range(self.options.rounds):
            for client in rotated(list(clients.values()), number):
                say(f"{workload.name}, round {number + 1}: {client.name}")
                try:
                    measured.add(number, client.name, self._drain(client, target))
                except Failed as failure:
                    self._give_up(client, clients, measured, failure)
        self._forget(target)
        return measured

    def _write(self, workload: Workload) -> Target:
        """Makes the database, the slot and what is to be drained."""
        database = workload.name.replace("-", "_")
        self.sql("postgres", f"CREATE DATABASE {database}")
        load = workload.load(self.server, database, self.options.scale, lambda text: self.sql(database, text))
        say(f"{workload.name}: {load.changes} changes are written")
        workload.prepare(load)
        self.sql(database, f"CREATE PUBLICATION {PUBLICATION} FOR ALL TABLES")
        begin = self.sql(database, f"SELECT lsn FROM pg_create_logical_replication_slot('{ORIGIN}', 'pgoutput')")[0][0]
        workload.write(load)
        end = self.sql(database, "SELECT pg_current_wal_insert_lsn()")[0][0]
        # What it writes to the log stands behind the end: clients see that they are there when more comes.
        self.sql(database, "CHECKPOINT")
        return Target(self.server, database, "", begin, end, load.changes, pathlib.Path())

    def _checked(self, target: Target, measured: Measured) -> dict[str, Client]:
        """Those of the clients that print all changes. The reports of the others count for themselves."""
        good = dict(self.clients)
        for client in self.clients.values():
            if not client.count:
                continue
            try:
                seen = self._drain(client, target, count=True)
                if client.counts_changes and seen.changes != target.changes:
                    raise Failed(f"it printed {seen.changes} changes of {target.changes}")
                measured.bytes[client.name] = seen.output_bytes
            except Failed as failure:
                self._give_up(client, good, measured, failure)
        return good

    @staticmethod
    def _give_up(client: Client, clients: dict[str, Client], measured: Measured, failure: Failed) -> None:
        """The benchmark goes on without that peer, but never without walcat."""
        if client.name == "walcat":
            raise failure
        say(f"{client.name} is left out: {failure}")
        measured.failed[client.name] = str(failure)
        clients.pop(client.name, None)

    def _drain(self, client: Client, target: Target, count: bool = False) -> Drain:
        slot = client.name.replace("-", "_").lower()
        copy = f"SELECT pg_copy_logical_replication_slot('{ORIGIN}', '{slot}', false, '{client.plugin}')"
        self.sql(target.database, copy)
        try:
            with tempfile.TemporaryDirectory(prefix="walcat-bench.") as folder:
                own = Target(**{**vars(target), "slot": slot, "folder": pathlib.Path(folder)})
                done = drain(
                    self.server,
                    client.command(own),
                    own.folder,
                    PATIENCE_SECONDS + target.changes / SLOWEST_PER_SECOND,
                    reports=client.reports,
                    count=client.count if count else None,
                )
        finally:
            self._drop(target.database, slot)
        if client.reports and done.changes != target.changes:
            raise Failed(f"it printed {done.changes} changes of {target.changes}")
        return done

    def _drop(self, database: str, slot: str) -> None:
        """Whoever still holds it is ended first."""
        self.sql(database, f"SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots "
                           f"WHERE slot_name = '{slot}' AND active")
        self.sql(database, f"SELECT pg_drop_replication_slot('{slot}')")

    def _forget(self, target: Target) -> None:
        self._drop(target.database, ORIGIN)
        self._sessions.pop(target.database).close()
        self.sql("postgres", f"DROP DATABASE {target.database}")

    def sql(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """By one session a database, so that no other one ends while something is measured."""
        if database not in self._sessions:
            self._sessions[database] = self.server.connect(database)
        with self._sessions[database].cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def rotated(clients: list[Client], number: int) -> list[Client]:
    """Another one begins each round, and every second round goes backwards, so that nobody always follows the same."""
    turn = number % len(clients) if clients else 0
    order = clients[turn:] + clients[:turn]
    return order[::-1] if number % 2 else order


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def names_of(known: dict[str, Any]) -> Any:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return names

    return parse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=names_of(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--clients", type=names_of(CLIENTS), default=list(CLIENTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of changes")
    parser.add_argument("--json", type=pathlib.Path, help="a file for every run and what comes of them")
    parser.add_argument("--pg-bin", help="the server's programs (or PG_BIN; default: Debian's newest)")
    options = parser.parse_args()
    if options.pg_bin:
        os.environ["PG_BIN"] = options.pg_bin
    with ExitStack() as stack:
        results = Bench(options, stack).run()
    print("\n".join(itertools.chain(table(results))))
    if options.json:
        options.json.write_text(json.dumps(results.as_json(), indent=1) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""How long changes take to walcat's output while other databases of the same process hang, refuse and flood.

    benchmarks/neighbours.py [--databases N] [--rounds N] [--seconds N] [--flood-rows-per-second N] ...

One walcat follows N databases: three troublemakers, and calm ones that are measured, each with a few small commits a
second at random moments. Rounds alternate: "alone", where the troublemakers are quiet and well, and "beside", where one
is hung (its connection goes dead without an end, and so does every later one), one refuses connections, and one is
flooded with INSERTs. The two that can't be reached are tried again far more often than by default.

The delay of a change is the moment its line was read from walcat's stdout less its commit's timestamp, which is in the
line, in microseconds. The clock is the same; the server's part counts as well (commit, decoding, socket), and nothing
is hidden by a client that hears of its commit late. Nothing is left out: a round ends when the lines of all measured
commits have come.

Much of such a delay is not walcat's, least of all on a small machine: the flood's backend and walsender want a core
each. So some of the calm databases (--peers) are followed in the same rounds by pg_recvlogical (test_decoding), too,
whose delay is measured by the same loop: what becomes of that is due to the servers, the scheduler and this script. The
flooded database has a server of its own, as each walsender decodes the log of its whole server; and that server yields
to everything else (--flood-nice), as if it had a machine of its own and not a share of this one. Both run without
fsync.

Prints each round's p99, then the delays of all rounds together and the ratios of the two ways. Needs the release build
(scripts/build), and the packages of the sections server and test in packages.txt.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import re
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "fault")]

from postgres_server import PostgresServer  # noqa: E402
from proxy import Proxy  # noqa: E402
from waiting import wait_until  # noqa: E402

WALCAT = os.environ.get("WALCAT") or str(ROOT / "build" / "release" / "walcat")
SETTINGS = {"max_wal_senders": "100", "max_replication_slots": "100", "max_connections": "300", "max_wal_size": "4GB"}
# Retried ten times a second, and never given a long pause.
RETRY = {"max_retries": 1_000_000, "initial_backoff": "100ms", "max_backoff": "100ms"}
BREAKER = {"failure_threshold": 1_000_000}
FOREVER_SECONDS = 86_400.0
# Between the faults and the first measured commit.
SETTLE_SECONDS = 2.0

CALM_TABLE = "CREATE TABLE calm (id bigserial PRIMARY KEY, note text)"
CALM_COMMIT = "INSERT INTO calm (note) VALUES ('a calm row');\n"
FLOOD_TABLE = "CREATE TABLE flood (id bigint, a integer, b text)"
FLOOD_ROWS = 500
FLOOD_COMMIT = f"INSERT INTO flood SELECT i, i % 7, 'row number ' || i FROM generate_series(1, {FLOOD_ROWS}) AS i;\n"
ACTIVE_SLOTS = "SELECT 1 FROM pg_replication_slots WHERE active"
DROP_SLOTS = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"

READ_BYTES = 1 << 20
PATIENCE_SECONDS = 60.0
CALM_MARK = b'"table":"calm"'
COMMIT_TIME = re.compile(rb'"ts_us":(\d+)')
PEER_COMMIT = re.compile(rb"^COMMIT \(at ([^)]*)\)", re.MULTILINE)


@dataclass
class Round:
    """What was seen while it was measured: delays in seconds, rows a second, cores."""

    delays: dict[str, list[float]]
    flood_rows: float
    walcat_cores: float
    idle_cores: float


class Feed:
    """Whole lines out of a pipe, each block with the moment it was read."""

    def __init__(self, process: subprocess.Popen[bytes], commits: Callable[[bytes], Iterator[float]]):
        """`commits` tells the commit times of what is measured in a block of lines."""
        self.fd = process.stdout.fileno()
        self._commits = commits
        self._rest = b""
        self.lines = 0
        # When each was committed, and how long it took, seconds.
        self.seen: list[tuple[float, float]] = []

    def read(self) -> None:
        chunk = os.read(self.fd, READ_BYTES)
        now = time.time()
        if not chunk:
            raise RuntimeError("what is measured has ended")
        lines, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        self.lines += lines.count(b"\n") + len(newline)
        self.seen.extend((commit, now - commit) for commit in self._commits(lines))


class Ears:
    """Reads several feeds in one thread."""

    def __init__(self, feeds: list[Feed], stack: ExitStack):
        self._selector = stack.enter_context(selectors.DefaultSelector())
        for feed in feeds:
            self._selector.register(feed.fd, selectors.EVENT_READ, feed)

    def listen(self, until: float, enough: Callable[[], bool] = lambda: False) -> None:
        while not enough() and time.time() < until:
            for key, _ in self._selector.select(0.1):
                key.data.read()


def wait_for_commits(ears: Ears, feeds: list[Feed], since: float, count: int) -> None:
    def have_come() -> bool:
        return sum(commit >= since for feed in feeds for commit, _ in feed.seen) >= count

    ears.listen(time.time() + PATIENCE_SECONDS, have_come)
    if not have_come():
        raise RuntimeError("changes are missing")


def calm_commits(lines: bytes) -> Iterator[float]:
    """Of walcat's lines. Those of the flood are passed over as fast as bytes are searched."""
    at = lines.find(CALM_MARK)
    while at >= 0:
        yield int(COMMIT_TIME.search(lines, lines.rfind(b"\n", 0, at) + 1)[1]) / 1e6
        at = lines.find(CALM_MARK, at + 1)


def peer_commits(lines: bytes) -> Iterator[float]:
    """Of test_decoding's lines."""
    for match in PEER_COMMIT.finditer(lines):
        yield datetime.datetime.fromisoformat(match[1].decode() + ":00").timestamp()


class Bench:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path, stack: ExitStack):
        self.options = options
        self.folder = folder
        self.server = PostgresServer(SETTINGS, tcp=True)
        stack.callback(self.server.close)
        self.flooded = PostgresServer({"max_wal_size": "4GB"})
        stack.callback(self.flooded.close)
        # What the postmaster starts from now on inherits it.
        postmaster = int((self.flooded.data / "postmaster.pid").read_text().split()[0])
        os.setpriority(os.PRIO_PROCESS, postmaster, options.flood_nice)
        self.hung = stack.enter_context(Proxy(self.server.port))
        self.refusing = stack.enter_context(Proxy(self.server.port))
        self.calm = [f"calm_{i}" for i in range(options.databases - 3)]
        self.peers = self.calm[: options.peers]
        self._fill()

    def _fill(self) -> None:
        for name in (*self.calm, "hung", "refusing"):
            self._sql(self.server, "postgres", f"CREATE DATABASE {name}")
            self._sql(self.server, name, CALM_TABLE)
        self._sql(self.flooded, "postgres", "CREATE DATABASE flood")
        self._sql(self.flooded, "flood", FLOOD_TABLE)
        (self.folder / "calm.sql").write_text(CALM_COMMIT)
        (self.folder / "flood.sql").write_text(FLOOD_COMMIT)
        (self.folder / "walcat.yaml").write_text(json.dumps(self._configuration()))

    def _configuration(self) -> dict[str, object]:
        def through(proxy: Proxy, name: str) -> str:
            return self.server.tcp_conn_str(name).replace(f"port={self.server.port}", f"port={proxy.port}")

        ways = {name: self.server.conn_str(name) for name in self.calm}
        ways["hung"] = through(self.hung, "hung")
        ways["refusing"] = through(self.refusing, "refusing")
        ways["flood"] = self.flooded.conn_str("flood")
        return {
            "snapshot": {"mode": "never"},
            "offset_file": "offset.json",
            "output": {"envelope": "debezium"},
            "retry_config": RETRY,
            "circuit_breaker": BREAKER,
            # The flood is inserted only.
            "on_keyless": "publish",
            "databases": [
                {"conn_str": conn_str, "slot_name": f"slot_{name}", "publication_name": "p", "name": name}
                for name, conn_str in ways.items()
            ],
        }

    def round(self, beside: bool) -> Round:
        """Begins with new slots, so that nothing is left over from the round before."""
        with ExitStack() as stack:
            stack.callback(self._clear)
            walcat = self._start_walcat(stack)
            ours = Feed(walcat, calm_commits)
            theirs = [Feed(self._start_peer(stack, name), peer_commits) for name in self.peers]
            if beside:
                self._misbehave(stack)
            return self._measure(stack, walcat, ours, theirs)

    def _clear(self) -> None:
        self.hung.cut()
        self.hung.heal()
        self.refusing.heal()
        for server in (self.server, self.flooded):
            wait_until(lambda server=server: not self._sql(server, "postgres", ACTIVE_SLOTS), "slots are left", 60)
            self._sql(server, "postgres", DROP_SLOTS)
        self._sql(self.flooded, "flood", "TRUNCATE flood")
        for offset in self.folder.glob("offset*.json"):
            offset.unlink()

    def _start_walcat(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        log = self.folder / "walcat.log"
        walcat = subprocess.Popen(
            [WALCAT, "-c", "walcat.yaml"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=stack.enter_context(open(log, "w")),
            bufsize=0,
        )
        stack.callback(end, walcat)
        wait_until(lambda: log.read_text().count(" streaming from slot ") == self.options.databases, "all stream", 60)
        return walcat

    def _start_peer(self, stack: ExitStack, name: str) -> subprocess.Popen[bytes]:
        self._sql(self.server, name, f"SELECT pg_create_logical_replication_slot('peer_{name}', 'test_decoding')")
        peer = subprocess.Popen(
            [self.server.program("pg_recvlogical"), "--start", "--file=-", f"--slot=peer_{name}", "--no-loop"]
            + ["--option=include-xids=0", "--option=include-timestamp=1", f"--dbname={self.server.conn_str(name)}"],
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        stack.callback(end, peer)
        return peer

    def _misbehave(self, stack: ExitStack) -> None:
        self.hung.delay(FOREVER_SECONDS)
        self.hung.half_open()
        self.refusing.refuse()
        self.refusing.cut()
        rate = self.options.flood_rows_per_second / FLOOD_ROWS
        self._load(stack, self.flooded.conn_str("flood"), "flood.sql", rate, self.options.flood_nice)

    def _load(self, stack: ExitStack, conn_str: str, script: str, rate: float, nice: int = 0) -> subprocess.Popen[str]:
        """Commits at random moments, `rate` a second on average; 0: one after the other."""
        load = subprocess.Popen(
            ["nice", "-n", str(nice), self.server.program("pgbench"), "--no-vacuum", "--file", script]
            + ["--time", str(math.ceil(SETTLE_SECONDS + self.options.seconds + 1)), conn_str]
            + (["--rate", str(rate)] if rate else []),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(end, load)
        return load

    def _measure(self, stack: ExitStack, walcat: subprocess.Popen[bytes], ours: Feed, theirs: list[Feed]) -> Round:
        ears = Ears([ours, *theirs], stack)
        rows = self._rows()
        started = time.time()
        rate = self.options.commits_per_second
        loads = [self._load(stack, self.server.conn_str(name), "calm.sql", rate) for name in self.calm]
        began, ended = started + SETTLE_SECONDS, started + SETTLE_SECONDS + self.options.seconds

        def counters() -> tuple[float, ...]:
            return (time.time(), ours.lines - len(ours.seen), cpu_seconds(walcat.pid), idle_seconds())

        ears.listen(until=began)
        before = counters()
        ears.listen(until=ended)
        took, *counted = (then - now for now, then in zip(before, counters(), strict=True))
        ears.listen(time.time() + PATIENCE_SECONDS, lambda: all(load.poll() is not None for load in loads))
        wanted = {name: count - rows[name] for name, count in self._rows().items()}
        delays = {}
        for name, feeds, count in (
            ("walcat", [ours], sum(wanted.values())),
            ("pg_recvlogical", theirs, sum(wanted[name] for name in self.peers)),
        ):
            wait_for_commits(ears, feeds, started, count)
            seen = [commit_and_delay for feed in feeds for commit_and_delay in feed.seen]
            delays[name] = [delay for commit, delay in seen if began <= commit < ended]
        return Round(delays, *(count / took for count in counted))

    def _rows(self) -> dict[str, int]:
        return {name: self._sql(self.server, name, "SELECT count(*) FROM calm")[0][0] for name in self.calm}

    @staticmethod
    def _sql(server: PostgresServer, dbname: str, statement: str) -> list[tuple[int, ...]]:
        with closing(server.connect(dbname)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def end(process: subprocess.Popen) -> None:
    """At once: nobody reads its output any more."""
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.terminate()
    process.wait()


def cpu_seconds(pid: int) -> float:
    times = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def idle_seconds() -> float:
    """Of all cores together."""
    return int(pathlib.Path("/proc/stat").read_text().split()[4]) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], hundredth: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[hundredth - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", type=int, default=20, help="followed by walcat, three of them troublemakers")
    parser.add_argument("--rounds", type=int, default=3, help="of each way")
    parser.add_argument("--seconds", type=float, default=20, help="that a round is measured")
    parser.add_argument("--commits-per-second", type=float, default=10, help="of one row, in each calm database")
    parser.add_argument("--flood-rows-per-second", type=float, default=0, help="0: as fast as the server takes them")
    parser.add_argument("--flood-nice", type=int, default=19, help="of the flooded server and its client")
    parser.add_argument("--peers", type=int, default=3, help="calm databases that pg_recvlogical follows as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        run(Bench(options, pathlib.Path(folder), stack), options.rounds)


def run(bench: Bench, rounds: int) -> None:
    ways: dict[str, list[Round]] = {"alone": [], "beside": []}
    for number in range(1, rounds + 1):
        for way, done in ways.items():
            done.append(bench.round(beside=way == "beside"))
            print(f"round {number}, {way:<7}{describe(done[-1])}", flush=True)
    print(f"\n{'delay, ms':<17}{'way':<8}{'commits':>8}{'p50':>8}{'p99':>8}{'max':>8}")
    for name in ("walcat", "pg_recvlogical"):
        p99 = {}
        for way, done in ways.items():
            delays = [delay * 1e3 for each in done for delay in each.delays[name]]
            p99[way] = percentile(delays, 99)
            print(f"{name:<17}{way:<8}{len(delays):8}{percentile(delays, 50):8.2f}{p99[way]:8.2f}{max(delays):8.2f}")
        print(f"{name}: p99 beside over alone: {p99['beside'] / p99['alone']:.2f}")


def describe(done: Round) -> str:
    p99 = ", ".join(f"{name} {percentile(delays, 99) * 1e3:.2f} ms" for name, delays in done.delays.items())
    cores = f"walcat {done.walcat_cores:.2f} cores, idle {done.idle_cores:.2f}"
    return f"p99: {p99}; flood {done.flood_rows / 1e3:.0f} thousand rows/s; {cores}"


if __name__ == "__main__":
    main()

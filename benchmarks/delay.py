#!/usr/bin/python3
"""How long it takes from a commit to its line, beside how long it takes to its frame in a raw libpq probe.

    benchmarks/delay.py [--rounds N] [--seconds N] [--rate N] [--fsync] [--json FILE]

Starts a PostgreSQL of its own. Rounds of walcat and of the probe take turns, as both at once would want more cores than
there are. In each a client commits one insert at a time at a fixed rate, and one small program (arrivals.cpp) stamps
all moments by the same clock: before a commit is sent, when its answer is there, when the Insert frame has come out of
libpq (the probe), when the line's end has come out of walcat's pipe. So walcat's delay has one more wake-up in it, the
pipe's reader's, which the probe has not.

Two delays are shown. From the answer is what a client who has committed waits for; the server wakes the walsender and
the client at the same time, so a frame is often there before the answer: such a delay is near nothing, or less, and a
ratio to it says little; look at the difference. From the sending includes the commit itself, is never negative, and is
the ratio that means something.

Needs the whole release build (scripts/build, then ninja -C build/release), and the packages of the sections server and
test in packages.txt.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from postgres_server import PostgresServer  # noqa: E402
from waiting import wait_until  # noqa: E402

WALCAT = os.environ.get("WALCAT") or str(ROOT / "build" / "release" / "walcat")
ARRIVALS = str(pathlib.Path(WALCAT).parent / "benchmarks" / "arrivals")
SLOT, PUBLICATION = "delayed", "delayed"
TABLE = "CREATE TABLE delayed (id bigint PRIMARY KEY, note text)"
PERCENTILES = (50, 90, 99)
PATIENCE_SECONDS = 30
# Delays from the sending and from the answer, microseconds.
Delays = dict[str, list[float]]
FROM = ("sending", "answer")


class Bench:
    def __init__(self, server: PostgresServer, folder: pathlib.Path, options: argparse.Namespace):
        self.server = server
        self.folder = folder
        self.count = options.seconds * options.rate
        self.rate = options.rate
        self.first = 1
        self.conn_str = server.conn_str("postgres")
        self.session = server.connect("postgres")
        self.sql(TABLE)
        self.sql(f"CREATE PUBLICATION {PUBLICATION} FOR ALL TABLES")

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with self.session.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def walcat(self) -> Delays:
        configuration = {
            "snapshot": {"mode": "never"},
            "databases": [{"conn_str": self.conn_str, "slot_name": SLOT, "publication_name": PUBLICATION}],
        }
        (self.folder / "walcat.yaml").write_text(json.dumps(configuration))
        with open(self.folder / "walcat.log", "w") as log:
            writer = subprocess.Popen(
                [WALCAT, "-c", "walcat.yaml", "--max-changes", str(self.count)],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        reader = subprocess.Popen([ARRIVALS, "lines"], stdin=writer.stdout, stdout=subprocess.PIPE, text=True)
        writer.stdout.close()
        delays = self._measure(reader)
        if writer.wait(PATIENCE_SECONDS) != 0:
            raise RuntimeError((self.folder / "walcat.log").read_text())
        for offset in self.folder.glob("offset*.json"):
            offset.unlink()
        return delays

    def probe(self) -> Delays:
        command = [ARRIVALS, "frames", self.conn_str, SLOT, PUBLICATION, str(self.count)]
        return self._measure(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

    def _measure(self, reader: subprocess.Popen[str]) -> Delays:
        """Commits, once somebody follows the slot, which is made before; and drops it."""
        wait_until(lambda: self.sql("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), "it streams", 30)
        command = [ARRIVALS, "commits", self.conn_str, *map(str, (self.first, self.count, self.rate))]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        told, _ = reader.communicate(timeout=PATIENCE_SECONDS)
        self.first += self.count
        arrived = {key: int(moment) for key, moment in map(str.split, told.splitlines())}
        delays: Delays = {name: [] for name in FROM}
        for key, sent, answered in map(str.split, done.stdout.splitlines()):
            delays["sending"].append((arrived[key] - int(sent)) / 1e3)
            delays["answer"].append((arrived[key] - int(answered)) / 1e3)
        return delays

    def round(self, way: str) -> Delays:
        self.sql(f"SELECT pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
        try:
            return self.walcat() if way == "walcat" else self.probe()
        finally:
            wait_until(lambda: not self.sql("SELECT 1 FROM pg_replication_slots WHERE active"), "the slot is free", 30)
            self.sql(f"SELECT pg_drop_replication_slot('{SLOT}')")


def percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{hundredth}": cuts[hundredth - 1] for hundredth in PERCENTILES}


def summary(rounds: dict[str, list[Delays]]) -> dict[str, Any]:
    """By where the delay begins: percentiles of all rounds together, and how the rounds' medians compare."""
    result = {}
    for begin in FROM:
        medians = {way: [statistics.median(delays[begin]) for delays in of] for way, of in rounds.items()}
        pairs = list(zip(medians["walcat"], medians["probe"], strict=True))
        result[begin] = {
            **{way: percentiles([delay for delays in of for delay in delays[begin]]) for way, of in rounds.items()},
            "medians_of_rounds": medians,
            "p50_ratio": statistics.median(ours / theirs if theirs else float("nan") for ours, theirs in pairs),
            "p50_difference": statistics.median(ours - theirs for ours, theirs in pairs),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=100, help="commits a second")
    parser.add_argument("--fsync", action="store_true", help="commits wait for the disk")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    for program in (WALCAT, ARRIVALS):
        if not os.access(program, os.X_OK):
            parser.error(f"there is no {program}: scripts/bench builds it, or ninja -C build/release after scripts/test")
    with (
        closing(PostgresServer({"fsync": "on" if options.fsync else "off", "autovacuum": "off"})) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        bench = Bench(server, pathlib.Path(folder), options)
        rounds: dict[str, list[Delays]] = {"walcat": [], "probe": []}
        for number in range(options.rounds):
            for way in list(rounds)[:: -1 if number % 2 else 1]:
                rounds[way].append(bench.round(way))
        bench.session.close()
    result = summary(rounds)
    print(f"{options.rounds} rounds of {bench.count} commits each, {options.rate} a second; microseconds")
    for begin, of in result.items():
        print(f"from the {begin} of a commit")
        for way, name in (("walcat", "to walcat's line"), ("probe", "to the probe's frame")):
            print(f"  {name:<22}" + "".join(f"{cut} {delay:>8.0f}  " for cut, delay in of[way].items()))
        print(f"  p50, medians of the rounds': ratio {of['p50_ratio']:.2f}, difference {of['p50_difference']:.0f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

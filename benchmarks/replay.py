#!/usr/bin/python3
"""How fast walcat's street is by itself: captures replayed, without a server.

    benchmarks/replay.py [--rounds N] [--scale X] [--loop N] [--workloads insert-100,wide] [--json FILE]

A throw-away PostgreSQL writes workloads of the end-to-end benchmark, `walcat capture` records them, and the captures are
replayed, `--loop` times in one process, by one decoder and one serializer, with the output options' defaults. Rounds
alternate between the ways:

    reader, decoder, serializer   to /dev/null, and nothing behind that room (--stop-after)
    writer                        to /dev/null: the whole street
    pipe                          into a pipe that cat reads, to /dev/null
    loop                          no walcat: a plain loop that writes as many bytes, 256 KiB at once, into such a pipe,
                                  which it enlarges to 1 MiB as walcat does for a quick reader; else it is 3 times slower
    rate                          to /dev/null, at half of what the street has just done; the error is in percent

Rates are changes and bytes of lines a second of wall time, from the first frame that was read to the last line that was
written, as walcat reports them; CPU is that of the whole process, its start included. Frames are counted behind the
reader, where there are no changes yet. The files are in the page cache. A machine that does other things meanwhile
shows it. Needs the release build (scripts/build), and the packages of the sections server and test in packages.txt.
"""

import argparse
import fcntl
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from postgres_server import PostgresServer  # noqa: E402
from workloads import WORKLOADS, Workload  # noqa: E402

WALCAT = os.environ.get("WALCAT") or str(ROOT / "build" / "release" / "walcat")
SETTINGS = {"full_page_writes": "off", "shared_buffers": "1GB", "max_wal_size": "16GB"}
PUBLICATION, SLOT = "replay", "replay"
ROOMS = ("reader", "decoder", "serializer", "writer")
WAYS = (*ROOMS, "pipe", "loop", "rate")
WRITE_BYTES = 256 << 10
MIB = 1 << 20

Report = dict[str, Any]


def record(server: PostgresServer, workload: Workload, scale: float, folder: pathlib.Path) -> pathlib.Path:
    """Writes a workload and captures it."""
    database = workload.name.replace("-", "_")
    with closing(server.connect("postgres")) as session, session.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database}")
    with closing(server.connect(database)) as session, session.cursor() as cursor:
        load = workload.load(server, database, scale, cursor.execute)
        workload.prepare(load)
        cursor.execute(f"CREATE PUBLICATION {PUBLICATION} FOR ALL TABLES")
        cursor.execute(f"SELECT pg_create_logical_replication_slot('{SLOT}_{database}', 'pgoutput')")
        workload.write(load)
    capture = folder / f"{workload.name}.wcap"
    configuration = {
        "snapshot": {"mode": "never"},
        "offset_file": str(folder / f"{workload.name}.json"),
        "databases": [{"conn_str": server.conn_str(database), "slot_name": f"{SLOT}_{database}",
                       "publication_name": PUBLICATION}],
    }
    config = folder / f"{workload.name}.yaml"
    config.write_text(json.dumps(configuration))
    run([WALCAT, "capture", "-c", str(config), "-o", str(capture), "--until-caught-up"], folder)
    return capture


def run(command: list[str], folder: pathlib.Path, **options: Any) -> None:
    done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")


class Bench:
    """One capture, replayed in all ways."""

    def __init__(self, capture: pathlib.Path, loops: int):
        self.capture = capture
        self.folder = capture.parent
        self.loops = loops
        self.ways: dict[str, list[Report]] = {way: [] for way in WAYS}

    def round(self) -> None:
        for way in WAYS:
            self.ways[way].append(getattr(self, f"_{way}", lambda room=way: self._room(room))())

    def replay(self, *arguments: str, stdout: Any = subprocess.DEVNULL) -> Report:
        report = self.folder / "report.json"
        run([WALCAT, "replay", "--loop", str(self.loops), "--report", str(report), *arguments, str(self.capture)],
            self.folder, stdout=stdout)
        return json.loads(report.read_text())

    def _room(self, room: str) -> Report:
        return self.replay("--stop-after", room)

    def _pipe(self) -> Report:
        with cat() as reader:
            return self.replay(stdout=reader.stdin)

    def _loop(self) -> Report:
        left = self.ways["writer"][-1]["line_bytes"]
        block = bytes(WRITE_BYTES)
        with cat() as reader:
            began = time.monotonic()
            descriptor = reader.stdin.fileno()
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, MIB)
            written = 0
            while written < left:
                written += os.write(descriptor, block[: left - written])
            seconds = time.monotonic() - began
        return {"rate": {"bytes_per_second": written / seconds}}

    def _rate(self) -> Report:
        wanted = self.ways["writer"][-1]["rate"]["changes_per_second"] / 2
        report = self.replay("--rate", f"{wanted:.0f}")
        report["error_percent"] = 100 * abs(report["rate"]["changes_per_second"] / wanted - 1)
        return report

    def medians(self) -> dict[str, Report]:
        found: dict[str, Report] = {}
        for way, reports in self.ways.items():
            found[way] = {"mb_per_second": statistics.median(one["rate"]["bytes_per_second"] for one in reports) / 1e6}
            if way == "loop":
                continue
            done = [max(one["changes"], one["frames"] if way == "reader" else 0) for one in reports]
            pairs = list(zip(reports, done, strict=True))
            found[way] |= {
                "million_per_second": statistics.median(count / one["seconds"] for one, count in pairs) / 1e6,
                "cpu_ns": statistics.median(one["cpu_seconds"] / count for one, count in pairs) * 1e9,
                "peak_mib": max(one["peak_memory_bytes"] for one in reports) / MIB,
            }
            if way != "reader":
                found[way]["delay_us"] = {name: statistics.median(one["delay_us"][name] for one in reports)
                                          for name in ("p50", "p99")}
        found["rate"]["error_percent"] = max(one["error_percent"] for one in self.ways["rate"])
        ratios = [ours["rate"]["bytes_per_second"] / plain["rate"]["bytes_per_second"]
                  for ours, plain in zip(self.ways["pipe"], self.ways["loop"], strict=True)]
        found["pipe"]["over_loop"] = statistics.median(ratios)
        return found


def cat() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def table(name: str, medians: dict[str, Report]) -> str:
    lines = [f"{name:<12} {'M changes/s':>12} {'MB/s':>8} {'CPU ns':>8} {'peak MiB':>9}"]
    for way, one in medians.items():
        if way == "loop":
            lines.append(f"{way:<12} {'':>12} {one['mb_per_second']:>8.0f}")
            continue
        note = f"   {one['over_loop']:.2f} of the plain loop" if way == "pipe" else ""
        if way == "rate":
            delays = one["delay_us"]
            note = (f"   {one['error_percent']:.2f} % off at most; "
                    f"delay p50 {delays['p50']:.0f}, p99 {delays['p99']:.0f} us")
        lines.append(f"{way:<12} {one['million_per_second']:>12.2f} {one['mb_per_second']:>8.0f} {one['cpu_ns']:>8.0f} "
                     f"{one['peak_mib']:>9.1f}{note}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the workloads' sizes")
    parser.add_argument("--loop", type=int, default=10, help="times that a capture is played in one run")
    parser.add_argument("--workloads", default="insert-100,wide", help="names, with commas")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="walcat-replay.") as folder:
        with closing(PostgresServer(SETTINGS)) as server:
            captures = {name: record(server, WORKLOADS[name], options.scale, pathlib.Path(folder))
                        for name in options.workloads.split(",")}
        for name, capture in captures.items():
            bench = Bench(capture, options.loop)
            for _ in range(options.rounds):
                bench.round()
            results[name] = bench.medians()
            print(table(name, results[name]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()

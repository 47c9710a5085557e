#!/usr/bin/python3
"""How much of a core walcat uses while nothing happens in the databases that it follows.

    benchmarks/idle.py [--databases N] [--seconds N]

Starts a PostgreSQL of its own and a walcat with the defaults, waits until it streams from all databases, and looks at
the CPU of its threads before and after, which the kernel counts in nanoseconds. Needs the release build
(scripts/build), and the packages of the sections server and test in packages.txt.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from contextlib import closing

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from postgres_server import PostgresServer  # noqa: E402
from waiting import wait_until  # noqa: E402

WALCAT = os.environ.get("WALCAT") or str(ROOT / "build" / "release" / "walcat")
SETTLE_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with closing(PostgresServer()) as server, tempfile.TemporaryDirectory() as folder:
        names = [f"idle_{number}" for number in range(options.databases)]
        fill(server, names)
        share = measure(server, names, pathlib.Path(folder), options.seconds)
    print(f"{options.databases} idle databases, {options.seconds:g} s: {share:.3%} of a core")


def fill(server: PostgresServer, names: list[str]) -> None:
    with closing(server.connect("postgres")) as session, session.cursor() as cursor:
        for name in names:
            cursor.execute(f"CREATE DATABASE {name}")
    for name in names:
        with closing(server.connect(name)) as session, session.cursor() as cursor:
            cursor.execute("CREATE TABLE quiet (id bigint PRIMARY KEY, note text)")


def measure(server: PostgresServer, names: list[str], folder: pathlib.Path, seconds: float) -> float:
    databases = [
        {"conn_str": server.conn_str(name), "slot_name": name, "publication_name": "idle", "name": name}
        for name in names
    ]
    (folder / "walcat.yaml").write_text(json.dumps({"databases": databases}))
    log = folder / "walcat.log"
    with open(log, "w") as stderr:
        walcat = subprocess.Popen([WALCAT, "-c", "walcat.yaml"], cwd=folder, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        stream = " streaming from slot "
        wait_until(lambda: log.read_text().count(stream) == len(names), "all stream", 60, log.read_text)
        time.sleep(SETTLE_SECONDS)
        began, before = time.monotonic(), cpu_seconds(walcat.pid)
        time.sleep(seconds)
        return (cpu_seconds(walcat.pid) - before) / (time.monotonic() - began)
    finally:
        walcat.terminate()
        walcat.wait()


def cpu_seconds(pid: int) -> float:
    """Of all its threads."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


if __name__ == "__main__":
    main()

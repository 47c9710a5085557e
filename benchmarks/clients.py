"""Who drains: walcat, pg_recvlogical with two plugins, and the peers that benchmarks/peers/setup has set up.

Each prints JSON lines into /dev/null, but for pg_recvlogical with pgoutput, the client that does nothing: it discards
the frames as they come. Nobody takes a snapshot.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from postgres_server import PostgresServer

ROOT = pathlib.Path(__file__).resolve().parents[1]
WALCAT = os.environ.get("WALCAT") or str(ROOT / "build" / "release" / "walcat")
# The binary of an earlier release, to see what became faster or slower.
EARLIER = os.environ.get("WALCAT_EARLIER") or ""
PEERS = ROOT / "build" / "peers"
BASELINE = "pg_recvlogical"
PUBLICATION = "bench"
# A role with a password of the same name that needs no escapes in anybody's URL.
PEER = "peer"
JAVA_MEMORY = "-Xmx1g"

WAL2JSON_CHANGE = re.compile(rb'^\{"action":"[IUDT]"', re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A slot to drain from where it is up to `end`, which holds `changes`."""

    server: PostgresServer
    database: str
    slot: str
    begin: str
    end: str
    changes: int
    folder: pathlib.Path

    def as_json(self) -> str:
        """For the programs below peers/. They go by TCP where they know no unix sockets."""
        return json.dumps(
            {
                "socket": str(self.server.folder),
                "host": "127.0.0.1",
                "port": self.server.port,
                "user": PEER,
                "password": PEER,
                "database": self.database,
                "slot": self.slot,
                "publication": PUBLICATION,
                "begin": self.begin,
                "changes": self.changes,
            }
        )


@dataclass(frozen=True)
class Client:
    """`missing` says why it can't run here, or nothing. `count` tells changes in whole lines of its output; raw frames
    are no lines, of them only the bytes are known. `reports`: it says itself when it was done, see measure.py."""

    name: str
    what: str
    command: Callable[[Target], list[str]]
    missing: Callable[[PostgresServer], str]
    count: Callable[[bytes], int] | None = None
    counts_changes: bool = True
    plugin: str = "pgoutput"
    reports: bool = False


def walcat(target: Target, program: str = WALCAT) -> list[str]:
    """The defaults, but for the snapshot and the guard, whose session would be counted with the walsender."""
    configuration = {
        "snapshot": {"mode": "never"},
        "wal_guard": {"interval": "0s"},
        "databases": [
            {
                "conn_str": target.server.conn_str(target.database),
                "slot_name": target.slot,
                "publication_name": PUBLICATION,
            }
        ],
    }
    (target.folder / "walcat.yaml").write_text(json.dumps(configuration))
    return [program, "-c", "walcat.yaml", "--until-lsn", target.end]


def earlier_walcat(target: Target) -> list[str]:
    return walcat(target, EARLIER)


def recvlogical(target: Target, *options: str) -> list[str]:
    return [
        target.server.program("pg_recvlogical"),
        *("--start", "--no-loop", "--file", "-", "--slot", target.slot, "--endpos", target.end),
        *(f"--option={option}" for option in options),
        *("--dbname", target.server.conn_str(target.database)),
    ]


def raw(target: Target) -> list[str]:
    return recvlogical(target, "proto_version=1", f"publication_names={PUBLICATION}")


def wal2json(target: Target) -> list[str]:
    return recvlogical(target, "format-version=2")


def node(target: Target) -> list[str]:
    return ["node", str(PEERS / "node" / "drain.js"), target.as_json()]


def debezium(target: Target) -> list[str]:
    classes = f"{PEERS / 'debezium' / 'classes'}:{PEERS / 'debezium' / 'jars'}/*"
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", JAVA_MEMORY, quiet, "-cp", classes, "Bench", target.as_json()]


def go_pq_cdc(target: Target) -> list[str]:
    return [str(PEERS / "go-pq-cdc" / "drain"), target.as_json()]


def set_up(peer: str, *programs: str) -> Callable[[PostgresServer], str]:
    """Whether a peer has been set up and what runs it is here."""

    def missing(_: PostgresServer) -> str:
        absent = [program for program in programs if not shutil.which(program)]
        if absent:
            return f"there is no {' and no '.join(absent)}"
        return "" if (PEERS / peer / "done").exists() else "benchmarks/peers/setup has not set it up"

    return missing


def missing_wal2json(server: PostgresServer) -> str:
    libraries = subprocess.run(
        [server.program("pg_config"), "--pkglibdir"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return "" if (pathlib.Path(libraries) / "wal2json.so").exists() else f"there is no wal2json.so in {libraries}"


def missing_walcat(_: PostgresServer) -> str:
    return "" if os.access(WALCAT, os.X_OK) else f"there is no {WALCAT}: scripts/build"


def missing_earlier_walcat(_: PostgresServer) -> str:
    return "" if os.access(EARLIER, os.X_OK) else "WALCAT_EARLIER names no binary"


def never_missing(_: PostgresServer) -> str:
    return ""


def lines_in(lines: bytes) -> int:
    return lines.count(b"\n")


def wal2json_changes_in(lines: bytes) -> int:
    return sum(1 for _ in WAL2JSON_CHANGE.finditer(lines))


CLIENTS = {
    client.name: client
    for client in (
        Client("walcat", "JSON lines", walcat, missing_walcat, lines_in),
        Client("walcat-earlier", "JSON lines, by WALCAT_EARLIER", earlier_walcat, missing_earlier_walcat, lines_in),
        Client(BASELINE, "raw pgoutput, nothing decoded", raw, never_missing, lines_in, counts_changes=False),
        Client("wal2json", "JSON made in the walsender, by pg_recvlogical", wal2json, missing_wal2json,
               wal2json_changes_in, plugin="wal2json"),
        Client("pg-logical-replication", "node, JSON lines", node, set_up("node", "node"), reports=True),
        Client("debezium", "embedded engine, JSON lines", debezium, set_up("debezium", "java"), reports=True),
        Client("go-pq-cdc", "Go, JSON lines", go_pq_cdc, set_up("go-pq-cdc"), reports=True),
    )
}

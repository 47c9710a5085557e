"""One run of one client against one slot: what it took of the clock, of the cores and of memory.

The clock runs from the moment the server got START_REPLICATION (its own log, milliseconds) to the end. That is the end
of the process for walcat and pg_recvlogical, whose stopping counts as theirs; for the peers that this folder drives it
is the moment that they report, at which the last line was written. The first row would be a later beginning, but it
hides what the server does before it: all of a large transaction, where that isn't streamed. Nobody's start-up is in it.

CPU is user and system time of the process. Of walcat and pg_recvlogical it is all, from exec to exit. Of the others it
is less what they had used when START_REPLICATION came (looked at every few milliseconds): machines of their own kind
take long to start.

The walsender's CPU is what the postmaster's reaped children have used more than before: it is exact to 10 ms and holds
the other sessions of the client as well, such as those which read the catalog.
"""

import json
import os
import pathlib
import re
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postgres_server import PostgresServer
from waiting import wait_until

# Of the server: the beginning is read from its log. %n is the time as seconds since 1970.
LOG_SETTINGS = {"log_replication_commands": "on", "log_line_prefix": "%n [%p] "}
START = re.compile(r"^([0-9.]+) \[\d+\] .*received replication command: START_REPLICATION ", re.MULTILINE)

LOOK_SECONDS = 0.01
READ_BYTES = 1 << 20
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The client did not do it; why."""


@dataclass(frozen=True)
class Drain:
    """Seconds, KiB; None where it isn't known."""

    wall: float
    cpu: float
    sender: float
    peak_kib: int
    output_bytes: int | None
    changes: int | None


@dataclass(frozen=True)
class Look:
    """At a running process: when, and the CPU that it had used."""

    at: float
    cpu: float


class Reaped:
    """CPU of the server's ended processes."""

    def __init__(self, server: PostgresServer):
        self._postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
        self._children = self._running()
        self._before = self._seconds()

    def since(self) -> float:
        """Seconds, once every process that has begun since is gone."""
        wait_until(lambda: not self._running() - self._children, "the walsender is gone", 60)
        return self._seconds() - self._before

    def _running(self) -> set[str]:
        return set(pathlib.Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split())

    def _seconds(self) -> float:
        return sum(map(int, stat_fields(self._postmaster)[13:15])) / TICKS_PER_SECOND


class ServerLog:
    """What the server has logged since."""

    def __init__(self, server: PostgresServer):
        self._path = server.folder / "server.log"
        self._from = self._path.stat().st_size

    def start(self) -> float:
        """When replication was asked for last: clients may look around first. Seconds since 1970."""
        with open(self._path, "rb") as log:
            log.seek(self._from)
            found = START.findall(log.read().decode(errors="replace"))
        if not found:
            raise Failed("it never asked for replication")
        return float(found[-1])


def drain(
    server: PostgresServer,
    command: Sequence[str],
    folder: pathlib.Path,
    within: float,
    *,
    reports: bool = False,
    count: Callable[[bytes], int] | None = None,
) -> Drain:
    """Runs `command` in `folder` to its end, at most `within` seconds.

    `reports`: the last line of its stderr is JSON that says when the last line was written (end, seconds since 1970),
    and how many changes and bytes there were. With `count`, which counts changes in whole lines, stdout is read here,
    which costs time: a run to look whether all is there, not to measure.
    """
    reaped, log = Reaped(server), ServerLog(server)
    errors = folder / "stderr"
    with open(errors, "wb") as stderr:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if count else subprocess.DEVNULL,
            stderr=stderr,
        )
    run = Run(process, within)
    counted = run.count(count) if count else (None, None)
    run.wait()
    told = errors.read_text(errors="replace")
    if run.timed_out or process.returncode != 0:
        ended = f"{within:.0f} s were not enough" if run.timed_out else f"exit status {process.returncode}"
        raise Failed(f"{ended}: {told[-1500:]}")
    began = log.start()
    sender = reaped.since()
    if not reports:
        return Drain(run.ended - began, run.cpu, sender, run.peak_kib, *reversed(counted))
    report = json.loads(told.splitlines()[-1])
    return Drain(
        report["end"] - began,
        run.cpu - run.cpu_at(began),
        sender,
        run.peak_kib,
        report["bytes"],
        report["changes"],
    )


class Run:
    """Watches a process until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], within: float):
        self._process = process
        self._deadline = time.monotonic() + within
        self._looks: list[Look] = []
        self.timed_out = False
        self.peak_kib = 0
        self.ended = 0.0
        self.cpu = 0.0

    def wait(self) -> None:
        """Looks at it now and then. wait4 tells the CPU, but as the peak of memory what its parent had before exec."""
        handle = os.pidfd_open(self._process.pid)
        try:
            while not select.select([handle], [], [], LOOK_SECONDS)[0]:
                self._look()
                if time.monotonic() > self._deadline:
                    self.timed_out = True
                    self._process.kill()
        finally:
            os.close(handle)
        self.ended = time.time()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime

    def count(self, changes_in: Callable[[bytes], int]) -> tuple[int, int]:
        """Changes and bytes of its output."""
        changes = size = 0
        rest = b""
        while block := os.read(self._process.stdout.fileno(), READ_BYTES):
            size += len(block)
            lines, newline, rest = (rest + block).rpartition(b"\n")
            changes += changes_in(lines + newline)
            self._look()
        self._process.stdout.close()
        return changes, size

    def cpu_at(self, moment: float) -> float:
        """Seconds used at that moment, as far as it was looked at."""
        return max((look.cpu for look in self._looks if look.at <= moment), default=0.0)

    def _look(self) -> None:
        try:
            status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
            ticks = sum(map(int, stat_fields(self._process.pid)[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            return
        peak = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
        if peak:
            self.peak_kib = max(self.peak_kib, int(peak[1]))
        self._looks.append(Look(time.time(), ticks / TICKS_PER_SECOND))


def stat_fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, what follows the name: 11 and 12 are utime and stime, 13 and 14 those of reaped children."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

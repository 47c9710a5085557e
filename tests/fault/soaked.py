"""A walcat that is soaked: its runs one after the other, its lines, its judges, and what it takes of the machine."""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from configuration import configuration
from fragile import QUICK, Fragile
from judge import Judge
from walcat_process import LineFile, Walcat, WalcatProcess


@dataclass(frozen=True)
class Usage:
    memory_kib: int
    threads: int
    descriptors: int

    @staticmethod
    def of(pid: int) -> "Usage":
        status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in status)
        descriptors = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        return Usage(int(fields["VmRSS"].split()[0]), int(fields["Threads"]), descriptors)

    def __str__(self) -> str:
        return f"{self.memory_kib} KiB resident, {self.threads} threads, {self.descriptors} file descriptors"

    def check_not_grown(self, before: "Usage", breath_kib: int) -> None:
        assert self.memory_kib <= before.memory_kib + breath_kib, f"memory grew: {before}, then {self}"
        assert self.threads <= before.threads, f"threads grew: {before}, then {self}"
        assert self.descriptors <= before.descriptors, f"file descriptors grew: {before}, then {self}"


class Consumer:
    """One configuration over all databases, with slots of its own. Its runs append to one file."""

    def __init__(self, name: str, folder: pathlib.Path, databases: Sequence[Fragile], two_phase: bool):
        self.folder = folder / name
        self.folder.mkdir()
        self.printed = LineFile(self.folder / "out.jsonl")
        self._walcat = Walcat(self.folder)
        self._slots = {fragile.database.name: f"{name}_{fragile.database.name}" for fragile in databases}
        slots = self._slots
        entries = [fragile.entry(connect_timeout=5, slot_name=slots[fragile.database.name]) for fragile in databases]
        output = {"path": str(self.printed.path)}
        # Little memory for batches: what they come to touch sooner or later shall not look like growth.
        self._config = configuration(
            *entries,
            output=output,
            flush_interval="500ms",
            pipeline={"memory_limit": "8MiB"},
            two_phase=two_phase,
            **QUICK,
        )
        # The ledgers start with the slots.
        self._walcat.catch_up(self._config)
        self._judges = [
            Judge(fragile.ledger, self.printed, self.folder / f"offset_{slots[fragile.database.name]}.json")
            for fragile in databases
        ]
        self.run: WalcatProcess

    def slot(self, fragile: Fragile) -> str:
        return self._slots[fragile.database.name]

    def start(self) -> None:
        self.run = self._walcat.start(self._config)

    def hear_kill(self) -> None:
        for judge in self._judges:
            judge.hear_kill()

    def hear_stop(self) -> None:
        for judge in self._judges:
            judge.hear_stop()

    def check(self) -> None:
        assert self.run.process.returncode in (None, 0), self.run.describe()
        for judge in self._judges:
            judge.check()

    def usage(self) -> Usage:
        return Usage.of(self.run.pid)

    def summary(self) -> str:
        """Of one kill, each database has its own repeats."""
        return "; ".join(str(judge.verdict) for judge in self._judges)

    def close(self) -> None:
        self._walcat.close()

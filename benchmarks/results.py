"""What the runs of the end-to-end benchmark come to: medians, ratios, a table, JSON."""

import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from clients import BASELINE
from measure import Drain

T = TypeVar("T")

OURS = "walcat"


@dataclass(frozen=True)
class Figures:
    """Of one run, or medians of several: changes a second, microseconds a change, megabytes a second, mebibytes."""

    rows_per_second: float
    client_cpu_us: float
    sender_cpu_us: float
    sender_busy: float
    megabytes_per_second: float | None
    peak_mib: float

    def over(self, other: "Figures") -> "Ratio":
        return Ratio(
            quotient(self.rows_per_second, other.rows_per_second),
            quotient(self.client_cpu_us, other.client_cpu_us),
            quotient(self.peak_mib, other.peak_mib),
        )


@dataclass(frozen=True)
class Ratio:
    """Of one client to another; None where the other's figure is nothing."""

    rows_per_second: float | None
    client_cpu: float | None
    peak_memory: float | None


@dataclass
class Measured:
    """One workload: `runs` by client, each with its round. `bytes` of the output by client, where they are known."""

    what: str
    changes: int
    runs: dict[str, dict[int, Figures]] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, number: int, client: str, drain: Drain) -> None:
        size = self.bytes.get(client) if drain.output_bytes is None else drain.output_bytes
        self.runs.setdefault(client, {})[number] = Figures(
            self.changes / drain.wall,
            drain.cpu / self.changes * 1e6,
            drain.sender / self.changes * 1e6,
            drain.sender / drain.wall,
            None if size is None else size / drain.wall / 1e6,
            drain.peak_kib / 1024,
        )

    def medians(self) -> dict[str, Figures]:
        return {client: median(list(rounds.values()), Figures) for client, rounds in self.runs.items()}

    def ratios_to(self, other: str) -> dict[str, Ratio]:
        """Of each client to that one: medians of what the rounds say."""
        theirs = self.runs.get(other, {})
        ratios = {
            client: [figures.over(theirs[number]) for number, figures in rounds.items() if number in theirs]
            for client, rounds in self.runs.items()
            if client != other
        }
        return {client: median(values, Ratio) for client, values in ratios.items() if values}

    def ours_over(self) -> dict[str, Ratio]:
        """walcat over each other client."""
        ours = self.runs.get(OURS, {})
        ratios = {
            client: [ours[number].over(figures) for number, figures in rounds.items() if number in ours]
            for client, rounds in self.runs.items()
            if client != OURS
        }
        return {client: median(values, Ratio) for client, values in ratios.items() if values}

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "changes": self.changes,
            "bytes": self.bytes,
            "failed": self.failed,
            "runs": [
                {"client": client, "round": number, **vars(figures)}
                for client, rounds in self.runs.items()
                for number, figures in rounds.items()
            ],
            "medians": {client: vars(figures) for client, figures in self.medians().items()},
            f"over_{BASELINE}": {client: vars(ratio) for client, ratio in self.ratios_to(BASELINE).items()},
            f"{OURS}_over": {client: vars(ratio) for client, ratio in self.ours_over().items()},
        }


@dataclass
class Results:
    server: str
    scale: float
    rounds: int
    skipped: dict[str, str]
    workloads: dict[str, Measured] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "server": self.server,
            "cores": os.cpu_count(),
            "scale": self.scale,
            "rounds": self.rounds,
            "skipped": self.skipped,
            "workloads": {name: measured.as_json() for name, measured in self.workloads.items()},
        }


def table(results: Results) -> Iterator[str]:
    """Lines of text: medians, and how they compare with the baseline."""
    yield (
        f"PostgreSQL {results.server}, {os.cpu_count()} cores; medians of {results.rounds} interleaved rounds; "
        f"ratios: to {BASELINE}, medians of the rounds'"
    )
    for name, measured in results.workloads.items():
        yield ""
        yield f"{name}: {measured.changes} changes, {measured.what}"
        yield (
            f"  {'':<23}{'krows/s':>9}{'ratio':>7}{'CPU us':>8}{'ratio':>7}{'sender us':>11}{'busy':>6}"
            f"{'MB/s':>7}{'MiB':>6}"
        )
        ratios = measured.ratios_to(BASELINE)
        for client, figures in measured.medians().items():
            ratio = ratios.get(client)
            yield (
                f"  {client:<23}{figures.rows_per_second / 1e3:>9.1f}"
                f"{number(ratio and ratio.rows_per_second):>7}{figures.client_cpu_us:>8.2f}"
                f"{number(ratio and ratio.client_cpu):>7}{figures.sender_cpu_us:>11.2f}"
                f"{figures.sender_busy:>6.0%}{number(figures.megabytes_per_second, 0):>7}{figures.peak_mib:>6.0f}"
            )
        for client, ratio in measured.ours_over().items():
            yield (
                f"  {OURS} over {client}: rows/s {number(ratio.rows_per_second)}, CPU {number(ratio.client_cpu, 3)}, "
                f"peak memory {number(ratio.peak_memory, 3)}"
            )
        for client, why in measured.failed.items():
            yield f"  {client}: left out, {why.splitlines()[0]}"


def number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def quotient(one: float, other: float) -> float | None:
    return one / other if other else None


def median(values: list[T], of: type[T]) -> T:
    """Field by field, of those values that are known."""

    def middle(name: str) -> float | None:
        known = [getattr(value, name) for value in values if getattr(value, name) is not None]
        return statistics.median(known) if known else None

    return of(**{part.name: middle(part.name) for part in fields(of)})

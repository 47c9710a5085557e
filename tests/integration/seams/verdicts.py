"""What is right behind a seam. A verdict says when all there is to see is there (`is_over`), and judges (`check`)."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mirror import Mirror, Row

if TYPE_CHECKING:
    from sites import Site


class Verdict(Protocol):
    def is_over(self, site: "Site") -> bool: ...

    def check(self, site: "Site") -> None: ...


class Streamed:
    """The stream goes on: every line that is right comes once, in order, and the rebuilt copy equals its source."""

    def is_over(self, site: "Site") -> bool:
        return site.is_stopped() or len(site.changes) >= len(site.right)

    def check(self, site: "Site") -> None:
        assert not site.is_stopped(), site.log()
        check_changes(site)
        late = len(site.right) - site.came_in_time
        assert late == 0, f"{late} changes came with another start only\n{site.log()}"
        check_snapshot(site)
        for table, rows in rebuilt(site).items():
            missing, surplus = difference(site, table, rows)
            wrong = f"missing {shown(missing[:3])}, surplus {shown(surplus[:3])}"
            assert not missing and not surplus, f"{table}: {wrong}\n{site.log()}"


class Healed:
    """The stream alone has not all there is. So the rows are read anew, or the database stops, naming the table."""

    def is_over(self, site: "Site") -> bool:
        return site.is_stopped() or not missing_rows(site)

    def check(self, site: "Site") -> None:
        check_nothing_wrong(site)
        if site.is_stopped():
            assert re.search(r"table public\.\w", site.complaint()) and "hint" in site.complaint(), site.log()
        missing = [] if site.is_stopped() else missing_rows(site)
        assert not missing, f"{len(missing)} rows never printed, such as {shown(missing[0])}\n{site.log()}"


@dataclass(frozen=True)
class Stopped:
    """The database stops, with these words, and what it has printed until then is right."""

    words: tuple[str, ...]

    def __init__(self, *words: str):
        object.__setattr__(self, "words", words)

    def is_over(self, site: "Site") -> bool:
        return site.is_stopped()

    def check(self, site: "Site") -> None:
        check_nothing_wrong(site)
        assert site.is_stopped(), f"it goes on: {site.changes[-3:]}\n{site.log()}"
        for word in self.words:
            assert re.search(word, site.complaint()), f"no /{word}/ in: {site.complaint()}"


STREAMED = Streamed()
HEALED = Healed()


def check_changes(site: "Site") -> None:
    """Each table's changes are what was written, in the layout of its time."""
    changes = site.changes
    for number, (printed, right) in enumerate(zip(changes, site.right)):
        assert printed == right, f"change {number} is {shown(printed)}\nand not {shown(right)}\n{site.log()}"
    assert len(changes) == len(site.right), (
        f"{len(changes)} changes instead of {len(site.right)}, the last {shown(changes[-1:])}\n{site.log()}"
    )


def check_snapshot(site: "Site") -> None:
    """Where it was not cut, it is what stood there at first, once."""
    if site.is_cut_in_snapshot:
        return
    rows = [(line.table, *sorted(line.after.items())) for line in site.lines if line.op == "r"]
    first = [(table, *sorted(site.change.shown(row).items())) for table, kept in site.first.items() for row in kept]
    assert sorted(map(str, rows)) == sorted(map(str, first)), f"{len(rows)} rows instead of {len(first)}\n{site.log()}"


def check_nothing_wrong(site: "Site") -> None:
    """All that is printed was written so, in this order, and comes once; something may be missing."""
    left = iter(site.right)
    for printed in site.changes:
        assert any(printed == right for right in left), f"wrong, or out of order: {shown(printed)}\n{site.log()}"


def check_secrets(site: "Site") -> None:
    for secret in site.change.secrets:
        seen = [line.text for line in site.lines if secret in line.text]
        assert not seen, f"in clear: {seen[0]}"
        assert secret not in site.log()


def check_positions(site: "Site") -> None:
    positions = [line.position for line in site.lines]
    twice = [position for position, count in Counter(positions).items() if count > 1]
    assert not twice, f"{len(twice)} positions come twice, such as {twice[0]}\n{site.log()}"


def rebuilt(site: "Site") -> dict[str, list[Row]]:
    """The tables that a consumer has in the end, which carries what it has over to the new layout."""
    mirror = Mirror({**{table: () for table in {line.table for line in site.carried()}}, **site.change.keys})
    mirror.apply(site.carried())
    return {table: list(mirror.rows[table].values()) for table in site.change.keys}


def difference(site: "Site", table: str, rows: Iterable[Row]) -> tuple[list[str], list[str]]:
    there = sorted(str(sorted(site.change.shown(row).items())) for row in site.last_rows(table))
    here = sorted(str(sorted(row.items())) for row in rows)
    return [row for row in there if row not in set(here)], [row for row in here if row not in set(there)]


def missing_rows(site: "Site") -> list[str]:
    return [row for table, rows in rebuilt(site).items() for row in difference(site, table, rows)[0]]


def shown(line: object) -> str:
    """Without the middle of large values."""
    return re.sub(r"'([^']{20})[^']{100,}'", r"'\1..'", str(line))

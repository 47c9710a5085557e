"""A database followed with one configuration, for tests of what a consumer reads: whatever the envelope and framing."""

import json
from dataclasses import dataclass
from typing import Any

from configuration import configuration, entry
from database import Database
from walcat_process import Walcat, WalcatProcess


class Feed:
    """Bounded runs, one after the other, over one database. Made, it has created the slot: `first` is that run."""

    def __init__(
        self,
        walcat: Walcat,
        database: Database,
        output: dict[str, Any] | None = None,
        selection: dict[str, Any] | None = None,
        tables: tuple[str, ...] = (),
        **keys: Any,
    ):
        self.walcat = walcat
        self.database = database
        self.config = configuration(entry(database, *tables, **(selection or {})), output=output or {}, **keys)
        self._separator = b"\0" if (output or {}).get("record_separator") == "nul" else b"\n"
        self.first = walcat.catch_up(self.config)

    def after(self, *statements: str) -> list[str]:
        """The records of the statements, each a transaction of its own."""
        self.database.execute(*statements)
        return self.rest()

    def events(self, *statements: str) -> list[dict[str, Any]]:
        """The same, parsed: for records that are JSON alone."""
        return self.parsed(self.after(*statements))

    def pairs(self, *statements: str) -> list["Pair"]:
        """The same, for records of a JSON key, a tab and a JSON value."""
        return [Pair.parse(record) for record in self.after(*statements)]

    def rest(self) -> list[str]:
        """The records of what was committed since the last call."""
        return self.records(self.walcat.catch_up(self.config))

    def records(self, run: WalcatProcess) -> list[str]:
        """What a run has printed, record by record. Every record is ended, the last one too."""
        *records, rest = run.output.path.read_bytes().split(self._separator)
        assert rest == b"", f"the output ends inside a record: {rest[-200:]!r}"
        return [record.decode("utf-8") for record in records]

    @staticmethod
    def parsed(records: list[str]) -> list[dict[str, Any]]:
        return [json.loads(record) for record in records]


@dataclass(frozen=True)
class Pair:
    """A record with a key. Without a value it is a tombstone."""

    key: Any
    value: Any

    @staticmethod
    def parse(record: str, separator: str = "\t") -> "Pair":
        key, value = record.split(separator)
        return Pair(json.loads(key), json.loads(value) if value else None)

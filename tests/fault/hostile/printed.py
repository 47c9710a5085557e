"""What walcat prints and logs while it runs, heard as it comes."""

import collections
import json
import os
import pathlib
import threading
import time
from dataclasses import dataclass
from typing import Any

from victims import note_of


class Printed:
    """The far end of walcat's output. A thread of its own takes the lines, so the pipe is never full.

    A line of a victim counts where its row is one that was written: as it was written, and as one of that database.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        # Of the good database, in the order they came: which, and when (monotonic).
        self.good: list[tuple[int, float]] = []
        # By database: the highest number of a row that came right, and lines of any kind.
        self.right: collections.Counter[str] = collections.Counter()
        self.lines: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """walcat has ended, and its end of the pipe with it."""
        os.close(self.writing)
        self._thread.join()
        os.close(self._reading)

    def _run(self) -> None:
        with open(self._reading, "rb", closefd=False) as stream:
            for line in stream:
                try:
                    self._hear(line, time.monotonic())
                except (ValueError, KeyError, TypeError) as problem:
                    self.wrong.append(f"{problem!r}: {line[:300]!r}")

    def _hear(self, line: bytes, now: float) -> None:
        message = json.loads(line.decode("utf-8"))["message"]
        source, after = message["source"], message["after"]
        if source["db"] == "good":
            self.good.append((after["id"], now))
            return
        self.lines[source["db"]] += 1
        number = after.get("id") if source["table"] == "items" and message["op"] == "c" else None
        if number is not None and after.get("note") == note_of(number):
            self.right[source["db"]] = max(self.right[source["db"]], number)


@dataclass(frozen=True)
class Complaint:
    level: str
    database: str
    message: str


class Heard:
    """A log in JSON, read as it grows."""

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._read_bytes = 0
        self.complaints: list[Complaint] = []
        # Lines that are no JSON, no UTF-8 or hold control characters.
        self.wrong: list[str] = []

    def listen(self) -> None:
        with open(self._path, "rb") as stream:
            stream.seek(self._read_bytes)
            block = stream.read(1 << 26)
        whole = block[: block.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for line in whole.splitlines():
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        try:
            entry: dict[str, Any] = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as problem:
            self.wrong.append(f"{problem}: {line[:300]!r}")
            entry = json.loads(line.decode("utf-8", "replace"))
        except ValueError as problem:
            self.wrong.append(f"{problem}: {line[:300]!r}")
            return
        if any(byte < 0x20 or byte == 0x7F for byte in line):
            self.wrong.append(f"a control character: {line[:300]!r}")
        if entry["level"] in ("warning", "error") and "is a superuser" not in entry["message"]:
            self.complaints.append(Complaint(entry["level"], entry.get("database", ""), entry["message"]))

    def named(self, database: str) -> str | None:
        """What was complained of first in this database."""
        return next((it.message for it in self.complaints if it.database == database), None)

"""What an offset file says of a snapshot, and the settings that cut small tables into many chunks."""

import json
from dataclasses import dataclass
from typing import Any

from database import Database
from walcat_process import Line, Walcat

WORKERS = 2
SMALL_CHUNKS = {"mode": "initial", "workers": WORKERS, "chunk_size": "64KiB"}
# Little is on its way to the output then, so a run whose output is held has most of a table still to read.
SMALL_PIPELINE = {"memory_limit": "8MiB"}

# Rows a session of a snapshot has indices for.
SESSION_ROWS = 1 << 40


def session_of(line: Line) -> int:
    return line.source["index"] // SESSION_ROWS


@dataclass(frozen=True)
class TableProgress:
    filenode: int
    chunk_pages: int
    chunks: int
    done: frozenset[int]

    @staticmethod
    def parse(stored: dict[str, Any]) -> "TableProgress":
        done: set[int] = set()
        for part in filter(None, stored["done"].split(",")):
            first, _, last = part.partition("-")
            done.update(range(int(first), int(last or first) + 1))
        return TableProgress(stored["filenode"], stored["chunk_pages"], stored["chunks"], frozenset(done))

    def chunk_of(self, page: int) -> int:
        """The last chunk has no end."""
        return min(page // self.chunk_pages, self.chunks - 1) if self.chunk_pages else 0

    def was_read(self, page: int) -> bool:
        return self.chunk_of(page) in self.done


@dataclass(frozen=True)
class Progress:
    point: str
    sessions: int
    complete: bool
    tables: dict[str, TableProgress]

    @staticmethod
    def read(walcat: Walcat, database: Database) -> "Progress | None":
        """None before there is one."""
        path = walcat.folder / f"offset_{database.slot_name}.json"
        stored = json.loads(path.read_text()).get("snapshot") if path.exists() else None
        if stored is None:
            return None
        tables = {table["table"]: TableProgress.parse(table) for table in stored["tables"]}
        return Progress(stored["point"], stored["sessions"], stored["complete"], tables)

    @property
    def chunks(self) -> int:
        return sum(table.chunks for table in self.tables.values())

    @property
    def done(self) -> int:
        return sum(len(table.done) for table in self.tables.values())


def done_chunks(walcat: Walcat, database: Database) -> int:
    """How many chunks are stored as done while a snapshot goes on."""
    progress = Progress.read(walcat, database)
    return progress.done if progress else 0


def pages_of(database: Database, table: str, column: str, where: str = "true") -> dict[Any, int]:
    """The page on which each row stands now, by the value of `column`."""
    rows = database.rows(f"SELECT {column}, (ctid::text::point)[0]::integer FROM ONLY {table} WHERE {where}")
    return dict(rows)

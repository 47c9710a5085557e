"""A running walcat that is asked for incremental snapshots, and everything it prints, run after run.

A snapshot in the middle is one that has printed rows and then heard `--pause`: its reader stands between two chunks,
for as long as a test likes.
"""

import hashlib
import itertools
import json
import signal
import struct
from typing import Any

from configuration import configuration, entry
from database import Database
from mirror import Mirror
from walcat_process import Line, Walcat, WalcatProcess

# A second of such a snapshot is four chunks of 100 rows.
RATE = 400
ROWS = 1000
PLAIN = (
    "CREATE TABLE t (id integer PRIMARY KEY, note text)",
    f"INSERT INTO t SELECT id, 'row ' || id FROM generate_series(1, {ROWS}) AS id",
)
# Values that stand beside the table, where updates leave them.
DOCUMENTS = (
    "CREATE TABLE documents (id integer PRIMARY KEY, body text, revision integer NOT NULL DEFAULT 0)",
    "ALTER TABLE documents ALTER body SET STORAGE EXTERNAL",
    f"INSERT INTO documents SELECT id, repeat(md5(id::text), 80) FROM generate_series(1, {ROWS}) AS id",
)
EMIT = "SELECT pg_logical_emit_message(true, 'walcat.snapshot', %s)"
# By SQL, as docs/security.md has it.
VOUCH = """SELECT set_config('application_name', 'walcat snapshot by hand', false),
           pg_advisory_lock(('x' || substr(encode(sha256(convert_to(%s, 'UTF8')), 'hex'), n, 16))::bit(64)::bigint)
           FROM generate_series(1, 49, 16) AS n"""
KEYS = {"public.t": ("id",)}
DOCUMENT_KEYS = {"public.documents": ("id",)}

_ids = itertools.count(1)


class Followed:
    """One database, followed from now on; rows that are there already come by snapshots alone.

    `config`: a whole configuration in place of the usual one.
    """

    def __init__(self, walcat: Walcat, database: Database, *tables: str, **keys: Any):
        self.database = database
        self.walcat = walcat
        self.runs: list[WalcatProcess] = []
        selection = keys.pop("selection", {})
        self.config = keys.pop("config", None) or configuration(
            entry(database, *tables, **selection), **{"output": {"values": "text"}, "flush_interval": "50ms", **keys}
        )
        self.start()

    @property
    def run(self) -> WalcatProcess:
        return self.runs[-1]

    def start(self) -> WalcatProcess:
        self.runs.append(self.walcat.start(self.config))
        # The server may take a killed run's walsender for alive a little longer: what counts is what this run says.
        self.run.wait_for_log("streaming from slot")
        self.run.wait_for(self.database.slot_reader, "the slot is streamed")
        return self.run

    def restart(self, number: signal.Signals) -> WalcatProcess:
        """Ends the run, by SIGKILL or cleanly, and starts another."""
        if number == signal.SIGKILL:
            self.run.kill()
        else:
            self.run.stop()
        return self.start()

    def lines(self) -> list[Line]:
        return [line for run in self.runs for line in run.lines()]

    def rows(self, table: str = "public.t") -> list[dict[str, Any]]:
        """The rows of a table that were read, as they were printed."""
        return [line.after for line in self.lines() if line.op == "r" and line.table == table]

    def ids(self, table: str = "public.t") -> list[int]:
        return [int(row["id"]) for row in self.rows(table)]

    def begin(self, *arguments: str) -> WalcatProcess:
        """Starts `walcat snapshot`."""
        return self.walcat.command("snapshot", "-c", str(self.walcat.write(self.config)), *arguments)

    def ask(self, *arguments: str, status: int = 0, within: float = 30.0) -> WalcatProcess:
        """The same, and waits for its end; nothing is printed but by the run that is asked."""
        asker = self.begin(*arguments)
        actual = asker.wait_exit(within)
        assert actual == status, f"{asker.describe()}\n{self.run.describe()}"
        assert asker.output.texts() == []
        return asker

    def say(self, content: Any, transactional: bool = True) -> None:
        """The message by hand; what is no text is written as JSON, with the slot's name."""
        made = f"by-hand-{next(_ids)}"
        named = content if isinstance(content, str) else {"slot": self.database.slot_name, "id": made, **content}
        text = named if isinstance(named, str) else json.dumps(named)
        # Who asks vouches for it, until he is answered.
        self.database.rows(VOUCH, (text,))
        self.database.rows("SELECT pg_logical_emit_message(%s, 'walcat.snapshot', %s)", (transactional, text))

    def say_start(self, *tables: str, **more: Any) -> str:
        """Asks for a snapshot and returns its ID."""
        made = f"by-hand-{next(_ids)}"
        self.say({"ask": "start", "id": made, "tables": list(tables), **more})
        return made

    def midway(self, *arguments: str) -> WalcatProcess:
        """A snapshot in the middle; returns who asked for it."""
        asker = self.begin(*arguments, "--rate", str(RATE))
        before = len([line for line in self.run.lines() if line.op == "r"])
        self.run.wait_for(
            lambda: len([line for line in self.run.lines() if line.op == "r"]) > before, "rows are printed"
        )
        assert has_heard(self.ask("--pause"), "paused"), f"it was over too soon\n{self.run.describe()}"
        return asker

    def go_on(self, asker: WalcatProcess, status: int = 0) -> None:
        """Lets a snapshot in the middle come to its end."""
        self.ask("--resume")
        self.end(asker, status)

    def end(self, asker: WalcatProcess, status: int = 0) -> None:
        actual = asker.wait_exit()
        assert actual == status, f"{asker.describe()}\n{self.run.describe()}"

    def wait_for_chunk_to_hang(self) -> None:
        """Until the chunk that is to be read waits for a lock."""
        query = """SELECT pid FROM pg_stat_activity
                   WHERE datname = %s AND wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%%'"""
        self.run.wait_for(lambda: self.database.rows(query, (self.database.name,)), "a chunk waits for a lock")

    def reader_pid(self) -> int:
        """The process that reads for a snapshot in the middle: it has said that it is paused."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND query LIKE 'SELECT pg_catalog.pg_notify%%'"
        (found,) = self.database.rows(query, (self.database.name,))
        return found.pid

    def finish(self) -> list[Line]:
        """Stops, prints what came until now, and returns every line of all runs, without repeats."""
        if self.run.is_running():
            self.run.stop()
        self.runs.append(self.walcat.catch_up(self.config))
        return fresh(self.lines())

    def check_mirror(self, keys: dict[str, tuple[str, ...]]) -> Mirror:
        """A consumer that began with empty tables has what the tables have."""
        mirror = Mirror(keys).apply(self.finish())
        mirror.check_equal(self.database)
        return mirror


def has_heard(asker: WalcatProcess, state: str) -> bool:
    """Whether who asked was told of this."""
    return f" {state}:" in asker.log()


def locks_of(content: str) -> tuple[int, ...]:
    """The keys of the advisory locks that vouch for these words."""
    return struct.unpack(">4q", hashlib.sha256(content.encode()).digest())


def fresh(lines: list[Line]) -> list[Line]:
    """The lines without repeats, which a kill may leave: as a consumer that remembers the last position sees them.

    What remains goes up, and every row of a snapshot says of which kind it is.
    """
    kept: list[Line] = []
    seen: dict[tuple[int, int], str] = {}
    for line in lines:
        if line.position in seen:
            assert seen[line.position] == line.text, f"one position for two lines:\n{seen[line.position]}\n{line.text}"
            continue
        assert not kept or kept[-1].position < line.position, f"goes backwards:\n{kept[-1].text}\n{line.text}"
        seen[line.position] = line.text
        kept.append(line)
        if line.op == "r":
            assert (line.before, line.source["snapshot"]) == (None, "incremental"), line.text
    return kept

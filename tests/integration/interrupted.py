"""A snapshot that is taken in many sessions, each ended in the middle, while a load writes to its tables.

The load leaves most rows alone. Those stay where they are, and so tell which chunks were read.
"""

import pathlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import knobs
from configuration import configuration, entry
from database import Database
from held_output import HeldOutput
from snapshots import SMALL_CHUNKS, SMALL_PIPELINE, Progress, TableProgress, done_chunks, pages_of
from walcat_process import Line, Walcat
from workload import Pgbench

KEYS = {"public.accounts": ("id",), "public.documents": ("id",), "public.journal": ()}

# Two tables with a key, one of them with large values that updates leave alone; and one without a key.
TABLES = (
    "CREATE SEQUENCE fresh START 1000000000",
    "CREATE TABLE accounts (id integer PRIMARY KEY, filler text, revision integer NOT NULL DEFAULT 0)",
    "INSERT INTO accounts SELECT id, repeat('a', 90) FROM generate_series(1, {accounts}) AS id",
    "CREATE TABLE documents (id integer PRIMARY KEY, pad text, body text, revision integer NOT NULL DEFAULT 0)",
    "ALTER TABLE documents ALTER body SET STORAGE EXTERNAL",
    """INSERT INTO documents SELECT id, repeat('p', 400), repeat(md5(id::text), 80)
       FROM generate_series(1, {documents}) AS id""",
    "CREATE TABLE journal (number integer, note text)",
    # May be null, so it is no key.
    "CREATE UNIQUE INDEX ON journal (number)",
    "ALTER TABLE journal REPLICA IDENTITY FULL",
    "INSERT INTO journal SELECT number, 'entry ' || number FROM generate_series(1, {entries}) AS number",
)
# Of accounts and of the journal, every tenth row is written to. A transaction takes one row of each table, table after
# table, so that none waits for another in a circle.
LOAD = r"""
\set account random(1, {accounts} / 10) * 10
\set gone random(1, {accounts} / 10) * 10
\set moved random(1, {accounts} / 10) * 10
\set document random(1, {documents})
\set entry random(1, {entries} / 10) * 10
\set cleared random(1, {entries} / 10) * 10
\set fate random(1, 5)
BEGIN;
UPDATE accounts SET revision = revision + 1 WHERE id = :account;
UPDATE documents SET revision = revision + 1 WHERE id = :document;
SAVEPOINT inside;
INSERT INTO accounts VALUES (nextval('fresh'), 'new');
INSERT INTO journal VALUES (nextval('fresh'), 'new');
RELEASE inside;
UPDATE journal SET note = 'changed ' || nextval('fresh') WHERE number = :entry;
COMMIT;
\if :fate = 1
DELETE FROM accounts WHERE id = :gone;
UPDATE accounts SET id = nextval('fresh') WHERE id = :moved;
DELETE FROM journal WHERE number = :cleared;
DELETE FROM documents WHERE id = :document;
INSERT INTO documents VALUES (:document, repeat('q', 400), repeat(md5(random()::text), 80)) ON CONFLICT DO NOTHING;
\endif
"""


@dataclass
class Session:
    """A run that read a part of the snapshot."""

    # What was stored before it began.
    before: Progress | None
    rows: list[Line]
    log: str


class Interrupted:
    """The database, about `rows` rows of three tables, and the sessions so far."""

    def __init__(self, database: Database, walcat: Walcat, folder: pathlib.Path, rows: int):
        self.database = database
        self.sessions: list[Session] = []
        # The changes that came after the rows.
        self.stream: list[Line] = []
        self._walcat = walcat
        self._folder = folder
        self._sizes = {"accounts": rows * 8 // 10, "documents": rows // 100, "entries": rows * 2 // 10}
        self._pages: dict[str, dict[str, int]] = {}
        self._config = configuration(
            entry(database, *KEYS),
            snapshot=SMALL_CHUNKS,
            pipeline=SMALL_PIPELINE,
            output={"values": "text"},
            flush_interval="50ms",
        )
        database.execute(*(statement.format(**self._sizes) for statement in TABLES))

    def load(self) -> Pgbench:
        script = self._folder / "load.sql"
        script.write_text(LOAD.format(**self._sizes))
        return Pgbench(self.database, self._folder, "--client=2", "--rate=200", "--time=3600", f"--file={script}")

    def interrupt(self, number: signal.Signals, lines: int) -> None:
        """A session that ends after so many lines, with more chunks stored as done than before."""
        before = self.progress()
        known = before.done if before else 0
        with HeldOutput(self._walcat, self._config) as held:
            held.take(lines)
            held.run.wait_for(lambda: done_chunks(self._walcat, self.database) > known, "another chunk is stored")
            self.sessions.append(Session(before, held.end(number), held.run.log()))
        assert not self.progress().complete, "nothing was left to be read: the test needs more rows"
        # Rows that are updated from now on may take the places of others that have been read.
        self.database.execute("VACUUM documents", "VACUUM accounts")

    def finish(self) -> None:
        """The last session, and the stream up to now."""
        before = self.progress()
        run = self._walcat.run(self._config, "--until-caught-up", within=60 + knobs.SNAPSHOT_ROWS / 2000)
        lines = run.lines()
        rows = [line for line in lines if line.op == "r"]
        self.stream = lines[len(rows) :]
        assert rows == lines[: len(rows)], "a row came after a change"
        self.sessions.append(Session(before, rows, run.log()))

    def progress(self) -> Progress | None:
        return Progress.read(self._walcat, self.database)

    def rows(self) -> Iterator[Line]:
        """Every row that was printed, in order."""
        for session in self.sessions:
            yield from session.rows

    def still_rows(self, session: Session) -> Iterator[tuple[str, str, int]]:
        """Table, key and page of the printed rows that the load left alone."""
        for line in session.rows:
            key = line.after.get("id") or line.after.get("number")
            if key in self.pages().get(line.table, ()):
                yield line.table, key, self._pages[line.table][key]

    def pages(self) -> dict[str, dict[str, int]]:
        """The pages of all such rows, by table and key."""
        if not self._pages:
            for table, key, most in (("public.accounts", "id", self._sizes["accounts"]),
                                     ("public.journal", "number", self._sizes["entries"])):
                still = f"{key} <= {most} AND mod({key}, 10) <> 0"
                self._pages[table] = pages_of(self.database, table, f"{key}::text", still)
        return self._pages


def table_before(session: Session, table: str) -> TableProgress | None:
    """How far the table was read before the session."""
    return session.before.tables[table] if session.before else None

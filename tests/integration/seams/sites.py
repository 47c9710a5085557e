"""Where one change happens at one seam: a database of its own, what was written to it, and what walcat printed."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg2
from changes import PUBLICATION, Change
from configuration import entry
from database import Database, number_of
from mirror import Row
from postgres_server import PostgresServer
from scribe import Right, Scribe
from walcat_process import Line

# Of a table that is to be read in several chunks.
MORE_ROWS = """INSERT INTO {0} SELECT (jsonb_populate_record({0}, jsonb_build_object('id', id + n * 100))).*
               FROM {0}, generate_series(100, 500) AS n WHERE mod(id, 100) = 1"""
PUBLISHED = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_publication_tables"
# A rule that every table matches: walcat has to ask the server for them, in every session.
LOOKS_AT_TABLES = {"include_tables": [".*"]}


class Site:
    def __init__(self, change: Change, server: PostgresServer, is_cut_in_snapshot: bool):
        self.change = change
        self.is_cut_in_snapshot = is_cut_in_snapshot
        self.database = Database(server)
        self.database.execute(*change.tables)
        if is_cut_in_snapshot:
            self.database.execute(*(MORE_ROWS.format(table) for table in change.large))
        self._scribe = Scribe(self.database, change.shown)
        # What stood in the published tables at first, and in all that are compared in the end.
        self.first: dict[str, list[Row]] = {}
        self._last: dict[str, list[Row]] = {}
        # All that walcat printed, and its changes as they are compared with those that are right.
        self.lines: list[Line] = []
        self.changes: list[Right] = []
        self.right: list[Right] = []
        # How many changes came before walcat was started once more.
        self.came_in_time = 0
        # How many lines came before the seam, and where the old layout ends in the server's log.
        self._known = 0
        self._seam = 0
        self._log = ""
        # What went wrong with the database itself.
        self.fault: Exception | None = None

    def entry(self) -> dict[str, Any]:
        conn_str = self.database.server.conn_str(self.database.name, self.change.role)
        made = {"name": self.change.name, "conn_str": conn_str, "publication_name": PUBLICATION, **LOOKS_AT_TABLES}
        return entry(self.database, *self.change.listed, **made, **self.change.entry)

    def begin(self) -> None:
        """Walcat streams. What the snapshot has found is kept, and the first changes are made."""
        with self.noting_faults():
            self.first = {table: self._scribe.rows(table) for (table,) in self.database.rows(PUBLISHED)}
            self._write(*self.change.early)

    def pass_seam(self) -> None:
        self._known = len(self.lines)
        with self.noting_faults():
            self._write(*self.change.before)
            self._seam = number_of(self.database.value("SELECT pg_current_wal_insert_lsn()::text"))
            self._write(*self.change.ddl)
            self._write(*self.change.after, unpublished=self.change.unpublished)

    def go_on(self) -> None:
        """The stream runs again."""
        if self.fault is None and not self.is_stopped():
            with self.noting_faults():
                self._write(*self.change.late, unpublished=self.change.unpublished)

    def note_end_of_run(self) -> None:
        self.came_in_time = len(self.changes)

    def end(self) -> None:
        with self.noting_faults():
            self._last = {table: self._scribe.rows(table) for table in self.change.keys}
        self.database.disconnect()

    def move_to(self, database: Database) -> None:
        self.database.disconnect()
        self.database = database
        self._scribe.database = database

    def add(self, line: Line) -> None:
        self.lines.append(line)
        if line.op != "r":
            self.changes.append(Right(line.op, line.table, line.before, line.after))

    def hear(self, log: str) -> None:
        """The whole log of all runs."""
        self._log = log

    def last_rows(self, table: str) -> list[Row]:
        return self._last[table] if table in self._last else self._scribe.rows(table)

    def carried(self) -> Iterator[Line]:
        """The lines with the rows and tables of the old layout carried over to the new one."""
        for number, line in enumerate(self.lines):
            is_old = number < self._known if line.op == "r" else line.source["commit_lsn"] < self._seam
            if not is_old:
                yield line
            elif line.table not in self.change.begun:
                schema, table = self.change.moved.get(line.table, line.table).split(".")
                before, after = (row and self.change.carry(row) for row in (line.before, line.after))
                source = {**line.source, "schema": schema, "table": table}
                yield replace(line, before=before, after=after, source=source)

    def log(self) -> str:
        return "\n".join([line for line in self._log.splitlines() if f"[{self.change.name}]" in line])

    def complaint(self) -> str:
        """Why the database stopped."""
        return "\n".join(line for line in self.log().splitlines() if "] stopped: " in line)

    def is_stopped(self) -> bool:
        return f"[{self.change.name}] stopped: " in self._log

    @contextmanager
    def noting_faults(self) -> Iterator[None]:
        """One broken database does not end the others' run."""
        try:
            yield
        except (psycopg2.Error, AssertionError) as fault:
            self.fault = self.fault or fault

    def _write(self, *statements: str, unpublished: Container[str] = ()) -> None:
        for line in self._scribe.run(*statements):
            if line.table not in unpublished:
                self.right.append(line._replace(table=self.change.under.get(line.table, line.table)))

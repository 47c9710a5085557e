"""One database of a throw-away cluster, and what the suite asks of it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from postgres_server import PostgresServer
from waiting import wait_until

_numbers = itertools.count(1)


class Database:
    def __init__(self, server: PostgresServer, name: str | None = None):
        self.server = server
        self.name = name or f"db{next(_numbers)}"
        self._administer(f"CREATE DATABASE {quoted(self.name)}")
        self._connection: psycopg2.extensions.connection | None = None

    @property
    def conn_str(self) -> str:
        return self.server.conn_str(self.name)

    @property
    def slot_name(self) -> str:
        """The slot the suite's configurations use for this database unless they say otherwise."""
        return f"slot_{self.name}"

    def execute(self, *statements: str) -> None:
        """Runs each statement in a transaction of its own."""
        for statement in statements:
            with self._session().cursor() as cursor:
                cursor.execute(statement)

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with self._session().cursor(cursor_factory=psycopg2.extras.NamedTupleCursor) as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def value(self, query: str, parameters: tuple[Any, ...] = ()) -> Any:
        return self.rows(query, parameters)[0][0]

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor of a connection of its own; commits at the end, rolls back when the block raises."""
        connection = self.server.connect(self.name)
        connection.autocommit = False
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def slot(self, name: str | None = None) -> Any | None:
        """The slot's row in pg_replication_slots, or None."""
        query = "SELECT * FROM pg_replication_slots WHERE slot_name = %s"
        found = self.rows(query, (name or self.slot_name,))
        return found[0] if found else None

    def slot_reader(self, name: str | None = None) -> int | None:
        """The process of the walsender that streams the slot now, or None."""
        query = """SELECT pid FROM pg_stat_replication JOIN pg_replication_slots ON pid = active_pid
                   WHERE slot_name = %s AND state IN ('catchup', 'streaming')"""
        found = self.rows(query, (name or self.slot_name,))
        return found[0].pid if found else None

    def wal_lsn(self) -> str:
        """The server's write position, X/X."""
        return self.value("SELECT pg_current_wal_lsn()::text")

    def passed(self, lsn: str, slot: str | None = None) -> bool:
        """Whether the slot has confirmed everything before `lsn`."""
        row = self.slot(slot)
        return row is not None and number_of(row.confirmed_flush_lsn or "0/0") >= number_of(lsn)

    def drop_slots(self) -> None:
        """Drops the database's slots; a walsender whose client has just died may still hold one."""
        for row in self.rows("SELECT slot_name FROM pg_replication_slots WHERE database = %s", (self.name,)):
            wait_until(lambda: self._try_to_drop(row.slot_name), f"slot {row.slot_name} is dropped")

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.drop_slots()
        self.disconnect()
        # What DROP DATABASE .. WITH (FORCE) does from 13 on.
        self._administer(
            f"ALTER DATABASE {quoted(self.name)} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'",
        )
        wait_until(self._try_to_drop_database, f"database {self.name} is dropped")

    def _try_to_drop(self, slot: str) -> bool:
        try:
            self.rows(
                """SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                   WHERE slot_name = %s AND active_pid IS NOT NULL""",
                (slot,),
            )
            self.rows("SELECT pg_drop_replication_slot(%s)", (slot,))
        except psycopg2.errors.ObjectInUse:
            return False
        except psycopg2.errors.UndefinedObject:
            pass  # It was temporary, or not made whole.
        return True

    def _try_to_drop_database(self) -> bool:
        try:
            self._administer(f"DROP DATABASE {quoted(self.name)}")
        except psycopg2.errors.ObjectInUse:
            return False
        return True

    def _session(self) -> psycopg2.extensions.connection:
        if self._connection is None or self._connection.closed:
            self._connection = self.server.connect(self.name)
        return self._connection

    def _administer(self, *statements: str) -> None:
        connection = self.server.connect("postgres")
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def number_of(lsn: str) -> int:
    """X/X as the number walcat prints."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def text_of(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"

"""A load of prepared transactions over the mixed load's tables: prepared, left for a while, then committed or not."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
import psycopg2.errors
import psycopg2.extensions
from database import Database
from waiting import wait_until

# Below the server's max_prepared_transactions: of those that a broken connection leaves there may be one more.
MOST_PREPARED = 8
# A row that is locked by something prepared is left alone soon.
SETTINGS = "-c lock_timeout=100ms -c statement_timeout=30s -c application_name=prepared_load"
PAUSE_SECONDS = 0.05

# What ends a transaction is known to begin behind this: its lines must bear a position that is not before it.
END_BEGINS = """
INSERT INTO ledger.ends (xid, lsn)
SELECT transaction::text::bigint, pg_current_wal_insert_lsn() FROM pg_prepared_xacts WHERE gid = %s
"""
MINE = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"


@dataclass(frozen=True)
class Ends:
    """What prepared transactions have come to; `outlived` of them were prepared when the server went away."""

    committed: int = 0
    rolled_back: int = 0
    outlived: int = 0

    def __add__(self, other: "Ends") -> "Ends":
        return Ends(self.committed + other.committed, self.rolled_back + other.rolled_back,
                    self.outlived + other.outlived)

    def __str__(self) -> str:
        return (f"{self.committed} prepared transactions committed, {self.rolled_back} rolled back, "
                f"{self.outlived} of these across an end of the server")


class PreparedLoad:
    """Prepares about `rate` transactions a second in a thread of its own. Use it in a `with` block.

    Each is ended after a random time, from nothing to some seconds; one in five is rolled back. When its connection or
    the server breaks it comes back, and ends what was left. When the block ends nothing is prepared any more.
    """

    def __init__(self, database: Database, dice: random.Random, rate: float):
        self._database = database
        self._rate = rate
        # The thread alone uses what follows.
        self._dice = random.Random(dice.random())
        self._connection: psycopg2.extensions.connection | None = None
        # When each is to be ended.
        self._held: dict[str, float] = {}
        # Those of them that were prepared when a connection ended.
        self._outlived: set[str] = set()
        self._next = 0.0
        self._number = 0
        # Of those that have ended; may be read from outside.
        self.ends = Ends()
        self._fault: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="prepared load", daemon=True)

    def __enter__(self) -> "PreparedLoad":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Nothing more is prepared, and what was is ended. Raises what the load has failed of."""
        self._stopping.set()
        wait_until(lambda: not self._thread.is_alive(), "everything prepared has ended", 60)
        if self._fault is not None:
            raise self._fault

    def _work(self) -> None:
        try:
            while not self._stopping.is_set() or self._connection is None or self._held:
                self._outlive(self._step)
            self._connection.close()
        except Exception as fault:
            self._fault = fault

    def _outlive(self, step: Callable[[], None]) -> None:
        """Whatever happens to the server, there will be another."""
        try:
            step()
        except psycopg2.Error as fault:
            # A server that is gone has no code, and a class of psycopg2's choice.
            if fault.pgcode is not None and not isinstance(fault, psycopg2.OperationalError):
                raise
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _step(self) -> None:
        if self._connection is None:
            self._connect()
        now = time.monotonic()
        due = now if self._stopping.is_set() else min(self._held.values(), default=now + 1)
        if self._held and due <= now:
            self._end(min(self._held, key=lambda gid: self._held[gid]))
        elif now >= self._next and len(self._held) < MOST_PREPARED and not self._stopping.is_set():
            self._next = now + self._dice.expovariate(self._rate)
            self._prepare()
        else:
            self._stopping.wait(min(PAUSE_SECONDS, max(due - now, 0)))

    def _connect(self) -> None:
        """Whether the last statement was carried out, the server knows."""
        connection = wait_until(self._try_to_connect, "the server answers", 60)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(MINE)
            there = {gid for (gid,) in cursor.fetchall()}
        # Some wait until their time comes.
        self._held = {gid: self._held.get(gid, 0.0) for gid in there}
        self._outlived |= there
        self._connection = connection

    def _try_to_connect(self) -> psycopg2.extensions.connection | None:
        try:
            return psycopg2.connect(self._database.server.conn_str(self._database.name), options=SETTINGS)
        except psycopg2.OperationalError:
            return None

    def _prepare(self) -> None:
        self._number += 1
        gid = f"{self._database.name} {self._number}"
        with self._connection.cursor() as cursor:
            try:
                cursor.execute("BEGIN")
                for statement in self._statements():
                    cursor.execute(statement)
                cursor.execute(f"PREPARE TRANSACTION '{gid}'")
            except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected):
                cursor.execute("ROLLBACK")
                return
        self._held[gid] = time.monotonic() + self._dice.uniform(0, self._dice.choice((0, 0.1, 0.1, 0.3, 1, 6)))

    def _end(self, gid: str) -> None:
        verb = "ROLLBACK" if self._dice.random() < 0.2 else "COMMIT"
        with self._connection.cursor() as cursor:
            cursor.execute(END_BEGINS, (gid,))
            cursor.execute(f"{verb} PREPARED '{gid}'")
        del self._held[gid]
        is_commit, has_outlived = verb == "COMMIT", gid in self._outlived
        self.ends += Ends(int(is_commit), int(not is_commit), int(has_outlived))

    def _statements(self) -> list[str]:
        """Of one transaction: some small, some that come in blocks."""
        account, few = self._dice.randint(1, 200), self._dice.randint(1, 20)
        possible = [
            (1.0, insert(account, few, "few")),
            (0.5, f"UPDATE accounts SET balance = balance + 1, note = repeat('y', {few}) WHERE id = {account}"),
            (0.05, insert(account, 400, "y" * 200)),
            (0.2, f"SAVEPOINT undone; {insert(account, few, 'undone')}; ROLLBACK TO SAVEPOINT undone"),
            (0.5, f"""DELETE FROM entries WHERE id IN
                      (SELECT id FROM entries WHERE account = {account} LIMIT 2 FOR UPDATE SKIP LOCKED)"""),
        ]
        return [statement for chance, statement in possible if self._dice.random() < chance]


def insert(account: int, rows: int, note: str) -> str:
    return f"INSERT INTO entries (account, note) SELECT {account}, '{note}' FROM generate_series(1, {rows})"

"""What the hostile servers are put in front of: databases that change all the time, and a good one beside them."""

import contextlib
import threading
import time
from collections.abc import Mapping

import psycopg2.errors
import psycopg2.extensions
from configuration import entry
from database import Database
from hostile_server import LOCALHOST, HostileServer
from postgres_server import PostgresServer

# Of everything that walcat asks the catalog about: types of all kinds, keys, partitions.
TABLES = (
    "CREATE TYPE mood AS ENUM ('sad', 'happy')",
    "CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE >= 0)",
    "CREATE DOMAIN prices AS price[]",
    "CREATE TYPE pair AS (a integer, b text)",
    """CREATE TABLE items (id integer PRIMARY KEY, note text NOT NULL, mood mood, price price, prices prices,
                           moods mood[], pair pair)""",
    "CREATE TABLE parted (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id)",
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000000000)",
    "CREATE TABLE marks (id integer PRIMARY KEY)",
)
FOLLOWED = ("public.items", "public.parted", "public.marks")

# One transaction with every kind of frame; %(n)s is its number.
ROUND = """
    INSERT INTO items VALUES (%(n)s, 'row %(n)s', 'happy', 1.5, '{1,2}', '{sad,happy}', '(1,x)');
    INSERT INTO parted VALUES (%(n)s, 'part %(n)s');
    UPDATE items SET mood = 'sad' WHERE id = %(n)s;
    DELETE FROM parted WHERE id = %(n)s;
    SELECT pg_logical_emit_message(true, 'hostile', 'round %(n)s');
"""
# Only of a table that is no more read in a snapshot, which would notice.
STREAMED_ROUND = ROUND + "TRUNCATE marks"
GOOD_TABLES = ("CREATE TABLE goods (id integer PRIMARY KEY, note text)",)
ROUND_SECONDS = 0.3
GOOD_SECONDS = 0.02
LOCK_TIMEOUT = "20ms"


def note_of(number: int) -> str:
    return f"row {number}"


class Victims:
    """The databases, and how far they have come."""

    def __init__(self, server: PostgresServer):
        self.server = server
        template = server.connect("template1")
        for statement in (*TABLES, ROUND % {"n": 0}):
            run(template, statement)
        template.close()
        self.good = Database(server, "good")
        self.good.execute(*GOOD_TABLES)
        self.good.disconnect()
        self._made: list[Database] = []
        # Numbers of the last rounds that were committed, and when the good one's were (monotonic).
        self.rounds = 0
        self.committed_at: list[float] = []

    def some(self, count: int) -> list[Database]:
        """So many of them, made when they are first needed."""
        while len(self._made) < count:
            victim = Database(self.server, f"victim_{len(self._made)}")
            victim.execute(f"ALTER DATABASE {victim.name} SET wal_sender_timeout = '2s'")
            victim.disconnect()
            self._made.append(victim)
        return self._made[:count]

    def entry(self, victim: Database, hostile: HostileServer) -> dict[str, object]:
        # Of those who ask for it; the real server does not.
        bare = "password=secret sslmode=disable gssencmode=disable connect_timeout=2"
        conn_str = f"host={LOCALHOST} port={hostile.port} user=postgres dbname={victim.name} {bare}"
        return entry(victim, *FOLLOWED, conn_str=conn_str, name=victim.name)

    def good_entry(self) -> dict[str, object]:
        return entry(self.good, "public.goods", name="good")

    def forget_walcat(self) -> None:
        """Nothing is left of the run that has ended."""
        for victim in [*self._made, self.good]:
            victim.drop_slots()
            victim.execute(f"DROP PUBLICATION IF EXISTS pub_{victim.name}")
            victim.disconnect()


class Load:
    """Rounds in all databases, from the beginning of the block to its end."""

    def __init__(self, victims: Victims, servers: Mapping[str, HostileServer]):
        """`servers`: of each database that is changed, whom walcat takes for its server."""
        self._victims = victims
        self._sessions = [(victims.server.connect(name), server) for name, server in servers.items()]
        for session, _ in self._sessions:
            run(session, f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        self._good = victims.server.connect("good")
        self._over = threading.Event()
        self._threads = [threading.Thread(target=it, name="load", daemon=True) for it in (self._run, self._run_good)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for session in [*(session for session, _ in self._sessions), self._good]:
            session.close()

    def _run(self) -> None:
        while not self._over.wait(ROUND_SECONDS):
            self._victims.rounds += 1
            for session, server in self._sessions:
                statements = STREAMED_ROUND if server.streams else ROUND
                # A snapshot that a lie has brought to a stop keeps its locks.
                with contextlib.suppress(psycopg2.errors.LockNotAvailable):
                    run(session, statements % {"n": self._victims.rounds})

    def _run_good(self) -> None:
        committed_at = self._victims.committed_at
        while not self._over.wait(GOOD_SECONDS):
            number = len(committed_at)
            run(self._good, f"INSERT INTO goods VALUES ({number}, '{note_of(number)}')")
            committed_at.append(time.monotonic())


def run(session: psycopg2.extensions.connection, statement: str) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement)

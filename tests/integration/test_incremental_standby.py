"""Incremental snapshots on a server that waits for a standby which never answers: what such writers commit is streamed
at once, and seen by nobody until they are let go.
"""

import threading
from contextlib import contextmanager

import pytest
from database import Database
from incremental import KEYS, PLAIN, ROWS, Followed
from postgres_server import PostgresServer
from server_version import NEEDS_MESSAGES
from waiting import wait_until

pytestmark = NEEDS_MESSAGES


@pytest.fixture
def own(walcat):
    server = PostgresServer()
    yield Database(server)
    walcat.close()
    server.close()


def let_wait(database, standby):
    """Whose answer commits wait for from now on, in new sessions and old ones."""
    database.execute("SET synchronous_commit = local", f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'",
                     "SELECT pg_reload_conf()")
    wait_until(lambda: database.value("SHOW synchronous_standby_names") == standby, "the server has heard of it")


@contextmanager
def waiting_writers(database, *statements):
    """Sessions whose commits wait, a statement each."""
    def write(statement):
        connection = database.server.connect(database.name)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(statement)
        connection.close()

    threads = [threading.Thread(target=write, args=(statement,)) for statement in statements]
    for thread in threads:
        thread.start()
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = %s"
    try:
        wait_until(lambda: len(database.rows(query, (database.name,))) >= len(statements), "the writers wait")
        yield
    finally:
        let_wait(database, "")
        for thread in threads:
            thread.join(timeout=60)


CHANGES = (
    f"UPDATE t SET note = 'new' WHERE id > {ROWS} - 5",
    f"DELETE FROM t WHERE id = {ROWS} - 10",
    f"UPDATE t SET id = -id WHERE id = {ROWS} - 20",
    "INSERT INTO t VALUES (0, 'new')",
)


def test_rows_that_are_streamed_but_not_seen_are_not_printed_as_they_were(own, walcat):
    own.execute(*PLAIN)
    followed = Followed(walcat, own)
    asker = followed.midway("--tables", "public.t")
    count = followed.run.output.count()
    let_wait(own, "nobody")
    with waiting_writers(own, *CHANGES):
        followed.run.wait_for_lines(count + 8)
        followed.say({"ask": "resume"})
        followed.run.wait_for_log("waiting for transactions that are open")
        assert followed.run.output.count() == count + 8, "no row is printed while some can't be seen"
    followed.end(asker)
    followed.check_mirror(KEYS)
    assert not set(followed.ids()) & {ROWS - 10, ROWS - 20}


def test_one_that_is_asked_for_meanwhile_waits(own, walcat):
    own.execute(*PLAIN)
    followed = Followed(walcat, own)
    let_wait(own, "nobody")
    with waiting_writers(own, *CHANGES):
        asker = followed.begin("--tables", "public.t")
        followed.run.wait_for_log("waiting for transactions that are open")
        assert followed.ids() == []
    followed.end(asker)
    followed.check_mirror(KEYS)


def test_who_asks_waits_for_no_standby(own, walcat):
    own.execute(*PLAIN)
    followed = Followed(walcat, own)
    let_wait(own, "nobody")
    try:
        followed.ask("--tables", "public.t", within=5)
    finally:
        let_wait(own, "")
    followed.check_mirror(KEYS)

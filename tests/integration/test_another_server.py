"""Another server answers behind the same addresses: what was known of the first one's tables means nothing there."""

import pytest
from configuration import configuration, entry
from database import Database
from postgres_server import PostgresServer
from server_version import NEEDS_MESSAGES


@pytest.fixture
def servers(walcat):
    made = [PostgresServer(), PostgresServer()]
    yield made
    walcat.close()
    for server in made:
        server.close()


class Pair:
    """A database of one name on two servers, the first of which answers as long as it runs.

    `t` of the first one has the OID that `other` has on the second.
    """

    def __init__(self, servers):
        self.first = Database(servers[0])
        self.second = Database(servers[1], self.first.name)
        self.first.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        self.second.execute("CREATE TABLE other (id integer PRIMARY KEY)", "CREATE TABLE t (id integer PRIMARY KEY)")
        for database in (self.first, self.second):
            database.execute(f"CREATE PUBLICATION pub_{self.first.name} FOR ALL TABLES")
        oids = [database.value(f"SELECT '{table}'::regclass::oid::integer")
                for database, table in ((self.first, "t"), (self.second, "other"))]
        assert oids[0] == oids[1]
        hosts, ports = ([str(getattr(server, name)) for server in servers] for name in ("folder", "port"))
        self.conn_str = f"host={','.join(hosts)} port={','.join(ports)} user=postgres dbname='{self.first.name}'"

    def config(self, **keys):
        return configuration(entry(self.first, "public.t", conn_str=self.conn_str),
                             **{"wal_guard": {"interval": "100ms"}, "on_gap": "snapshot", **keys})


@pytest.fixture
def pair(servers):
    return Pair(servers)


def tables(run):
    return [(line.source["table"], line.after["id"]) for line in run.lines()]


def test_oids_of_the_server_before_follow_no_table(pair, walcat):
    run = walcat.start(pair.config())
    run.wait_for_log("streaming from slot")
    pair.first.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    pair.first.disconnect()
    pair.first.server.stop("immediate")
    run.wait_for_log("starting anew with a snapshot")
    run.wait_for(pair.second.slot_reader, "the second server is followed")
    pair.second.execute("INSERT INTO other VALUES (2)", "INSERT INTO t VALUES (3)")
    run.wait_for(lambda: ("t", 3) in tables(run), "the row of the listed table")
    assert tables(run) == [("t", 1), ("t", 3)]
    assert "is another one now" not in run.log()
    run.stop()


@NEEDS_MESSAGES
def test_a_snapshot_that_was_asked_for_there_is_not_read_here(pair, walcat):
    """Nor does its reader wait for a mark that only the first server had."""
    run = walcat.start(pair.config())
    run.wait_for_log("streaming from slot")
    pair.first.execute("INSERT INTO t SELECT generate_series(1, 1000)")
    run.wait_for_lines(1000)
    asker = walcat.command("snapshot", "-c", str(walcat.write(pair.config())), "--tables", "public.t", "--rate", "400")
    run.wait_for_lines(1001)
    pair.first.disconnect()
    pair.first.server.stop("immediate")
    assert asker.wait_exit() != 0
    run.wait_for_log("starting anew with a snapshot")
    run.wait_for(pair.second.slot_reader, "the second server is followed")
    pair.second.execute("INSERT INTO t VALUES (-1)")
    run.wait_for(lambda: ("t", -1) in tables(run), "a row of the second server")
    again = walcat.command("snapshot", "-c", str(walcat.write(pair.config())), "--tables", "public.t")
    assert again.wait_exit() == 0, run.describe()
    run.stop()


def test_the_watch_believes_only_the_server_of_the_stream(pair, walcat):
    first = pair.first.server
    pair.first.disconnect()
    first.stop("immediate")
    run = walcat.start(pair.config())
    run.wait_for_log("streaming from slot")
    first.start()
    watching = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%pg_publication%%'"
    watching += " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND pid NOT IN (SELECT active_pid FROM"
    watching += " pg_replication_slots WHERE active)"
    # It may come to the first server by itself.
    answered = "another server has answered: database"
    run.wait_for(lambda: answered in run.log() or pair.second.rows(watching, (pair.first.name,)), "the watch is cut off")
    run.wait_for_log(f"{answered} .* system identifier")
    pair.second.execute("INSERT INTO t VALUES (3)")
    run.wait_for(lambda: tables(run) == [("t", 3)], "the stream goes on")
    assert "was dropped" not in run.log() and "has left" not in run.log()
    run.stop()

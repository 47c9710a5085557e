"""The server sends a commit once it is in the log; the catalog shows what it did a moment later, or much later where a
synchronous standby is waited for. What walcat asks of the catalog is to be answered as of then."""

import threading

import pytest
from configuration import configuration, entry
from database import Database
from postgres_server import PostgresServer

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture
def database(walcat):
    """On a server of its own: no commit there ends while the standby is missing."""
    server = PostgresServer()
    made = Database(server)
    made.execute("CREATE SCHEMA other", "CREATE TABLE listed (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                 "CREATE TABLE listed_1 PARTITION OF listed FOR VALUES FROM (0) TO (10)",
                 "CREATE TABLE marker (id integer PRIMARY KEY)",
                 f"CREATE PUBLICATION pub_{made.name} FOR ALL TABLES")
    yield made
    walcat.close()
    server.close()


class HeldCommit:
    """A transaction that is in the log and that nobody else sees."""

    def __init__(self, database, *statements, standby="nobody"):
        self.database = database
        self.set_standby(standby)
        self.thread = threading.Thread(target=self.commit, args=statements)
        self.thread.start()

    def commit(self, *statements):
        with self.database.transaction() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def wait_until_met(self, run):
        """walcat has it from the stream, and looks for it in the catalog."""
        run.wait_for(lambda: self.database.rows(WAITING), "the commit waits for a standby")
        run.wait_for_log("is committed in the log, and the server does not show yet what it did")

    def set_standby(self, name):
        self.database.execute("SET synchronous_commit = local",
                              f"ALTER SYSTEM SET synchronous_standby_names = '{name}'", "SELECT pg_reload_conf()")

    def end(self):
        self.set_standby("")
        self.thread.join()


@pytest.fixture
def held(database):
    made = []

    def hold(*statements, **options):
        made.append(HeldCommit(database, *statements, **options))
        return made[-1]

    yield hold
    for commit in made:
        commit.end()


def shown(lines):
    return [(line.op, line.table, (line.after or line.before)["id"]) for line in lines]


def test_a_table_that_nobody_listed_is_not_printed(database, walcat, held):
    run = walcat.start(configuration(entry(database, "public.listed", "public.marker")))
    run.wait_for_log("streaming from")
    commit = held("CREATE TABLE other.made (id integer PRIMARY KEY, secret text)",
                  "INSERT INTO other.made VALUES (1, 'secret')")
    commit.wait_until_met(run)
    commit.end()
    database.execute("INSERT INTO other.made VALUES (2, 'secret')", "INSERT INTO marker VALUES (1)")
    lines = run.wait_for_lines(1)
    run.stop()
    assert shown(lines) == [("c", "public.marker", 1)]
    assert "is gone" not in run.log()


def test_a_partition_that_is_made_then_is_printed(database, walcat, held):
    run = walcat.start(configuration(entry(database, "public.listed", "public.marker")))
    run.wait_for_log("streaming from")
    commit = held("CREATE TABLE listed_2 PARTITION OF listed FOR VALUES FROM (10) TO (20)",
                  "INSERT INTO listed VALUES (1), (11)")
    commit.wait_until_met(run)
    commit.end()
    lines = run.wait_for_lines(2)
    run.stop()
    assert shown(lines) == [("c", "public.listed_1", 1), ("c", "public.listed_2", 11)]


def test_the_first_record_has_its_key(database, walcat, held):
    """Under REPLICA IDENTITY FULL the catalog alone knows it."""
    run = walcat.start(configuration(entry(database), output={"envelope": "debezium", "key": "json",
                                                              "framing": "key-value"}))
    run.wait_for_log("streaming from")
    commit = held("CREATE TABLE made (id integer PRIMARY KEY)", "ALTER TABLE made REPLICA IDENTITY FULL",
                  "INSERT INTO made VALUES (1)")
    commit.wait_until_met(run)
    commit.end()
    run.wait_for(lambda: run.output.count() == 1, "its line")
    run.stop()
    assert run.output.texts()[0].startswith('{"id":1}\t')


def test_a_stop_does_not_wait_for_it(database, walcat, held):
    """What has not been printed comes with the next run."""
    config = configuration(entry(database, "public.listed", "public.marker"))
    run = walcat.start(config)
    run.wait_for_log("streaming from")
    commit = held("CREATE TABLE listed_2 PARTITION OF listed FOR VALUES FROM (10) TO (20)",
                  "INSERT INTO listed VALUES (11)")
    commit.wait_until_met(run)
    run.stop()
    assert run.lines() == []
    commit.end()
    assert shown(walcat.catch_up(config).lines()) == [("c", "public.listed_2", 11)]


def test_commits_that_wait_for_walcat_itself_end(database, walcat, held):
    """As a synchronous standby walcat would wait for what waits for it."""
    run = walcat.start(configuration(entry(database), output={"key": "json", "framing": "key-value"}))
    run.wait_for_log("streaming from")
    run.wait_for(database.slot_reader, "the slot is streamed")
    commit = held("INSERT INTO marker VALUES (1)", standby="*")
    commit.thread.join(30)
    assert not commit.thread.is_alive()
    run.wait_for_log("warning .*commits wait for walcat")
    database.execute("SET synchronous_commit = on", "INSERT INTO marker VALUES (2)")
    run.wait_for(lambda: run.output.count() == 2, "both lines")
    run.stop()
    assert [text.split("\t")[0] for text in run.output.texts()] == ['{"id":1}', '{"id":2}']

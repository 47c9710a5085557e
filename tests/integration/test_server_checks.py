"""Servers and roles that cannot serve a stream: one clear error with a hint, exit status 69."""

import pytest
from configuration import configuration, entry, follow_all
from database import Database
from postgres_server import PostgresServer
from walcat_process import Walcat


@pytest.fixture
def refused(database, walcat):
    """Runs a configuration that must fail for good, and returns the log."""

    def run(config):
        log = walcat.run(config, status=69).log()
        assert f"{database.name}/{database.slot_name}" in log
        return log

    return run


def test_a_wal_level_that_is_not_logical(tmp_path):
    server = PostgresServer({"wal_level": "replica"})
    walcat = Walcat(tmp_path)
    try:
        log = walcat.run(follow_all(Database(server)), status=69).log()
        assert "wal_level" in log and "logical" in log
        assert "restart" in log.lower(), "the hint says that the server must be restarted"
    finally:
        walcat.close()
        server.close()


def test_a_server_without_a_free_slot(tmp_path):
    server = PostgresServer({"max_replication_slots": "1"})
    walcat = Walcat(tmp_path)
    try:
        database = Database(server)
        database.rows("SELECT pg_create_physical_replication_slot('taken')")
        log = walcat.run(follow_all(database, retry_config={"max_retries": 1, "initial_backoff": "50ms"}), status=69).log()
        assert "max_replication_slots" in log
    finally:
        walcat.close()
        server.close()


def test_a_missing_table(database, refused):
    database.execute("CREATE TABLE here (id integer PRIMARY KEY)")
    assert "public.gone" in refused(configuration(entry(database, "public.here", "public.gone")))
    assert database.slot() is None, "nothing may hold back WAL for a start that failed"


def test_a_role_without_replication(server, database, refused):
    database.execute("CREATE ROLE plain LOGIN", "CREATE TABLE t (id integer PRIMARY KEY)")
    try:
        log = refused(configuration(entry(database, conn_str=server.conn_str(database.name, "plain"))))
        assert "REPLICATION" in log and "plain" in log
    finally:
        database.execute("DROP ROLE plain")


def test_a_role_that_may_not_create_the_publication(server, database, refused):
    database.execute("CREATE ROLE reader LOGIN REPLICATION", "CREATE TABLE t (id integer PRIMARY KEY)")
    try:
        conn_str = server.conn_str(database.name, "reader")
        log = refused(configuration(entry(database, "public.t", conn_str=conn_str)))
        assert f"pub_{database.name}" in log
    finally:
        database.execute("DROP ROLE reader")


def test_a_role_with_replication_and_a_publication_made_for_it_is_enough(server, database, walcat):
    database.execute(
        "CREATE ROLE reader LOGIN REPLICATION",
        "CREATE TABLE t (id integer PRIMARY KEY)",
        f"CREATE PUBLICATION pub_{database.name} FOR TABLE t",
    )
    try:
        config = configuration(entry(database, "public.t", conn_str=server.conn_str(database.name, "reader")))
        walcat.catch_up(config)
        database.execute("INSERT INTO t VALUES (1)")
        assert len(walcat.catch_up(config).lines()) == 1
    finally:
        database.execute("DROP ROLE reader")


def test_a_database_that_does_not_exist(server, database, walcat):
    config = configuration(entry(database, conn_str=server.conn_str("no_such_db")))
    assert "no_such_db" in walcat.run(config, status=69).log()

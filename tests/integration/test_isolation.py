"""One database that cannot be followed stops no other."""

from collections.abc import Iterator

import pytest
from configuration import configuration, entry
from database import Database
from postgres_server import PASSWORD, PostgresServer, free_port

BRIEF = {"max_retries": 2, "initial_backoff": "50ms", "max_backoff": "100ms", "backoff_multiplier": 2.0}


@pytest.fixture(scope="module")
def tcp_server() -> Iterator[PostgresServer]:
    made = PostgresServer(tcp=True)
    yield made
    made.close()


@pytest.fixture
def guarded(tcp_server: PostgresServer, walcat) -> Iterator[Database]:
    """A database on a server that asks for a password."""
    made = Database(tcp_server)
    yield made
    walcat.close()
    made.close()


def down(name="down"):
    """An entry for a server that nobody runs."""
    conn_str = f"host=127.0.0.1 port={free_port()} user=postgres dbname={name}"
    return {"conn_str": conn_str, "slot_name": f"slot_{name}", "publication_name": "p"}


def refused(guarded):
    conn_str = guarded.server.tcp_conn_str(guarded.name, password="wrong and secret")
    return entry(guarded, conn_str=conn_str, slot_name="slot_refused")


def test_the_fine_one_streams_and_the_log_names_the_others(database, guarded, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(configuration(down(), refused(guarded), entry(database), retry_config=BRIEF))
    run.wait_for(database.slot_reader, "the fine one is streamed")
    run.wait_for_log(r"down/slot_down.*(refused|could not connect)")
    run.wait_for_log(rf"{guarded.name}/slot_refused.*password")
    database.execute("INSERT INTO t VALUES (1)")
    (line,) = run.wait_for_lines(1)
    assert line.source["db"] == database.name
    run.stop()
    assert "wrong and secret" not in run.log()


def test_when_every_database_has_failed_for_good_the_exit_status_is_69(guarded, walcat):
    run = walcat.run(configuration(refused(guarded), retry_config=BRIEF), status=69)
    assert "wrong and secret" not in run.log()


def test_a_bounded_run_with_one_database_that_failed_prints_the_other(database, guarded, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    walcat.catch_up(configuration(entry(database)))
    database.execute("INSERT INTO t VALUES (1)")
    run = walcat.start(configuration(refused(guarded), entry(database), retry_config=BRIEF), "--until-caught-up")
    run.wait_for_lines(1)
    run.wait_exit()
    assert len(run.lines()) == 1


def test_a_server_that_comes_up_later_is_followed_then(tcp_server, guarded, walcat):
    guarded.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    guarded.disconnect()
    tcp_server.stop()
    patient = {**BRIEF, "max_retries": 100, "max_backoff": "500ms"}
    try:
        run = walcat.start(configuration(entry(guarded), retry_config=patient))
        run.wait_for_log(guarded.slot_name)
    finally:
        tcp_server.start()
    run.wait_for(guarded.slot_reader, "the slot is streamed")
    guarded.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    run.stop()


def test_the_password_may_come_from_libpqs_own_places(guarded, walcat, tmp_path):
    port = guarded.server.port
    without = f"host=127.0.0.1 port={port} user=postgres dbname={guarded.name}"
    walcat.catch_up(configuration(entry(guarded, conn_str=without)), environment={"PGPASSWORD": PASSWORD})
    passfile = tmp_path / "passfile"
    passfile.write_text(f"127.0.0.1:{port}:*:postgres:{PASSWORD}\n")
    passfile.chmod(0o600)
    walcat.catch_up(configuration(entry(guarded, conn_str=f"{without} passfile={passfile}")))
    walcat.catch_up(configuration(entry(guarded, conn_str=guarded.server.tcp_conn_str(guarded.name))))

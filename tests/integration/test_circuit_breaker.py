"""A database that cannot be reached: attempts become rare, others go on, and what happened is told."""

import re
import signal

import pytest
from configuration import configuration, entry
from database import Database
from postgres_server import PostgresServer, free_port
from walcat_process import Walcat

EAGER = {"max_retries": 50, "initial_backoff": "20ms", "max_backoff": "20ms"}


@pytest.fixture
def fragile(walcat: Walcat):
    """A database on a server of its own, which may be stopped."""
    server = PostgresServer(tcp=True)
    made = Database(server)
    made.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    yield made
    walcat.close()
    server.close()


def test_it_opens_probes_and_closes(fragile, walcat):
    breaker = {"failure_threshold": 3, "open_timeout": "200ms"}
    entries = [entry(fragile, conn_str=fragile.server.tcp_conn_str(fragile.name))]
    run = walcat.start(configuration(*entries, retry_config=EAGER, circuit_breaker=breaker))
    run.wait_for(fragile.slot_reader, "the slot is streamed")
    fragile.disconnect()
    fragile.server.stop("immediate")
    run.wait_for_log("3 failures in a row have opened the circuit breaker; one attempt in 0.2 s")
    # A probe that fails opens it again at once.
    run.wait_for_log("4 failures in a row have opened the circuit breaker")
    fragile.server.start()
    run.wait_for_log("circuit breaker closed")
    fragile.execute("INSERT INTO t VALUES (1)")
    assert [line.after["id"] for line in run.wait_for_lines(1)] == [1]
    run.stop()


def test_an_open_one_does_not_keep_a_run_from_stopping(walcat):
    nobody = f"host=127.0.0.1 port={free_port()} user=postgres dbname=none"
    one = {"conn_str": nobody, "slot_name": "slot", "publication_name": "pub"}
    run = walcat.start(configuration(one, retry_config=EAGER, circuit_breaker={"failure_threshold": 1}))
    run.wait_for_log("1 failures in a row have opened the circuit breaker; one attempt in 300.0 s")
    run.stop(within=5)


def test_what_is_waited_for_does_not_count(fragile, walcat):
    """A slot in use is looked at again and again."""
    config = configuration(entry(fragile), retry_config=EAGER, circuit_breaker={"failure_threshold": 1})
    first = walcat.start(config)
    first.wait_for(fragile.slot_reader, "the slot is streamed")
    second = walcat.start({**config, "offset_file": "second.json"})
    second.wait_for_log("in use by process .*; looking again every 0.0 s")
    first.stop()
    second.wait_for(fragile.slot_reader, "the second one streams the slot")
    assert "circuit breaker" not in second.log()
    second.stop()


def test_a_signal_asks_where_each_database_stands(fragile, database, walcat):
    nobody = f"host=127.0.0.1 port={free_port()} user=postgres dbname=none"
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(
        configuration(
            entry(database),
            {"conn_str": nobody, "slot_name": "slot", "publication_name": "pub"},
            retry_config=EAGER,
            circuit_breaker={"failure_threshold": 2},
        )
    )
    run.wait_for(database.slot_reader, "the slot is streamed")
    run.wait_for_log("opened the circuit breaker")
    database.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    run.signal(signal.SIGUSR1)
    log = run.wait_for_log(r"\[none/slot\] errors: connection: 2, 2 in the last hour, the last at 20\d\d-.*: connection to")
    assert re.search(rf"\[{database.name}/{database.slot_name}\] streaming; 1 changes written, up to \w+/\w+, stored", log)
    assert re.search(r"\[none/slot\] circuit breaker open; 0 changes written", log)
    run.stop()
    # Once more at the end.
    assert len(re.findall(r"errors: connection: 2", run.log())) == 2

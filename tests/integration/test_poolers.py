"""Behind a pooler: values would print as its sessions have it, and what is set would stay for its other clients."""

import pytest
from configuration import configuration, entry
from pooled import Pooler


@pytest.fixture
def pooler(server):
    made = Pooler(server)
    yield made
    made.close()


@pytest.fixture
def config(database, pooler):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, day date)", "INSERT INTO t VALUES (1, '2026-01-02')",
                     f'ALTER DATABASE "{database.name}" SET DateStyle = "German"')
    return configuration(entry(database, conn_str=pooler.conn_str(database.name)))


def test_a_dump_is_refused(config, walcat):
    run = walcat.command("snapshot", "-c", str(walcat.write(config)), "--dump", "--tables", "public.t")
    assert run.wait_exit() == 69
    assert run.lines() == []
    assert "connect to the server directly, not through a pooler" in run.log()


def test_a_stream_is_refused(config, walcat, database):
    run = walcat.run(config, status=69)
    assert "lends its own sessions" in run.log()
    assert not database.slot()


def test_directly_it_prints_what_it_always_does(database, walcat, config):
    direct = configuration(entry(database))
    run = walcat.command("snapshot", "-c", str(walcat.write(direct)), "--dump", "--tables", "public.t")
    assert run.wait_exit() == 0
    assert [line.after["day"] for line in run.lines()] == ["2026-01-02"]

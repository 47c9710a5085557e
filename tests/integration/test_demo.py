"""scripts/demo: it shows walcat as it should be run, by the role of docs/security.md."""

import json
import os
import pathlib
import signal
import subprocess

import knobs
import psycopg2
import pytest
from waiting import wait_until

DEMO = pathlib.Path(__file__).parents[2] / "scripts" / "demo"
# Of the streams, and of what they are streams of.
SUPERUSERS = """SELECT usename, rolsuper FROM pg_stat_replication JOIN pg_roles ON rolname = usename
                JOIN pg_replication_slots ON pid = active_pid WHERE state = 'streaming'"""
OWNERS = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('orders', 'carts', 'customers')"


@pytest.fixture
def demo(tmp_path):
    # Of other versions only the server is there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with open(tmp_path / "lines", "wb") as lines, open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([DEMO], stdin=subprocess.DEVNULL, stdout=lines, stderr=log,
                                   env={**environment, "WALCAT": str(knobs.WALCAT.absolute())}, start_new_session=True)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def children(pid: int) -> list[int]:
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cluster_of(demo) -> str:
    """Its folder, which is that of walcat's configuration."""
    (config,) = [arguments[-2] for arguments in map(arguments_of, children(demo.pid)) if arguments[-3:-2] == ["-c"]]
    return os.path.dirname(config)


def arguments_of(pid: int) -> list[str]:
    return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def test_the_demo_follows_by_the_least_rights(demo, tmp_path):
    def databases() -> set[str]:
        lines = (tmp_path / "lines").read_text().split("\n")[:-1]
        return {json.loads(line)["message"]["source"]["db"] for line in lines}

    def describe() -> str:
        return (tmp_path / "log").read_text()

    wait_until(lambda: databases() == {"shop", "bank"} or demo.poll() is not None, "lines of both databases", 60,
               describe)
    assert demo.poll() is None, describe()
    connection = psycopg2.connect(host=cluster_of(demo), port=5432, user="postgres", dbname="shop")
    connection.autocommit = True

    def rows(query: str) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    wait_until(lambda: len(rows(SUPERUSERS)) == 2, "both databases are streamed", 30, describe)
    assert set(rows(SUPERUSERS)) == {("walcat", False)}
    assert rows(OWNERS) == [("trader",)]
    connection.close()
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(60) == 0, describe()
    assert " warning " not in describe() and " error " not in describe()

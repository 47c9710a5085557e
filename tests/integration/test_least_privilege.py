"""Everything as the role of docs/security.md: no superuser, owner of nothing."""

import pathlib
import re

import pytest
from configuration import configuration, entry
from incremental import Followed
from server_version import NEEDS_MESSAGES

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture
def statements(database):
    """Those of the document, for this database's names."""
    found = re.search(r"```sql\n(CREATE ROLE walcat.*?)```", DOCUMENT.read_text(), re.S)[1]
    made = re.sub(r"--.*", "", found).replace("walcat", f"walcat_{database.name}").replace("pub1", f"pub_{database.name}")
    return [statement for statement in made.split(";") if statement.strip()]


@pytest.fixture
def role(database, statements):
    name, owner = f"walcat_{database.name}", f"owner_{database.name}"
    database.execute(
        f"CREATE ROLE {owner}", f"CREATE SCHEMA shop AUTHORIZATION {owner}",
        f'GRANT CREATE ON DATABASE "{database.name}" TO {owner}', f"SET ROLE {owner}",
        "CREATE TABLE shop.orders (id integer PRIMARY KEY, note text)",
        "CREATE TABLE shop.items (id integer PRIMARY KEY)",
        "INSERT INTO shop.orders VALUES (1, 'old')", "INSERT INTO shop.items VALUES (7)", "RESET ROLE",
    )
    for statement in statements:
        as_whom = "RESET ROLE" if "CREATE ROLE" in statement else f"SET ROLE {owner}"
        database.execute(as_whom, statement)
    database.execute("RESET ROLE")
    yield name
    database.execute(f"DROP OWNED BY {name}, {owner} CASCADE", f"DROP ROLE {name}, {owner}")


def config_of(database, role, **keys):
    conn_str = database.server.conn_str(database.name, role)
    return configuration(entry(database, "shop.orders", "shop.items", conn_str=conn_str), **keys)


def test_snapshot_and_stream(database, walcat, role):
    run = walcat.start(config_of(database, role, snapshot={"mode": "initial"}))
    run.wait_for_lines(2)
    database.execute("INSERT INTO shop.orders VALUES (2, 'new')", "DELETE FROM shop.items")
    lines = run.wait_for_lines(4)
    run.stop()
    assert sorted(line.table for line in lines[:2]) == ["shop.items", "shop.orders"]
    assert [(line.op, line.table) for line in lines[2:]] == [("c", "shop.orders"), ("d", "shop.items")]
    assert "warning" not in run.log()


@NEEDS_MESSAGES
def test_incremental_snapshots(database, walcat, role):
    followed = Followed(walcat, database)
    followed.run.stop()
    followed.config = config_of(database, role, flush_interval="50ms")
    followed.start()
    followed.ask("--tables", "shop.orders,shop.items")
    followed.ask("--tables", "shop.orders", "--where", "note = 'none'")
    for word in ("--pause", "--resume", "--cancel"):
        followed.ask(word)
    assert [line.table for line in followed.lines()] == ["shop.orders", "shop.items"]
    assert "warning" not in followed.run.log()


def test_dump(database, walcat, role):
    dumped = walcat.command("snapshot", "-c", str(walcat.write(config_of(database, role))), "--dump")
    assert dumped.wait_exit() == 0
    assert sorted(line.table for line in dumped.lines()) == ["shop.items", "shop.orders"]


def test_a_superuser_is_warned_of_once(database, walcat):
    run = walcat.catch_up(configuration(entry(database)))
    assert len(re.findall("warning .*role postgres is a superuser.*docs/security.md", run.log())) == 1

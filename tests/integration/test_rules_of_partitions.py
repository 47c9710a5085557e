"""Rows that a rule hides, and that come under the name of another table: of a partition, or of a root."""

import signal
from dataclasses import dataclass
from typing import Any

import pytest
from configuration import configuration, entry
from server_version import NEEDS_PARTITIONS

pytestmark = NEEDS_PARTITIONS

SECRET = "hush"
COLUMNS = "(id integer, day integer, email text, PRIMARY KEY (id, day))"


def mask(*tables: str) -> dict[str, Any]:
    return {"mask_columns": [{"columns": rf"public\.{table}\.email"} for table in tables]}


@dataclass
class Loss:
    rules: dict[str, Any]
    # Written to before and behind the statements.
    table: str
    statements: tuple[str, ...]
    table_behind: str
    via_root: bool = True

    def old_row(self) -> str:
        return f"INSERT INTO {self.table} VALUES (1, 1, '{SECRET}')"

    def row(self, number: int) -> str:
        return f"INSERT INTO {self.table_behind} VALUES ({number}, 1, '{SECRET}')"


def via_root(value: bool) -> str:
    return f"ALTER PUBLICATION {{publication}} SET (publish_via_partition_root = {str(value).lower()})"


DETACH = "ALTER TABLE {root} DETACH PARTITION {root}_1"
ATTACH = "ALTER TABLE archive ATTACH PARTITION {leaf} FOR VALUES FROM (0) TO (10)"
EXCLUDED = {"exclude_tables": [r"public\.secrets"]}

LOSSES = {
    "come as the leaves'": Loss(mask("orders"), "orders", ("DROP TABLE orders_2", via_root(False)), "orders"),
    "come as the root's": Loss(mask("orders_1"), "orders", (via_root(True),), "orders", via_root=False),
    "leaf detached": Loss(mask("orders"), "orders", (DETACH.format(root="orders"),), "orders_1"),
    "leaf detached, column renamed": Loss(
        mask("orders"), "orders",
        (DETACH.format(root="orders"), "ALTER TABLE orders_1 RENAME email TO mail"), "orders_1"),
    "leaf moved": Loss(
        mask("orders"), "orders", (DETACH.format(root="orders"), ATTACH.format(leaf="orders_1")), "archive"),
    "table attached": Loss(mask("legacy"), "legacy", (ATTACH.format(leaf="legacy"),), "archive"),
    "excluded root's leaf detached": Loss(EXCLUDED, "secrets", (DETACH.format(root="secrets"),), "secrets_1"),
    "excluded table attached": Loss(
        {"exclude_tables": [r"public\.legacy"]}, "legacy", (ATTACH.format(leaf="legacy"),), "archive"),
    "come as the leaves', excluded": Loss(EXCLUDED, "secrets", (via_root(False),), "secrets"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def tables(database):
    database.execute(
        "CREATE TABLE beacon (id integer PRIMARY KEY)",
        f"CREATE TABLE orders {COLUMNS} PARTITION BY RANGE (day)",
        "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (10) TO (20)",
        f"CREATE TABLE secrets {COLUMNS} PARTITION BY RANGE (day)",
        "CREATE TABLE secrets_1 PARTITION OF secrets FOR VALUES FROM (0) TO (10)",
        f"CREATE TABLE archive {COLUMNS} PARTITION BY RANGE (day)",
        "CREATE TABLE archive_9 PARTITION OF archive FOR VALUES FROM (90) TO (99)",
        f"CREATE TABLE legacy {COLUMNS}",
    )


def publish(database, value=True, what="ALL TABLES"):
    database.execute(
        f"CREATE PUBLICATION pub_{database.name} FOR {what} WITH (publish_via_partition_root = {str(value).lower()})")


class Case:
    def __init__(self, walcat, database, loss, choice):
        self.walcat, self.database, self.loss = walcat, database, loss
        self.config = configuration(entry(database, **loss.rules), on_lost_rule=choice)
        self.statements = [statement.format(publication=f"pub_{database.name}") for statement in loss.statements]
        publish(database, loss.via_root)

    def started(self):
        run = self.walcat.start(self.config)
        run.wait_for(self.database.slot_reader, "the slot is streamed")
        return run

    def seen(self):
        run = self.started()
        self.database.execute(self.loss.old_row(), "INSERT INTO beacon VALUES (0)")
        run.wait_for(lambda: '"beacon"' in "".join(run.output.texts()), "rows come under the old name")
        return run

    def lose(self):
        self.database.execute(*self.statements, self.loss.row(2))


def streaming(case):
    run = case.seen()
    case.lose()
    return run


def unseen(case):
    """Nothing but the catalog has told of the rows' tables."""
    run = case.started()
    case.lose()
    return run


def behind_a_cut(case):
    run = case.seen()
    run.signal(signal.SIGSTOP)
    case.lose()
    case.database.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
    run.signal(signal.SIGCONT)
    return run


def behind_a_stop(case):
    case.walcat.catch_up(case.config)
    case.database.execute(case.loss.old_row())
    case.lose()
    return case.walcat.start(case.config)


WAYS = {way.__name__: way for way in (streaming, unseen, behind_a_cut, behind_a_stop)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", WAYS)
def test_a_lost_rule_stops_the_database(way, loss, walcat, database):
    run = WAYS[way](Case(walcat, database, LOSSES[loss], "stop"))
    assert run.wait_exit() == 69, run.describe()
    assert SECRET not in "".join(run.output.texts())
    assert "on_lost_rule" in run.log() and LOSSES[loss].table in run.log(), run.log()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", WAYS)
def test_or_the_rows_stay_hidden(way, loss, walcat, database):
    case = Case(walcat, database, LOSSES[loss], "mask")
    run = WAYS[way](case)
    database.execute("INSERT INTO beacon VALUES (1)")
    run.wait_for(lambda: any(line.after == {"id": 1} for line in run.lines()), "the stream goes on")
    run.stop()
    assert SECRET not in "".join(run.output.texts())
    assert "on_lost_rule: mask" in run.log()
    database.execute(case.loss.row(3))
    case.config["on_lost_rule"] = "stop"
    again = walcat.catch_up(case.config)
    assert SECRET not in "".join(again.output.texts()), "the next run knows of it"


def test_or_it_is_said_that_they_may_be_seen(walcat, database):
    case = Case(walcat, database, LOSSES["leaf detached"], "stop")
    walcat.catch_up(case.config)
    case.lose()
    assert "public.orders.email" in walcat.run(case.config, "--until-caught-up", status=69).log()
    case.config["on_lost_rule"] = "continue"
    assert SECRET in "".join(walcat.catch_up(case.config).output.texts())
    case.config["on_lost_rule"] = "stop"
    database.execute(case.loss.row(3))
    assert SECRET in "".join(walcat.catch_up(case.config).output.texts())


def test_the_way_out_is_a_rule_for_both_names(walcat, database):
    case = Case(walcat, database, LOSSES["leaf detached"], "stop")
    walcat.catch_up(case.config)
    database.execute(case.loss.old_row())
    case.lose()
    walcat.run(case.config, "--until-caught-up", status=69)
    case.config["databases"][0].update(mask(r"orders(_.*)?"))
    lines = walcat.catch_up(case.config).lines()
    assert [(line.source["table"], line.after["email"]) for line in lines] == [("orders", "***"), ("orders_1", "***")]


def test_a_snapshot_of_the_other_root_stops_as_well(walcat, database):
    case = Case(walcat, database, LOSSES["leaf moved"], "stop")
    walcat.catch_up(case.config)
    case.lose()
    run = walcat.command("snapshot", "--dump", "-c", str(walcat.write(case.config)))
    assert run.wait_exit() == 69, run.describe()
    assert SECRET not in "".join(run.output.texts())


ROTATION = (
    "INSERT INTO orders VALUES (1, 1, '{secret}'), (2, 11, '{secret}')",
    "CREATE TABLE orders_3 PARTITION OF orders FOR VALUES FROM (20) TO (30)",
    "INSERT INTO orders VALUES (3, 21, '{secret}')",
    "CREATE TABLE orders_4 (LIKE orders INCLUDING ALL)",
    "ALTER TABLE orders ATTACH PARTITION orders_4 FOR VALUES FROM (30) TO (40)",
    "INSERT INTO orders VALUES (4, 31, '{secret}')",
    "ALTER TABLE orders DETACH PARTITION orders_1",
    "DROP TABLE orders_1",
    "INSERT INTO orders VALUES (5, 12, '{secret}')",
    "DROP TABLE orders_2",
    "ALTER TABLE orders ADD city text",
    "INSERT INTO orders VALUES (6, 22, '{secret}', 'Rome')",
)


@pytest.mark.parametrize("what", ["ALL TABLES", "TABLE orders"])
@pytest.mark.parametrize("is_behind", [False, True])
def test_partitions_that_rotate_under_a_masked_root_lose_nothing(is_behind, what, walcat, database):
    publish(database, what=what)
    config = configuration(entry(database, **mask("orders")), on_lost_rule="stop")
    if is_behind:
        walcat.catch_up(config)
    else:
        run = walcat.start(config)
        run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(*(statement.format(secret=SECRET) for statement in ROTATION))
    if is_behind:
        run = walcat.start(config)
    run.wait_for_lines(6)
    run.signal(signal.SIGSTOP)
    database.execute("INSERT INTO orders VALUES (7, 23, 'hush')",
                     "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
    run.signal(signal.SIGCONT)
    run.wait_for_lines(7)
    run.stop()
    assert [(line.after["id"], line.after["email"]) for line in run.lines()] == [(id, "***") for id in range(1, 8)]


def test_tables_that_are_truncated_together_are_no_kin(walcat, database):
    publish(database)
    database.execute(f"CREATE TABLE plain {COLUMNS}")
    run = walcat.start(configuration(entry(database, **mask("legacy")), on_lost_rule="stop"))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("TRUNCATE legacy, plain", "TRUNCATE plain, legacy", "INSERT INTO legacy VALUES (1, 1, 'hush')",
                     "INSERT INTO plain VALUES (2, 1, 'open')")
    run.wait_for_lines(6)
    run.stop()
    assert [line.after["email"] for line in run.lines()[-2:]] == ["***", "open"]

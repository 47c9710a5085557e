"""What a line looks like, key by key."""

import re
import time

import pytest
from server_version import NEEDS_TRUNCATE, needs

TABLE = "CREATE TABLE people (id integer PRIMARY KEY, name text, vip boolean)"


@pytest.fixture(autouse=True)
def people(database):
    database.execute(TABLE)


def test_an_insert_is_this_exact_line(database, walcat, lines_of):
    version = walcat.command("version")
    version.wait_exit()
    earliest = int(time.time() * 1000)
    (line,) = lines_of("INSERT INTO people VALUES (1, 'Ann', true)")
    source = line.source
    assert line.text == (
        '{"message":{"before":null,"after":{"id":1,"name":"Ann","vip":true},"source":{'
        f'"version":"{source["version"]}","connector":"it","name":"it_public","ts_ms":{source["ts_ms"]},'
        f'"snapshot":"false","db":"{database.name}","schema":"public","table":"people","txId":{source["txId"]},'
        f'"lsn":{source["lsn"]},"xmin":null,"commit_lsn":{source["commit_lsn"]},"index":{source["index"]}'
        '},"op":"c"}}'
    )
    assert source["version"] in version.output.path.read_text()
    assert earliest <= source["ts_ms"] <= time.time() * 1000
    assert 0 < source["lsn"] <= source["commit_lsn"]


def test_an_update_and_a_delete_carry_their_rows(lines_of):
    insert, update, delete = lines_of(
        "INSERT INTO people VALUES (1, 'Ann', true)",
        "UPDATE people SET name = NULL, vip = false",
        "DELETE FROM people",
    )
    assert (insert.op, insert.before, insert.after) == ("c", None, {"id": 1, "name": "Ann", "vip": True})
    assert (update.op, update.before, update.after) == ("u", None, {"id": 1, "name": None, "vip": False})
    assert (delete.op, delete.before, delete.after) == ("d", {"id": 1}, None)


def test_the_transaction_id_is_the_servers(database, lines_of):
    database.execute("CREATE TABLE noted (xid bigint PRIMARY KEY)")
    (line,) = lines_of("INSERT INTO noted SELECT txid_current() % 4294967296")
    assert line.source["txId"] == line.after["xid"]


@NEEDS_TRUNCATE
def test_a_truncate_is_one_line_for_each_table(database, lines_of):
    database.execute("CREATE TABLE pets (id integer PRIMARY KEY)")
    lines = lines_of("INSERT INTO people VALUES (1)", "TRUNCATE people, pets")[1:]
    assert {line.table for line in lines} == {"public.people", "public.pets"}
    assert [(line.op, line.before, line.after) for line in lines] == [("t", None, None)] * 2
    assert lines[0].position < lines[1].position


@needs(11, "ROLLBACK in DO")
def test_a_rolled_back_transaction_leaves_no_line(database, walcat, lines_of):
    lines_of()
    with pytest.raises(ZeroDivisionError), database.transaction() as cursor:
        cursor.execute("INSERT INTO people VALUES (1, 'never', false)")
        raise ZeroDivisionError
    lines = lines_of(
        "DO $$ BEGIN INSERT INTO people VALUES (2, 'nor this', false); ROLLBACK; END $$",
        "DO $$ BEGIN INSERT INTO people VALUES (3, 'nor that'); RAISE division_by_zero;"
        " EXCEPTION WHEN division_by_zero THEN INSERT INTO people VALUES (4, 'but this', true); END $$",
    )
    assert [line.after["name"] for line in lines] == ["but this"]


def test_lines_of_a_transaction_share_its_position_and_count_up(database, lines_of):
    lines = lines_of(
        "INSERT INTO people SELECT id FROM generate_series(1, 5) AS id",
        "UPDATE people SET name = 'x' WHERE id > 3",
    )
    first, second = lines[:5], lines[5:]
    for transaction in (first, second):
        assert len({line.source["commit_lsn"] for line in transaction}) == 1
        assert len({line.source["txId"] for line in transaction}) == 1
        indexes = [line.source["index"] for line in transaction]
        assert indexes == list(range(indexes[0], indexes[0] + len(indexes)))
    assert first[-1].position < second[0].position


def test_changes_come_in_commit_order_not_in_the_order_they_were_made(database, lines_of):
    lines_of()
    with database.transaction() as slow:
        slow.execute("INSERT INTO people VALUES (1, 'first made')")
        database.execute("INSERT INTO people VALUES (2, 'first committed')")
    lines = lines_of()
    assert [line.after["name"] for line in lines] == ["first committed", "first made"]
    assert lines[0].position < lines[1].position


def test_the_position_can_be_left_out(lines_of):
    (line,) = lines_of("INSERT INTO people VALUES (1)", output={"position": False})
    assert list(line.source)[-1] == "xmin"
    assert not re.search("commit_lsn|index", line.text)


def test_the_message_envelope_can_be_named(lines_of):
    (line,) = lines_of("INSERT INTO people VALUES (1)", output={"envelope": "message"})
    assert line.after == {"id": 1, "name": None, "vip": None}

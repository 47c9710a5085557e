"""Transactions that are sent when they are prepared: the lines come at COMMIT PREPARED, as without two_phase."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from configuration import configuration, entry
from database import Database, number_of
from incremental import Followed
from server_version import MAJOR, needs
from walcat_process import Walcat, WalcatProcess

pytestmark = needs(15, "prepared transactions in pgoutput")

ROWS = 2000  # far beyond logical_decoding_work_mem
# These send the commit alone of what has changed nothing, which looks like a PREPARE that was missed.
LONE_COMMITS = (15, 16, 17)


@pytest.fixture
def prepared(database: Database) -> Iterator[Database]:
    """Its walsenders stream a transaction from 64 KiB on. What is left prepared is rolled back at the end."""
    database.execute(
        f"ALTER DATABASE \"{database.name}\" SET logical_decoding_work_mem = '64kB'",
        "CREATE TABLE t (id integer PRIMARY KEY, note text)",
        "CREATE TABLE other (id integer PRIMARY KEY, note text)",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE moods (id integer PRIMARY KEY, mood mood)",
    )
    yield database
    for row in database.rows("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
        database.execute(f"ROLLBACK PREPARED '{row.gid}'")


def prepare(database: Database, gid: str, *statements: str) -> None:
    connection = database.server.connect(database.name)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f"PREPARE TRANSACTION '{gid}'")
    connection.close()


def fill(first: int, rows: int = ROWS, table: str = "t") -> str:
    return f"INSERT INTO {table} SELECT id, repeat(md5(id::text), 8) FROM generate_series({first}, {first + rows - 1}) id"


def follow(database: Database, slot: str, **keys: Any) -> dict[str, Any]:
    return configuration(entry(database, slot_name=slot), **{"two_phase": True, **keys})


def written(walcat: Walcat) -> str:
    """The position in the offset file of the slot `early`, X/X."""
    return json.loads((walcat.folder / "offset_early.json").read_text())["position"]


def ids(run: WalcatProcess) -> list[int]:
    return [line.after["id"] for line in run.lines()]


def crossed(database: Database) -> None:
    """What is prepared is committed in another order, some of it not at all, and others commit in between."""
    prepare(database, "one", "INSERT INTO t VALUES (1, 'one')", "UPDATE t SET note = 'two' WHERE id = 1")
    prepare(database, "lost", "INSERT INTO moods VALUES (99, 'bad')")
    database.execute("INSERT INTO t VALUES (2, 'meanwhile')", "INSERT INTO moods VALUES (1, 'good')")
    prepare(database, "two", "INSERT INTO t VALUES (3, 'three')", "INSERT INTO moods VALUES (2, 'bad')")
    prepare(database, "empty", "SELECT txid_current()")
    database.execute("COMMIT PREPARED 'two'", "ROLLBACK PREPARED 'lost'", "DELETE FROM t WHERE id = 2")
    database.execute("COMMIT PREPARED 'empty'", "COMMIT PREPARED 'one'", "INSERT INTO moods VALUES (3, 'good')")


def streamed(database: Database) -> None:
    """Prepared transactions that came in blocks, with savepoints that are rolled back."""
    prepare(database, "large", fill(1), "SAVEPOINT a", fill(10_001), "ROLLBACK TO a", fill(20_001))
    database.execute(fill(30_001, rows=3))
    prepare(database, "lost", fill(40_001))
    database.execute("INSERT INTO other VALUES (1, 'meanwhile')", "ROLLBACK PREPARED 'lost'")
    prepare(database, "larger", fill(1, table="other") + " ON CONFLICT DO NOTHING", "TRUNCATE moods, other")
    database.execute("COMMIT PREPARED 'large'", "COMMIT PREPARED 'larger'", "INSERT INTO other VALUES (1, 'again')")


def altered(database: Database) -> None:
    """Relations that are made, or described anew, in what is prepared and around it."""
    database.execute("INSERT INTO t VALUES (1, 'described')")
    prepare(database, "made", "CREATE TABLE made (id integer PRIMARY KEY, mood mood)", "INSERT INTO made VALUES (1)")
    prepare(database, "altered", "ALTER TABLE t ADD more integer DEFAULT 7", "INSERT INTO t VALUES (2, 'b', 8)")
    database.execute("ALTER TABLE other ADD more integer", "INSERT INTO other VALUES (1, 'a', 2)")
    prepare(database, "undone", "ALTER TABLE moods ADD more integer DEFAULT 7", "INSERT INTO moods VALUES (2, 'bad', 8)")
    database.execute("ROLLBACK PREPARED 'undone'", "INSERT INTO moods VALUES (3, 'good')")
    database.execute("COMMIT PREPARED 'altered'", "INSERT INTO t VALUES (3, 'c', 9)", "COMMIT PREPARED 'made'")
    database.execute("INSERT INTO made VALUES (2, 'bad')", "INSERT INTO t VALUES (4, 'd', 10)")


@pytest.mark.parametrize("load", [crossed, streamed, altered], ids=lambda load: load.__name__)
@pytest.mark.parametrize("output", [{"envelope": "message"}, {"envelope": "debezium-schema", "transactions": True}],
                         ids=["message", "debezium-schema"])
def test_the_lines_are_those_without_two_phase(prepared: Database, walcat: Walcat, load: Callable[[Database], None],
                                               output: dict[str, Any]) -> None:
    early = follow(prepared, "early", output=output)
    unspooled = follow(prepared, "unspooled", output=output, spool={"streaming": False, "memory": 0})
    late = follow(prepared, "late", output=output, two_phase=False)
    for config in (early, unspooled, late):
        walcat.catch_up(config)
    load(prepared)
    expected = stable(walcat.catch_up(late))
    assert len(expected) > 5
    assert stable(walcat.catch_up(early)) == expected
    assert stable(walcat.catch_up(unspooled)) == expected
    assert prepared.slot("early").two_phase
    assert not prepared.slot("late").two_phase


def stable(run: WalcatProcess) -> list[str]:
    """The lines without the time at which they were made."""
    made = re.compile(r'(?<="op":"."),"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+')
    return [made.sub("", text) for text in run.output.texts()]


def test_they_are_taken_when_they_are_prepared_and_printed_when_they_are_committed(prepared: Database,
                                                                                   walcat: Walcat) -> None:
    run = walcat.start(follow(prepared, "early"), "--log-level", "debug")
    run.wait_for(lambda: prepared.slot_reader("early"), "the slot is streamed")
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepared.execute("INSERT INTO t VALUES (2, 'meanwhile')")
    run.wait_for_lines(1)
    prepared.execute("COMMIT PREPARED 'one'")
    run.wait_for_lines(2)
    run.wait_for_log(r"prepared transaction \d+ has committed; [1-9]\d* bytes of it were spooled")
    run.stop()
    assert ids(run) == [2, 1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_run_that_ends_before_the_commit_loses_and_repeats_nothing(prepared: Database, walcat: Walcat,
                                                                     number: signal.Signals) -> None:
    config = follow(prepared, "early", flush_interval="1ms")
    run = walcat.start(config)
    run.wait_for(lambda: prepared.slot_reader("early"), "the slot is streamed")
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepare(prepared, "two", "INSERT INTO t VALUES (2, 'two')")
    before = prepared.wal_lsn()
    prepared.execute("INSERT INTO t VALUES (3, 'meanwhile')", "COMMIT PREPARED 'two'")
    committed, _ = run.wait_for_lines(2)[1].position
    run.wait_for(lambda: number_of(written(walcat)) > committed, "the lines are stored")
    assert not prepared.passed(before, "early")
    run.kill() if number == signal.SIGKILL else run.stop()
    prepared.execute("INSERT INTO t VALUES (4, 'while nobody reads')", "COMMIT PREPARED 'one'")
    again = walcat.start(config)
    again.wait_for_lines(2)
    again.wait_for(lambda: prepared.passed(before, "early"), "the slot moves on")
    again.stop()
    assert ids(run)[:2] == [3, 2]
    assert ids(again) == [4, 1]


def test_connections_that_break_lose_and_repeat_nothing(prepared: Database, walcat: Walcat) -> None:
    run = walcat.start(follow(prepared, "early"))
    walsender = run.wait_for(lambda: prepared.slot_reader("early"), "the slot is streamed")
    expected = []
    for number in range(0, 50, 5):
        prepare(prepared, "one", f"INSERT INTO t VALUES ({number}, 'one')")
        prepare(prepared, "two", f"INSERT INTO t VALUES ({number + 1}, 'two')")
        prepared.execute(f"INSERT INTO t VALUES ({number + 2}, 'meanwhile')", "COMMIT PREPARED 'one'")
        expected += [number + 2, number]
        run.wait_for_lines(len(expected))
        prepared.rows("SELECT pg_terminate_backend(%s)", (walsender,))
        prepared.execute(f"INSERT INTO t VALUES ({number + 3}, 'unread')", "COMMIT PREPARED 'two'")
        expected += [number + 3, number + 1]
        walsender = run.wait_for(
            lambda: prepared.slot_reader("early") not in (None, walsender) and prepared.slot_reader("early"),
            "another walsender streams the slot",
        )
        run.wait_for_lines(len(expected))
    run.stop()
    assert ids(run) == expected


def test_the_server_stops_fast_while_something_is_prepared(prepared: Database, walcat: Walcat) -> None:
    run = walcat.start(follow(prepared, "early"))
    run.wait_for(lambda: prepared.slot_reader("early"), "the slot is streamed")
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepared.execute("INSERT INTO t VALUES (2, 'meanwhile')")
    run.wait_for_lines(1)
    prepared.disconnect()
    prepared.server.restart()
    prepared.execute("COMMIT PREPARED 'one'")
    run.wait_for_lines(2)
    run.stop()
    assert ids(run) == [2, 1]


def test_a_slot_that_was_asked_once_is_understood_without_the_key(prepared: Database, walcat: Walcat) -> None:
    walcat.catch_up(follow(prepared, "early"))
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepared.execute("INSERT INTO t VALUES (2, 'meanwhile')")
    config = follow(prepared, "early", two_phase=False)
    assert ids(walcat.catch_up(config)) == [2]
    prepared.execute("COMMIT PREPARED 'one'")
    assert ids(walcat.catch_up(config)) == [1]


def test_a_slot_is_asked_for_the_first_time_while_something_is_prepared(prepared: Database, walcat: Walcat) -> None:
    late = follow(prepared, "early", two_phase=False)
    walcat.catch_up(late)
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepare(prepared, "large", fill(1001))
    prepared.execute("INSERT INTO t VALUES (2, 'meanwhile')")
    assert ids(walcat.catch_up(late)) == [2]
    early = follow(prepared, "early")
    walcat.catch_up(early)
    prepared.execute("COMMIT PREPARED 'one'", "INSERT INTO t VALUES (3, 'afterwards')")
    assert ids(walcat.catch_up(early)) == [1, 3]
    prepared.execute("COMMIT PREPARED 'large'")
    assert len(ids(walcat.catch_up(early))) == ROWS
    assert ids(walcat.catch_up(early)) == []


@pytest.mark.parametrize("change", ["SELECT * FROM t WHERE id = 1 FOR UPDATE", "SELECT txid_current()"],
                         ids=["locks", "nothing"])
def test_what_has_changed_nothing_is_no_gap(prepared: Database, walcat: Walcat, change: str) -> None:
    config = follow(prepared, "early")
    walcat.catch_up(config)
    prepared.execute("INSERT INTO t VALUES (1, 'locked')")
    prepare(prepared, "committed", change)
    prepared.execute("COMMIT PREPARED 'committed'", "INSERT INTO t VALUES (2, 'afterwards')")
    prepare(prepared, "rolled back", change.replace("1", "2"))
    prepared.execute("ROLLBACK PREPARED 'rolled back'")
    prepare(prepared, "later", change)
    assert ids(walcat.catch_up(config)) == [1, 2]
    prepared.execute("COMMIT PREPARED 'later'", "INSERT INTO t VALUES (3, 'later')")
    assert ids(walcat.catch_up(config)) == [3]
    assert prepared.passed(written(walcat), "early")


def test_what_is_sent_again_while_something_is_prepared_is_not_printed_again(prepared: Database,
                                                                             walcat: Walcat) -> None:
    config = follow(prepared, "early")
    walcat.catch_up(config)
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepared.execute("SELECT pg_logical_emit_message(false, 'mine', 'outside of transactions')",
                     "SELECT pg_logical_emit_message(true, 'mine', 'inside')", "INSERT INTO t VALUES (2, 'meanwhile')")
    assert [line.op for line in walcat.catch_up(config).lines()] == ["m", "m", "c"]
    prepared.execute("SELECT pg_logical_emit_message(false, 'mine', 'new')", "COMMIT PREPARED 'one'")
    assert [line.op for line in walcat.catch_up(config).lines()] == ["m", "c"]


def test_a_question_that_an_earlier_run_has_answered_is_not_heard_again(prepared: Database, walcat: Walcat) -> None:
    followed = Followed(walcat, prepared, two_phase=True)
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    first = followed.say_start("public.unknown")
    followed.run.wait_for_log(f"incremental snapshot {first} refused")
    followed.restart(signal.SIGTERM)
    second = followed.say_start("public.unknown")
    followed.run.wait_for_log(f"incremental snapshot {second} refused")
    assert first not in followed.run.log()


@pytest.mark.parametrize("choice", ["fail", "continue"])
def test_a_slot_that_was_moved_beyond_what_is_prepared_is_a_gap(prepared: Database, walcat: Walcat,
                                                                choice: str) -> None:
    config = follow(prepared, "early", on_gap=choice)
    walcat.catch_up(config)
    prepare(prepared, "one", "INSERT INTO t VALUES (1, 'one')")
    prepared.execute("INSERT INTO t VALUES (2, 'meanwhile')")
    assert ids(walcat.catch_up(config)) == [2]
    # As far as positions show, nothing is missing then.
    prepared.rows("SELECT pg_replication_slot_advance('early', %s)", (written(walcat),))
    prepared.execute("COMMIT PREPARED 'one'", "INSERT INTO t VALUES (3, 'afterwards')")
    if choice == "continue" or MAJOR in LONE_COMMITS:
        run = walcat.catch_up(config)
        assert ids(run) == [3]
    else:
        run = walcat.run(config, status=69)
    run.wait_for_log("prepared transaction 'one', committed at .*, was not sent")

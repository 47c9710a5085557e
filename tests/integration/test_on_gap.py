"""on_gap: where changes are lost, walcat fails, begins anew with a snapshot or goes on, as was chosen, and says so."""

import json
import re

import psycopg2.extras
import pytest
from configuration import follow_all
from database import number_of
from server_version import needs
from slot_faults import advance, drop, make_anew
from test_lost_position import offset_file, stopped  # noqa: F401
from waiting import wait_until

MISSING = re.compile(r"changes may be missing from (.*), so far written, to ([0-9A-F]+/[0-9A-F]+), from where it goes on")


def confirm_too_much(database, offset):
    """The server believes any position, and would skip all that comes until then."""
    connection = psycopg2.connect(database.conn_str, connection_factory=psycopg2.extras.LogicalReplicationConnection)
    cursor = connection.cursor()
    options = {"proto_version": "1", "publication_names": f"pub_{database.name}"}
    cursor.start_replication(database.slot_name, options=options, decode=False)
    cursor.send_feedback(flush_lsn=number_of("FF/0"), force=True)
    wait_until(lambda: database.passed("FF/0"), "the slot stands at FF/0")
    connection.close()
    wait_until(lambda: not database.slot().active, "nobody reads the slot")


def tear(database, offset):
    offset.write_bytes(offset.read_bytes()[:40])


def change(key, value):
    def lose(database, offset):
        offset.write_text(json.dumps({**json.loads(offset.read_text()), key: value}))

    return lose


# How changes are lost, what the log calls it, and what `continue` still finds of row 2.
GAPS = {
    "dropped": (drop, "does not exist", []),
    "advanced": (advance, "advanced or recreated", []),
    "recreated": (make_anew, "advanced or recreated", []),
    "beyond the server": (confirm_too_much, "would be skipped", []),
    "a torn file": (tear, "offset_", [2]),
    "another server": (change("system_identifier", "12345"), "system identifier", [2]),
    "another database": (change("database", "elsewhere"), "elsewhere", [2]),
    "another slot": (change("slot", "another"), "another", [2]),
    "ahead of the server": (change("position", "FFFF/0"), "FFFF/0", [2]),
    "an unknown timeline": (change("timeline", 9), "timeline", [2]),
}


NEEDS_ADVANCE = needs(11, "pg_replication_slot_advance()")


@pytest.fixture(params=[pytest.param(name, marks=NEEDS_ADVANCE if name == "advanced" else ()) for name in GAPS])
def gap(request, stopped, database, offset_file):  # noqa: F811
    """Row 1 is printed, row 2 is not, and slot and offset file do not agree."""
    lose, words, still_there = GAPS[request.param]
    lose(database, offset_file)
    return words, still_there


def check_warnings(run, words):
    warnings = [line for line in run.log().splitlines() if "warning" in line.lower()]
    assert any(words in line for line in warnings), run.log()
    assert any(MISSING.search(line) for line in warnings), run.log()
    assert re.search(r"errors: (slot|offset): 1,", run.log()), run.log()


def ids(run):
    return [line.after["id"] for line in run.lines()]


def test_continue_goes_on_from_the_slot(gap, stopped, database, walcat):  # noqa: F811
    words, still_there = gap
    run = walcat.catch_up({**stopped, "on_gap": "continue"})
    assert ids(run) == still_there or ids(run) == [1, *still_there]
    check_warnings(run, words)
    database.execute("INSERT INTO t VALUES (3)")
    again = walcat.catch_up(stopped)
    assert [(line.op, line.after["id"]) for line in again.lines()] == [("c", 3)]
    assert "may be missing" not in again.log()


def test_snapshot_prints_all_rows_anew(gap, stopped, database, walcat):  # noqa: F811
    words, _ = gap
    run = walcat.run(stopped, "--until-caught-up", "--on-gap", "snapshot")
    assert sorted((line.op, line.after["id"]) for line in run.lines()) == [("r", 1), ("r", 2)]
    check_warnings(run, words)
    database.execute("INSERT INTO t VALUES (3)")
    again = walcat.catch_up(stopped)
    assert [(line.op, line.after["id"]) for line in again.lines()] == [("c", 3)]
    slots = database.rows("SELECT slot_name FROM pg_replication_slots WHERE database = %s", (database.name,))
    assert [row.slot_name for row in slots] == [database.slot_name]


def test_fail_is_the_default_and_names_the_ways_out(gap, stopped, walcat):  # noqa: F811
    words, _ = gap
    refused = walcat.run(stopped, status=69)
    assert refused.lines() == [] and words in refused.log() and "on_gap" in refused.log()


def test_the_command_line_wins(stopped, database, walcat):  # noqa: F811
    drop(database)
    refused = walcat.run({**stopped, "on_gap": "continue"}, "--on-gap=fail", status=69)
    assert "does not exist" in refused.log() and database.slot() is None


def test_the_warning_names_both_ends(stopped, database, walcat, offset_file):  # noqa: F811
    before = json.loads(offset_file.read_text())["position"]
    make_anew(database)
    slot = database.slot().confirmed_flush_lsn
    log = walcat.run(stopped, "--until-caught-up", "--on-gap=continue").log()
    assert MISSING.search(log).groups() == (before, slot)


@pytest.mark.parametrize("choice", ["continue", "snapshot"])
def test_a_slot_that_is_lost_while_it_is_followed(choice, database, walcat):
    """The stream breaks, and the same run goes on as it would have from a new start."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    run = walcat.start(follow_all(database, on_gap=choice))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    database.drop_slots()
    run.wait_for_log("may be missing")
    run.wait_for(database.slot_reader, "a slot is streamed again")
    database.execute("INSERT INTO t VALUES (2)")
    expected = [("c", 1), *([("r", 1)] if choice == "snapshot" else []), ("c", 2)]
    lines = run.wait_for_lines(len(expected))
    assert [(line.op, line.after["id"]) for line in lines] == expected
    assert number_of(database.slot().confirmed_flush_lsn) > 0
    run.stop()
    database.execute("INSERT INTO t VALUES (3)")
    assert ids(walcat.catch_up(follow_all(database))) == [3]


def test_without_a_choice_a_slot_that_is_lost_stops_the_database(database, walcat):
    run = walcat.start(follow_all(database))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.drop_slots()
    assert run.wait_exit() == 69
    assert "does not exist" in run.log() and database.slot() is None


# What is printed after row 2, which came while there was a publication.
AFTER_A_NEW_PUBLICATION = {"fail": [], "continue": [], "snapshot": [("r", 1), ("r", 2), ("r", 3)]}


@pytest.mark.parametrize("choice, expected", AFTER_A_NEW_PUBLICATION.items())
@pytest.mark.parametrize("is_running", [False, True], ids=["stopped", "running"])
def test_a_publication_that_was_dropped_and_made_again(is_running, choice, expected, stopped, database, walcat):  # noqa: F811
    """The slot decodes the past, where it was not there: the stream can't get past row 3, whatever psql lists."""
    config = {**stopped, "on_gap": choice}
    # PostgreSQL 18 only warns.
    database.execute(f'ALTER DATABASE "{database.name}" SET client_min_messages = error')
    run = walcat.start(config) if is_running else None
    if run:
        run.wait_for_lines(1)
    database.execute(f"DROP PUBLICATION pub_{database.name}", "INSERT INTO t VALUES (3)",
                     f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
    run = run or walcat.start(config)
    # A start sees that the table was published anew, before the stream comes to where it can't go on.
    is_seen = not is_running and choice != "continue"
    run.wait_for_log("table public.t has left" if is_seen else "the publication did not exist at this point of the log")
    before = [] if is_seen else [("c", 2)]
    if choice == "fail":
        assert run.wait_exit() == 69 and "on_gap: snapshot" in run.log(), run.log()
        assert ids(run) == [row for _, row in before]
        return
    run.wait_for_log("may be missing")
    run.wait_for(database.slot_reader, "a slot is streamed again")
    database.execute("INSERT INTO t VALUES (4)")
    lines = run.wait_for_lines(len(before) + len(expected) + 1)
    assert [(line.op, line.after["id"]) for line in lines] == [*before, *expected, ("c", 4)]
    run.stop()
    database.execute("INSERT INTO t VALUES (5)")
    assert ids(walcat.catch_up(config)) == [5]

"""snapshot.mode: when rows are printed, and when not."""

import json

import pytest
from configuration import configuration, entry
from database import number_of
from server_version import MAJOR
from slot_faults import advance, drop, make_anew


@pytest.fixture(autouse=True)
def table(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)", "INSERT INTO t VALUES (1), (2)")


@pytest.fixture
def run(database, walcat):
    """A run under a mode, to the server's position at its start."""

    def start(mode: str, *arguments: str, status: int = 0):
        config = configuration(entry(database), snapshot={"mode": mode})
        return walcat.run(config, *(arguments or ("--until-caught-up",)), status=status)

    return start


@pytest.fixture
def offset_file(database, walcat):
    return walcat.folder / f"offset_{database.slot_name}.json"


def shown(run) -> list[tuple[str, int]]:
    return [(line.op, (line.after or line.before)["id"]) for line in run.lines()]


def slots(database) -> list[str]:
    rows = database.rows("SELECT slot_name FROM pg_replication_slots WHERE database = %s", (database.name,))
    return [row.slot_name for row in rows]


def test_initial_prints_the_rows_at_the_first_start_only(database, run):
    assert shown(run("initial")) == [("r", 1), ("r", 2)]
    assert shown(run("initial")) == []
    database.execute("INSERT INTO t VALUES (3)")
    assert shown(run("initial")) == [("c", 3)]
    assert slots(database) == [database.slot_name]


@pytest.mark.parametrize("mode", ["initial", "when_needed"])
def test_a_slot_that_was_left_alone_keeps_its_place(mode, database, run):
    """The rows are those of now, and all comes that the slot holds: nobody knows what was printed before."""
    database.execute(f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
    database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (database.slot_name,))
    database.execute("INSERT INTO t VALUES (3)", "UPDATE t SET note = 'new' WHERE id = 3", "DELETE FROM t WHERE id = 2")
    first = run(mode)
    assert sorted(shown(first)[:2]) == [("r", 1), ("r", 3)]
    assert shown(first)[2:] == [("c", 3), ("u", 3), ("d", 2)]
    assert slots(database) == [database.slot_name], "the slot that made the snapshot is gone"
    database.execute("UPDATE t SET note = 'newer' WHERE id = 3")
    second = run(mode)
    assert shown(second) == [("u", 3)]
    assert max(line.position for line in first.lines()) < second.lines()[0].position


def test_deletes_come_though_the_offset_file_is_gone(database, run, offset_file):
    assert shown(run("initial")) == [("r", 1), ("r", 2)]
    database.execute("DELETE FROM t WHERE id = 2")
    offset_file.unlink()
    assert shown(run("initial")) == [("r", 1), ("d", 2)]


def test_the_next_run_goes_on_where_a_slot_was_left_alone(database, run, offset_file):
    """Stopped among the rows, before the stream."""
    assert shown(run("initial")) == [("r", 1), ("r", 2)]
    database.execute("INSERT INTO t VALUES (3)", "DELETE FROM t WHERE id = 2")
    offset_file.unlink()
    lines = shown(run("initial", "--max-changes", "1")) + shown(run("initial"))
    assert sorted(set(lines[:-2])) == [("r", 1), ("r", 3)]
    assert lines[-2:] == [("c", 3), ("d", 2)]


def test_never_prints_no_rows(database, run):
    assert shown(run("never")) == []
    database.execute("INSERT INTO t VALUES (3)")
    assert shown(run("never")) == [("c", 3)]


def test_initial_after_never_prints_no_rows(database, run):
    """There is an offset: what came before it is known."""
    run("never")
    database.execute("INSERT INTO t VALUES (3)")
    assert shown(run("initial")) == [("c", 3)]


def test_initial_only_ends_by_itself_and_leaves_the_slot_for_the_stream(database, run):
    config = ("--log-level", "info")  # no bound
    first = run("initial_only", *config)
    assert sorted(shown(first)) == [("r", 1), ("r", 2)]
    confirmed = number_of(database.slot().confirmed_flush_lsn)
    assert {line.source["lsn"] for line in first.lines()} == {confirmed}, "the slot's consistent point"
    database.execute("INSERT INTO t VALUES (3)")
    assert shown(run("initial_only", *config)) == []
    assert number_of(database.slot().confirmed_flush_lsn) == confirmed
    assert shown(run("initial")) == [("c", 3)]


def test_initial_only_ends_with_the_rows_of_every_database(database, make_database, walcat):
    other = make_database()
    other.execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (5)")
    config = configuration(entry(database), entry(other), snapshot={"mode": "initial_only"})
    lines = walcat.run(config).lines()
    assert sorted((line.source["db"], line.after["id"]) for line in lines) == sorted(
        [(database.name, 1), (database.name, 2), (other.name, 5)]
    )


def test_always_prints_the_rows_at_every_start(database, run):
    runs = [run("always")]
    database.execute("INSERT INTO t VALUES (3)", "DELETE FROM t WHERE id = 1")
    runs.append(run("always"))
    runs.append(run("always"))
    assert sorted(shown(runs[0])) == [("r", 1), ("r", 2)]
    rows, changes = shown(runs[1])[:2], shown(runs[1])[2:]
    assert sorted(rows) == [("r", 2), ("r", 3)]
    assert changes == [("c", 3), ("d", 1)], "the stream goes on where it was"
    assert sorted(shown(runs[2])) == [("r", 2), ("r", 3)]
    assert slots(database) == [database.slot_name]
    positions = [line.position for run in runs for line in run.lines()]
    assert len(set(positions)) == len(positions)


def spoil(database, offset_file):
    offset_file.write_bytes(b'{"half":')


def move_away(database, offset_file):
    stored = json.loads(offset_file.read_text())
    offset_file.write_text(json.dumps({**stored, "system_identifier": "12345"}))


# What loses changes, and what the log calls it.
GAPS = {
    "a slot that was dropped": (drop, "slot"),
    **({"a slot that somebody else advanced": (advance, "advanced")} if MAJOR >= 11 else {}),
    "a slot that was made anew": (make_anew, "slot"),
    "an offset file that makes no sense": (spoil, "offset_"),
    "an offset file of another server": (move_away, "system identifier"),
}


@pytest.fixture(params=GAPS)
def gap(request, database, run, offset_file):
    """A database that was followed up to row 2. Row 3 is lost."""
    assert sorted(shown(run("when_needed"))) == [("r", 1), ("r", 2)]
    assert shown(run("when_needed")) == []
    database.execute("INSERT INTO t VALUES (3)")
    lose, word = GAPS[request.param]
    lose(database, offset_file)
    return word


def test_when_needed_begins_anew_where_changes_are_lost(gap, database, run):
    first = run("when_needed")
    assert sorted(shown(first)) == [("r", 1), ("r", 2), ("r", 3)]
    warnings = [line for line in first.log().splitlines() if "warning" in line.lower()]
    assert any(gap in line for line in warnings), first.log()
    assert slots(database) == [database.slot_name]
    database.execute("INSERT INTO t VALUES (4)")
    second = run("when_needed")
    assert shown(second) == [("c", 4)]
    assert max(line.position for line in first.lines()) < second.lines()[0].position


def test_the_other_modes_refuse_what_is_lost(gap, run):
    for mode in ("initial", "initial_only", "never", "always"):
        refused = run(mode, status=69)
        assert refused.output.texts() == [] and gap in refused.log(), f"{mode}\n{refused.describe()}"


@pytest.mark.parametrize("mode", ["initial", "initial_only", "always", "when_needed"])
def test_a_database_without_rows(mode, database, run):
    database.execute("DELETE FROM t")
    assert shown(run(mode)) == []
    assert shown(run(mode)) == []
    database.execute("INSERT INTO t VALUES (3)")
    assert ("c", 3) in shown(run("initial" if mode == "initial_only" else mode))

"""Columns and tables that a rule hides by their names, and that are renamed."""

import json
import signal

import pytest
from configuration import configuration, entry
from recorded import Recorded, replay, replayed
from server_version import NEEDS_MESSAGES

SECRET = "hush"
RULES = {"mask_columns": [{"columns": r"public\.t\.email"}], "exclude_tables": [r".*\.hidden"]}
OLD_ROW = f"INSERT INTO t (id, email, name) VALUES (1, '{SECRET}', 'Ann')"


@pytest.fixture(autouse=True)
def tables(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, email text, name text)", "CREATE SCHEMA other",
                     "CREATE TABLE hidden (id integer PRIMARY KEY, note text)",
                     "CREATE TABLE beacon (id integer PRIMARY KEY)")


# What is altered, and a row written behind it.
LOSSES = {
    "rename column": ("ALTER TABLE t RENAME email TO mail", f"INSERT INTO t VALUES (2, '{SECRET}', 'Eve')"),
    "rename table": ("ALTER TABLE t RENAME TO u", f"INSERT INTO u VALUES (2, '{SECRET}', 'Eve')"),
    "set schema": ("ALTER TABLE t SET SCHEMA other", f"INSERT INTO other.t VALUES (2, '{SECRET}', 'Eve')"),
    "drop and add column": ("ALTER TABLE t DROP email, ADD mail text",
                            f"INSERT INTO t (id, mail) VALUES (2, '{SECRET}')"),
    "swap names": ("ALTER TABLE t RENAME email TO x; ALTER TABLE t RENAME name TO email;"
                   "ALTER TABLE t RENAME x TO name", f"INSERT INTO t VALUES (2, '{SECRET}', 'Eve')"),
    "give the name on": ("ALTER TABLE t RENAME email TO mail; ALTER TABLE t RENAME name TO email",
                         f"INSERT INTO t VALUES (2, '{SECRET}', 'Eve')"),
    "take a name that was shown": (
        f"ALTER TABLE t DROP name; INSERT INTO t VALUES (5, '{SECRET}'); ALTER TABLE t RENAME email TO name",
        f"INSERT INTO t VALUES (2, '{SECRET}')"),
    "another table": ("DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, mail text)",
                      f"INSERT INTO t VALUES (2, '{SECRET}')"),
    "excluded table": ("ALTER TABLE hidden RENAME TO open", f"INSERT INTO open VALUES (2, '{SECRET}')"),
}


def rules(database, choice, **keys):
    return configuration(entry(database, **RULES), on_lost_rule=choice, **keys)


def streaming(walcat, database, config, loss):
    """The run in which the table was described sees the rename."""
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(OLD_ROW)
    run.wait_for_lines(1)
    database.execute(*loss)
    return run


def unseen(walcat, database, config, loss):
    """Nothing but the catalog has told of the table."""
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(*loss)
    return run


def behind_a_cut(walcat, database, config, loss):
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(OLD_ROW)
    run.wait_for_lines(1)
    run.signal(signal.SIGSTOP)
    database.execute(*loss, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
    run.signal(signal.SIGCONT)
    return run


def behind_a_stop(walcat, database, config, loss):
    walcat.catch_up(config)
    database.execute(OLD_ROW, *loss)
    return walcat.start(config)


WAYS = {way.__name__: way for way in (streaming, unseen, behind_a_cut, behind_a_stop)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", WAYS)
def test_a_lost_rule_stops_the_database(way, loss, walcat, database):
    run = WAYS[way](walcat, database, rules(database, "stop"), LOSSES[loss])
    assert run.wait_exit() == 69, run.describe()
    assert SECRET not in "".join(run.output.texts())
    assert "on_lost_rule" in run.log() and ("public.t" in run.log() or "hidden" in run.log()), run.log()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", WAYS)
def test_or_what_is_new_is_masked(way, loss, walcat, database):
    run = WAYS[way](walcat, database, rules(database, "mask"), LOSSES[loss])
    database.execute("INSERT INTO beacon VALUES (1)")
    run.wait_for(lambda: '"beacon"' in "".join(run.output.texts()), "the stream goes on")
    run.stop()
    assert SECRET not in "".join(run.output.texts())
    assert "on_lost_rule: mask" in run.log()
    database.execute(LOSSES[loss][1].replace("(2,", "(3,"))
    again = walcat.catch_up(rules(database, "stop"))
    assert SECRET not in "".join(again.output.texts()), "the next run knows of it"


def test_the_way_out_is_a_rule_for_both_names(walcat, database):
    config = rules(database, "stop")
    walcat.catch_up(config)
    database.execute(OLD_ROW, *LOSSES["rename column"])
    walcat.run(config, "--until-caught-up", status=69)
    config["databases"][0]["mask_columns"] = [{"columns": r"public\.t\.(email|mail)"}]
    healed = walcat.catch_up(config)
    rows = [line.after for line in healed.lines()]
    assert rows == [{"id": 1, "email": "***", "name": "Ann"}, {"id": 2, "mail": "***", "name": "Eve"}]
    walcat.catch_up(config)


# Beside the rename of the hidden column, so that no layout has the names of both.
ELSEWHERE = {"drop": "ALTER TABLE t DROP name", "rename": "ALTER TABLE t RENAME name TO nick"}
LATER_ROW = f"INSERT INTO t (id, mail) VALUES (2, '{SECRET}')"


def rows_of(run):
    return [{name: value for name, value in line.after.items() if value is not None} for line in run.lines()]


def test_older_rows_are_judged_by_what_was_known_before_them(walcat, database):
    config = rules(database, "stop")
    walcat.catch_up(config)
    database.execute(OLD_ROW, *LOSSES["rename column"][:1], ELSEWHERE["drop"], LATER_ROW)
    walcat.run(config, "--until-caught-up", status=69)
    config["databases"][0]["mask_columns"] = [{"columns": r"public\.t\.(email|mail)"}]
    assert rows_of(walcat.catch_up(config)) == [{"id": 1, "email": "***", "name": "Ann"}, {"id": 2, "mail": "***"}]


@pytest.mark.parametrize("other", ELSEWHERE)
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_and_so_it_masks_no_more_than_what_is_new(end, other, walcat, database):
    config = rules(database, "mask", flush_interval="1h")
    if end == "stop":
        walcat.catch_up(config)
    else:
        run = walcat.start(config)
        run.wait_for(database.slot_reader, "the slot is streamed")
        run.kill()
    database.execute(OLD_ROW, *LOSSES["rename column"][:1], ELSEWHERE[other], LATER_ROW)
    again = walcat.start(config)
    again.wait_for_lines(2)
    again.kill()
    right = [{"id": 1, "email": "***", "name": "Ann"}, {"id": 2, "mail": "***"}]
    assert rows_of(again) == right
    # Nothing was confirmed.
    assert rows_of(walcat.catch_up(config)) == right


def test_or_to_say_that_it_may_be_seen(walcat, database):
    config = rules(database, "stop")
    walcat.catch_up(config)
    database.execute(*LOSSES["rename column"])
    walcat.run(config, "--until-caught-up", status=69)
    assert SECRET in "".join(walcat.catch_up(rules(database, "continue")).output.texts())
    database.execute("INSERT INTO t VALUES (3, 'seen', 'Bob')")
    assert "seen" in "".join(walcat.catch_up(config).output.texts())


def test_a_crash_forgets_no_rule(walcat, database):
    config = rules(database, "stop", flush_interval="1h")
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    run.kill()
    database.execute(*LOSSES["rename column"])
    assert "email" in walcat.run(config, "--until-caught-up", status=69).log()


def test_an_offset_file_without_a_memory_is_read_as_before(walcat, database):
    config = rules(database, "stop")
    walcat.catch_up(config)
    path = next(walcat.folder.glob("offset*.json"))
    offset = json.loads(path.read_text())
    assert offset.pop("remembered")
    path.write_text(json.dumps(offset))
    database.execute(OLD_ROW)
    (line,) = walcat.catch_up(config).lines()
    assert line.after["email"] == "***"


def test_columns_that_nothing_hides_may_change(walcat, database):
    run = walcat.start(rules(database, "stop"))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(OLD_ROW, "ALTER TABLE t RENAME name TO fullname", "ALTER TABLE t ADD city text",
                     f"INSERT INTO t VALUES (2, '{SECRET}', 'Eve', 'Rome')", "ALTER TABLE t DROP email",
                     "INSERT INTO t VALUES (3, 'Bob', 'Oslo')", "ALTER TABLE t ADD email text",
                     f"INSERT INTO t VALUES (4, 'Ida', 'Bonn', '{SECRET}')")
    run.wait_for_lines(4)
    run.stop()
    assert SECRET not in "".join(run.output.texts())


def test_a_replay_and_a_snapshot_stop_as_well(walcat, database):
    recorded = Recorded(walcat, database)
    recorded.after(database, OLD_ROW, *LOSSES["rename column"])
    config = walcat.write(rules(database, "stop", output={}), "masked.yaml")
    run = replay(walcat, "-c", str(config), *recorded.files(), status=69)
    assert SECRET not in replayed(run).decode() and "***" in replayed(run).decode()
    masked = walcat.write(rules(database, "mask", output={}), "masked.yaml")
    assert SECRET not in replayed(replay(walcat, "-c", str(masked), *recorded.files())).decode()


def test_rows_read_without_a_stream_are_hidden_as_the_follower_hides_them(walcat, database):
    config = rules(database, "stop")
    walcat.catch_up(config)
    database.execute(*LOSSES["rename column"])
    run = walcat.command("snapshot", "--dump", "-c", str(walcat.write(config)))
    assert run.wait_exit() == 69, run.describe()
    assert SECRET not in "".join(run.output.texts())


def test_each_alternative_must_match(walcat, database):
    config = configuration(entry(database, mask_columns=[{"columns": r".*\.(email|ssn)"}]))
    log = walcat.run(config, "--until-caught-up", status=69).log()
    assert r".*\.(ssn)" in log
    database.execute("ALTER TABLE t ADD ssn text")
    walcat.catch_up(config)


@NEEDS_MESSAGES
def test_an_incremental_snapshot_stops_as_well(walcat, database):
    run = walcat.start(rules(database, "stop"))
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(OLD_ROW, LOSSES["rename column"][0])
    asked = walcat.command("snapshot", "--tables", "public.t", "-c", str(walcat.folder / "walcat.yaml"))
    assert run.wait_exit() == 69, run.describe()
    assert SECRET not in "".join(run.output.texts())
    asked.kill()


def test_a_first_snapshot_reads_what_the_rules_were_compared_with(walcat, database):
    database.execute(OLD_ROW)
    config = rules(database, "stop", snapshot={"mode": "always"})
    (line,) = walcat.catch_up(config).lines()
    assert line.after["email"] == "***"
    database.execute(*LOSSES["rename column"])
    assert SECRET not in "".join(walcat.run(config, "--until-caught-up", status=69).output.texts())
    rows = [line.after for line in walcat.catch_up({**config, "on_lost_rule": "mask"}).lines()]
    assert rows and all(SECRET not in row.values() for row in rows), rows

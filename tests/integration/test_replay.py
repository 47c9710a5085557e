"""walcat replay: what is played, how fast, and what it says of it."""

import json

import pytest
from configuration import configuration, entry
from incremental import PLAIN, Followed
from incremental import ROWS as ROWS_OF_PLAIN
from recorded import CAPTURE, Recorded, replay, replayed, report_of
from server_version import NEEDS_MESSAGES

ROWS = 300


@pytest.fixture
def recorded(walcat, database):
    """A table of numbers and one of names: transactions of three numbers and a name."""
    database.execute("CREATE TABLE numbers (id integer PRIMARY KEY)", "CREATE TABLE names (id integer PRIMARY KEY)")
    made = Recorded(walcat, database)
    made.after(database, *(f"INSERT INTO numbers SELECT generate_series({n}, {n + 2}); INSERT INTO names VALUES ({n})"
                           for n in range(0, ROWS, 3)))
    return made


def messages(lines):
    return [json.loads(line)["message"] for line in lines.splitlines()]


def lsn(number):
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def test_a_replay_needs_no_configuration(walcat, recorded):
    assert messages(replayed(replay(walcat, CAPTURE)))[0]["after"] == {"id": 0}


def test_loops_print_the_same_again_and_again(recorded):
    assert replayed(recorded.replay("--loop", "3")) == 3 * recorded.printed()


def test_tables_choose(walcat, recorded):
    names = [line for line in recorded.printed().splitlines(True) if b'"table":"names"' in line]
    assert replayed(recorded.replay("--tables", "public.names")) == b"".join(names)


def test_positions_choose_whole_transactions(recorded):
    commits = sorted({line["source"]["commit_lsn"] for line in messages(recorded.printed())})
    first, last = commits[10], commits[20]
    wanted = [line for line in recorded.printed().splitlines(True)
              if first <= json.loads(line)["message"]["source"]["commit_lsn"] < last]
    assert len(wanted) == 40
    assert replayed(recorded.replay("--from-lsn", lsn(first), "--to-lsn", lsn(last))) == b"".join(wanted)
    assert replayed(recorded.replay("--from-lsn", lsn(first), "--to-lsn", lsn(last), "--loop", "2")) == 2 * b"".join(wanted)


def test_max_changes_ends_a_replay_without_end(recorded):
    lines = replayed(recorded.replay("--loop", "0", "--max-changes", "1000"))
    assert lines.count(b"\n") == 1000


def test_databases_of_one_capture_are_told_apart(walcat, make_database):
    one, two = make_database(), make_database()
    for database in (one, two):
        database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    recorded = Recorded(walcat, one, two)
    for n in range(50):
        one.execute(f"INSERT INTO t VALUES ({n})")
        two.execute(f"INSERT INTO t VALUES ({n + 1000})")
    recorded.catch_up()
    of_two = [line for line in recorded.printed().splitlines(True) if f'"db":"{two.name}"'.encode() in line]
    assert len(of_two) == 50
    assert replayed(recorded.replay("--databases", two.name)) == b"".join(of_two)
    both = replayed(recorded.replay()).splitlines(True)
    assert [line for line in both if line in of_two] == of_two
    assert sorted(both) == sorted(recorded.printed().splitlines(True))
    run = recorded.replay("--databases", "nowhere", status=69)
    assert 'found "nowhere"' in run.log()


def test_captures_of_several_databases_play_side_by_side(walcat, make_database):
    paths = []
    for number in range(2):
        database = make_database()
        database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        recorded = Recorded(walcat, database, capture={"path": f"{number}.wcap"}, offset_file=f"{number}.json")
        recorded.after(database, f"INSERT INTO t SELECT generate_series(1, {number + 100})")
        paths.append(f"{number}.wcap")
    run = replay(walcat, "--report", "report.json", *paths)
    assert run.output.count() == 201
    assert sorted(database["changes"] for database in report_of(walcat)["databases"]) == [100, 101]


def test_streams_of_one_name_are_told_apart(walcat, database):
    """Two slots of a database, each in a capture of its own."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    slots = (database.slot_name, f"{database.slot_name}_2")
    for number, slot in enumerate(slots):
        recorded = Recorded(walcat, database, capture={"path": f"{number}.wcap"}, offset_file=f"{number}.json",
                            selection={"slot_name": slot, "name": "shop"})
        recorded.after(database, f"INSERT INTO t VALUES ({number})")
    replay(walcat, "--report", "report.json", "0.wcap", "1.wcap")
    labels = [one["label"] for one in report_of(walcat)["databases"]]
    assert [label.split("/")[1:] for label in labels] == [[database.name, slot] for slot in slots], labels


def test_a_rate_is_held_and_reported(walcat, recorded):
    """The rate itself is the benchmarks' business; here that the replay took as long as its timetable says."""
    run = recorded.replay("--rate", "400/s", "--report", "report.json")
    report = report_of(walcat)
    assert replayed(run) == recorded.printed()
    assert report["changes"] == 4 * ROWS / 3
    assert report["rate"]["asked"] == 400
    assert report["seconds"] >= (report["changes"] - 1) / 400
    assert report["line_bytes"] == len(recorded.printed())
    delays = [report["delay_us"][name] for name in ("p50", "p90", "p99", "p99_9", "max")]
    assert delays == sorted(delays) and delays[0] > 0
    assert "changes/s" in run.log() and "p99_9" in run.log()


def test_only_what_is_printed_counts_for_the_rate(walcat, recorded):
    recorded.replay("--rate", "100", "--tables", "public.names", "--report", "report.json")
    report = report_of(walcat)
    assert report["changes"] == ROWS / 3
    assert (report["changes"] - 1) / 100 <= report["seconds"]


def test_what_is_dropped_does_not_count_for_the_rate(recorded, walcat):
    """At this rate everything would take far longer than a replay is waited for."""
    last = max(line["source"]["commit_lsn"] for line in messages(recorded.printed()))
    run = recorded.replay("--rate", "0.04", "--from-lsn", lsn(last), "--tables", "public.names", "--report",
                          "report.json")
    assert report_of(walcat)["changes"] == 1
    assert len(messages(replayed(run))) == 1


@NEEDS_MESSAGES
def test_rows_of_snapshots_count_for_the_rate(walcat, database):
    database.execute(*PLAIN)
    followed = Followed(walcat, database, output={"values": "text", "capture": {"path": CAPTURE}})
    followed.end(followed.begin("--tables", "public.t"))
    followed.finish()
    replay(walcat, "--rate", "1000", "--report", "report.json", CAPTURE)
    report = report_of(walcat)
    assert report["changes"] == ROWS_OF_PLAIN
    assert report["seconds"] >= (report["changes"] - 1) / 1000


def test_the_recorded_tempo_is_kept(walcat, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    recorded = Recorded(walcat, database)
    recorded.after(database, "INSERT INTO t VALUES (1)")
    recorded.after(database, "INSERT INTO t VALUES (2)")
    info = walcat.command("capture", "info", "--json", CAPTURE)
    assert info.wait_exit() == 0
    recorded.replay("--speed", "1.0", "--report", "slow.json")
    recorded.replay("--speed", "1000", "--report", "fast.json")
    slow, fast = report_of(walcat, "slow.json"), report_of(walcat, "fast.json")
    assert slow["changes"] == fast["changes"] == 2
    assert slow["seconds"] > 10 * fast["seconds"]


def test_what_comes_after_damage_is_not_played(walcat, recorded, database):
    recorded.after(database, "INSERT INTO numbers SELECT generate_series(1000, 80000)")
    content = bytearray((walcat.folder / CAPTURE).read_bytes())
    assert len(content) > 2 << 20
    content[len(content) // 2] ^= 1
    (walcat.folder / CAPTURE).write_bytes(content)
    runs = [recorded.replay(status=69) for _ in range(5)]
    assert "damaged" in runs[0].log()
    assert replayed(runs[0]) and recorded.printed().startswith(replayed(runs[0]))
    assert [replayed(run) for run in runs] == 5 * [replayed(runs[0])], "all that comes before"


def test_a_capture_that_ends_inside_a_block_is_played_up_to_there(walcat, recorded, database):
    recorded.after(database, "INSERT INTO numbers SELECT generate_series(1000, 80000)")
    path = walcat.folder / CAPTURE
    path.write_bytes(path.read_bytes()[:-50])
    run = recorded.replay()
    assert "ends inside a block" in run.log()
    assert replayed(run) and recorded.printed().startswith(replayed(run))


def test_what_is_no_capture_is_refused(walcat):
    (walcat.folder / "notes.txt").write_text("no capture, but a text of some length\n")
    assert "not a walcat capture" in replay(walcat, "notes.txt", status=69).log()
    assert "No such file" in replay(walcat, "nowhere.wcap", status=69).log()


def test_a_file_that_holds_nothing_to_play_is_named(walcat, recorded):
    (walcat.folder / "empty.wcap").write_bytes(b"")
    run = replay(walcat, "--set", "connector_name=it", "empty.wcap", CAPTURE)
    assert "empty.wcap: holds no stream to play" in run.log()
    assert replayed(run) == recorded.printed()


@pytest.mark.parametrize("arguments", [("--rate", "fast"), ("--speed", "-1"), ("--rate", "5", "--max"), ("--loop", "x"),
                                       ("--to-lsn", "7"), ("--stop-after", "lunch"), ("--until-lsn", "0/100"),
                                       ("--until-caught-up",), ("--on-gap", "fail"),
                                       ("--from-lsn", "0/200", "--to-lsn", "0/100"), ()])
def test_wrong_arguments_are_told(walcat, arguments):
    run = walcat.command("replay", *arguments, *([CAPTURE] if arguments else []))
    assert run.wait_exit() == 64, run.describe()


@pytest.mark.parametrize("path, reason", [("nowhere/report.json", "No such file"), (".", "Is a directory")])
def test_a_report_that_can_not_be_written_is_told_before_anything_is_played(walcat, recorded, path, reason):
    run = recorded.replay("--report", path, status=64)
    assert "--report" in run.log() and reason in run.log()
    assert replayed(run) == b""


def test_the_output_of_a_replay_may_be_a_file(walcat, recorded):
    config = configuration(entry_of(recorded), output={"path": "again.jsonl"})
    replay(walcat, "-c", str(walcat.write(config)), CAPTURE)
    assert (walcat.folder / "again.jsonl").read_bytes() == recorded.printed()


def entry_of(recorded):
    return recorded.config["databases"][0]


def test_each_room_can_be_the_last(walcat, recorded):
    for room, count in (("reader", 0), ("decoder", 400), ("serializer", 400), ("writer", 400)):
        run = recorded.replay("--stop-after", room, "--report", "report.json")
        assert report_of(walcat)["changes"] == count
        assert (replayed(run) == recorded.printed()) == (room == "writer")

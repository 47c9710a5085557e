"""Captures: what was recorded gives the same lines again, byte for byte, whatever happened while it was recorded."""

import json
import signal

import pytest
from configuration import configuration, entry, follow_all
from incremental import PLAIN, ROWS, Followed
from recorded import CAPTURE, Recorded, replay, replayed
from server_version import NEEDS_MESSAGES, NEEDS_TRUNCATE
from waiting import wait_until

MIXED = (
    "CREATE TABLE t (id integer PRIMARY KEY, note text, price numeric, at timestamptz, tags text[])",
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "CREATE DOMAIN percent AS integer CHECK (VALUE <= 100)",
    "CREATE TABLE moods (mood mood, share percent, body text)",
    "ALTER TABLE moods REPLICA IDENTITY FULL",
)
CHANGES = (
    "INSERT INTO t SELECT n, E'tab\\tquote\" ' || n, n / 7.0, now(), ARRAY['a', NULL, 'b,c'] FROM generate_series(1, 500) n",
    "UPDATE t SET note = NULL WHERE id % 3 = 0",
    "UPDATE t SET id = id + 1000 WHERE id < 10",
    "DELETE FROM t WHERE id % 5 = 0",
    "INSERT INTO moods VALUES ('sad', 50, repeat('long', 3000)), ('glad', NULL, '')",
    "UPDATE moods SET share = 51",
    "ALTER TABLE t ADD COLUMN more jsonb DEFAULT '{\"a\": [1, 2]}'; UPDATE t SET more = '[]' WHERE id > 400",
)
OUTPUTS = {
    "message": {},
    "text": {"values": "text", "transactions": True},
    "row": {"envelope": "row"},
    "debezium": {"envelope": "debezium", "transactions": True},
    "debezium-schema": {"envelope": "debezium-schema", "framing": "topic-key-value", "tombstones": True,
                        "key_changes": "split"},
}


def row_counts(lines: bytes) -> int:
    return lines.count(b"\n")


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_replay_prints_what_was_printed(walcat, database, output):
    database.execute(*MIXED)
    recorded = Recorded(walcat, database, output=output)
    recorded.after(database, *CHANGES)
    recorded.after(database, "INSERT INTO t (id) VALUES (5000)")
    assert row_counts(recorded.printed()) > 800
    assert replayed(recorded.replay()) == recorded.printed()


@NEEDS_TRUNCATE
@NEEDS_MESSAGES
def test_truncates_and_messages_are_replayed(walcat, database):
    database.execute(*MIXED)
    recorded = Recorded(walcat, database)
    recorded.after(database, "SELECT pg_logical_emit_message(true, 'audit', 'in'); INSERT INTO t (id) VALUES (1)",
                   "SELECT pg_logical_emit_message(false, 'audit', 'out')", "TRUNCATE t, moods")
    assert [json.loads(line)["message"]["op"] for line in recorded.printed().splitlines()] == [*"mcmtt"]
    assert replayed(recorded.replay()) == recorded.printed()


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_snapshot_is_replayed(walcat, database, compression):
    database.execute(*MIXED, *CHANGES)
    recorded = Recorded(walcat, database, capture={"compression": compression}, snapshot={"mode": "initial"},
                        output={"envelope": "debezium"})
    recorded.after(database, "INSERT INTO t (id) VALUES (5001)")
    assert b'"op":"r"' in recorded.printed() and b'"op":"c"' in recorded.printed()
    assert replayed(recorded.replay()) == recorded.printed()


@NEEDS_MESSAGES
def test_an_incremental_snapshot_is_replayed(walcat, database):
    database.execute(*PLAIN)
    output = {"values": "text", "capture": {"path": CAPTURE}}
    followed = Followed(walcat, database, output=output)
    asker = followed.begin("--tables", "public.t", "--rate", "400")
    for n in range(20):
        database.execute(f"UPDATE t SET note = 'touched' WHERE id % 20 = {n}")
    followed.end(asker)
    followed.finish()
    printed = b"".join(replayed(run) for run in followed.runs)
    assert b'"incremental"' in printed
    config = walcat.write({**followed.config, "output": {"values": "text"}}, "replay.yaml")
    assert replayed(replay(walcat, "-c", str(config), CAPTURE)) == printed


@NEEDS_MESSAGES
def test_rows_that_are_not_printed_are_captured(walcat, database):
    database.execute(*PLAIN)
    followed = Followed(walcat, database, output={"values": "text", "skip": ["r"], "capture": {"path": CAPTURE}})
    followed.end(followed.begin("--tables", "public.t"))
    followed.finish()
    assert followed.ids() == []
    lines = [json.loads(line)["message"] for line in replayed(replay(walcat, CAPTURE)).splitlines()]
    assert sorted(line["after"]["id"] for line in lines if line["op"] == "r") == list(range(1, ROWS + 1))


def test_what_became_a_dead_letter_is_none_of_a_replays_lines(walcat, make_encoded):
    """It is in the file of dead letters already, where a replay puts nothing."""
    database = make_encoded()
    recorded = Recorded(walcat, database, output={"invalid_utf8": "refuse"}, on_poison="dead_letter")
    for number, note in enumerate((b"fine", b"poison\xff", b"fine again")):
        database.insert(number, note)
    recorded.catch_up()
    assert row_counts(recorded.printed()) == 2
    letters = walcat.folder / f"dead_letters_{database.slot_name}.wcap"
    before = letters.read_bytes()
    run = replay(walcat, "-c", str(recorded.replay_config()), CAPTURE)
    assert replayed(run) == recorded.printed()
    assert "dead letter" in run.log() and letters.read_bytes() == before


def test_capture_prints_nothing_and_replay_prints_what_would_have_been(walcat, database):
    database.execute(*MIXED)
    listening = configuration(entry(database, slot_name=f"{database.slot_name}_2"), offset_file="other.json")
    config = follow_all(database)
    for one in (listening, config):
        walcat.catch_up(one)
    database.execute(*CHANGES)
    printed = replayed(walcat.catch_up(listening))
    run = walcat.command("capture", "-c", str(walcat.write(config)), "-o", CAPTURE, "--until-caught-up")
    assert run.wait_exit() == 0, run.describe()
    assert replayed(run) == b""
    again = walcat.command("capture", "-c", str(walcat.write(config)), "-o", CAPTURE, "--until-caught-up")
    assert again.wait_exit() == 0, again.describe()
    assert replayed(replay(walcat, "--set", "connector_name=it", CAPTURE)) == printed


def test_masks_hold_in_lines_and_not_in_captures(walcat, database):
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, name text)")
    recorded = Recorded(walcat, database, selection={"mask_columns": [{"columns": r"public\.people\.name"}]})
    recorded.after(database, "INSERT INTO people VALUES (1, 'Ann')")
    assert b'"***"' in recorded.printed()
    assert replayed(recorded.replay()) == recorded.printed()
    assert b"Ann" in replayed(replay(walcat, "--set", "connector_name=it", CAPTURE))
    assert (walcat.folder / CAPTURE).stat().st_mode & 0o077 == 0


def test_masks_hold_for_the_slot_whatever_its_name(walcat, database):
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, name text)")
    masks = {"mask_columns": [{"columns": r"public\.people\.name"}]}
    recorded = Recorded(walcat, database, selection={"name": "shop", **masks})
    recorded.after(database, "INSERT INTO people VALUES (1, 'Ann')")
    renamed = walcat.write({**recorded.config, "output": {}, "databases": [entry(database, name="store", **masks)]},
                           "renamed.yaml")
    assert replayed(replay(walcat, "-c", str(renamed), CAPTURE)) == recorded.printed()
    other = walcat.write({**recorded.config, "output": {}, "databases": [entry(database, slot_name="other", **masks)]},
                         "other.yaml")
    assert "nothing is selected or masked" in replay(walcat, "-c", str(other), CAPTURE).log()


def test_what_was_killed_goes_on_in_the_same_file_and_repeats_nothing(walcat, database):
    """Each kill leaves what was captured and not confirmed; the server sends it again."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    config = follow_all(database, flush_interval="24h")
    walcat.catch_up(config)
    written = 0
    for n in range(4):
        run = walcat.command("capture", "-c", str(walcat.write(config)), "-o", CAPTURE)
        run.wait_for_log("streaming from slot")
        run.wait_for(database.slot_reader, "the slot is streamed")
        # More than a block, so that some of it is in the file.
        database.execute(f"INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series({written + 1}, {written + 9000}) n")
        written += 9000
        run.wait_for(lambda: (walcat.folder / CAPTURE).stat().st_size > 1_000_000 * (n + 1), "blocks are written")
        run.kill()
        wait_until(lambda: not database.slot_reader(), "the server has seen it")
    run = walcat.command("capture", "-c", str(walcat.write(config)), "-o", CAPTURE, "--until-caught-up")
    assert run.wait_exit() == 0, run.describe()
    lines = [json.loads(line)["message"] for line in replayed(replay(walcat, CAPTURE)).splitlines()]
    assert [line["after"]["id"] for line in lines] == list(range(1, written + 1))
    verified = walcat.command("capture", "verify", CAPTURE)
    assert verified.wait_exit() == 0, verified.describe()


def test_nothing_is_confirmed_before_the_capture_is_on_disk(walcat, database, small_disk):
    """The disk of the capture is full: the stream stands still, and goes on where it stood."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    capture = small_disk / CAPTURE
    config = configuration(entry(database), output={"capture": {"path": str(capture)}}, flush_interval="50ms")
    walcat.catch_up(config)
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute("INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series(1, 9000) n")
    run.wait_for_log("No space left on device")
    assert not database.passed(database.wal_lsn())
    run.kill()
    wait_until(lambda: not database.slot_reader(), "the server has seen it")
    moved = walcat.folder / CAPTURE
    moved.write_bytes(capture.read_bytes())
    config["output"]["capture"]["path"] = str(moved)
    walcat.catch_up(config)
    lines = [json.loads(line)["message"] for line in replayed(replay(walcat, str(moved))).splitlines()]
    assert [line["after"]["id"] for line in lines] == list(range(1, 9001))


def test_a_series_of_files_is_one_recording(walcat, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    recorded = Recorded(walcat, database, capture={"rotate_at": "1MiB"})
    for n in range(0, 20_000, 5000):
        recorded.after(database, f"INSERT INTO t SELECT n, repeat(md5(n::text), 8) FROM generate_series({n + 1}, {n + 5000}) n")
    assert len(recorded.files()) > 3
    run = recorded.replay()
    assert replayed(run) == recorded.printed()
    assert "recorded before" not in run.log()
    run = replay(walcat, "--stop-after", "reader", *reversed(recorded.files()))
    assert f"{recorded.files()[0]}: was recorded before" in run.log()


def test_a_later_file_is_played_by_itself_from_its_first_transaction_on(walcat, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    recorded = Recorded(walcat, database, capture={"rotate_at": "1MiB"})
    database.execute(*(f"INSERT INTO t SELECT n, repeat(md5(n::text), 8) FROM generate_series({n + 1}, {n + 500}) n"
                       for n in range(0, 10_000, 500)))
    recorded.catch_up()
    middle = recorded.files()[1]
    lines = replayed(replay(walcat, "--set", "connector_name=it", middle))
    assert lines and lines in recorded.printed()
    assert json.loads(lines.splitlines()[0])["message"]["source"]["index"] == 0


def test_two_captures_at_once_are_refused(walcat, database):
    recorded = Recorded(walcat, database)
    run = walcat.start(recorded.config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    other = {**recorded.config, "output": {**recorded.output, "path": "other.jsonl"}}
    second = walcat.command("run", "-c", str(walcat.write(other, "other.yaml")))
    assert second.wait_exit() == 74, second.describe()
    assert "out.wcap: somebody else writes it" in second.log()
    run.signal(signal.SIGTERM)
    assert run.wait_exit() == 0


def test_a_dump_leaves_the_capture_to_who_writes_it(walcat, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    recorded = Recorded(walcat, database)
    run = walcat.start(recorded.config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    config = walcat.write({**recorded.config, "output": {"capture": {"path": CAPTURE}}}, "dump.yaml")
    dump = walcat.command("snapshot", "-c", str(config), "--dump", "--tables", "public.t")
    assert dump.wait_exit() == 0, dump.describe()
    assert dump.output.count() == 1
    run.signal(signal.SIGTERM)
    assert run.wait_exit() == 0
    dump = walcat.command("snapshot", "-c", str(config), "--dump", "--tables", "public.t")
    assert dump.wait_exit() == 0 and dump.output.count() == 1
    recorded.after(database, "INSERT INTO t VALUES (2)")
    assert replayed(recorded.replay()) == recorded.printed()


def test_capture_says_what_it_needs(walcat, database):
    config = str(walcat.write(follow_all(database)))
    run = walcat.command("capture", "-c", config)
    assert run.wait_exit() == 78 and "expected -o FILE" in run.log()
    run = walcat.command("capture", "-c", config, "-o", CAPTURE, "--max-changes", "5")
    assert run.wait_exit() == 78 and "--max-changes counts lines" in run.log()


def test_info_tells_what_a_capture_holds(walcat, database):
    database.execute(*MIXED)
    recorded = Recorded(walcat, database)
    recorded.after(database, *CHANGES)
    run = walcat.command("capture", "info", CAPTURE)
    assert run.wait_exit() == 0, run.describe()
    text = run.output.path.read_text()
    assert database.slot_name in text and database.name in text
    run = walcat.command("capture", "info", "--json", CAPTURE)
    assert run.wait_exit() == 0, run.describe()
    (stream,) = json.loads(run.output.path.read_text())["streams"]
    ops = [json.loads(line)["message"]["op"] for line in recorded.printed().splitlines()]
    assert [stream[name] for name in ("inserts", "updates", "deletes")] == [ops.count(op) for op in "cud"]


def test_verify_finds_damage(walcat, database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    recorded = Recorded(walcat, database)
    recorded.after(database, "INSERT INTO t SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 9000) n")
    path = walcat.folder / CAPTURE
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    (walcat.folder / "bad.wcap").write_bytes(content)
    run = walcat.command("capture", "verify", CAPTURE, "bad.wcap")
    assert run.wait_exit() == 69, run.describe()
    assert "out.wcap: whole" in run.output.path.read_text()
    assert "bad.wcap: damaged" in run.log()
    (walcat.folder / "cut.wcap").write_bytes(path.read_bytes()[:-100])
    run = walcat.command("capture", "verify", "cut.wcap")
    assert run.wait_exit() == 0 and "ends inside a block" in run.output.path.read_text()

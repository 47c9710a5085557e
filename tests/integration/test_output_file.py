"""output.path: lines are appended, and a line torn by a crash is cut off first."""

import os
import signal

import pytest
from configuration import configuration, entry
from disk import enlarge
from walcat_process import Line, LineFile
from workload import Pgbench


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.jsonl"


@pytest.fixture
def config(database, output, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    made = configuration(entry(database), output={"path": str(output)})
    walcat.catch_up(made)
    return made


def test_lines_go_to_the_file_and_not_to_stdout(config, database, output, walcat):
    database.execute("INSERT INTO t VALUES (1)")
    run = walcat.catch_up(config)
    assert run.output.texts() == []
    assert '"after":{"id":1}' in output.read_text()


def test_each_run_appends(config, database, output, walcat):
    database.execute("INSERT INTO t VALUES (1)")
    walcat.catch_up(config)
    first = output.read_text()
    database.execute("INSERT INTO t VALUES (2)")
    walcat.catch_up(config)
    assert output.read_text().startswith(first)
    assert output.read_text().count("\n") == 2


@pytest.mark.parametrize(
    "kept, torn",
    [("", '{"message":{"bef'), ('{"an":"older line"}\n', '{"message":{"before":null'), ("{}\n{}\n", ""), ("", "x" * 300_000)],
    ids=["nothing before it", "a line before it", "nothing torn", "longer than a block"],
)
def test_a_torn_last_line_is_cut_off(kept, torn, config, database, output, walcat):
    output.write_text(kept + torn)
    database.execute("INSERT INTO t VALUES (1)")
    walcat.catch_up(config)
    lines = output.read_text().splitlines(keepends=True)
    assert "".join(lines[:-1]) == kept
    assert '"after":{"id":1}' in lines[-1]


def test_a_relative_path_starts_at_the_working_directory(config, database, walcat):
    config["output"] = {"path": "here.jsonl"}
    database.execute("INSERT INTO t VALUES (1)")
    walcat.catch_up(config)
    assert (walcat.folder / "here.jsonl").read_text().count("\n") == 1


def test_lines_go_to_the_file_of_that_name(config, database, output, walcat):
    """Under load it is renamed, as log rotation does, and then deleted again and again."""
    database.execute("CREATE TABLE load (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
    script = walcat.folder / "insert.sql"
    script.write_text("INSERT INTO load DEFAULT VALUES")
    kept, deleted, at_deletion = [], [], []
    run = walcat.start(config)
    run.wait_for(lambda: LineFile(output).count() == 0, "the first file is there")
    with Pgbench(database, walcat.folder, "--client=2", "--rate=500", "--time=3600", f"--file={script}"):
        for number in range(6):
            run.wait_for(lambda: output.exists() and LineFile(output).count() >= 20, "the file is written")
            if number % 2 == 0:
                kept.append(output.rename(f"{output}.{number}"))
            else:
                deleted.append(open(output, "rb"))
                output.unlink()
                at_deletion.append(os.fstat(deleted[-1].fileno()).st_size)
        run.wait_for(output.exists, "the last file is there")
    run.wait_for(lambda: database.passed(database.wal_lsn()), "everything is confirmed")
    run.stop()
    visible = [id for path in [*kept, output] for id in ids_of(path.read_bytes())]
    # What stands in a deleted file before its deletion was there to be seen.
    gone = [id for file, size in zip(deleted, at_deletion) for id in ids_of(file.read()[:size].rpartition(b"\n")[0])]
    assert set(visible) | set(gone) == {row.id for row in database.rows("SELECT id FROM load")}
    assert len(set(visible)) == len(visible), "a line that was not in a deleted file stands twice"
    log = run.log()
    assert log.count("out.jsonl: the file was moved; a new one is begun") == len(kept)
    assert log.count("out.jsonl: the file was deleted; a new one begins with the ") == len(deleted)


def ids_of(lines):
    return [Line.parse(line).after["id"] for line in lines.decode().splitlines()]


def test_a_folder_that_is_gone_is_waited_for(database, walcat, tmp_path):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    output = tmp_path / "folder" / "out.jsonl"
    output.parent.mkdir()
    run = walcat.start(configuration(entry(database), output={"path": str(output)}))
    run.wait_for(database.slot_reader, "the slot is streamed")
    output.unlink()
    output.parent.rmdir()
    database.execute("INSERT INTO t VALUES (1)")
    run.wait_for_log("out.jsonl: No such file or directory; the file that was written is gone; waiting for another")
    before = database.wal_lsn()
    assert not database.passed(before)
    output.parent.mkdir()
    run.wait_for(lambda: database.passed(before), "the line is confirmed")
    run.stop()
    assert ids_of(output.read_bytes()) == [1]


ROWS = 3000  # several times the small disk


@pytest.fixture
def onto_small_disk(database, small_disk):
    database.execute("CREATE TABLE filling (id integer PRIMARY KEY, note text)")
    return configuration(entry(database), output={"path": str(small_disk / "lines.jsonl")}, shutdown_timeout="1s")


FILL = f"INSERT INTO filling SELECT id, md5(id::text) FROM generate_series(1, {ROWS}) AS id"


def ids(folder):
    lines = LineFile(folder / "lines.jsonl")
    assert lines.path.read_bytes().endswith(b"\n")
    return [line.after["id"] for line in lines.lines()]


def test_a_full_disk_is_waited_for(onto_small_disk, database, walcat, small_disk):
    run = walcat.start(onto_small_disk)
    walsender = run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(FILL)
    run.wait_for_log("lines.jsonl: No space left on device; waiting for room")
    assert database.slot_reader() == walsender
    run.signal(signal.SIGUSR1)
    run.wait_for_log(r"\[output\] errors: output: 1, 1 in the last hour")
    enlarge(small_disk)
    run.wait_for_log("the disk has room again")
    run.wait_for(lambda: LineFile(small_disk / "lines.jsonl").count() >= ROWS, "every row is printed")
    run.stop()
    assert ids(small_disk) == list(range(1, ROWS + 1))


def test_a_file_on_a_full_disk_may_be_deleted(onto_small_disk, database, walcat, small_disk):
    run = walcat.start(onto_small_disk)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(FILL)
    run.wait_for_log("waiting for room")
    deleted = open(small_disk / "lines.jsonl", "rb")
    (small_disk / "lines.jsonl").unlink()
    enlarge(small_disk)
    run.wait_for_log("lines.jsonl: the file was deleted; a new one begins")
    run.wait_for(lambda: database.passed(database.wal_lsn()), "everything is confirmed")
    run.stop()
    assert sorted(set(ids(small_disk)) | set(ids_of(deleted.read().rpartition(b"\n")[0]))) == list(range(1, ROWS + 1))


def test_a_renamed_file_is_followed_inside_a_transaction(onto_small_disk, database, walcat, small_disk):
    """Nothing moves a position meanwhile: what waits for room is the beginning of one large transaction."""
    rows = 100_000
    output = small_disk / "lines.jsonl"
    run = walcat.start({**onto_small_disk, "flush_interval": "5ms"})
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(f"INSERT INTO filling SELECT generate_series(1, {rows})")
    run.wait_for_log("waiting for room")
    first = output.rename(f"{output}.1")
    enlarge(small_disk)
    run.wait_for(lambda: database.passed(database.wal_lsn()), "everything is confirmed")
    run.stop()
    before, after = first.read_bytes().count(b"\n"), output.read_bytes().count(b"\n")
    assert before + after == rows
    assert after > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_run_that_ends_on_a_full_disk_leaves_no_torn_line(onto_small_disk, database, walcat, small_disk, number):
    run = walcat.start(onto_small_disk)
    run.wait_for(database.slot_reader, "the slot is streamed")
    database.execute(FILL)
    run.wait_for_log("waiting for room")
    run.signal(number)
    run.wait_exit()
    enlarge(small_disk)
    walcat.catch_up(onto_small_disk)
    assert sorted(set(ids(small_disk))) == list(range(1, ROWS + 1))
    assert len(ids(small_disk)) <= 2 * ROWS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("content", [None, "half a li"], ids=["leads nowhere", "leads to a file"])
def test_the_folders_owner_has_nothing_changed_through_a_link(content, database, walcat, tmp_path):
    """They rename the file, and put a symbolic link in its place."""
    nobody = 65534
    folder, private = tmp_path / "theirs", tmp_path / "roots"
    folder.mkdir()
    private.mkdir()
    output, target = folder / "out.jsonl", private / "cron_evil"
    output.write_text("")
    for path in (folder, output):
        os.chown(path, nobody, nobody)
    if content is not None:
        target.write_text(content)
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), output={"path": str(output)})
    walcat.catch_up(config)
    run = walcat.start(config)
    run.wait_for(database.slot_reader, "the slot is streamed")
    output.rename(folder / "old.jsonl")
    output.symlink_to(target)
    database.execute("INSERT INTO t VALUES (1)")
    run.wait_for_log("out.jsonl has become a symbolic link, which is followed only at the start; hint: remove it")
    assert (target.read_text() if target.exists() else None) == content
    output.unlink()
    database.execute("INSERT INTO t VALUES (2)")
    run.wait_for(lambda: output.exists() and '"after":{"id":2}' in output.read_text(), "the next file has the line")
    assert (os.stat(output).st_uid, os.stat(output).st_gid) == (nobody, nobody)
    run.stop()
    assert '"after":{"id":1}' in (folder / "old.jsonl").read_text() + output.read_text()

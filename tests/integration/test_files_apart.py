"""One file serves one purpose: what is written to one goes over no other, whatever path leads to it."""

import os
import pathlib
import subprocess
from collections.abc import Callable

import knobs
import pytest
from configuration import configuration, follow_all

ENTRY = {"conn_str": "host=/nowhere dbname=a", "slot_name": "a", "publication_name": "p"}
OTHER = {"conn_str": "host=/nowhere dbname=b", "slot_name": "b", "publication_name": "p"}

Prepare = Callable[[pathlib.Path], None]


def link(name: str, target: str) -> Prepare:
    return lambda folder: (folder / name).symlink_to(target)


def hard_link(name: str, target: str) -> Prepare:
    def made(folder: pathlib.Path) -> None:
        (folder / target).touch()
        (folder / name).hardlink_to(folder / target)

    return made


def in_linked_folder(folder: pathlib.Path) -> None:
    (folder / "state").mkdir()
    (folder / "elsewhere").symlink_to("state")


def config(*entries, **keys):
    return configuration(*(entries or (ENTRY,)), **keys)


# Each case: what is there before, the configuration, and the key that the error names.
CASES = {
    "the output is a link to the offset file": (
        link("out", "offset_a.json"), config(output={"path": "out"}), "databases[0].slot_name"),
    "the output is a hard link to the offset file": (
        hard_link("out", "offset_a.json"), config(output={"path": "out"}), "databases[0].slot_name"),
    "the offset file is a link to the output": (
        link("offset_a.json", "out"), config(output={"path": "out"}), "databases[0].slot_name"),
    "the output is the offset file's companion": (
        lambda folder: None, config(output={"path": "offset_a.json.tmp"}), "databases[0].slot_name"),
    "the output is a link to the offset file's companion": (
        link("out", "offset_a.json.tmp"), config(output={"path": "out"}), "databases[0].slot_name"),
    "the output is in a folder by another name": (
        in_linked_folder, config(output={"path": "elsewhere/offset_a.json"}, offset_file="state/offset.json"),
        "databases[0].slot_name"),
    "the dead letters are a link to the offset file": (
        link("dead_letters_a.wcap", "offset_a.json"), config(on_poison="dead_letter"), "databases[0].slot_name"),
    "the dead letters are another entry's companion": (
        lambda folder: None,
        config(ENTRY, {**OTHER, "dead_letter_file": "offset_a.json.tmp"}, on_poison="dead_letter"),
        "databases[1].dead_letter_file"),
    "the capture is a link to the output": (
        link("c.wcap", "out"), config(output={"path": "out", "capture": {"path": "c.wcap"}}), "output.capture.path"),
    "the capture is a link to the offset file": (
        link("c.wcap", "offset_a.json"), config(output={"capture": {"path": "c.wcap"}}), "databases[0].slot_name"),
    "two offset files are one": (link("offset_b.json", "offset_a.json"), config(ENTRY, OTHER), "databases[1].slot_name"),
    "an offset file is another one's companion": (
        lambda folder: None, config(ENTRY, {**OTHER, "offset_file": "offset_a.json.tmp"}), "databases[1].offset_file"),
    "the output is the configuration": (
        lambda folder: None, config(output={"path": "walcat.yaml"}), "output.path"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_two_purposes_is_refused(name, walcat):
    prepare, config, key = CASES[name]
    prepare(walcat.folder)
    run = walcat.run(config, status=78)
    assert key in run.log() and "already the file of" in run.log()


@pytest.mark.parametrize("prepare", [link("c.wcap", "offset_a.json"), hard_link("c.wcap", "offset_a.json")])
def test_a_capture_of_the_command_line_is_no_other_file(prepare, walcat):
    prepare(walcat.folder)
    path = walcat.write(config())
    for name in ("c.wcap", "offset_a.json.tmp"):
        run = walcat.command("capture", "-c", str(path), "-o", name)
        assert run.wait_exit() == 78, run.describe()
        assert f"-o: {name} is already the file of a/a" in run.log()


# With the words by which the error names them.
OF_A_RUN = {
    "offset_a.json": "offset_a.json, which is already the file of a/a",
    "dead_letters_a.wcap": "dead_letters_a.wcap, which is already the file of a/a",
    "c.wcap": "c.wcap, which is already the file of output.capture.path",
    "walcat.yaml": "walcat.yaml, which is already the file of the configuration itself",
}


@pytest.mark.parametrize("name", OF_A_RUN)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_where_a_shell_sends_lines_and_log_is_no_other_file(stream, name, walcat):
    path = walcat.write(config(on_poison="dead_letter", output={"capture": {"path": "c.wcap"}}))
    with open(walcat.folder / name, "ab") as file:
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, stream: file}
        run = subprocess.run([knobs.WALCAT, "-c", path.name], cwd=walcat.folder, timeout=30, check=False, **streams)
    assert run.returncode == 78
    log = (walcat.folder / name).read_text() if stream == "stderr" else run.stderr.decode()
    assert f"{stream} goes to {OF_A_RUN[name]}" in log


def test_a_replay_prints_into_nothing_that_it_plays_or_needs(walcat):
    walcat.write(config())
    for name in ("c.wcap", "r.json", "walcat.yaml", "offset_a.json"):
        with open(walcat.folder / name, "ab") as stream:
            run = subprocess.run([knobs.WALCAT, "replay", "-c", "walcat.yaml", "--report", "r.json", "c.wcap"],
                                 cwd=walcat.folder, stdout=stream, stderr=subprocess.PIPE, timeout=30, check=False)
        assert run.returncode == 78, run.stderr
        assert f"stdout goes to {name}, which is already the file of" in run.stderr.decode()


@pytest.mark.parametrize("name", ["walcat.yaml", "offset_a.json", "dead_letters_a.wcap"])
def test_what_the_command_line_names_is_no_file_of_the_configuration(name, walcat):
    before = walcat.write(config()).read_bytes()
    for words in (["capture", "-o", name], ["replay", "--report", name, "c.wcap"]):
        run = walcat.command(words[0], "-c", "walcat.yaml", *words[1:])
        assert run.wait_exit() == 78, run.describe()
        assert f"{words[1]}: {name} is already the file of" in run.log()
    assert (walcat.folder / "walcat.yaml").read_bytes() == before


def test_a_device_takes_lines_and_report(walcat):
    run = walcat.command("replay", "--set", "output.path=/dev/null", "--report", "/dev/null", "c.wcap")
    run.wait_exit()
    assert "already the file of" not in run.log() and "c.wcap" in run.log()


def test_a_replay_does_not_write_to_what_it_plays(walcat):
    (walcat.folder / "c.wcap").write_bytes(b"")
    (walcat.folder / "out").symlink_to("c.wcap")
    for arguments, key in ((["--set", "output.path=out"], "output.path"), (["--report", "out"], "--report")):
        run = walcat.command("replay", *arguments, "c.wcap")
        assert run.wait_exit() == 78, run.describe()
        assert f"{key}: out is already the file of a capture that is played" in run.log()


def test_links_to_files_of_their_own_are_followed(database, walcat, tmp_path):
    """Links alone are no fault: output, and a folder for offsets, often stand on another disk."""
    (tmp_path / "disk").mkdir()
    (walcat.folder / "out").symlink_to(tmp_path / "disk" / "lines")
    (walcat.folder / "state").symlink_to(tmp_path / "disk")
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    follow = follow_all(database, output={"path": "out"}, offset_file="state/offset.json")
    walcat.catch_up(follow)
    database.execute("INSERT INTO t VALUES (1)")
    walcat.catch_up(follow)
    assert (tmp_path / "disk" / "lines").read_text().count("\n") == 1
    assert os.path.exists(tmp_path / "disk" / f"offset_{database.slot_name}.json")

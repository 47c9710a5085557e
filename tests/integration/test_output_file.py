"""output.path: lines are appended, and a line torn by a crash is cut off first."""

import pytest
from configuration import configuration, entry


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

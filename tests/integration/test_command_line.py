"""The command line: subcommands, options, exit statuses, logs."""

import json
import re

import pytest
from configuration import configuration, entry, follow_all

PLAIN = {"databases": [{"conn_str": "host=/nowhere dbname=a", "slot_name": "s", "publication_name": "p"}]}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["snapshot", "--help"], ["config", "--help"],
                                       ["version", "--help"]])
def test_help_goes_to_stdout(arguments, walcat):
    run = walcat.command(*arguments)
    assert run.wait_exit() == 0, run.describe()
    assert "walcat" in run.output.path.read_text()


def test_the_version_is_a_number(walcat):
    run = walcat.command("version")
    assert run.wait_exit() == 0
    assert re.search(r"\d+\.\d+\.\d+", run.output.path.read_text())


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["walk"], ["run", "--until-lsn"], ["run", "--until-lsn", "12"], ["run", "--max-changes", "x"],
                  ["run", "--log-level", "loud"], ["run", "--set", "novalue"]],
    ids=" ".join,
)
def test_a_wrong_command_line_is_64(arguments, walcat):
    walcat.write(PLAIN, "config.yaml")
    run = walcat.command(*arguments)
    assert run.wait_exit() == 64, run.describe()
    assert run.output.texts() == []
    assert run.log()


def test_config_yaml_in_the_working_directory_is_the_default(database, walcat):
    walcat.write(follow_all(database), "config.yaml")
    for arguments in (["--until-caught-up"], ["run", "--until-caught-up"]):
        run = walcat.command(*arguments)
        assert run.wait_exit() == 0, run.describe()
    assert database.slot() is not None


def effective(walcat, config, *arguments, **options):
    run = walcat.command("config", "-c", str(walcat.write(config)), *arguments, **options)
    assert run.wait_exit() == 0, run.describe()
    return run.output.path.read_text()


def test_config_masks_passwords(walcat):
    uri = {**PLAIN["databases"][0], "conn_str": "postgres://ann:hush@host1:5432/db1?sslmode=disable"}
    keys = {**uri, "conn_str": "host=x password='hush it' dbname=y", "slot_name": "s2"}
    text = effective(walcat, {"databases": [uri, keys]})
    assert "hush" not in text
    assert "ann" in text and "host1" in text and "db1" in text


def test_config_is_a_configuration_again(walcat):
    text = effective(walcat, PLAIN)
    assert effective(walcat, text) == text


def test_overrides_show_in_the_configuration(walcat):
    text = effective(walcat, PLAIN, "--set", "databases.0.slot_name=other", "--set", "output.values=text")
    assert re.search(r"slot_name: \"?other", text) and re.search(r"values: \"?text", text)


def test_the_environment_is_expanded(walcat):
    config = {**PLAIN, "connector_name": "${NAME_OF_IT}-${MISSING:-default}"}
    assert "mine-default" in effective(walcat, config, environment={"NAME_OF_IT": "mine"})


def test_the_configuration_of_the_manual_works_unchanged(walcat):
    text = effective(
        walcat,
        """\
connector_name: "go-cdc"
flush_interval: 10s
offset_file: "offset.json"
inactive_slot_check: true
retry_config: {max_retries: 3, initial_backoff: 1s, max_backoff: 30s, backoff_multiplier: 2.0}
databases:
  - conn_str: "postgres://user1:pass1@host1:5432/db1"
    slot_name: "slot1"
    publication_name: "pub1"
    tables: ["schema1.table1", "schema1.table2"]
  - conn_str: "postgres://user2:pass2@host2:5432/db2"
    slot_name: "slot2"
    publication_name: "pub2"
    tables: ["schema2.table1"]
""",
    )
    assert "schema1.table2" in text and "pass1" not in text


def test_every_line_of_a_json_log_is_an_object_that_names_its_database(database, walcat):
    run = walcat.run(follow_all(database), "--until-caught-up", "--log-format", "json", "--log-level", "debug")
    objects = [json.loads(line) for line in run.log().splitlines()]
    label = f"{database.name}/{database.slot_name}"
    assert any(label in made.values() for made in objects), run.log()


def test_a_quiet_log_level_is_quiet(database, walcat):
    run = walcat.run(follow_all(database), "--until-caught-up", "--log-level", "error")
    assert run.log() == ""


def test_logs_can_be_set_in_the_file(database, walcat):
    config = configuration(entry(database), log={"level": "info", "format": "json"})
    run = walcat.run(config, "--until-caught-up")
    assert [json.loads(line) for line in run.log().splitlines()]

"""Wrong configuration files: one readable error each, which names file, line and key; exit status 78."""

import re

import pytest

DATABASE = """\
databases:
  - conn_str: "host=/nowhere dbname=a"
    slot_name: "slot1"
    publication_name: "pub1"
"""

# Each case: the file, the line of the fault (None: none in particular), and what the error says.
CASES = {
    "an unknown key": (DATABASE + "flush_intervall: 10s\n", 5, ["flush_intervall", "flush_interval"]),
    "an unknown key of a database": (DATABASE + '    slot_nam: "x"\n', 5, ["slot_nam", "slot_name"]),
    "an unknown key of a section": (DATABASE + "output: {enveloppe: message}\n", 5, ["enveloppe", "envelope"]),
    "a text for a number": (DATABASE + "retry_config:\n  max_retries: many\n", 6, ["max_retries", "many"]),
    "a negative number": (DATABASE + "retry_config:\n  max_retries: -1\n", 6, ["max_retries", "-1"]),
    "a text for a boolean": (DATABASE + "inactive_slot_check: perhaps\n", 5, ["inactive_slot_check", "perhaps"]),
    "a list for a text": (DATABASE + "connector_name: [a, b]\n", 5, ["connector_name"]),
    "a text for a section": (DATABASE + "output: stdout\n", 5, ["output"]),
    "a text for the databases": ("databases: all\n", 1, ["databases"]),
    "no databases": ("connector_name: x\n", None, ["databases"]),
    "an empty list of databases": ("databases: []\n", 1, ["databases"]),
    "an empty list of tables": (DATABASE + "    tables: []\n", 5, ["tables"]),
    "an empty file": ("", None, ["databases"]),
    "a missing key": ('databases:\n  - conn_str: "host=/nowhere"\n    slot_name: "s"\n', 2, ["publication_name"]),
    "one slot twice on one server": (
        DATABASE + DATABASE.split("\n", 1)[1].replace("pub1", "pub2").replace("dbname=a", "dbname=b"),
        6,
        ["slot_name", "slot1"],
    ),
    "a slot name the server would refuse": (DATABASE.replace("slot1", "Slot-1"), 3, ["slot_name", "Slot-1"]),
    "a slot name that is too long": (DATABASE.replace("slot1", "s" * 64), 3, ["slot_name", "63"]),
    "an empty slot name": (DATABASE.replace("slot1", ""), 3, ["slot_name"]),
    "a table without a schema": (DATABASE + '    tables: ["orders"]\n', 5, ["tables", "orders", "schema"]),
    "a table with too many dots": (DATABASE + '    tables:\n      - "a.b"\n      - "a.b.c"\n', 7, ["tables", "a.b.c"]),
    "a table with an open quote": (DATABASE + "    tables: ['a.\"b']\n", 5, ["tables"]),
    "a table twice": (DATABASE + '    tables: ["a.b", "A.B"]\n', 5, ["tables", "a.b"]),
    "a duration without a unit": (DATABASE + "flush_interval: 10\n", 5, ["flush_interval", "10"]),
    "a duration of an unknown unit": (DATABASE + "flush_interval: 10 days\n", 5, ["flush_interval", "10 days"]),
    "a negative duration": (DATABASE + "flush_interval: -5s\n", 5, ["flush_interval", "-5s"]),
    "an unknown envelope": (DATABASE + "output:\n  envelope: avro\n", 6, ["envelope", "avro", "message"]),
    "an unknown form of values": (DATABASE + "output: {values: binary}\n", 5, ["values", "binary", "native"]),
    "an unknown mode of snapshots": (DATABASE + "snapshot: {mode: sometimes}\n", 5, ["mode", "sometimes", "never"]),
    "a snapshot without workers": (DATABASE + "snapshot: {workers: 0}\n", 5, ["workers", "0"]),
    "chunks that are too small": (DATABASE + "snapshot:\n  chunk_size: 4KiB\n", 6, ["chunk_size", "4KiB", "64KiB"]),
    "an unknown log level": (DATABASE + "log: {level: loud}\n", 5, ["level", "loud", "debug"]),
    "a syntax error": (DATABASE + "output: {path: x\n", None, []),
    "a tab for an indent": ("databases:\n\t- conn_str: x\n", 2, []),
    "a key twice": (DATABASE + "flush_interval: 1s\nflush_interval: 2s\n", 6, ["flush_interval"]),
    "a variable that is not set": (DATABASE + 'offset_file: "${NO_SUCH_NAME}/o.json"\n', 5, ["NO_SUCH_NAME"]),
    "a variable that does not end": (DATABASE + 'offset_file: "${HOME/o.json"\n', 5, ["offset_file"]),
    "a connection string that makes no sense": (DATABASE.replace("host=/nowhere", "hosst=/nowhere"), 2, ["hosst"]),
    "a list where keys belong": ("- databases\n", 1, []),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_its_place_and_key(name, walcat):
    text, line, words = CASES[name]
    run = walcat.run(text, status=78, within=10)
    log = run.log()
    place = f"walcat.yaml:{line}:" if line else "walcat.yaml"
    assert place in log, f"no {place} in:\n{log}"
    for word in words:
        assert word in log, f"no {word!r} in:\n{log}"
    assert len(log.strip().splitlines()) == 1, f"more than one error:\n{log}"
    assert run.output.texts() == []


def test_a_missing_file_is_named(walcat):
    run = walcat.command("run", "-c", "no/such.yaml")
    assert run.wait_exit() == 78
    assert "no/such.yaml" in run.log()


def test_without_a_file_the_default_one_is_named(walcat):
    run = walcat.command()
    assert run.wait_exit() == 78
    assert "config.yaml" in run.log()


@pytest.mark.parametrize("override", ["flush_intervall=1s", "databases.7.slot_name=x", "output=x"])
def test_a_wrong_override_is_named(override, walcat):
    run = walcat.run(DATABASE, "--set", override, status=78)
    assert override.split("=")[0] in run.log()


def test_a_password_in_a_faulty_connection_string_is_not_repeated(walcat):
    run = walcat.run(DATABASE.replace("host=/nowhere", "hosst=/nowhere password=hush"), status=78)
    assert "hush" not in run.log()


def test_several_faults_are_reported_together(walcat):
    run = walcat.run(DATABASE + "flush_interval: soon\nlog: {level: loud}\n", status=78)
    assert re.search(r"walcat.yaml:5:.*soon", run.log()) and re.search(r"walcat.yaml:6:.*loud", run.log())

"""Gaps: when slot and offset file no longer fit together, walcat says so and does not start afresh."""

import json

import pytest
from configuration import follow_all
from server_version import needs


@pytest.fixture
def stopped(database, walcat):
    """A database that was followed up to row 1, with row 2 still to be printed; returns the configuration."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = follow_all(database)
    walcat.catch_up(config)
    database.execute("INSERT INTO t VALUES (1)")
    assert len(walcat.catch_up(config).lines()) == 1
    database.execute("INSERT INTO t VALUES (2)")
    return config


@pytest.fixture
def offset_file(database, walcat):
    return walcat.folder / f"offset_{database.slot_name}.json"


@pytest.fixture
def refused(stopped, database, walcat, offset_file):
    """Runs again: nothing may be printed, and the offset file stays as it was."""

    def run():
        before = offset_file.read_bytes()
        again = walcat.run(stopped, status=69)
        assert again.lines() == []
        assert offset_file.read_bytes() == before
        log = again.log()
        assert f"{database.name}/{database.slot_name}" in log
        return log

    return run


def test_a_slot_that_was_dropped(database, refused, offset_file):
    database.drop_slots()
    log = refused()
    assert database.slot_name in log and offset_file.name in log
    assert database.slot() is None, "a new slot would hide the gap"


@needs(11, "pg_replication_slot_advance()")
def test_a_slot_that_somebody_else_advanced(database, refused):
    database.rows("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", (database.slot_name,))
    assert "advanced" in refused()


def test_a_slot_that_was_made_anew(database, refused):
    database.drop_slots()
    database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (database.slot_name,))
    refused()


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b'{"half":', b"[]", b"{}", b"\x00" * 64],
    ids=["empty", "no JSON", "torn", "no object", "no keys", "zeros"],
)
def test_an_offset_file_that_makes_no_sense(content, refused, offset_file):
    offset_file.write_bytes(content)
    assert offset_file.name in refused()


def test_an_offset_file_of_another_server(refused, offset_file):
    stored = json.loads(offset_file.read_text())
    (key,) = [name for name in stored if "system" in name]
    stored[key] = type(stored[key])(int(stored[key]) + 1)
    offset_file.write_text(json.dumps(stored))
    assert "system identifier" in refused()


def test_an_offset_file_of_another_database(refused, offset_file, database):
    text = offset_file.read_text()
    assert f'"{database.name}"' in text
    offset_file.write_text(text.replace(f'"{database.name}"', '"elsewhere"'))
    assert "elsewhere" in refused()


def test_without_its_offset_file_the_slot_is_the_authority(stopped, walcat, offset_file):
    offset_file.unlink()
    assert [line.after["id"] for line in walcat.catch_up(stopped).lines()][-1] == 2

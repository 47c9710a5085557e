"""Changes that can't be decoded are kept in a file, and the stream goes on (on_poison: dead_letter)."""

import json
import pathlib
import signal

from configuration import configuration, entry
from encoded import TABLE, EncodedDatabase
from feed import Feed
from walcat_process import Walcat

REFUSE = {"invalid_utf8": "refuse"}


def ids(records: list[str]) -> list[int]:
    return [json.loads(record)["message"]["after"]["id"] for record in records]


def letters_of(walcat: Walcat, database: EncodedDatabase) -> pathlib.Path:
    return walcat.folder / f"dead_letters_{database.slot_name}.wcap"


def test_the_changes_around_a_dead_letter_are_printed_and_it_is_counted(make_encoded, walcat):
    database = make_encoded()
    feed = Feed(walcat, database, REFUSE, on_poison="dead_letter")
    run = walcat.start(feed.config)
    database.insert(1, b"fine")
    database.insert(2, b"poison\xff")
    database.insert(3, b"fine again")
    assert [line.after["id"] for line in run.wait_for_lines(2)] == [1, 3]
    run.signal(signal.SIGUSR1)
    log = run.wait_for_log("dead letters: 1, in ")
    (error,) = [line for line in log.splitlines() if "dead letter: " in line]
    path = letters_of(walcat, database)
    for part in ("public.t", "column note", "LSN ", path.name, database.name, "UTF-8"):
        assert part in error
    assert "errors: decode: 1," in log
    run.stop()
    assert b"poison\xff" in path.read_bytes()
    assert feed.rest() == [], "the letter, or what is around it, comes again"


def test_its_index_stays_free_and_it_is_not_met_again_after_a_crash(make_encoded, walcat):
    database = make_encoded()
    feed = Feed(walcat, database, REFUSE, on_poison="dead_letter")
    run = walcat.start(feed.config)
    database.execute(
        "DO $$ BEGIN INSERT INTO t VALUES (1); INSERT INTO t VALUES (2, convert_from('\\xff', 'SQL_ASCII'));"
        " INSERT INTO t VALUES (3); END $$"
    )
    assert [line.source["index"] for line in run.wait_for_lines(2)] == [0, 2]
    committed = database.wal_lsn()
    run.wait_for(lambda: database.passed(committed), "the commit is confirmed")
    run.kill()
    size = letters_of(walcat, database).stat().st_size
    assert feed.rest() == []
    assert letters_of(walcat, database).stat().st_size == size


def test_later_runs_append_to_the_file(make_encoded, walcat):
    database = make_encoded()
    feed = Feed(walcat, database, REFUSE, on_poison="dead_letter")
    database.insert(1, b"first\xff")
    assert feed.rest() == []
    path = letters_of(walcat, database)
    before = path.read_bytes()
    database.insert(2, b"second\xff")
    assert feed.rest() == []
    after = path.read_bytes()
    assert after.startswith(before) and b"second\xff" in after[len(before) :]


def test_where_letters_can_not_be_kept_that_database_stops_and_goes_on_later(make_encoded, make_database, walcat):
    database, other = make_encoded(), make_database()
    other.execute(TABLE)
    broken = entry(database, dead_letter_file="missing/letters.wcap")
    config = configuration(broken, entry(other), output=REFUSE, on_poison="dead_letter")
    walcat.catch_up(config)
    run = walcat.start(config)
    database.insert(1, b"fine")
    database.insert(2, b"a\xff")
    log = run.wait_for_log("stopped: .*missing/letters.wcap: open: No such file or directory")
    assert "public.t" in log
    other.execute("INSERT INTO t VALUES (7)")
    run.wait_for(lambda: {line.after["id"] for line in run.lines()} == {1, 7}, "the other database goes on")
    run.stop()
    (walcat.folder / "missing").mkdir()
    database.insert(3, b"fine again")
    assert ids([line.text for line in walcat.catch_up(config).lines()]) == [3]
    assert b"a\xff" in (walcat.folder / "missing" / "letters.wcap").read_bytes()

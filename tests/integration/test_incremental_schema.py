"""Tables that are altered, emptied or dropped in the middle of an incremental snapshot."""

import signal

import knobs
import pytest
from incremental import DOCUMENT_KEYS, DOCUMENTS, KEYS, PLAIN, ROWS, Followed
from server_version import NEEDS_MESSAGES

pytestmark = [
    NEEDS_MESSAGES,
    # The same code and threads as in the other files, and many waits: not again in the slow builds.
    pytest.mark.skipif(bool(knobs.SANITIZER), reason="its ways are those of test_incremental_load.py"),
]


@pytest.fixture
def followed(database, walcat):
    database.execute(*PLAIN)
    return Followed(walcat, database)


def during_a_chunk(followed, *statements):
    """Runs the statements as one transaction, begun before the next chunk is read and committed before it goes on."""
    with followed.database.transaction() as cursor:
        cursor.execute("LOCK TABLE t")
        followed.ask("--resume")
        followed.wait_for_chunk_to_hang()
        for statement in statements:
            cursor.execute(statement)


def test_a_truncated_table_ends_empty(followed, database):
    asker = followed.midway("--tables", "public.t")
    database.execute("TRUNCATE t", "INSERT INTO t VALUES (5, 'after')")
    followed.go_on(asker)
    mirror = followed.check_mirror(KEYS)
    assert len(mirror.rows["public.t"]) == 1


def test_a_table_truncated_while_a_chunk_is_read_ends_empty(followed):
    asker = followed.midway("--tables", "public.t")
    during_a_chunk(followed, "TRUNCATE t", "INSERT INTO t VALUES (5, 'after')",
                   f"INSERT INTO t VALUES ({ROWS}, 'new')")
    followed.end(asker)
    followed.check_mirror(KEYS)


def test_a_column_that_is_added_is_read_from_then_on(followed, database):
    asker = followed.midway("--tables", "public.t")
    known = len(followed.ids())
    database.execute("ALTER TABLE t ADD COLUMN more integer DEFAULT 7")
    followed.go_on(asker)
    followed.finish()
    assert sorted(followed.ids()) == list(range(1, ROWS + 1))
    later = followed.rows()[known:]
    assert later and all(row["more"] == "7" for row in later)


ALTERATIONS = {
    "a column is added": ["ALTER TABLE t ADD COLUMN more integer DEFAULT 7"],
    "a column is added and filled": ["ALTER TABLE t ADD COLUMN more integer", "UPDATE t SET more = id"],
    "a column is dropped": ["ALTER TABLE t DROP COLUMN note"],
    "a column is renamed": ["ALTER TABLE t RENAME COLUMN note TO remark"],
    "a column is rewritten": ["ALTER TABLE t ALTER COLUMN note TYPE varchar(100) USING upper(note)"],
    "the key is rewritten": ["ALTER TABLE t ALTER COLUMN id TYPE bigint"],
}


@pytest.mark.parametrize("case", ALTERATIONS)
def test_between_chunks(case, followed, database):
    asker = followed.midway("--tables", "public.t")
    with database.transaction() as cursor:
        for statement in ALTERATIONS[case]:
            cursor.execute(statement)
    followed.go_on(asker)
    check_every_row_came(followed)


@pytest.mark.parametrize("case", ALTERATIONS)
def test_while_a_chunk_is_read(case, followed):
    asker = followed.midway("--tables", "public.t")
    during_a_chunk(followed, *ALTERATIONS[case])
    followed.end(asker)
    check_every_row_came(followed)


def check_every_row_came(followed):
    lines = followed.finish()
    assert {int(line.after["id"]) for line in lines if line.op in "ru"} == set(range(1, ROWS + 1))


def test_a_key_whose_type_sorts_in_another_order(followed, database):
    """As a number the last key stands before most of the others, as a text behind them."""
    database.execute("DELETE FROM t WHERE id <= 250",
                     f"INSERT INTO t SELECT n FROM generate_series({ROWS + 1}, {ROWS * 2}) AS n")
    asker = followed.midway("--tables", "public.t")
    database.execute("ALTER TABLE t ALTER COLUMN id TYPE text")
    followed.go_on(asker)
    followed.finish()
    assert {str(id) for id in followed.ids()} == {row.id for row in database.rows("SELECT id FROM t")}


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_another_key(number, followed, database):
    """Rows are told apart, and come in order, by another column from then on."""
    database.execute("ALTER TABLE t ADD COLUMN code integer", f"UPDATE t SET code = {ROWS + 1} - id",
                     "ALTER TABLE t ALTER code SET NOT NULL")
    asker = followed.midway("--tables", "public.t")
    database.execute("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (code)",
                     f"UPDATE t SET note = 'new' WHERE id > {ROWS} - 10", f"DELETE FROM t WHERE id > {ROWS} - 5")
    if number is not None:
        followed.restart(number)
    followed.go_on(asker)
    followed.finish()
    assert set(followed.ids()) >= set(range(1, ROWS - 9)), "every row that nothing else tells of"


@pytest.mark.parametrize("statement, leaf", [
    ("DROP TABLE {leaf}", "the one in hand"),
    ("DROP TABLE {leaf}", "one that is left"),
    ("ALTER TABLE events DETACH PARTITION {leaf}", "the one in hand"),
    ("ALTER TABLE events DETACH PARTITION {leaf}", "one that is left"),
])  # fmt: skip
def test_a_partition_that_goes(statement, leaf, database, walcat):
    """The others are read."""
    parts = [f"PARTITION OF events FOR VALUES FROM ({n * 250}) TO ({n * 250 + 250})" for n in range(4)]
    database.execute("CREATE TABLE events (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                     *(f"CREATE TABLE e{n} {part}" for n, part in enumerate(parts)),
                     f"INSERT INTO events SELECT n FROM generate_series(0, {ROWS - 1}) AS n",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE events"
                     " WITH (publish_via_partition_root = true)")
    followed = Followed(walcat, database)
    asker = followed.midway("--tables", "public.events")
    in_hand = max(followed.ids("public.events")) // 250
    database.execute(statement.format(leaf=f"e{in_hand if leaf == 'the one in hand' else 3}"))
    followed.go_on(asker)
    followed.finish()
    assert set(followed.ids("public.events")) >= {row.id for row in database.rows("SELECT id FROM events")}


def test_a_table_that_loses_its_key(followed, database):
    asker = followed.midway("--tables", "public.t")
    database.execute("ALTER TABLE t DROP CONSTRAINT t_pkey", f"INSERT INTO t VALUES ({ROWS + 1}, 'new')")
    followed.ask("--resume")
    status = asker.wait_exit()
    followed.run.stop()
    assert status in (0, 69)
    if status == 0:
        check_every_row_came(followed)
    else:
        assert "public.t" in asker.log() and "key" in asker.log()


def test_a_renamed_table_is_named(followed, database):
    asker = followed.midway("--tables", "public.t")
    database.execute("ALTER TABLE t RENAME TO other")
    followed.ask("--resume")
    check_refused_or_complete(followed, asker)


def test_another_table_under_the_name_is_read_from_its_beginning(followed, database):
    asker = followed.midway("--tables", "public.t")
    database.execute("CREATE TABLE other (id integer PRIMARY KEY, note text)",
                     f"INSERT INTO other SELECT id, 'other' FROM generate_series(1, {ROWS}) AS id",
                     "BEGIN; ALTER TABLE t RENAME TO former; ALTER TABLE other RENAME TO t; COMMIT")
    followed.go_on(asker)
    assert {int(row["id"]) for row in followed.rows() if row["note"] == "other"} == set(range(1, ROWS + 1))


@pytest.mark.parametrize("is_during", [False, True], ids=["between chunks", "while a chunk is read"])
def test_a_dropped_table_is_named_and_the_stream_goes_on(is_during, followed, database):
    asker = followed.midway("--tables", "public.t")
    if is_during:
        during_a_chunk(followed, "DROP TABLE t")
    else:
        database.execute("DROP TABLE t")
        followed.ask("--resume")
    followed.end(asker, status=69)
    assert "public.t" in asker.log()
    check_stream_goes_on(followed)


def check_refused_or_complete(followed, asker):
    status = asker.wait_exit()
    assert status in (0, 69), asker.describe()
    assert status == 0 or "public.t" in asker.log()
    check_stream_goes_on(followed)


def check_stream_goes_on(followed):
    """Changes, and the next snapshot."""
    followed.database.execute("CREATE TABLE next (id integer PRIMARY KEY)", "INSERT INTO next VALUES (1)")
    followed.ask("--tables", "public.next")
    lines = [(line.op, line.after) for line in followed.finish() if line.table == "public.next"]
    assert lines == [("c", {"id": "1"}), ("r", {"id": "1"})]


def test_the_tables_after_a_dropped_one_are_read(followed, database):
    """Who asked hears which one is missing; the others were asked for as well."""
    database.execute("CREATE TABLE last (id integer PRIMARY KEY)", "INSERT INTO last VALUES (1)")
    asker = followed.midway("--tables", "public.t,public.last")
    database.execute("DROP TABLE t")
    followed.ask("--resume")
    asker.wait_exit()
    assert "public.t" in asker.log()
    followed.finish()
    assert followed.ids("public.last") == [1]


def test_large_values_of_moved_rows_are_read_though_the_table_is_altered(database, walcat):
    database.execute(*DOCUMENTS)
    followed = Followed(walcat, database)
    asker = followed.midway("--tables", "public.documents")
    database.execute(f"UPDATE documents SET id = -id WHERE id > {ROWS} - 50",
                     "ALTER TABLE documents ALTER COLUMN revision TYPE bigint")
    followed.go_on(asker)
    followed.check_mirror(DOCUMENT_KEYS)


def test_a_right_that_is_taken_away_is_named(server, database, walcat):
    name = f"reader_{database.name}"
    database.execute(*PLAIN, f"CREATE ROLE {name} LOGIN REPLICATION", f"GRANT SELECT ON t TO {name}",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE t")
    followed = Followed(walcat, database, selection={"conn_str": server.conn_str(database.name, name)})
    asker = followed.midway("--tables", "public.t")
    database.execute(f"REVOKE SELECT ON t FROM {name}")
    followed.ask("--resume")
    followed.end(asker, status=69)
    assert "public.t" in asker.log() and "GRANT SELECT" in asker.log()
    followed.run.stop()
    database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")

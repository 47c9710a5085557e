"""Messages written with pg_logical_emit_message."""

from configuration import follow_all
from database import number_of
from server_version import NEEDS_MESSAGES

pytestmark = NEEDS_MESSAGES


def test_a_transactional_message_is_a_line_of_its_transaction(database, lines_of):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    lines_of()
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
        cursor.execute("SELECT pg_logical_emit_message(true, 'audit', 'by Ann')")
        cursor.execute("INSERT INTO t VALUES (2)")
    first, message, second = lines_of()
    assert [line.op for line in (first, message, second)] == ["c", "m", "c"]
    assert message.source["txId"] == first.source["txId"]
    assert first.position < message.position < second.position
    assert '"prefix":"audit"' in message.text


def test_a_message_outside_of_transactions_has_its_own_position(database, lines_of):
    lines_of("SELECT pg_logical_emit_message(true, 'beat', 'none')")
    lsn = database.value("SELECT pg_logical_emit_message(false, 'beat', 'one')::text")
    # Nothing flushes the first message's WAL but a later commit.
    message, later = lines_of("SELECT pg_logical_emit_message(true, 'beat', 'two')")
    assert (message.op, message.source["lsn"], message.source["index"]) == ("m", number_of(lsn), 0)
    assert message.position < later.position


def test_a_message_of_a_rolled_back_transaction_is_not_printed(database, walcat):
    config = follow_all(database)
    walcat.catch_up(config)
    database.execute("DO $$ BEGIN PERFORM pg_logical_emit_message(true, 'never', ''); ROLLBACK; END $$")
    assert walcat.catch_up(config).lines() == []

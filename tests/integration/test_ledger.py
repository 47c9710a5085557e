"""The ledger the long tests lean on: it accepts what is right and nothing else."""

from dataclasses import replace

import pytest
from configuration import configuration, entry
from ledger import Ledger
from server_version import needs
from workload import MIXED_KEYS, MIXED_TABLES

pytestmark = needs(11, "transactions in DO")


@pytest.fixture
def ledger(database):
    database.execute(*MIXED_TABLES)
    return Ledger(database, MIXED_KEYS)


@pytest.fixture
def lines(ledger, database, walcat):
    """The lines of four transactions; the second has three changes, the fourth a timestamp of its own."""
    config = configuration(entry(database, *MIXED_KEYS))
    walcat.catch_up(config)
    database.execute(
        "UPDATE accounts SET balance = 1 WHERE id = 1",
        "UPDATE accounts SET balance = 2 WHERE id IN (1, 2, 3)",
        "DELETE FROM accounts WHERE id = 1",
        "INSERT INTO entries (account, note) VALUES (1, 'x')",
        "DO $$ BEGIN UPDATE accounts SET balance = 0; ROLLBACK; END $$",
    )
    printed = walcat.catch_up(config).lines()
    assert len(printed) == 6
    return printed


def with_source(line, **keys):
    return replace(line, source={**line.source, **keys})


def test_true_lines_are_accepted(ledger, lines):
    ledger.check_exactly_once(lines)
    assert ledger.check_at_least_once(lines) == 0


def test_lines_of_another_database_do_not_matter(ledger, lines):
    ledger.check_exactly_once([with_source(lines[0], db="another"), *lines])


@pytest.mark.parametrize("missing", range(6))
def test_a_missing_line_is_noticed(missing, ledger, lines):
    del lines[missing]
    with pytest.raises(AssertionError, match="no line"):
        ledger.check_exactly_once(lines)
    with pytest.raises(AssertionError, match="no line"):
        ledger.check_at_least_once(lines)


def test_a_repeat_is_allowed_only_where_it_may_be(ledger, lines):
    repeated = [*lines[:3], *lines[1:]]
    assert ledger.check_at_least_once(repeated) == 2
    with pytest.raises(AssertionError, match="order"):
        ledger.check_exactly_once(repeated)


def test_a_repeat_under_a_new_position_is_noticed(ledger, lines):
    again = with_source(lines[-1], commit_lsn=lines[-1].source["commit_lsn"] + 1)
    with pytest.raises(AssertionError, match="no committed change"):
        ledger.check_at_least_once([*lines, again])


def test_another_line_under_a_known_position_is_noticed(ledger, lines):
    with pytest.raises(AssertionError, match="not a repeat"):
        ledger.check_at_least_once([*lines, replace(lines[0], text="{}")])


def test_a_changed_value_is_noticed(ledger, lines):
    lines[0] = replace(lines[0], after={**lines[0].after, "balance": 7})
    with pytest.raises(AssertionError, match="no line"):
        ledger.check_exactly_once(lines)


def test_transactions_out_of_order_are_noticed(ledger, lines):
    with pytest.raises(AssertionError, match="commit order"):
        ledger.check_exactly_once([*lines[1:4], lines[0], *lines[4:]])


def test_a_false_commit_order_is_noticed_by_the_rows(ledger, lines):
    """Two transactions that change one row, swapped together with their positions."""
    update, delete = lines[0], lines[4]
    lines[0] = with_source(delete, commit_lsn=update.source["commit_lsn"])
    lines[4] = with_source(update, commit_lsn=delete.source["commit_lsn"])
    with pytest.raises(AssertionError, match="in another order"):
        ledger.check_exactly_once(lines)


def test_lines_of_a_transaction_out_of_order_are_noticed(ledger, lines):
    second, third = lines[2], lines[3]
    lines[2] = with_source(third, index=second.source["index"])
    lines[3] = with_source(second, index=third.source["index"])
    with pytest.raises(AssertionError):
        ledger.check_exactly_once(lines)

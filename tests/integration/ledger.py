"""A ledger kept by triggers: each row change is noted in the transaction that makes it, so it holds exactly the changes
that were committed. The printed lines are compared with it.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from database import Database, number_of
from walcat_process import Line

NOTE = """
CREATE SCHEMA ledger;
CREATE TABLE ledger.changes (
    seq bigint GENERATED ALWAYS AS IDENTITY, xid bigint NOT NULL, op text NOT NULL, tbl text NOT NULL,
    row_key jsonb NOT NULL, new_row jsonb
);
CREATE TABLE ledger.ends (xid bigint NOT NULL, lsn pg_lsn NOT NULL);
CREATE FUNCTION ledger.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    subject jsonb;
    key_columns text[] := TG_ARGV;
BEGIN
    IF TG_OP = 'DELETE' THEN subject := to_jsonb(OLD); ELSE subject := to_jsonb(NEW); END IF;
    INSERT INTO ledger.changes (xid, op, tbl, row_key, new_row) VALUES (
        txid_current() % 4294967296,
        CASE TG_OP WHEN 'INSERT' THEN 'c' WHEN 'UPDATE' THEN 'u' ELSE 'd' END,
        TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(subject) WHERE key = ANY (key_columns)),
        CASE WHEN TG_OP <> 'DELETE' THEN subject END);
    RETURN NULL;
END
$$
"""

# jsonb writes 2024-01-02T03:04:05, everything else in PostgreSQL 2024-01-02 03:04:05.
TIMESTAMP = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:.*)$")


@dataclass(frozen=True)
class Change:
    """One row change, as the ledger and a line agree on it."""

    xid: int
    op: str
    table: str
    row: str


class Ledger:
    """The ledger of one database. Keys are the columns of the table's primary key; a table without one has none."""

    def __init__(self, database: Database, keys: dict[str, tuple[str, ...]]):
        self.database = database
        self.keys = keys
        database.execute(NOTE)
        for table, columns in keys.items():
            arguments = ", ".join(f"'{column}'" for column in columns)
            database.execute(
                f"""CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {table}
                    FOR EACH ROW EXECUTE PROCEDURE ledger.note({arguments})"""
            )

    def count(self) -> int:
        return self.database.value("SELECT count(*) FROM ledger.changes")

    def changes(self) -> list[Change]:
        """Every committed change since the last call of forget(), in the order the triggers ran."""
        found = self.database.rows("SELECT xid, op, tbl, row_key, new_row FROM ledger.changes ORDER BY seq")
        return [Change(row.xid, row.op, row.tbl, canonical(row.new_row or row.row_key)) for row in found]

    def forget(self) -> None:
        """Begins anew, for long loads that are checked part by part. Nothing may be written meanwhile."""
        self.database.execute("TRUNCATE ledger.changes, ledger.ends")

    def ends(self) -> dict[int, int]:
        """Transactions of which the load knows that their commit stands behind a position: that of prepared ones."""
        found = self.database.rows("SELECT xid, max(lsn)::text AS lsn FROM ledger.ends GROUP BY xid")
        return {row.xid: number_of(row.lsn) for row in found}

    def check_exactly_once(self, lines: Iterable[Line]) -> None:
        """Each committed change has one line, in commit order, and there is no other line."""
        mine = self._mine(lines)
        check_increasing(mine)
        self._check_same(mine)

    def check_at_least_once(self, lines: Iterable[Line]) -> int:
        """As above after dropping repeats, each of which must equal an earlier line. Returns how many there were."""
        mine = self._mine(lines)
        first: dict[tuple[int, int], str] = {}
        fresh = []
        for line in mine:
            if line.position in first:
                assert first[line.position] == line.text, f"not a repeat: {line.text}\n{first[line.position]}"
                continue
            first[line.position] = line.text
            fresh.append(line)
        check_increasing(fresh)
        self._check_same(fresh)
        return len(mine) - len(fresh)

    def _mine(self, lines: Iterable[Line]) -> list[Line]:
        return [line for line in lines if line.source["db"] == self.database.name]

    def _check_same(self, lines: list[Line]) -> None:
        noted = self.changes()
        printed = [self._change(line) for line in lines]
        missing = Counter(noted) - Counter(printed)
        surplus = Counter(printed) - Counter(noted)
        assert not missing, f"{missing.total()} committed changes have no line, such as {next(iter(missing))}"
        assert not surplus, f"{surplus.total()} lines stand for no committed change, such as {next(iter(surplus))}"
        check_transactions(noted, printed)
        check_ends(lines, self.ends())
        check_rows(noted, printed, self.keys)

    def _change(self, line: Line) -> Change:
        if line.op == "d":
            key = {column: line.before[column] for column in self.keys[line.table]}
            return Change(line.source["txId"], line.op, line.table, canonical(key))
        return Change(line.source["txId"], line.op, line.table, canonical(line.after))


def check_increasing(lines: list[Line]) -> None:
    """Positions increase, so transactions come in commit order; and a transaction's lines stand together."""
    xid_of: dict[int, int] = {}
    for earlier, later in zip(lines, lines[1:]):
        assert earlier.position < later.position, f"out of commit order:\n{earlier.text}\n{later.text}"
    for line in lines:
        xid = xid_of.setdefault(line.source["commit_lsn"], line.source["txId"])
        assert xid == line.source["txId"], f"two transactions with one commit position: {line.text}"


def check_transactions(noted: list[Change], printed: list[Change]) -> None:
    """Inside each transaction the lines come in the order of its statements."""
    assert grouped(noted, lambda change: change.xid) == grouped(printed, lambda change: change.xid)


def check_ends(lines: list[Line], ends: dict[int, int]) -> None:
    """What was prepared stands where it was committed, behind all that had committed in between."""
    for line in lines:
        assert line.source["commit_lsn"] >= ends.get(line.source["txId"], 0), f"not the commit's position: {line.text}"


def check_rows(noted: list[Change], printed: list[Change], keys: dict[str, tuple[str, ...]]) -> None:
    """Changes of one row lock each other out, so they were noted in commit order: the lines must show the same.

    Locks of what is prepared last until its end, so this holds for that as well.
    """

    def row_of(change: Change) -> Any:
        columns = keys[change.table]
        row = json.loads(change.row)
        return (change.table, *(row[column] for column in columns)) if columns else None

    expected, actual = grouped(noted, row_of), grouped(printed, row_of)
    expected.pop(None, None)
    actual.pop(None, None)
    for row, changes in expected.items():
        assert changes == actual[row], f"the changes of {row} come in another order than they were committed"


def grouped(changes: list[Change], by: Any) -> dict[Any, list[Change]]:
    groups: dict[Any, list[Change]] = defaultdict(list)
    for change in changes:
        groups[by(change)].append(change)
    return groups


def canonical(row: dict[str, Any]) -> str:
    return json.dumps({name: plain(value) for name, value in row.items()}, sort_keys=True)


def plain(value: Any) -> Any:
    return TIMESTAMP.sub(r"\1 \2", value) if isinstance(value, str) else value

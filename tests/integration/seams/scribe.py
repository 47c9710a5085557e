"""Writes to a database, and knows the lines that are right for what it has written: each row as it stood then, under
the names that its table and columns had then.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from database import Database
from mirror import PLACEHOLDER, Row

WRITE = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (\S+)(?:.* WHERE (.*)|.*)$", re.DOTALL)
TRUNCATE = re.compile(r"TRUNCATE (\S+)$")

# Each row of `old` and `new`: the table it stands in, and its values as texts.
ROWS = """
    SELECT '{0}' AS age, place,
           (SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(to_jsonb({0}) - 'place')) AS row
    FROM {0}
"""
# What the replica identity of a table is made of.
IDENTITY = """
    SELECT n.nspname || '.' || c.relname AS table, c.relreplident AS kind,
           ARRAY(SELECT a.attname::text FROM pg_index i
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
                 WHERE i.indrelid = c.oid
                   AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s
"""
# Longer values of a column with EXTERNAL storage stand out of line.
INLINE_MOST = 2000


class Right(NamedTuple):
    """What is compared of a line."""

    op: str
    table: str
    before: Row | None
    after: Row | None


class Scribe:
    def __init__(self, database: Database, shown: Callable[[Row], Row]):
        self.database = database
        self._shown = shown
        # By OID, since the last statement that was no write.
        self._identities: dict[int, Any] = {}

    def run(self, *statements: str) -> Iterator[Right]:
        """Runs each statement as a transaction, and hands out the line of each that writes a row."""
        for statement in statements:
            if found := WRITE.match(statement):
                yield self._write(statement, *found.groups())
            else:
                self.database.execute(statement)
                self._identities.clear()
                if found := TRUNCATE.match(statement):
                    yield Right("t", f"public.{found[1]}", None, None)

    def rows(self, table: str) -> list[Row]:
        """All rows, values as texts."""
        return [found.row for found in self._ask(old=f"SELECT tableoid AS place, * FROM {table}")]

    def _write(self, statement: str, verb: str, table: str, where: str | None) -> Right:
        """The row as it was is read by the statement that writes it."""
        parts = {} if verb == "INSERT INTO" else {"old": f"SELECT tableoid AS place, * FROM {table} WHERE {where}"}
        found = self._ask(**parts, new=f"{statement} RETURNING {table}.tableoid AS place, *")
        old, new = ([each for each in found if each.age == age] for age in ("old", "new"))
        assert len(new) == 1 and len(old) == len(parts), f"{len(old)} rows, then {len(new)}: {statement}"
        identity = self._identity(new[0].place)
        match verb:
            case "INSERT INTO":
                return self._right("c", identity, None, new[0].row)
            case "UPDATE":
                before, after = old[0].row, new[0].row
                return self._right("u", identity, old_row(identity, before, after), new_row(identity, before, after))
            case _:
                return self._right("d", identity, identified(identity, old[0].row), None)

    def _right(self, op: str, identity: Any, before: Row | None, after: Row | None) -> Right:
        return Right(op, identity.table, before and self._shown(before), after and self._shown(after))

    def _identity(self, oid: int) -> Any:
        if oid not in self._identities:
            (self._identities[oid],) = self.database.rows(IDENTITY, (oid,))
        return self._identities[oid]

    def _ask(self, **parts: str) -> list[Any]:
        named = ", ".join(f"{name} AS ({query})" for name, query in parts.items())
        return self.database.rows(f"WITH {named} {' UNION ALL '.join(map(ROWS.format, parts))}")


def old_row(identity: Any, old: Row, new: Row) -> Row | None:
    is_moved = any(old[name] != new[name] for name in identity.columns)
    return identified(identity, old) if identity.kind == "f" or is_moved else None


def identified(identity: Any, row: Row) -> Row:
    return row if identity.kind == "f" else {name: row[name] for name in identity.columns}


def new_row(identity: Any, old: Row, new: Row) -> Row:
    def is_left_out(name: str) -> bool:
        return identity.kind != "f" and old[name] == new[name] and len(new[name] or "") > INLINE_MOST

    return {name: PLACEHOLDER if is_left_out(name) else value for name, value in new.items()}

"""A consumer that applies lines in order and keeps the rows in memory: quick enough for every row of large tables.

Its rules are those of README, whatever comes twice: r, c and u put a row in the place of the one with its key, d takes
it away if it is there, t empties the table, and a large value that u leaves out stays what it is. A table without a key
must have no two equal rows; the whole row is its key then.
"""

import io
from collections.abc import Iterable
from typing import Any

from database import Database, quoted
from walcat_process import Line

PLACEHOLDER = "__debezium_unavailable_value"
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

Row = dict[str, Any]
Key = tuple[Any, ...]


class Mirror:
    """Tables rebuilt from lines whose values are `text`. `keys` names the key of each table; () if it has none."""

    def __init__(self, keys: dict[str, tuple[str, ...]]):
        self._keys = keys
        self.rows: dict[str, dict[Key, Row]] = {table: {} for table in keys}
        # Large values that were left out of an update.
        self.values_kept = 0

    def apply(self, lines: Iterable[Line]) -> "Mirror":
        for line in lines:
            rows = self.rows[line.table]
            match line.op:
                case "r" | "c":
                    rows[self._key(line.table, line.after)] = line.after
                case "u":
                    self._update(line, rows)
                case "d":
                    rows.pop(self._key(line.table, line.before), None)
                case "t":
                    rows.clear()
        return self

    def check_equal(self, database: Database) -> None:
        """Every table is what it is in the database, row by row."""
        for table, rows in self.rows.items():
            wrong = difference(database, table, rows.values())
            assert not wrong, f"{table} differs in {len(wrong)} rows, such as:\n" + "\n".join(wrong[:5])

    def _key(self, table: str, row: Row) -> Key:
        names = self._keys[table] or sorted(row)
        return tuple(row[name] for name in names)

    def _update(self, line: Line, rows: dict[Key, Row]) -> None:
        key = self._key(line.table, line.after)
        old_key = self._key(line.table, line.before) if line.before else key
        old = rows.pop(old_key, None) or rows.get(key) or {}
        left_out = [name for name, value in line.after.items() if value == PLACEHOLDER]
        self.values_kept += len(left_out)
        rows[key] = {**line.after, **{name: old.get(name, PLACEHOLDER) for name in left_out}}


def difference(database: Database, table: str, rows: Iterable[Row]) -> list[str]:
    """What stands only in the table or only among the rows, which are texts; what is there twice counts twice."""
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE rebuilt (LIKE {table}) ON COMMIT DROP")
        cursor.execute("SELECT * FROM rebuilt")
        names = [column.name for column in cursor.description]
        copied = io.StringIO("".join("\t".join(field(row.get(name)) for name in names) + "\n" for row in rows))
        cursor.copy_expert(f"COPY rebuilt ({', '.join(map(quoted, names))}) FROM STDIN", copied)
        cursor.execute(
            f"""SELECT 'missing: ' || left(t::text, 200) FROM (TABLE {table} EXCEPT ALL TABLE rebuilt) AS t
                UNION ALL
                SELECT 'surplus: ' || left(t::text, 200) FROM (TABLE rebuilt EXCEPT ALL TABLE {table}) AS t"""
        )
        return [text for (text,) in cursor.fetchall()]


def field(value: str | None) -> str:
    """A value in COPY's text form."""
    return r"\N" if value is None else value.translate(ESCAPES)

"""Rebuilds a database from debezium records, a key and a value each: rows are inserted, updated and deleted as the
records say, and nothing is asked of the database they came from.

Statements that change schemas are no part of the stream. A source that wants them in it says them in logical
messages: TELL makes an event trigger do that, and the applier runs what comes under its prefix, between the rows that
were written before and after.
"""

import base64
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from database import Database, quoted
from restoring import by_catalog, by_schema, is_unavailable

PREFIX = "ddl"
TELL = (
    f"""CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_logical_emit_message(true, '{PREFIX}', current_query()); END $$""",
    "CREATE EVENT TRIGGER tell ON ddl_command_start EXECUTE PROCEDURE tell()",
)

COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS sql_type, base.typname AS type,
           element.typname AS element, a.atttypmod AS modifier
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type base ON base.oid = COALESCE(NULLIF(t.typbasetype, 0), t.oid)
    LEFT JOIN pg_type element ON element.oid = base.typelem AND base.typcategory = 'A'
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""

Row = dict[str, str | None]


@dataclass(frozen=True)
class Event:
    """A record taken apart, its values still in the debezium form."""

    key: dict[str, Any] | None
    value: dict[str, Any] | None
    row_schema: dict[str, dict[str, Any]] | None = None

    @staticmethod
    def parse(record: str) -> "Event":
        # Floats stay text: their digits are the server's.
        key, value = [json.loads(part, parse_float=str) if part else None for part in record.split("\t")]
        if value is None or "schema" not in value:
            return Event(key, value)
        fields = {field["field"]: field for field in value["schema"]["fields"]}
        columns = {field["field"]: field for field in fields.get("after", {"fields": []})["fields"]}
        # Keys of what is no row are not looked at.
        return Event(key["payload"] if key and columns else None, value["payload"], columns)

    @property
    def table(self) -> str:
        source = self.value["source"]
        return f"{quoted(source['schema'])}.{quoted(source['table'])}"


class Applier:
    """Applies records to `target`, in which no other statement is run meanwhile."""

    def __init__(self, target: Database):
        self.target = target
        self.applied: Counter[str] = Counter()
        # Unchanged large values, which stay what they are.
        self.values_left_out = 0
        self._columns: dict[str, dict[str, Any]] = {}

    def apply(self, records: list[str]) -> None:
        for record in records:
            event = Event.parse(record)
            try:
                self._apply(event)
            except Exception as error:
                raise AssertionError(f"cannot apply {record[:4000]}") from error

    def _apply(self, event: Event) -> None:
        if event.value is None:
            self.applied["tombstone"] += 1
            return
        op = event.value["op"]
        self.applied[op] += 1
        match op:
            case "c" | "r":
                self._insert(event)
            case "u":
                self._update(event)
            case "d":
                self._run(f"DELETE FROM {event.table} WHERE {{}}", self._old_row(event))
            case "t":
                self.target.execute(f"TRUNCATE {event.table}")
            case "m":
                self._message(event.value["message"])

    def _message(self, message: dict[str, str]) -> None:
        if message["prefix"] != PREFIX:
            return
        content = message["content"]
        is_hex = all(digit in "0123456789abcdef" for digit in content)
        self.target.execute((bytes.fromhex(content) if is_hex else base64.b64decode(content)).decode())
        self._columns.clear()

    def _insert(self, event: Event) -> None:
        row = self._restored(event, event.value["after"])
        names = ", ".join(map(quoted, row))
        places = ", ".join(["%s"] * len(row))
        self._execute(f"INSERT INTO {event.table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})", row.values())

    def _update(self, event: Event) -> None:
        old = self._old_row(event)
        row = self._restored(event, event.value["after"])
        changed = {name: value for name, value in row.items() if name not in old.row or old.row[name] != value} or row
        sets = ", ".join(f"{quoted(name)} = %s" for name in changed)
        self._run(f"UPDATE {event.table} SET {sets} WHERE {{}}", old, *changed.values())

    def _old_row(self, event: Event) -> "OldRow":
        """What tells the row as it was: the columns of its key, or all of them where there is no key."""
        before = event.value["before"]
        if event.key is None:
            return OldRow(event.table, self._restored(event, before), is_key=False)
        key = event.key if before is None else {name: before[name] for name in event.key}
        return OldRow(event.table, self._restored(event, key), is_key=True)

    def _run(self, statement: str, old: "OldRow", *values: str | None) -> None:
        columns = self._columns_of(old.table)
        same = " AND ".join(
            f"{quoted(name)}::text IS NOT DISTINCT FROM %s::{columns[name].sql_type}::text" if not old.is_key
            else f"{quoted(name)} = %s"
            for name in old.row
        )
        where = same if old.is_key else (
            f"(tableoid, ctid) = (SELECT tableoid, ctid FROM {old.table} WHERE {same} LIMIT 1)"
        )
        self._execute(statement.replace("{}", where), [*values, *old.row.values()])

    def _execute(self, statement: str, values: Any) -> None:
        """Each event is one row."""
        found = self.target.rows(f"{statement} RETURNING 1", tuple(values))
        assert len(found) == 1, f"{len(found)} rows: {statement}"

    def _restored(self, event: Event, row: dict[str, Any]) -> Row:
        """The row's values as texts for the server; those that were not sent are left out."""
        sent = {name: value for name, value in row.items() if not is_unavailable(value)}
        self.values_left_out += len(row) - len(sent)
        if event.row_schema is not None:
            return {name: by_schema(value, event.row_schema[name]) for name, value in sent.items()}
        columns = self._columns_of(event.table)
        return {
            name: by_catalog(value, columns[name].type, columns[name].element, columns[name].modifier)
            for name, value in sent.items()
        }

    def _columns_of(self, table: str) -> dict[str, Any]:
        if table not in self._columns:
            self._columns[table] = {row.name: row for row in self.target.rows(COLUMNS, (table,))}
        return self._columns[table]


@dataclass(frozen=True)
class OldRow:
    table: str
    row: Row
    is_key: bool

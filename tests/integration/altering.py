"""A load that alters schemas while it writes: random rows in random tables, between statements that change what a row
is. Each writer has a schema and a session of its own.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg2.errors
from database import Database, quoted
from server_version import MAJOR

# Rows are spread over what the debezium form can hold and give back exactly: no varbit (its leading zeros are lost), no
# numeric with trailing zeros and no scale (`precise` strips them), no infinite date (it comes as a number like others).
TEXTS = ["null", '"', "\\", "a\tb\nc", "Größe", "🐘\u2028", "\x01\x1f", " ", None]
TEXT_ARRAYS = ["{}", '{NULL,"NULL","a,b","\\"","\\\\"}', "{{a,b},{c,d}}"]
VALUES: dict[str, Callable[[random.Random], str]] = {
    "bool": lambda dice: dice.choice("tf"),
    "int2": lambda dice: str(dice.randint(-(2**15), 2**15 - 1)),
    "int4": lambda dice: str(dice.randint(-(2**31), 2**31 - 1)),
    "int8": lambda dice: str(dice.randint(-(2**63), 2**63 - 1)),
    "float4": lambda dice: dice.choice(["NaN", "Infinity", "-0", "1e-37", f"{dice.uniform(-9, 9):.4f}"]),
    "float8": lambda dice: dice.choice(["NaN", "-Infinity", "-0", "1e300", repr(dice.uniform(-1e9, 1e9))]),
    "numeric": lambda dice: f"{dice.randint(-(10**5), 10**5)}.{dice.randint(0, 99):02}{dice.randint(1, 9)}",
    "money": lambda dice: f"{dice.randint(-(10**9), 10**9)}.{dice.randint(0, 99):02}",
    "text": lambda dice: dice.choice(TEXTS) or letters(dice),
    "varchar": lambda dice: letters(dice)[:20],
    "bpchar": lambda dice: letters(dice)[: dice.randint(0, 5)],
    "bytea": lambda dice: "\\x" + dice.randbytes(dice.choice([0, 1, 30, 3000])).hex(),
    "date": lambda dice: dice.choice(["0044-03-15 BC", "20000-01-01", f"{dice.randint(1, 9999):04}-02-28"]),
    "time": lambda dice: f"{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:07.{dice.randint(0, 999_999):06}",
    "timestamp": lambda dice: VALUES["date"](dice) + " " + VALUES["time"](dice),
    "timestamptz": lambda dice: dice.choice(["infinity", "-infinity", VALUES["timestamp"](dice)]),
    "interval": lambda dice: f"{dice.randint(-99, 99)} mons {dice.randint(-99, 99)} days {VALUES['time'](dice)}",
    "uuid": lambda dice: str(uuid.UUID(bytes=dice.randbytes(16))),
    "jsonb": lambda dice: dice.choice(["null", "{}", '{"a": [1, "x", null], "b": "\\u0001"}', str(dice.random())]),
    "inet": lambda dice: f"10.{dice.randint(0, 255)}.0.1/{dice.randint(8, 32)}",
    "bit": lambda dice: format(dice.randint(0, 1023), "010b"),
    "point": lambda dice: f"({dice.randint(-9, 9)}.5,{dice.randint(-9, 9)})",
    "int4range": lambda dice: dice.choice(["empty", "(,5)", f"[{dice.randint(1, 9)},20)"]),
    "hstore": lambda dice: dice.choice(["", "a=>NULL", '"k\\"ey"=>"v\\\\al,ue", b=>"NULL"']),
    "mood": lambda dice: dice.choice(["fine", "so so"]),
    "size": lambda dice: "small",
    "positive": lambda dice: str(dice.randint(1, 99)),
    "address": lambda dice: dice.choice(["(,)", '("a ""street""",7)']),
    "_text": lambda dice: dice.choice([*TEXT_ARRAYS, f"{{{letters(dice)}}}"]),
    "_int4": lambda dice: dice.choice(["{}", "{1,NULL,3}", "{{1,2},{3,4}}"]),
    "_date": lambda dice: "{2024-02-29,NULL}",
    "_mood": lambda dice: "{fine,NULL,so so}",
}


def letters(dice: random.Random) -> str:
    """Now and then more than stays in the row."""
    return "".join(dice.choices("abcdefghij", k=dice.choice([1, 8, 40, 3000])))


WIDE = """
    CREATE TABLE {s}.wide (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, yes boolean, small smallint, whole integer, large bigint,
        single real, precise double precision, price numeric(12, 3), amount numeric, cash money, note text,
        name varchar(20), code char(5), raw bytea, day date, noon time, at timestamp, milli timestamp(3),
        zoned timestamptz, span interval, u uuid, j jsonb, net inet, flags bit(10), place point,
        r int4range, h hstore, kind {s}.mood, rank {s}.positive, home {s}.address, tags text[],
        numbers integer[], days date[], moods {s}.mood[])
"""

TABLES = (
    "CREATE SCHEMA {s}",
    "CREATE TYPE {s}.mood AS ENUM ('fine', 'so so')",
    "CREATE DOMAIN {s}.positive AS integer CHECK (VALUE > 0)",
    "CREATE TYPE {s}.address AS (street text, number integer)",
    WIDE,
    "CREATE TABLE {s}.documents (id integer PRIMARY KEY, body text, raw bytea, tags text[], revision integer)",
    "ALTER TABLE {s}.documents ALTER body SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL",
    "CREATE TABLE {s}.kept (LIKE {s}.documents INCLUDING ALL)",
    "ALTER TABLE {s}.kept REPLICA IDENTITY FULL",
    "CREATE TABLE {s}.indexed (code text NOT NULL, body text, revision integer)",
    "CREATE UNIQUE INDEX indexed_code ON {s}.indexed (code)",
    "ALTER TABLE {s}.indexed REPLICA IDENTITY USING INDEX indexed_code",
    "ALTER TABLE {s}.indexed ALTER body SET STORAGE EXTERNAL",
    "CREATE TABLE {s}.loose (a boolean, place point, note text)",
    "ALTER TABLE {s}.loose REPLICA IDENTITY FULL",
    "CREATE TABLE {s}.pairs (b varchar(20), a integer, note text, PRIMARY KEY (a, b))",
    "CREATE TABLE {s}.people (id integer PRIMARY KEY, first varchar, last varchar,"
    " whole_name text GENERATED ALWAYS AS (first || ' ' || last) STORED)",
    "CREATE TABLE {s}.events (id integer, part smallint, note text, PRIMARY KEY (id, part)) PARTITION BY LIST (part)",
    "CREATE TABLE {s}.events_0 PARTITION OF {s}.events FOR VALUES IN (0)",
    # Attached with its columns in another order.
    "CREATE TABLE {s}.events_1 (note text, part smallint NOT NULL, id integer NOT NULL, PRIMARY KEY (id, part))",
    "ALTER TABLE {s}.events ATTACH PARTITION {s}.events_1 FOR VALUES IN (1)",
    'CREATE TABLE {s}."Mixed ""Case""" ("Id" integer PRIMARY KEY, "a.b" text)',
    "CREATE TABLE {s}.renewed (id integer PRIMARY KEY, note text)",
)

# Each is one transaction; rows are written between its statements too. Not here: ALTER SCHEMA .. RENAME, after which
# PostgreSQL's own pgoutput goes on with the old name until it is connected to anew.
ALTERATIONS = (
    ("ALTER TABLE {s}.wide ADD COLUMN added integer DEFAULT 7",),
    ("ALTER TABLE {s}.wide DROP COLUMN note",),
    ("ALTER TABLE {s}.wide RENAME COLUMN whole TO renamed",),
    ("ALTER TABLE {s}.wide ALTER COLUMN renamed TYPE text USING 'was ' || renamed",),
    ("ALTER TABLE {s}.wide ALTER COLUMN small TYPE bigint", "ALTER TABLE {s}.wide ADD COLUMN note date"),
    ("ALTER TABLE {s}.wide RENAME TO broad",),
    ("CREATE TYPE {s}.size AS ENUM ('small')", "ALTER TABLE {s}.broad ADD COLUMN size {s}.size DEFAULT 'small'"),
    ("ALTER TABLE {s}.broad DROP COLUMN size", "DROP TYPE {s}.size"),
    ("ALTER TYPE {s}.mood ADD VALUE 'new'",),
    ("ALTER TYPE {s}.mood RENAME VALUE 'new' TO 'newer'",),
    ("UPDATE {s}.broad SET kind = 'newer', moods = '{{newer}}'",),
    ("ALTER TABLE {s}.broad RENAME TO wide",),
    ("ALTER TABLE {s}.documents ADD COLUMN extra text", "ALTER TABLE {s}.documents ALTER extra SET STORAGE EXTERNAL"),
    ("UPDATE {s}.documents SET extra = repeat('y', 5000)",),
    ("ALTER TABLE {s}.documents REPLICA IDENTITY FULL",),
    ("ALTER TABLE {s}.documents REPLICA IDENTITY DEFAULT", "ALTER TABLE {s}.documents DROP COLUMN raw"),
    ("CREATE SCHEMA {s}_moved", "ALTER TABLE {s}.pairs SET SCHEMA {s}_moved"),
    ("ALTER TABLE {s}_moved.pairs RENAME COLUMN b TO c",),
    ("ALTER TABLE {s}_moved.pairs DROP CONSTRAINT pairs_pkey, ADD PRIMARY KEY (c, a)",),
    ("CREATE TABLE {s}.pairs (id integer PRIMARY KEY, other text)",),
    ("DROP TABLE {s}.renewed", "CREATE TABLE {s}.renewed (note varchar PRIMARY KEY, id integer, more boolean)"),
    ("DROP TABLE {s}.renewed",),
    ("CREATE TABLE {s}.renewed (id date, flag boolean, PRIMARY KEY (flag, id))",),
    ("ALTER TABLE {s}.people ADD COLUMN loud text GENERATED ALWAYS AS (upper(first)) STORED",),
    ("ALTER TABLE {s}.people ALTER COLUMN whole_name DROP EXPRESSION",),
    ("ALTER TABLE {s}.people DROP COLUMN first CASCADE", "ALTER TABLE {s}.people RENAME COLUMN last TO first"),
    ("CREATE TABLE {s}.events_2 PARTITION OF {s}.events FOR VALUES IN (2)",),
    # A walsender of PostgreSQL 14 goes on with the columns that the partition had before, and fails.
    *([] if MAJOR < 15 else [
        ("ALTER TABLE {s}.events DETACH PARTITION {s}.events_1",),
        ("ALTER TABLE {s}.events_1 RENAME TO events_old", "ALTER TABLE {s}.events ADD COLUMN more text DEFAULT 'x'"),
        ("ALTER TABLE {s}.events_old ADD COLUMN more text",
         "ALTER TABLE {s}.events ATTACH PARTITION {s}.events_old FOR VALUES IN (1)"),
    ]),
    ("DROP TABLE {s}.events_2",),
    ("TRUNCATE {s}.loose, {s}.kept",),
    ("TRUNCATE {s}.events",),
    ("TRUNCATE {s}.wide RESTART IDENTITY",),
    ("ALTER TABLE {s}.indexed ADD PRIMARY KEY (code)", "ALTER TABLE {s}.indexed REPLICA IDENTITY DEFAULT"),
    ('ALTER TABLE {s}."Mixed ""Case""" RENAME COLUMN "a.b" TO "c ""d"""',),
)

TABLES_NOW = """
    SELECT c.oid, c.relreplident, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname LIKE %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 3
"""
COLUMNS_NOW = """
    SELECT a.attname, t.typname,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND (i.indisprimary OR i.indisreplident)
                   AND a.attnum = ANY (i.indkey)),
           a.attidentity <> ''
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
"""

PARTS_NOW = r"""
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM '\d+')
    FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = %s ORDER BY 1
"""


class AlteringWriter:
    """Writes into `schema` of `database`. The same dice give the same statements."""

    def __init__(self, database: Database, schema: str, dice: random.Random, move_large_keys: bool):
        self._database = database
        self._schema = schema
        self._dice = dice
        self._serial = 0
        # Whether keys of rows with large values may change where the server does not send those again.
        self._move_large_keys = move_large_keys

    def run(self) -> None:
        for statement in TABLES:
            with self._database.transaction() as cursor:
                cursor.execute(self._named(statement))
        for alteration in (*ALTERATIONS, ()):
            for _ in range(self._dice.randint(1, 3)):
                with self._database.transaction() as cursor:
                    self._write(cursor)
            with self._database.transaction() as cursor:
                self._alter(cursor, alteration)

    def _named(self, statement: str) -> str:
        return statement.replace("{s}", self._schema).replace("{{", "{").replace("}}", "}")

    def _alter(self, cursor: Any, alteration: tuple[str, ...]) -> None:
        # Another alteration that comes to nothing, rows and all.
        cursor.execute("SAVEPOINT before")
        cursor.execute(self._named("ALTER TABLE {s}.kept ADD COLUMN never integer"))
        cursor.execute(self._named("UPDATE {s}.kept SET never = 1"))
        cursor.execute("ROLLBACK TO SAVEPOINT before")
        for statement in alteration:
            self._write(cursor)
            cursor.execute(self._named(statement))
        # A value of an enumeration cannot be used in the transaction that adds it, so rows that follow are the next's.
        if not any("ADD VALUE" in statement for statement in alteration):
            self._write(cursor)

    def _write(self, cursor: Any) -> None:
        cursor.execute(TABLES_NOW, (self._schema + "%",))
        tables = [Table(cursor, *row) for row in cursor.fetchall()]
        for table in self._dice.sample(tables, min(len(tables), 5)):
            self._write_table(cursor, table)

    def _write_table(self, cursor: Any, table: "Table") -> None:
        for _ in range(self._dice.randint(1, 4)):
            self._insert(cursor, table)
        if table.relation == "loose":  # rows that nothing tells apart
            cursor.execute(f"INSERT INTO {table.name} SELECT * FROM {table.name} LIMIT 3")
        for _ in range(self._dice.randint(0, 2)):
            self._update(cursor, table)
        if self._dice.random() < 0.4:
            cursor.execute(f"DELETE FROM {table.name} WHERE {self._some_row(table)}")

    def _insert(self, cursor: Any, table: "Table") -> None:
        given = {column.name: self._value(table, column) for column in table.columns if not column.is_identity}
        names = ", ".join(map(quoted, given))
        places = ", ".join(["%s"] * len(given))
        cursor.execute(
            f"INSERT INTO {table.name} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING", tuple(given.values())
        )

    def _update(self, cursor: Any, table: "Table") -> None:
        may_move = self._move_large_keys or table.identity == "f" or table.relation == "people"
        free = [
            column for column in table.columns
            if not column.is_identity and (may_move or not column.is_key or column.name == "part")
        ]
        if not free:
            return
        chosen = self._dice.sample(free, min(len(free), self._dice.randint(1, 3)))
        sets = ", ".join(f"{quoted(column.name)} = %s" for column in chosen)
        values = tuple(self._value(table, column) for column in chosen)
        cursor.execute("SAVEPOINT single")
        try:
            cursor.execute(f"UPDATE {table.name} SET {sets} WHERE {self._some_row(table)}", values)
        except psycopg2.errors.UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT single")

    def _some_row(self, table: "Table") -> str:
        some = f"SELECT tableoid, ctid FROM {table.name} OFFSET {self._dice.randint(0, 9)} LIMIT 1"
        return f"(tableoid, ctid) = ({some})"

    def _value(self, table: "Table", column: "Column") -> str | None:
        if column.name == "part":
            return self._dice.choice(table.parts)
        if column.is_key and column.kind in ("int4", "int8", "text", "varchar"):
            self._serial += 1
            return str(self._serial)
        if not column.is_key and self._dice.random() < 0.15:
            return None
        return VALUES[column.kind](self._dice)


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    is_key: bool
    is_identity: bool


class Table:
    """A table as it is now, in the session of `cursor`."""

    def __init__(self, cursor: Any, oid: int, identity: str, name: str, relation: str):
        self.identity, self.name, self.relation = identity, name, relation
        cursor.execute(COLUMNS_NOW, (oid,))
        self.columns = [Column(*row) for row in cursor.fetchall()]
        cursor.execute(PARTS_NOW, (oid,))
        # A partition that is detached may be attached again.
        self.parts = [part for (part,) in cursor.fetchall()] or ["1"]

"""Rows of random types and values: what walcat prints is what the server itself prints.

Each table has columns of random types. Its rows are inserted and partly updated; after each step the server is asked for
every value, as text and, where SQL can say it simply, for what Debezium makes of it. Three slots then replay the same
changes under `values: native`, `text` and `debezium`.

    WALCAT_TEST_PROPERTY_ROWS    rows that are inserted (10000); a third of them is updated
    WALCAT_TEST_PROPERTY_SEED    repeats a run; each run prints its seed
"""

import itertools
import json
import random
from dataclasses import dataclass
from typing import Any

import knobs
import pytest
from configuration import configuration, entry
from database import Database
from server_version import needs
from value_kinds import KINDS, Dice, Json, Kind, Number, quoted

ROWS = knobs.number("PROPERTY_ROWS", 10_000, sanitized=2_000)
SEED = knobs.number("PROPERTY_SEED", random.SystemRandom().randrange(1 << 32))
TABLE_ROWS = 250
STATEMENT_ROWS = 50

# What both the server's answers and the stream are read under.
SESSION = {"DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "TimeZone": "UTC", "extra_float_digits": "3",
           "bytea_output": "hex", "lc_monetary": "C", "search_path": "public"}


def exact(text: str) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    is_array: bool

    @property
    def declaration(self) -> str:
        return f"{self.name} {self.kind.name}{'[]' if self.is_array else ''}"

    def make(self, dice: Dice) -> str:
        if dice.random() < 0.1:
            return "NULL"
        return self._make_array(dice) if self.is_array else self.kind.make(dice)

    def questions(self) -> list[str]:
        """Text form, Debezium's form or that of the elements one after the other, and an array's shape."""
        output = unless_null(self.name, "concat({c})")
        if not self.is_array:
            return [output, unless_null(self.name, self.kind.question), "NULL"]
        of_element = unless_null("e", self.kind.question)
        unnest = self.kind.elements.format(c=self.name)
        elements = f"(SELECT array_agg({of_element} ORDER BY o) FROM {unnest} WITH ORDINALITY u(e, o))"
        return [output, elements, f"array_dims({self.name})"]

    def native(self, answers: list[Any]) -> Json:
        return None if answers[0] is None else (str if self.is_array else self.kind.native)(answers[0])

    def debezium(self, answers: list[Any]) -> Json:
        if answers[0] is None:
            return None
        if not self.is_array:
            return self.kind.debezium(answers[1])
        flat = [None if answer is None else self.kind.debezium(answer) for answer in answers[1] or []]
        return nested(flat, answers[2])

    def _make_array(self, dice: Dice) -> str:
        kind = self.kind.name
        if dice.random() < 0.1:
            return f"'{{}}'::{kind}[]"
        width = dice.randrange(1, 4)
        rows = ["ARRAY[" + ", ".join(self._make_element(dice) for _ in range(width)) + f"]::{kind}[]"
                for _ in range(dice.randrange(1, 4))]
        if dice.random() < 0.3:
            return f"ARRAY[{', '.join(rows)}]"
        if dice.random() < 0.2:
            return f"('[{-width}:-1]=' || ({rows[0]})::text)::{kind}[]"
        return rows[0]

    def _make_element(self, dice: Dice) -> str:
        return "NULL" if dice.random() < 0.2 else self.kind.make(dice)


def unless_null(name: str, question: str) -> str:
    return f"CASE WHEN num_nulls({name}) = 0 THEN {question.format(c=name)} END"


def nested(flat: list[Json], dims: str | None) -> Json:
    """Elements in the shape that array_dims() tells, `[1:2][1:3]`."""
    if dims is None:
        return flat
    bounds = [tuple(map(int, dim.split(":"))) for dim in dims[1:-1].split("][")]
    for low, high in reversed(bounds[1:]):
        size = high - low + 1
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat


class Table:
    def __init__(self, dice: Dice, number: int, kinds: list[Kind]):
        self.name = f"t{number}"
        self.is_full = dice.random() < 0.5
        self.columns = [Column(f"c{place}", kind, kind.in_arrays and dice.random() < 0.3)
                        for place, kind in enumerate(kinds)]
        # What the server says of each row, after the inserts and after the updates.
        self.answers: dict[str, dict[int, list[list[Any]]]] = {}

    def create(self, database: Database) -> None:
        declarations = "".join(f", {column.declaration}" for column in self.columns)
        database.execute(f"CREATE TABLE {self.name} (id integer PRIMARY KEY{declarations})")
        if self.is_full:
            database.execute(f"ALTER TABLE {self.name} REPLICA IDENTITY FULL")

    def insert(self, database: Database, dice: Dice, rows: int) -> None:
        for begin in range(0, rows, STATEMENT_ROWS):
            ids = range(begin, min(begin + STATEMENT_ROWS, rows))
            values = (", ".join([str(id), *(column.make(dice) for column in self.columns)]) for id in ids)
            database.execute(f"INSERT INTO {self.name} VALUES " + ", ".join(f"({value})" for value in values))
        self._ask(database, "c")

    def update(self, database: Database, dice: Dice, rows: int) -> None:
        with database.transaction() as cursor:
            cursor.execute("SET search_path = public")
            for id in range(0, rows, 3):
                sets = ", ".join(f"{column.name} = {column.make(dice)}" for column in self.columns)
                cursor.execute(f"UPDATE {self.name} SET {sets} WHERE id = {id}")
        self._ask(database, "u")

    def expected(self, op: str, id: int, values: str) -> dict[str, Json]:
        row = {"id": str(id) if values == "text" else Number(str(id))}
        for column, answers in zip(self.columns, self.answers[op][id]):
            if values == "text":
                row[column.name] = answers[0]
            else:
                row[column.name] = column.native(answers) if values == "native" else column.debezium(answers)
        return row

    def _ask(self, database: Database, op: str) -> None:
        questions = [question for column in self.columns for question in column.questions()]
        rows = database.rows(f"SELECT id, {named(questions)} FROM {self.name}")
        self.answers[op] = {row[0]: grouped(row[1:]) for row in rows}


def named(questions: list[str]) -> str:
    return ", ".join(f"{question} AS q{number}" for number, question in enumerate(questions))


def grouped(answers: Any) -> list[list[Any]]:
    return [list(answers[start : start + 3]) for start in range(0, len(answers), 3)]


def tables_of(dice: Dice, count: int) -> list[Table]:
    """Every kind appears once before one appears again."""
    kinds = itertools.chain.from_iterable(iter(lambda: dice.sample(KINDS, len(KINDS)), None))
    return [Table(dice, number, list(itertools.islice(kinds, dice.randrange(3, 12)))) for number in range(count)]


@pytest.fixture
def prepared(database: Database) -> Database:
    database.execute(*(f"CREATE EXTENSION {name}" for name in ("citext", "hstore", "ltree")))
    database.execute("CREATE TYPE mood AS ENUM ('good', 'so \"so\"')", "CREATE TYPE pair AS (a integer, b text)",
                     "CREATE DOMAIN amount AS numeric(12,3)", "CREATE DOMAIN millis AS timestamp(3)")
    database.execute(*(f"SET {name} = {quoted(value) if name != 'search_path' else value}"
                       for name, value in SESSION.items()))
    return database


def config_of(database: Database, values: str) -> dict[str, Any]:
    """A follower with a slot and an offset file of its own."""
    envelope = "debezium" if values == "debezium" else "message"
    return configuration(entry(database, slot_name=f"{database.slot_name}_{values}"), offset_file=f"{values}.json",
                         output={"envelope": envelope, "values": values})


def event(text: str) -> dict[str, Any]:
    line = exact(text)
    return line.get("message", line)


def matches(value: Json, expected: Json) -> bool:
    if isinstance(expected, tuple):  # a string that holds JSON
        return isinstance(value, str) and json.loads(value) == expected[1]
    return value == expected


def differences(row: dict[str, Json], expected: dict[str, Json]) -> list[str]:
    assert list(row) == list(expected)
    return [f"{name}: {row[name]!r} instead of {expected[name]!r}" for name in row
            if not matches(row[name], expected[name])]


def check_line(table: Table, line: dict[str, Any], values: str) -> list[str]:
    op = line["op"]
    id = line["after"]["id"]
    id = int(id.digits if isinstance(id, Number) else id)
    wrong = differences(line["after"], table.expected(op, id, values))
    if op == "u" and table.is_full:
        wrong += differences(line["before"], table.expected("c", id, values))
    return [f"{table.name} {op} {id} {declaration(table, each)} {each}" for each in wrong]


def declaration(table: Table, difference: str) -> str:
    name = difference.split(":")[0]
    return next((column.declaration for column in table.columns if column.name == name), name)


@needs(14, "extract() in decimal digits, by which the answers are computed")
def test_every_value_is_what_the_server_prints(prepared, walcat):
    print(f"WALCAT_TEST_PROPERTY_SEED={SEED}")
    dice = random.Random(SEED)
    tables = tables_of(dice, max(1, ROWS // TABLE_ROWS))
    followers = ("native", "text", "debezium")
    for values in followers:
        walcat.catch_up(config_of(prepared, values))
    for table in tables:
        table.create(prepared)
        table.insert(prepared, dice, TABLE_ROWS)
        table.update(prepared, dice, TABLE_ROWS)
    of_name = {table.name: table for table in tables}
    for values in followers:
        lines = [event(text) for text in walcat.catch_up(config_of(prepared, values), within=300).output.texts()]
        assert len(lines) == len(tables) * (TABLE_ROWS + len(range(0, TABLE_ROWS, 3))), f"seed {SEED}"
        wrong = [each for line in lines for each in check_line(of_name[line["source"]["table"]], line, values)]
        assert not wrong, f"seed {SEED}, values: {values}\n" + "\n".join(wrong[:50])

"""Lies in the rows of an answer: too few and too many of them, of their columns, and what stands in these."""

import struct
from collections.abc import Callable

from lie import ANSWER, End, Flood, Lie, Part, Tell
from lies_in_messages import EVIL, FLOOD, HUGE, NO_TEXT
from wire import Answer, Message, Row, Value, encoded, has, row_message, rows_of, with_columns, with_rows

COLUMN = b"extra\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0)


def rows_are(change: Callable[[list[Row]], list[Row] | None]) -> Tell:
    """Other rows under the true description."""

    def told(truth: Answer) -> list[Part] | None:
        rows = rows_of(truth)
        changed = change(rows) if has(truth, b"T") else None
        return None if changed is None or changed == rows else [encoded(with_rows(truth, changed))]

    return told


def values_are(change: Callable[[Value, Row, list[Row]], Value]) -> Tell:
    """Each value from itself, its row and all rows."""
    return rows_are(lambda rows: [[change(value, row, rows) for value in row] for row in rows])


def always(value: Value) -> Tell:
    return values_are(lambda *_: value)


def shape_is(
    columns: Callable[[list[bytes]], list[bytes]] | None, row: Callable[[Row], Row] | None
) -> Tell:
    """Other columns: in the description, in the rows, or in both."""

    def told(truth: Answer) -> list[Part] | None:
        rows = rows_of(truth)
        if not has(truth, b"T") or (columns is None and not rows):
            return None
        changed = with_rows(truth, [row(it) for it in rows]) if row else truth
        changed = with_columns(changed, columns) if columns else changed
        return None if changed == truth else [encoded(changed)]

    return told


def is_number(value: Value) -> bool:
    return value is not None and value.isdigit()


def numbers_are(change: Callable[[Row, list[Row]], Value]) -> Tell:
    """Of columns of numbers only. With the row's first value everywhere a type is its own base and element, and a
    partition its own ancestor."""
    return values_are(lambda value, row, rows: change(row, rows) if is_number(value) else value)


def first_value(rows: list[Row]) -> Value:
    return next((value for row in rows for value in row if is_number(value)), b"0")


def flip(value: Value, *_: object) -> Value:
    return {b"t": b"f", b"f": b"t"}.get(value, value)


def endless_rows(truth: Answer) -> list[Part] | None:
    rows = rows_of(truth)
    if not rows:
        return None
    head = [message for message in truth if message.kind in b"12T"]
    return [encoded(head), Flood(bytes(row_message(rows[-1])), FLOOD), End.SILENCE]


def endless_answers(truth: Answer) -> list[Part] | None:
    """Each as true as the first, and none is the last."""
    return [Flood(encoded(truth[:-1]), FLOOD), End.SILENCE] if has(truth, b"C") else None


def row_claims(claim: bytes) -> Tell:
    """A row that says other things of itself than are so, in place of the first."""

    def told(truth: Answer) -> list[Part] | None:
        if not has(truth, b"D"):
            return None
        at = next(n for n, message in enumerate(truth) if message.kind == b"D")
        return [encoded([*truth[:at], Message(b"D", claim), *truth[at + 1 :]])]

    return told


def one(rows: list[Row], column: int, value: Value) -> list[Row] | None:
    """The first row with another value in one column."""
    if not rows or not -len(rows[0]) <= column < len(rows[0]):
        return None
    first = list(rows[0])
    first[column] = value
    return [first, *rows[1:]]


LIES = [
    Lie("no rows", ANSWER, rows_are(lambda rows: [])),
    Lie("a row too few", ANSWER, rows_are(lambda rows: rows[:-1])),
    Lie("a row twice", ANSWER, rows_are(lambda rows: rows + rows[-1:])),
    Lie("a row of nulls more", ANSWER, rows_are(lambda rows: rows + [[None] * len(row) for row in rows[-1:]])),
    Lie("each row 2000 times", ANSWER, rows_are(lambda rows: rows * 2000)),
    Lie("rows backwards", ANSWER, rows_are(lambda rows: rows[::-1])),
    Lie("no columns", ANSWER, shape_is(lambda columns: [], lambda row: [])),
    Lie("no columns in rows", ANSWER, shape_is(None, lambda row: [])),
    Lie("a column too few", ANSWER, shape_is(lambda columns: columns[:-1], lambda row: row[:-1])),
    Lie("a column too few in rows", ANSWER, shape_is(None, lambda row: row[:-1])),
    Lie("a column too few in the description", ANSWER, shape_is(lambda columns: columns[:-1], None)),
    Lie("a column too many", ANSWER, shape_is(lambda columns: [*columns, COLUMN], lambda row: [*row, b"1"])),
    Lie("a column too many in rows", ANSWER, shape_is(None, lambda row: [*row, b"1"])),
    Lie("a column too many in the description", ANSWER, shape_is(lambda columns: [*columns, COLUMN], None)),
    Lie("1600 columns", ANSWER, shape_is(lambda columns: [COLUMN] * 1600, lambda row: [b"1"] * 1600)),
    Lie("columns backwards", ANSWER, shape_is(lambda columns: columns[::-1], lambda row: row[::-1])),
    Lie("nulls everywhere", ANSWER, always(None)),
    *(
        Lie(f"null in column {column}", ANSWER, rows_are(lambda rows, column=column: one(rows, column, None)))
        for column in (0, 1, 2, 3, -1)
    ),
    Lie("empty texts everywhere", ANSWER, always(b"")),
    Lie("words for numbers", ANSWER, numbers_are(lambda row, rows: b"many")),
    Lie("words everywhere", ANSWER, always(b"many")),
    Lie("numbers of 30 digits", ANSWER, numbers_are(lambda row, rows: b"9" * 30)),
    Lie("numbers of 100,000 digits", ANSWER, numbers_are(lambda row, rows: b"9" * 100_000)),
    Lie("numbers of 64 bits", ANSWER, numbers_are(lambda row, rows: b"18446744073709551615")),
    Lie("negative numbers", ANSWER, numbers_are(lambda row, rows: b"-1")),
    Lie("zeros", ANSWER, numbers_are(lambda row, rows: b"0")),
    Lie("numbers that are the row's first", ANSWER, numbers_are(lambda row, rows: first_value([row]))),
    Lie("numbers that are the first row's", ANSWER, numbers_are(lambda row, rows: first_value(rows))),
    Lie("numbers that are the last row's", ANSWER, numbers_are(lambda row, rows: first_value(rows[::-1]))),
    Lie("yes for no", ANSWER, values_are(flip)),
    Lie("a text of 4 MiB first", ANSWER, rows_are(lambda rows: one(rows, 0, HUGE))),
    Lie("a text of 4 MiB last", ANSWER, rows_are(lambda rows: one(rows, -1, HUGE))),
    Lie("control characters everywhere", ANSWER, always(EVIL)),
    Lie("control characters first", ANSWER, rows_are(lambda rows: one(rows, 0, EVIL))),
    Lie("bytes that are no text everywhere", ANSWER, always(NO_TEXT)),
    Lie("bytes that are no text last", ANSWER, rows_are(lambda rows: one(rows, -1, NO_TEXT))),
    Lie("quotes", ANSWER, always(b"\"'; DROP TABLE items; --\n\\")),
    Lie("NUL inside", ANSWER, always(b"a\0b")),
    Lie("arrays that do not end", ANSWER, always(b"{1,2,{")),
    Lie("positions beyond all", ANSWER, values_are(lambda value, *_: b"FFFFFFFF/FFFFFFFF" if b"/" in (value or b"") else value)),
    Lie("positions of nothing", ANSWER, values_are(lambda value, *_: b"0/0" if b"/" in (value or b"") else value)),
    Lie("endless rows", ANSWER, endless_rows),
    Lie("endless answers", ANSWER, endless_answers),
    Lie("a row of 65535 columns", ANSWER, row_claims(struct.pack("!H", 65535))),
    Lie("a value of 2 GiB", ANSWER, row_claims(struct.pack("!Hi", 1, 2**31 - 1))),
    Lie("a value of -2 bytes", ANSWER, row_claims(struct.pack("!Hi", 1, -2))),
    Lie("a row of two bytes", ANSWER, row_claims(b"\0\1")),
    Lie("a row of nothing", ANSWER, row_claims(b"")),
]

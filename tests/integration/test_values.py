"""How values are written: native and text."""

import json

import pytest
from server_version import MAJOR

# Each row: type, SQL value, the value's JSON under `native`, PostgreSQL's text form.
VALUES = [
    ("smallint", "-32768", "-32768", "-32768"),
    ("integer", "0", "0", "0"),
    ("bigint", "9223372036854775807", "9223372036854775807", "9223372036854775807"),
    ("numeric", "12345678901234567890.1234500", "12345678901234567890.1234500", "12345678901234567890.1234500"),
    ("numeric(10,2)", "-0.5", "-0.50", "-0.50"),
    ("numeric", "'NaN'", '"NaN"', "NaN"),
    *([("numeric", "'-Infinity'", '"-Infinity"', "-Infinity")] if MAJOR >= 14 else []),
    # Older servers print more digits than tell such numbers apart.
    *([] if MAJOR < 12 else [
        ("double precision", "0.1", "0.1", "0.1"),
        ("double precision", "'1e100'", "1e+100", "1e+100"),
        ("double precision", "'-1.5e-300'", "-1.5e-300", "-1.5e-300"),
        ("real", "3.4e38", "3.4e+38", "3.4e+38"),
    ]),
    ("double precision", "'Infinity'", '"Infinity"', "Infinity"),
    ("double precision", "'NaN'", '"NaN"', "NaN"),
    ("real", "'-0'", "-0", "-0"),
    ("boolean", "true", "true", "t"),
    ("boolean", "false", "false", "f"),
    ("text", "''", '""', ""),
    ("text", "'NaN'", '"NaN"', "NaN"),
    ("text", "'12'", '"12"', "12"),
    ("text", "NULL", "null", None),
    ("char(4)", "'ab'", '"ab  "', "ab  "),
    ("varchar(9)", "'ab'", '"ab"', "ab"),
    ("date", "'2024-02-29'", '"2024-02-29"', "2024-02-29"),
    ("timestamp", "'2024-02-29 12:34:56.789'", '"2024-02-29 12:34:56.789"', "2024-02-29 12:34:56.789"),
    ("timestamptz", "'2024-02-29 12:34:56+02'", '"2024-02-29 10:34:56+00"', "2024-02-29 10:34:56+00"),
    ("bytea", r"'\x00ff'", r'"\\x00ff"', r"\x00ff"),
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', None),
    ("integer[]", "'{1,NULL,3}'", '"{1,NULL,3}"', "{1,NULL,3}"),
    ("boolean[]", "'{t,f}'", '"{t,f}"', "{t,f}"),
    ("jsonb", """'{"a": [1, "x"]}'""", r'"{\"a\": [1, \"x\"]}"', '{"a": [1, "x"]}'),
    ("mood", "'so so'", '"so so"', "so so"),
    ("point", "'(1,2)'", '"(1,2)"', "(1,2)"),
    ("inet", "'10.0.0.1/8'", '"10.0.0.1/8"', "10.0.0.1/8"),
]

TEXTS = {
    "a quote": 'say "hi"',
    "a backslash": "C:\\temp\\",
    "line breaks": "one\ntwo\r\nthree",
    "tab, backspace, form feed": "a\tb\bc\fd",
    "every control character": "".join(chr(code) for code in range(1, 32)) + "\x7f",
    "two bytes a letter": "Größe",
    "three bytes a letter": "漢字",
    "four bytes a letter": "🐘 in the 𝔚𝔄𝔏",
    "line separators of Unicode": "a\u2028b\u2029c\u0085d",
    "an escape at each place of a block": "".join("x" * length + '"' for length in range(40)),
    "long and clean": "abc " * 2000,
    "long with quotes": ('"' + "x" * 31) * 500,
}


@pytest.fixture
def make_values(database):
    database.execute("CREATE TYPE mood AS ENUM ('good', 'so so')")
    columns = ", ".join(f"c{number} {kind}" for number, (kind, *_) in enumerate(VALUES))
    database.execute(f"CREATE TABLE vals ({columns})")
    return "INSERT INTO vals VALUES (" + ", ".join(value for _, value, *_ in VALUES) + ")"


def test_native_values_are_numbers_and_booleans_with_the_servers_digits(make_values, lines_of):
    (line,) = lines_of(make_values)
    row = ",".join(f'"c{number}":{native}' for number, (_, _, native, _) in enumerate(VALUES))
    assert f'"after":{{{row}}}' in line.text


def test_text_values_are_strings_whatever_their_type(make_values, lines_of):
    (line,) = lines_of(make_values, output={"values": "text"})
    for number, (kind, value, native, text) in enumerate(VALUES):
        expected = json.loads(native) if kind == "uuid" else text
        assert line.after[f"c{number}"] == expected, f"{kind} {value}"


def test_the_settings_of_a_database_do_not_change_values(database, make_values, lines_of):
    for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "bytea_output = 'escape'",
                    "extra_float_digits = 0", "IntervalStyle = 'sql_standard'"):
        database.execute(f'ALTER DATABASE "{database.name}" SET {setting}')
    (line,) = lines_of(make_values)
    for number, (kind, value, native, _) in enumerate(VALUES):
        assert f'"c{number}":{native}' in line.text, f"{kind} {value}"


@pytest.mark.parametrize("name", TEXTS)
def test_text_survives_whatever_is_in_it(name, database, walcat, lines_of):
    database.execute("CREATE TABLE texts (id integer PRIMARY KEY, body text)")
    lines_of()
    database.rows("INSERT INTO texts VALUES (1, %s) RETURNING id", (TEXTS[name],))
    (line,) = lines_of()
    assert line.after["body"] == TEXTS[name]


def test_a_table_without_columns_has_empty_rows(database, lines_of):
    database.execute("CREATE TABLE nothing ()")
    (line,) = lines_of("INSERT INTO nothing DEFAULT VALUES")
    assert line.after == {}

"""Debezium's form of every built-in type, of extensions' and users' types, and of arrays and domains over all of them.

A row of the table is a type, a value, and its JSON. From it follow more tables: arrays with a null, nested arrays, arrays
with bounds of their own, domains, and arrays of domains, whose JSON is made of the element's.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from configuration import follow_all
from database import Database
from server_version import MAJOR, NEEDS_TYPES, needs

# What `output.debezium` is in each run.
MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "precise": {"decimal_handling_mode": "precise"},
    "one money digit": {"decimal_handling_mode": "precise", "money_fraction_digits": 1},
    "double": {"decimal_handling_mode": "double"},
    "string": {"decimal_handling_mode": "string"},
    "adaptive": {"time_precision_mode": "adaptive"},
    "adaptive_time_microseconds": {"time_precision_mode": "adaptive_time_microseconds"},
    "connect": {"time_precision_mode": "connect"},
    "isostring": {"time_precision_mode": "isostring"},
    "microseconds": {"time_precision_mode": "microseconds"},
    "nanoseconds": {"time_precision_mode": "nanoseconds"},
    "interval string": {"interval_handling_mode": "string"},
    "hstore map": {"hstore_handling_mode": "map"},
    "base64": {"binary_handling_mode": "base64"},
    "base64-url-safe": {"binary_handling_mode": "base64-url-safe"},
    "hex": {"binary_handling_mode": "hex"},
}


@dataclass(frozen=True)
class Row:
    """A type, the value's text, its JSON, and that of the modes in which it is another."""

    kind: str
    text: str
    json: str
    modes: dict[str, str] = field(default_factory=dict)

    def expected(self, mode: str) -> str:
        return self.modes.get(mode, self.json)


def string(kind: str, text: str, printed: str | None = None) -> Row:
    """A type that is printed as PostgreSQL prints it."""
    return Row(kind, text, json.dumps(text if printed is None else printed))


def decimal(kind: str, text: str, digits: str, precise: str, double: str) -> Row:
    return Row(kind, text, f'"{digits}"', {"precise": precise, "one money digit": precise, "double": double})


def binary(text: str, base64: str, url_safe: str, hexadecimal: str) -> Row:
    return Row("bytea", text, f'"{base64}"', {"base64-url-safe": f'"{url_safe}"', "hex": f'"{hexadecimal}"'})


def temporal(kind: str, text: str, adaptive: str, adaptive_time: str, connect: str, iso: str, micros: str,
             nanos: str) -> Row:
    modes = {"adaptive_time_microseconds": adaptive_time, "connect": connect, "isostring": f'"{iso}"',
             "microseconds": micros, "nanoseconds": nanos}
    return Row(kind, text, adaptive, modes)


def date(text: str, days: int, iso: str) -> Row:
    return Row("date", text, str(days), {"isostring": f'"{iso}"'})


def interval(text: str, micros: int, iso: str) -> Row:
    return Row("interval", text, str(micros), {"interval string": f'"{iso}"'})


def hstore(text: str, members: str) -> Row:
    return Row("hstore", text, json.dumps(members), {"hstore map": members})


ROWS = [
    # Numbers
    Row("boolean", "t", "true"),
    Row("boolean", "f", "false"),
    Row("smallint", "-32768", "-32768"),
    Row("integer", "2147483647", "2147483647"),
    Row("bigint", "9223372036854775807", "9223372036854775807"),
    Row("bigint", "-9223372036854775808", "-9223372036854775808"),
    Row("oid", "4294967295", "4294967295"),
    Row("real", "3", "3.0"),
    Row("real", "1e-4", "0.0001"),
    Row("real", "-0", "-0.0"),
    Row("real", "NaN", '"NaN"'),
    Row("double precision", "0.30000000000000004", "0.30000000000000004"),
    Row("double precision", "1e100", "1e+100"),
    Row("double precision", "Infinity", '"Infinity"'),
    Row("double precision", "-Infinity", '"-Infinity"'),
    decimal("numeric(10,2)", "1234.5", "1234.50", '"AeI6"', "1234.5"),
    decimal("numeric(10,2)", "-1.28", "-1.28", '"gA=="', "-1.28"),
    decimal("numeric(10,2)", "0", "0.00", '"AA=="', "0.0"),
    decimal("numeric(10,2)", "NaN", "NAN", '"NaN"', '"NaN"'),
    *([] if MAJOR < 15 else [
        decimal("numeric(5,-2)", "12345", "12300", '"MAw="', "12300.0"),
        decimal("numeric(3,5)", "0.00123", "0.00123", '"ew=="', "0.00123"),
    ]),
    decimal("numeric(38,0)", "18446744073709551616", "18446744073709551616", '"AQAAAAAAAAAA"', "18446744073709551616.0"),
    decimal("numeric", "10.5000", "10.5000", '{"scale":1,"value":"aQ=="}', "10.5"),
    decimal("numeric", "1e30", "1" + "0" * 30, '{"scale":0,"value":"DJ8snNBGdO3qQAAAAA=="}', "1e+30"),
    Row("numeric", "1" + "0" * 400, json.dumps("1" + "0" * 400), {
        mode: '{"scale":0,"value":"%s"}' % base64.b64encode((10**400).to_bytes(167, "big")).decode()
        for mode in ("precise", "one money digit")
    }),
    decimal("numeric", "NaN", "NAN", '"NaN"', '"NaN"'),
    decimal("numeric", "Infinity", "POSITIVE_INFINITY", '"Infinity"', '"Infinity"'),
    decimal("numeric", "-Infinity", "NEGATIVE_INFINITY", '"-Infinity"', '"-Infinity"'),
    Row("money", "-1234.11", '"-1234.11"', {"precise": '"/h3t"', "one money digit": '"z8s="', "double": "-1234.11"}),
    Row("money", "0.05", '"0.05"', {"precise": '"BQ=="', "one money digit": '"AQ=="', "double": "0.05"}),
    # Text
    string('"char"', "x"),
    Row("char(4)", "ab", '"ab  "'),
    string("bpchar", "ab"),
    string("varchar(9)", "ab"),
    string("text", ""),
    string("text", "NULL"),
    string("text", "{1,2}"),
    Row("text", "a\"b\\c\n\t\x01 é\u2028🐘", '"a\\"b\\\\c\\n\\t\\u0001 é\u2028🐘"'),
    string("name", "a name"),
    string("refcursor", "cursor"),
    string("json", '{"a":  [1, null]}'),
    string("jsonb", '{"a":1}', '{"a": 1}'),
    string("jsonb", "null"),
    string("jsonpath", "$.a", '$."a"'),
    string("xml", "<a b=\"1\">x</a>"),
    string("tsvector", "quick:1,3 brown:2", "'brown':2 'quick':1,3"),
    string("tsquery", "a & b", "'a' & 'b'"),
    string("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    # Bytes and bits
    binary("\\x", "", "", ""),
    binary("\\xfbff00", "+/8A", "-_8A", "fbff00"),
    binary("\\xfb", "+w==", "-w==", "fb"),
    Row("bit(1)", "1", "true"),
    Row("bit(1)", "0", "false"),
    Row("bit(8)", "10000001", '"gQ=="'),
    Row("bit(12)", "000000000000", '""'),
    Row("varbit(1)", "1", "true"),
    Row("varbit(20)", "101", '"BQ=="'),
    Row("varbit", "100000001", '"AQE="'),
    Row("varbit", "", '""'),
    # Dates and times
    date("2016-11-04", 17109, "2016-11-04Z"),
    date("0044-03-15 BC", -735160, "-0043-03-15Z"),
    date("5874897-12-31", 2145042905, "+5874897-12-31Z"),
    date("infinity", -2147472692, "infinity"),
    date("-infinity", -2147472691, "-infinity"),
    temporal("time(3)", "13:51:30.1237", "49890124", "49890124000", "49890124", "13:51:30.124Z", "49890124000",
             "49890124000000"),
    temporal("time", "13:51:30.123789", "49890123789", "49890123789", "49890123", "13:51:30.123789Z", "49890123789",
             "49890123789000"),
    temporal("time", "24:00:00", "86400000000", "86400000000", "86400000", "00:00:00Z", "86400000000",
             "86400000000000"),
    Row("timetz", "13:51:30.123789+02", '"11:51:30.123789Z"'),
    Row("timetz(0)", "01:00:00+05:30", '"19:30:00Z"'),
    temporal("timestamp(3)", "2016-11-04 13:51:30.123", "1478267490123", "1478267490123", "1478267490123",
             "2016-11-04T13:51:30.123Z", "1478267490123000", "1478267490123000000"),
    temporal("timestamp", "2016-11-04 13:51:30.5", "1478267490500000", "1478267490500000", "1478267490500",
             "2016-11-04T13:51:30.5Z", "1478267490500000", "1478267490500000000"),
    temporal("timestamp(4)", "1969-12-31 23:59:59.9999", "-100", "-100", "-1", "1969-12-31T23:59:59.9999Z", "-100",
             "-100000"),
    temporal("timestamp", "0044-03-15 12:00:00 BC", "-63517780800000000", "-63517780800000000", "-63517780800000",
             "-0043-03-15T12:00:00Z", "-63517780800000000", '"0044-03-15 12:00:00 BC"'),
    temporal("timestamp(0)", "0001-01-01 00:00:00", "-62135596800000", "-62135596800000", "-62135596800000",
             "0001-01-01T00:00:00Z", "-62135596800000000", '"0001-01-01 00:00:00"'),
    temporal("timestamp", "2262-04-12 00:00:00", "9223372800000000", "9223372800000000", "9223372800000",
             "2262-04-12T00:00:00Z", "9223372800000000", '"2262-04-12 00:00:00"'),
    temporal("timestamp", "294276-12-31 23:59:59.999999", '"294276-12-31 23:59:59.999999"',
             '"294276-12-31 23:59:59.999999"', "9224318015999999", "+294276-12-31T23:59:59.999999Z",
             '"294276-12-31 23:59:59.999999"', '"294276-12-31 23:59:59.999999"'),
    temporal("timestamp", "infinity", "9223372036825200000", "9223372036825200000", "9223372036825200",
             "infinity", "9223372036825200000", "9223372036854775807"),
    temporal("timestamp(3)", "-infinity", "-9223372036832400", "-9223372036832400", "-9223372036832400",
             "-infinity", "-9223372036832400000", "-9223372036854775808"),
    Row("timestamptz", "2016-11-04 13:51:30+02", '"2016-11-04T11:51:30.000000Z"'),
    Row("timestamptz(0)", "2016-11-04 13:51:30+02", '"2016-11-04T11:51:30Z"'),
    Row("timestamptz(3)", "2016-11-04 13:51:30.1239+00", '"2016-11-04T13:51:30.124Z"'),
    Row("timestamptz", "0044-03-15 12:00:00+00 BC", '"-0043-03-15T12:00:00.000000Z"'),
    Row("timestamptz", "294276-12-31 23:59:59.999999+00", '"+294276-12-31T23:59:59.999999Z"'),
    Row("timestamptz", "infinity", '"infinity"'),
    Row("timestamptz(3)", "-infinity", '"-infinity"'),
    interval("1 year 2 mons 3 days 04:05:06.78", 37091106780000, "P1Y2M3DT4H5M6.78S"),
    interval("-1 mons -2 days -03:04:05.5", -2813645500000, "P0Y-1M-2DT-3H-4M-5.5S"),
    interval("-1 days +02:03:04", -79016000000, "P0Y0M-1DT2H3M4S"),
    interval("100 hours", 360000000000, "P0Y0M0DT100H0M0S"),
    Row("interval", "178000000 years", '"178000000 years"', {"interval string": '"P178000000Y0M0DT0H0M0S"'}),
    # Network addresses
    string("inet", "10.0.0.1/32", "10.0.0.1"),
    string("inet", "10.0.0.1/8"),
    string("cidr", "10.0.0.0/8"),
    string("macaddr", "08:00:2b:01:02:03"),
    string("macaddr8", "08:00:2b:01:02:03:04:05"),
    # Shapes
    Row("point", "(1.5,-2)", '{"x":1.5,"y":-2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null}'),
    string("line", "{1,-1,0}"),
    string("lseg", "[(1,2),(3,4)]"),
    string("box", "(3,4),(1,2)"),
    string("path", "((1,2),(3,4))"),
    string("polygon", "((1,2),(3,4),(5,0))"),
    string("circle", "<(10,20),10>"),
    # Ranges
    string("int4range", "(1,5]", "[2,6)"),
    string("int8range", "empty"),
    string("numrange", "[1.50,)"),
    string("tsrange", '["2019-03-31 15:30:00",infinity)'),
    string("tstzrange", '["2019-03-31 15:30:00+02",)', '["2019-03-31 13:30:00+00",)'),
    string("daterange", "[2019-03-31,2019-04-01]", "[2019-03-31,2019-04-02)"),
    string("int4multirange", "{[1,2),[5,6)}"),
    string("int8multirange", "{}"),
    string("nummultirange", "{[1.5,2.5)}"),
    string("tsmultirange", '{["2019-03-31 15:30:00","2019-03-31 15:30:01")}'),
    string("tstzmultirange", '{["2019-03-31 15:30:00+00","2019-03-31 15:30:01+00")}'),
    string("datemultirange", "{[2019-03-31,2019-04-02)}"),
    # The server's own
    string("int2vector", "1 2 3"),
    string("oidvector", "1 2 3"),
    string("tid", "(0,1)"),
    string("xid", "4294967295"),
    string("xid8", "18446744073709551615"),
    string("cid", "7"),
    string("pg_lsn", "16/B374D848"),
    string("txid_snapshot", "10:20:10,14,15"),
    string("pg_snapshot", "10:20:10,14,15"),
    string("aclitem", "postgres=r/postgres"),
    string("regproc", "now"),
    string("regprocedure", "abs(numeric)"),
    string("regoper", "||/"),
    string("regoperator", "*(integer,integer)"),
    string("regclass", "pg_class"),
    string("regtype", "integer"),
    string("regrole", "postgres"),
    string("regnamespace", "pg_catalog"),
    string("regconfig", "english"),
    string("regdictionary", "simple"),
    string("regcollation", '"C"'),
    # Extensions, in a schema of their own
    string("citext", "MiXed"),
    hstore('"k"=>"v", "n"=>NULL', '{"k":"v","n":null}'),
    hstore('"a\\"b"=>"c\\\\d\n"', '{"a\\"b":"c\\\\d\\n"}'),
    hstore("", "{}"),
    string("ltree", "top.science"),
    string("lquery", "top.*"),
    string("isbn", "0-393-04002-X"),
    string("ean13", "978-0-393-04002-9"),
    string("cube", "(1, 2),(3, 4)"),
    # Users' own
    string("mood", "so \"so\""),
    string("pair", "(1,\"x y\")"),
    string("pair", "(,)"),
    string("floatrange", "[1.5,2)"),
]

EXTENSIONS = ["citext", "hstore", "ltree", "isn", "cube"]

# Types of pg_catalog that have no input, or that no column can be made of.
NO_COLUMNS = {"pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list", "pg_brin_bloom_summary",
              "pg_brin_minmax_multi_summary", "gtsvector"}


@dataclass(frozen=True)
class Shape:
    """What a table of the suite holds instead of the values themselves."""

    # {kind} is the type, {domain} a domain over it.
    column: str
    # {value} is an expression of the type.
    value: str
    # {json} is the value's JSON.
    json: str


SHAPES = {
    "plain": Shape("{kind}", "{value}", "{json}"),
    "arrays": Shape("{kind}[]", "ARRAY[{value}, NULL]", "[{json},null]"),
    "nested": Shape("{kind}[]", "ARRAY[[[{value}], [NULL::{kind}]]]", "[[[{json}],[null]]]"),
    "bounds": Shape("{kind}[]", "('[-1:0]=' || (ARRAY[{value}, NULL]::{kind}[])::text)::{kind}[]", "[{json},null]"),
    "empty": Shape("{kind}[]", "'{{}}'", "[]"),
    "domains": Shape("{domain}", "{value}", "{json}"),
    "domain_arrays": Shape("{domain}[]", "ARRAY[{value}::{domain}, NULL]", "[{json},null]"),
}

SETTINGS = {
    "of the database": (
        'ALTER DATABASE "{name}" SET {setting}',
        ["DateStyle = 'German'", "IntervalStyle = 'sql_standard'", "extra_float_digits = 0", "bytea_output = 'escape'",
         "TimeZone = 'Asia/Tokyo'"],
    ),
    "of the role": (
        'ALTER ROLE postgres IN DATABASE "{name}" SET {setting}',
        ["DateStyle = 'SQL, DMY'", "IntervalStyle = 'iso_8601'", "extra_float_digits = -5", "bytea_output = 'escape'",
         "TimeZone = 'America/St_Johns'"],
    ),
}


@dataclass(frozen=True)
class Number:
    """A number's digits, so that 3.0 is not 3."""

    digits: str


def exact(text: str) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture
def typed(database: Database) -> Database:
    """A database with a table for each shape. Its session reads literals as ISO, whatever is set later."""
    database.execute("CREATE SCHEMA ext", f'ALTER DATABASE "{database.name}" SET search_path = public, ext',
                     "SET search_path = public, ext")
    database.execute(*(f"CREATE EXTENSION {name} SCHEMA ext" for name in EXTENSIONS))
    database.execute("CREATE TYPE mood AS ENUM ('good', 'so \"so\"')", "CREATE TYPE pair AS (a integer, b text)",
                     "CREATE TYPE floatrange AS RANGE (subtype = float8)")
    kinds = sorted({row.kind for row in ROWS})
    domains = {kind: f"d{number}" for number, kind in enumerate(kinds)}
    database.execute(*(f"CREATE DOMAIN {domain} AS {kind}" for kind, domain in domains.items()))
    for name, shape in SHAPES.items():
        columns = (f"c{number} " + shape.column.format(kind=row.kind, domain=domains[row.kind])
                   for number, row in enumerate(ROWS))
        database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    return database


def insert(name: str, shape: Shape) -> str:
    kinds = sorted({row.kind for row in ROWS})
    values = (shape.value.format(value=f"{literal(row.text)}::{row.kind}", kind=row.kind,
                                 domain=f"d{kinds.index(row.kind)}") for row in ROWS)
    return f"INSERT INTO {name} VALUES ({', '.join(values)})"


@pytest.fixture
def printed(typed: Database, walcat) -> Callable[..., dict[str, Any]]:
    """Inserts a row into each table and returns the `after` of each."""

    def run(**debezium: Any) -> dict[str, Any]:
        config = follow_all(typed, output={"envelope": "debezium", "values": "debezium", "debezium": debezium})
        walcat.catch_up(config)
        typed.execute(*(insert(name, shape) for name, shape in SHAPES.items()))
        lines = [exact(text) for text in walcat.catch_up(config).output.texts()]
        return {line["source"]["table"]: line["after"] for line in lines}

    return run


def check(rows: dict[str, Any], mode: str) -> None:
    wrong = []
    for name, shape in SHAPES.items():
        for number, row in enumerate(ROWS):
            expected = exact(shape.json.format(json=row.expected(mode)))
            if rows[name][f"c{number}"] != expected:
                wrong.append(f"{name}: {row.kind} {row.text!r}: {rows[name][f'c{number}']} instead of {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("mode", MODES)
@NEEDS_TYPES
def test_every_type_is_printed_as_the_mode_says(mode, printed):
    check(printed(**MODES[mode]), mode)


@pytest.mark.parametrize("where", SETTINGS)
@NEEDS_TYPES
def test_settings_do_not_change_values(where, typed, printed):
    statement, settings = SETTINGS[where]
    typed.execute(*(statement.format(name=typed.name, setting=setting) for setting in settings))
    check(printed(), "default")


@NEEDS_TYPES
def test_every_built_in_type_has_a_row(typed):
    there = {row.typname for row in typed.rows(
        """SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
           AND typtype IN ('b', 'r', 'm') AND typsubscript <> 'array_subscript_handler'::regproc
           OR typname IN ('int2vector', 'oidvector')""")}
    tested = {typed.value("SELECT typname FROM pg_type WHERE oid = %s::regtype", (row.kind,)) for row in ROWS}
    assert there - tested == NO_COLUMNS


@NEEDS_TYPES
def test_a_null_is_null_whatever_the_type(typed, walcat):
    config = follow_all(typed, output={"envelope": "debezium", "values": "debezium"})
    walcat.catch_up(config)
    typed.execute("INSERT INTO plain DEFAULT VALUES")
    (text,) = walcat.catch_up(config).output.texts()
    assert set(json.loads(text)["after"].values()) == {None}


# What `output.debezium` is, a row of values, and how many of them it has no place for.
NO_PLACE = {
    "nanoseconds": ({"time_precision_mode": "nanoseconds"},
                    "'0001-01-01'::timestamp, ARRAY['2262-04-12', '9999-12-31', '2020-01-01']::timestamp[]", 3),
    "microseconds": ({}, "'294276-12-31'::timestamp, '-178000000 years'::interval", 2),
    "double": ({"decimal_handling_mode": "double"}, "1e400::numeric, ARRAY[-1e309, 1e308]::numeric[]", 2),
    "nothing": ({"time_precision_mode": "isostring"},
                "'infinity'::timestamp, ARRAY['NaN']::float8[], '4714-11-24 BC'::date, 'NaN'::numeric", 0),
}


@pytest.mark.parametrize("name", NO_PLACE)
@NEEDS_TYPES
def test_a_value_is_never_null_and_those_printed_as_text_are_counted(name, database, walcat):
    debezium, values, count = NO_PLACE[name]
    database.execute(f"CREATE TABLE t AS SELECT {values} LIMIT 0")
    config = follow_all(database, output={"envelope": "debezium", "debezium": debezium})
    walcat.catch_up(config)
    for _ in range(3):
        database.execute(f"INSERT INTO t SELECT {values}")
    run = walcat.catch_up(config)
    assert "null" not in json.dumps([json.loads(text)["after"] for text in run.output.texts()])
    counted = [line for line in run.log().splitlines() if "as text" in line]
    assert len(counted) == (2 if count else 0), run.log()
    assert not count or re.search(r"printed \d+ values as text", counted[0])
    assert not count or counted[1].endswith(f"values printed as text: {3 * count}")


@needs(11, "arrays of domains")
def test_domains_may_be_nested(database, walcat):
    database.execute(
        "CREATE TYPE mood AS ENUM ('good')",
        "CREATE DOMAIN millis AS timestamp(3)",
        "CREATE DOMAIN late AS millis CHECK (VALUE > '1970-01-01')",
        "CREATE DOMAIN amount AS numeric(10,2)",
        "CREATE DOMAIN price AS amount NOT NULL",
        "CREATE DOMAIN feeling AS mood",
        "CREATE DOMAIN numbers AS integer[]",
        "CREATE TABLE t (a late, b price, c feeling, d numbers, e numbers[], f late[])",
    )
    config = follow_all(database, output={"envelope": "debezium", "debezium": {"decimal_handling_mode": "precise"}})
    walcat.catch_up(config)
    database.execute("""INSERT INTO t VALUES ('1970-01-01 00:00:01.5', 1234.5, 'good', '{1,NULL}',
                        '{"{1,2}",NULL}', ARRAY['1970-01-01 00:00:02'::late])""")
    (text,) = walcat.catch_up(config).output.texts()
    assert '"after":{"a":1500,"b":"AeI6","c":"good","d":[1,null],"e":[[1,2],null],"f":[2000]}' in text


# A type, an expression that is stored out of line, and what stands for it when an update leaves it as it was.
UNCHANGED = [
    ("text", "repeat('x', 3000)", '"{}"'),
    ("varchar", "repeat('x', 3000)", '"{}"'),
    ("jsonb", "to_jsonb(repeat('x', 3000))", '"{}"'),
    ("xml", "('<a>' || repeat('x', 3000) || '</a>')::xml", '"{}"'),
    ("numeric", "('1' || repeat('0', 9000))::numeric + 1", '"{}"'),
    ("varbit", "repeat('10', 15000)::varbit", '"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="'),
    ("bytea", "decode(repeat('ab', 3000), 'hex')", '"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="'),
    ("text[]", "ARRAY[repeat('x', 3000)]", '["{}"]'),
    ("integer[]", "array_fill(7, ARRAY[1000])", '["{}"]'),
    ("ext.hstore", "ext.hstore('k', repeat('x', 3000))", '"{{\\"{0}\\":\\"{0}\\"}}"'),
]


@NEEDS_TYPES
def test_unchanged_toast_values_have_a_placeholder_in_their_form(typed, walcat):
    columns = [f"c{number}" for number in range(len(UNCHANGED))]
    declared = ", ".join(f"{name} {kind}" for name, (kind, *_) in zip(columns, UNCHANGED))
    external = ", ".join(f"ALTER {name} SET STORAGE EXTERNAL" for name in columns)
    typed.execute(f"CREATE TABLE toasted (id integer PRIMARY KEY, n integer, {declared})",
                  f"ALTER TABLE toasted {external}",
                  f"INSERT INTO toasted VALUES (1, 1, {', '.join(value for _, value, _ in UNCHANGED)})")
    config = follow_all(typed, output={"envelope": "debezium", "values": "debezium"})
    walcat.catch_up(config)
    typed.execute("UPDATE toasted SET n = 2")
    (text,) = walcat.catch_up(config).output.texts()
    after = json.loads(text)["after"]
    for name, (kind, _, placeholder) in zip(columns, UNCHANGED):
        assert after[name] == json.loads(placeholder.format("__debezium_unavailable_value")), kind

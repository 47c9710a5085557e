"""Types of columns: how a random value of each is made up, and what its JSON is, by the server's own answer on it."""

import base64
import json
import random
import string
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from server_version import MAJOR

Dice = random.Random
Json = Any


@dataclass(frozen=True)
class Number:
    """A number's digits."""

    digits: str


@dataclass(frozen=True)
class Kind:
    """A type: how a value is made up, and what its JSON is, from SQL's answer to a question about it."""

    name: str
    # An SQL expression of a random value, not null.
    make: Callable[[Dice], str]
    # {c} is the value; the answer is text. concat() prints as the type itself does, a cast may not.
    question: str = "concat({c})"
    debezium: Callable[[str], Json] = str
    native: Callable[[str], Json] = str
    # Question and answer may be asked of an array's elements, if they are read so.
    in_arrays: bool = True
    elements: str = "unnest({c})"


# Values, as SQL

def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def text(dice: Dice) -> str:
    alphabet = string.ascii_letters + "{}\\\"',;:=>() \t\n\r\b\f\x01\x1f\x7f/<&é漢🐘\u0085\u2028\u2029\ufeff\U0010ffff"
    if dice.random() < 0.05:
        return dice.choice(["", "NULL", "null", "NaN", "t", "12", "{}", "\\x00", "infinity", "2020-01-01"])
    length = dice.randrange(2000, 20_000) if dice.random() < 0.01 else dice.randrange(40)
    return "".join(dice.choice(alphabet) for _ in range(length))


def word(dice: Dice) -> str:
    return "".join(dice.choice(string.ascii_lowercase) for _ in range(dice.randrange(1, 8)))


def of_text(kind: str, make: Callable[[Dice], str] = text) -> Callable[[Dice], str]:
    return lambda dice: f"{quoted(make(dice))}::{kind}"


def integer(kind: str, bits: int) -> Callable[[Dice], str]:
    def make(dice: Dice) -> str:
        value = dice.randrange(-(1 << bits - 1), 1 << bits - 1) >> dice.randrange(bits)
        return f"'{value}'::{kind}"

    return make


def double(dice: Dice) -> float:
    if dice.random() < 0.5:
        return struct.unpack("<d", dice.randbytes(8))[0]
    return dice.choice([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 0.1 + 0.2, 5e-324, 1.7976931348623157e308,
                        float(dice.randrange(-1000, 1000)), dice.random(), dice.randrange(1 << 53) / 1000])


def real(dice: Dice) -> str:
    value = struct.unpack("<f", dice.randbytes(4))[0] if dice.random() < 0.7 else float(dice.randrange(-99, 99))
    return f"'{value!r}'::real"


def decimal(digits_most: int, scale_most: int, *special: str) -> Callable[[Dice], str]:
    def make(dice: Dice) -> str:
        if special and dice.random() < 0.1:
            return f"'{dice.choice(special)}'::numeric"
        digits = "".join(dice.choice(string.digits) for _ in range(dice.randrange(1, digits_most)))
        fraction = "".join(dice.choice(string.digits + "000") for _ in range(dice.randrange(scale_most + 1)))
        return f"'{dice.choice(['', '-'])}{digits}.{fraction}0'::numeric"

    return make


def date(dice: Dice) -> str:
    if dice.random() < 0.1:
        return dice.choice(["'infinity'::date", "'-infinity'::date", "'4713-01-01 BC'::date", "'5874897-12-31'::date"])
    return f"('1970-01-01'::date + {dice.randrange(-1_000_000, 3_000_000)})"


def micros(dice: Dice, bits: int) -> int:
    value = dice.getrandbits(bits) >> dice.randrange(bits)
    return value if dice.random() < 0.5 else value // 1_000_000 * 1_000_000


def span(value: int) -> str:
    """So many microseconds as an interval; servers before 15 want each of its numbers in 32 bits."""
    days, rest = divmod(value, 24 * 3_600_000_000)
    return f"{days} days {clock_time(rest)}"


def clock_time(value: int) -> str:
    minutes, rest = divmod(value, 60_000_000)
    return f"{minutes} minutes {rest // 1_000_000}.{rest % 1_000_000:06} seconds"


def timestamp(kind: str, bits: int) -> Callable[[Dice], str]:
    def make(dice: Dice) -> str:
        if dice.random() < 0.05:
            return f"'{dice.choice(['', '-'])}infinity'::{kind}"
        return f"('1000-01-01 00:00:00+00'::{kind} + '{span(micros(dice, bits))}'::interval)::{kind}"

    return make


def interval(dice: Dice) -> str:
    parts = [f"{dice.randrange(-most, most)} {unit}" for unit, most in [("years", 1000), ("months", 12), ("days", 400)]]
    most = 1 << dice.randrange(1, 50)
    parts.append(clock_time(dice.randrange(-most, most)))
    return "'" + (" ".join(part for part in parts if dice.random() < 0.6) or "0 s") + "'::interval"


def bits(least: int, most: int, kind: str) -> Callable[[Dice], str]:
    return lambda dice: f"'{''.join(dice.choice('01') for _ in range(dice.randrange(least, most + 1)))}'::{kind}"


def document(dice: Dice, depth: int = 3) -> Json:
    if depth == 0 or dice.random() < 0.4:
        return dice.choice([None, True, dice.randrange(1000), dice.random(), text(dice)[:50]])
    members = [document(dice, depth - 1) for _ in range(dice.randrange(4))]
    return members if dice.random() < 0.5 else {text(dice)[:20]: member for member in members}


def json_text(dice: Dice) -> str:
    return json.dumps(document(dice), ensure_ascii=dice.random() < 0.5)


def hstore(dice: Dice) -> str:
    pairs = {text(dice)[:30]: None if dice.random() < 0.2 else text(dice)[:30] for _ in range(dice.randrange(5))}
    values = ", ".join("NULL" if value is None else quoted(value) for value in pairs.values())
    return f"hstore(ARRAY[{', '.join(map(quoted, pairs))}]::text[], ARRAY[{values}]::text[])"


def point(dice: Dice) -> str:
    return f"point('{double(dice)!r}'::float8, '{double(dice)!r}'::float8)"


def int_range(dice: Dice) -> str:
    low = dice.randrange(-1000, 1000)
    return dice.choice(["'empty'", "'(,)'", f"'[{low},{low + dice.randrange(9)}]'", f"'({low},)'"]) + "::int4range"


def moment_range(dice: Dice) -> str:
    low = timestamp("timestamptz", 50)(dice)
    return f"tstzrange({low}, {low} + '{span(dice.randrange(1 << 40))}'::interval)"


def pair(dice: Dice) -> str:
    return f"ROW({dice.randrange(100)}, {dice.choice(['NULL', quoted(text(dice))])})::pair"


def inet(dice: Dice) -> str:
    address = ".".join(str(dice.randrange(256)) for _ in range(4))
    return f"'{dice.choice([address, address + '/24', '::1', 'fe80::1:2/64'])}'::inet"


# Answers, as JSON

def number(answer: str) -> Json:
    return answer if answer in ("NaN", "Infinity", "-Infinity") else Number(answer)


def boolean(answer: str) -> Json:
    return answer == "t"


def floating(answer: str) -> Json:
    return number(answer) if any(c in answer for c in ".eN") or "I" in answer else Number(answer + ".0")


def decimal_string(answer: str) -> Json:
    return {"NaN": "NAN", "Infinity": "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY"}.get(answer, answer)


def day_count(answer: str) -> Json:
    return Number({"infinity": "-2147472692", "-infinity": "-2147472691"}.get(answer, answer))


def micro_count(answer: str) -> Json:
    return Number({"infinity": "9223372036825200000", "-infinity": "-9223372036832400000"}.get(answer, answer))


def milli_count(answer: str) -> Json:
    return Number({"infinity": "9223372036825200", "-infinity": "-9223372036832400"}.get(answer, answer))


def bit_bytes(answer: str) -> Json:
    value = int(answer or "0", 2)
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "little")).decode()


def shape(answer: str) -> Json:
    x, y = answer.strip("()").split(",")
    wkb = struct.pack("<BIdd", 1, 1, float(x), float(y))
    if "NaN" in answer:  # the sign of what is no number is the machine's affair
        wkb = struct.pack("<BI", 1, 1) + b"".join(
            bytes.fromhex("000000000000f87f") if c == "NaN" else struct.pack("<d", float(c)) for c in (x, y))
    return {"x": floating(x), "y": floating(y), "wkb": base64.b64encode(wkb).decode(), "srid": None}


def finite(question: str) -> str:
    return "CASE WHEN isfinite({c}) THEN (" + question + ")::text ELSE {c}::text END"


EPOCH = "trim_scale(extract(epoch FROM {c}) * %d)"
INTERVAL = """trim_scale((extract(year FROM {c}) * 12 + extract(month FROM {c})) * 2629800000000
              + extract(day FROM {c}) * 86400000000
              + (extract(hour FROM {c}) * 3600 + extract(minute FROM {c}) * 60 + extract(second FROM {c})) * 1000000)::text"""
ISO = "to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.%s\"Z\"')"

KINDS = [
    Kind("boolean", lambda dice: dice.choice(["true", "false"]), debezium=boolean, native=boolean),
    Kind("smallint", integer("smallint", 16), debezium=number, native=number),
    Kind("integer", integer("integer", 32), debezium=number, native=number),
    Kind("bigint", integer("bigint", 64), debezium=number, native=number),
    Kind("oid", lambda dice: f"'{dice.getrandbits(32)}'::oid", debezium=number, native=number),
    Kind("real", real, debezium=floating, native=number),
    Kind("double precision", lambda dice: f"'{double(dice)!r}'::float8", debezium=floating, native=number),
    Kind("numeric", decimal(60, 40, "NaN", "Infinity", "-Infinity"), debezium=decimal_string, native=number),
    Kind("numeric(20,5)", decimal(15, 8, "NaN"), debezium=decimal_string, native=number),
    *([] if MAJOR < 15 else [Kind("numeric(5,-2)", decimal(7, 3), debezium=decimal_string, native=number)]),
    Kind("amount", decimal(8, 4), debezium=decimal_string, native=number),
    Kind("money", lambda dice: f"({micros(dice, 50) - (1 << 40)} * '0.01'::money)", "{c}::numeric::text"),
    Kind("text", of_text("text")),
    Kind("varchar(300)", of_text("text", lambda dice: text(dice)[:300])),
    Kind("char(5)", of_text("bpchar", lambda dice: text(dice)[:5])),
    Kind('"char"', of_text('"char"', lambda dice: dice.choice(string.ascii_letters))),
    Kind("name", of_text("name", lambda dice: text(dice)[:12])),
    Kind("citext", of_text("citext")),
    Kind("bytea", lambda dice: f"'\\x{dice.randbytes(dice.randrange(200)).hex()}'::bytea",
         "replace(encode({c}, 'base64'), E'\\n', '')"),
    Kind("bit(1)", bits(1, 1, "bit(1)"), debezium=lambda answer: answer == "1"),
    Kind("bit(11)", bits(11, 11, "bit(11)"), debezium=bit_bytes),
    Kind("varbit", bits(0, 600, "varbit"), debezium=bit_bytes),
    Kind("date", date, finite("{c} - '1970-01-01'::date"), day_count),
    Kind("time", lambda dice: f"('00:00'::time + '{span(micros(dice, 36))}'::interval)", f"{EPOCH % 10**6}::text", number),
    Kind("time(3)", lambda dice: f"('00:00'::time + '{span(micros(dice, 36))}'::interval)", f"{EPOCH % 10**3}::text", number),
    Kind("timetz", lambda dice: f"'{dice.randrange(24)}:{dice.randrange(60)}:{dice.random() * 59:.5f}"
                                f"{dice.choice('+-')}{dice.randrange(15)}:{dice.randrange(60)}'::timetz",
         "({c} AT TIME ZONE 'UTC')::time::text || 'Z'"),
    Kind("timestamp", timestamp("timestamp", 63), finite(EPOCH % 10**6), micro_count),
    Kind("timestamp(3)", timestamp("timestamp", 63), finite(EPOCH % 10**3), milli_count),
    Kind("millis", timestamp("timestamp", 58), finite(EPOCH % 10**3), milli_count),
    Kind("timestamptz", timestamp("timestamptz", 57), finite(ISO % "US")),
    Kind("timestamptz(3)", timestamp("timestamptz", 57), finite(ISO % "MS")),
    Kind("interval", interval, INTERVAL, number),
    Kind("uuid", lambda dice: f"'{dice.randbytes(16).hex()}'::uuid"),
    Kind("json", of_text("json", json_text)),
    Kind("jsonb", of_text("jsonb", json_text)),
    Kind("xml", of_text("xml", lambda dice: f"<{word(dice)} a=\"{word(dice)}\"/>")),
    Kind("tsvector", lambda dice: f"to_tsvector('simple', {quoted(text(dice)[:80])})"),
    Kind("inet", inet),
    Kind("macaddr", lambda dice: f"'{dice.randbytes(6).hex()}'::macaddr"),
    Kind("point", point, debezium=shape),
    Kind("box", lambda dice: f"box({point(dice)}, {point(dice)})"),
    Kind("int4range", int_range),
    Kind("tstzrange", moment_range),
    Kind("pg_lsn", lambda dice: f"'{dice.getrandbits(32):X}/{dice.getrandbits(32):X}'::pg_lsn"),
    Kind("hstore", hstore, "hstore_to_json({c})::text", lambda answer: ("json", json.loads(answer)), in_arrays=False),
    Kind("ltree", of_text("ltree", lambda dice: ".".join(word(dice) for _ in range(dice.randrange(5))))),
    Kind("mood", lambda dice: dice.choice(["'good'::mood", "'so \"so\"'::mood"])),
    Kind("pair", pair, elements="unnest({c}::text[])"),  # whole, not its columns
]

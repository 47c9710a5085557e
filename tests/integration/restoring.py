"""From the debezium form of a value back to a text that PostgreSQL reads, by the column's type in the catalog or by the
schema that came with the line.
"""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

PLACEHOLDER = "__debezium_unavailable_value"
_UNAVAILABLE = {PLACEHOLDER, PLACEHOLDER.encode().hex(), base64.b64encode(PLACEHOLDER.encode()).decode()}

ISO = re.compile(r"([+-]?)(\d+)-(\d\d-\d\d)(?:T(.*))?Z")


def is_unavailable(value: Any) -> bool:
    """Whether an unchanged large value was left out of the line."""
    if isinstance(value, list):
        return len(value) == 1 and is_unavailable(value[0])
    if isinstance(value, dict):
        return list(value) == [PLACEHOLDER]
    return isinstance(value, str) and (value in _UNAVAILABLE or value == json.dumps({PLACEHOLDER: PLACEHOLDER}))


def by_catalog(value: Any, type_name: str, element: str | None, length: int) -> str | None:
    """By pg_type.typname, of an array's `element` where it is one; `length` is a bit string's."""
    if value is None:
        return None
    if element is not None:
        return array(value, lambda each: by_catalog(each, element, None, length))
    return CATALOG.get(type_name, lambda value, _: text(value))(value, length)


def by_schema(value: Any, schema: dict[str, Any]) -> str | None:
    """By the field's schema: what a consumer does that knows nothing else."""
    if value is None:
        return None
    if schema["type"] == "array":
        return array(value, lambda each: by_schema(each, schema["items"]))
    restore = SCHEMA.get(schema.get("name", ""))
    if restore is not None:
        return restore(value, schema)
    if schema["type"] == "bytes":
        return "\\x" + base64.b64decode(value).hex()
    return hstore(value) if schema["type"] == "map" else text(value)


def text(value: Any) -> str:
    """Booleans in the form that bit(1) reads as well."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def array(elements: list[Any], restore: Callable[[Any], str | None]) -> str:
    def shown(element: Any) -> str:
        if isinstance(element, list):
            return array(element, restore)
        literal = restore(element)
        return "NULL" if literal is None else quoted(literal)

    return "{" + ",".join(map(shown, elements)) + "}"


def quoted(literal: str) -> str:
    return '"' + literal.replace("\\", "\\\\").replace('"', '\\"') + '"'


def hstore(pairs: dict[str, str | None]) -> str:
    return ",".join(f"{quoted(key)}=>{'NULL' if value is None else quoted(value)}" for key, value in pairs.items())


def point(value: dict[str, Any], *_: Any) -> str:
    return f"({value['x']},{value['y']})"


def bits(value: str | bool, length: int) -> str:
    if isinstance(value, bool):
        return text(value)
    return format(int.from_bytes(base64.b64decode(value), "little"), f"0{length}b")


def iso(value: str, *_: Any) -> str:
    """A date or timestamp with or without a zone; years count from 0 here and from 1 BC there."""
    found = ISO.fullmatch(value)
    if found is None:
        return value  # infinity
    sign, year, day, time = found.groups()
    suffix = "Z" if time else ""
    moment = f"{day} {time}{suffix}" if time else day
    return f"{int(year) + 1:04}-{moment} BC" if sign == "-" or int(year) == 0 else f"{int(year):04}-{moment}"


def numeric(value: str, *_: Any) -> str:
    return {"NAN": "NaN", "POSITIVE_INFINITY": "Infinity", "NEGATIVE_INFINITY": "-Infinity"}.get(value, value)


def unscaled(value: str, scale: int) -> str:
    number = int.from_bytes(base64.b64decode(value), "big", signed=True)
    digits = f"{abs(number):0{scale + 1}}"
    sign = "-" if number < 0 else ""
    return sign + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)


def day(days: int) -> str:
    """Days since 1970 in the calendar, which reaches farther than Python's (Howard Hinnant's civil_from_days)."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    date = f"{month:02}-{day_of_year - (153 * shifted + 2) // 5 + 1:02}"
    return f"{year:04}-{date}" if year > 0 else f"{1 - year:04}-{date} BC"


def time_of_day(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"


def timestamp(micros: int) -> str:
    days, rest = divmod(micros, 86_400_000_000)
    date, *era = day(days).split(" ")
    return " ".join([date, time_of_day(rest), *era])


CATALOG: dict[str, Callable[[Any, int], str]] = {
    "numeric": numeric,
    "date": iso,
    "timestamp": iso,
    "timestamptz": iso,
    "time": lambda value, _: value.removesuffix("Z"),
    "bytea": lambda value, _: "\\x" + value,
    "bit": bits,
    "point": point,
    "hstore": lambda value, _: hstore(json.loads(value)),
}

SCHEMA: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "io.debezium.time.Date": lambda value, _: day(value),
    "io.debezium.time.Time": lambda value, _: time_of_day(value * 1000),
    "io.debezium.time.MicroTime": lambda value, _: time_of_day(value),
    "io.debezium.time.Timestamp": lambda value, _: timestamp(value * 1000),
    "io.debezium.time.MicroTimestamp": lambda value, _: timestamp(value),
    "io.debezium.time.ZonedTimestamp": iso,
    "io.debezium.data.Bits": lambda value, schema: bits(value, int(schema["parameters"]["length"])),
    "io.debezium.data.VariableScaleDecimal": lambda value, _: unscaled(value["value"], value["scale"]),
    "io.debezium.data.geometry.Point": point,
    "org.apache.kafka.connect.data.Decimal": lambda value, schema: unscaled(value, int(schema["parameters"]["scale"])),
}

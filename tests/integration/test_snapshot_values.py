"""The values of a row, whatever its types: what a snapshot prints of it is what the stream prints, byte by byte; and
rows alone rebuild a database.
"""

import random
import subprocess
from collections import Counter
from typing import Any

import knobs
import pytest
from altering import AlteringWriter
from applier import Applier
from configuration import configuration, entry
from database import Database
from feed import Feed
from server_version import CLIENT_MAJOR, MAJOR, NEEDS_TYPES, needs
from test_debezium_types import SETTINGS, SHAPES, insert, typed  # noqa: F401 (a fixture)
from test_rebuilt_database import FEEDS, TABLES, difference
from test_values import TEXTS

OUTPUTS: dict[str, dict[str, Any]] = {
    "native": {},
    "text": {"values": "text"},
    "debezium": {"envelope": "debezium", "debezium": {"decimal_handling_mode": "precise"}},
    "debezium-schema": {"envelope": "debezium-schema", "framing": "key-value"},
}
# Beside TEXTS: what COPY would write for something else.
ODD_TEXTS = ["\\N", "\\.", "", None]


def row_of(record: str) -> str:
    """What a row and the change that made it have in common: key, schema and columns."""
    key, _, value = record.rpartition("\t")
    schema, payload, rest = value.rpartition('"payload":{')
    return key + schema + payload + rest[rest.index('"after":') : rest.rindex(',"source":{')]


@pytest.mark.parametrize("where", SETTINGS)
@NEEDS_TYPES
def test_rows_are_printed_as_the_changes_that_made_them(where, typed, walcat):  # noqa: F811
    """Of every type, under settings that would change the form of values."""
    typed.execute("CREATE TABLE texts (id integer PRIMARY KEY, body text)")
    streams = {
        name: Feed(walcat, typed, output, {"slot_name": f"{typed.slot_name}_{number}"}, snapshot={"mode": "never"})
        for number, (name, output) in enumerate(OUTPUTS.items())
    }
    texts = [*TEXTS.values(), *ODD_TEXTS]
    for number, text in enumerate(texts):
        typed.rows("INSERT INTO texts VALUES (%s, %s) RETURNING 1", (number, text))
    typed.execute(*(insert(name, shape) for name, shape in SHAPES.items()))
    typed.execute(*(f"INSERT INTO {name} DEFAULT VALUES" for name in SHAPES))
    alter, settings = SETTINGS[where]
    typed.execute(*(alter.format(name=typed.name, setting=setting) for setting in settings))
    for number, (name, output) in enumerate(OUTPUTS.items()):
        slot = entry(typed, slot_name=f"{typed.slot_name}_rows_{number}")
        rows = walcat.catch_up(configuration(slot, output=output, snapshot={"mode": "initial"})).output.texts()
        changes = streams[name].rest()
        assert len(rows) == len(changes) == 2 * len(SHAPES) + len(texts)
        wrong = Counter(map(row_of, rows)) - Counter(map(row_of, changes))
        assert not wrong, f"{name}: {len(wrong)} rows differ, such as:\n{next(iter(wrong))}"


@pytest.fixture
def source(make_database) -> Database:
    """Random rows in tables of all kinds, that were altered in all ways."""
    made = make_database()
    made.execute("CREATE EXTENSION hstore")
    dice = random.Random(knobs.dice().randrange(2**32))
    AlteringWriter(made, "north", dice, move_large_keys=True).run()
    return made


@pytest.fixture
def target(make_database, source) -> Database:
    """The same tables without rows."""
    if MAJOR > CLIENT_MAJOR:
        pytest.skip(f"pg_dump {CLIENT_MAJOR} reads no server {MAJOR}")
    made = make_database()
    server = source.server
    reach = ["-h", str(server.folder), "-p", str(server.port), "-U", "postgres", "-d"]
    dump = subprocess.run([server.program("pg_dump"), "--schema-only", *reach, source.name], capture_output=True,
                          check=True)
    subprocess.run([server.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *reach, made.name],
                   input=dump.stdout, stdout=subprocess.DEVNULL, check=True)
    made.execute("CREATE SCHEMA comparing", "CREATE EXTENSION dblink SCHEMA comparing")
    return made


@needs(13, "DROP EXPRESSION")
def test_rows_alone_rebuild_every_table(source, target, walcat):
    output, _ = FEEDS["debezium"]
    config = configuration(entry(source), output={**output, "framing": "key-value"}, snapshot={"mode": "initial"})
    applier = Applier(target)
    applier.apply(walcat.catch_up(config).output.texts())
    assert set(applier.applied) == {"r"}
    for (table,) in source.rows(TABLES):
        wrong = difference(source, target, f"SELECT t::text FROM {table} AS t")
        assert wrong == [], f"{len(wrong)} rows of {table} differ, such as:\n" + "\n".join(wrong[:4])[:4000]
    # There was something to show.
    assert applier.applied["r"] > 300

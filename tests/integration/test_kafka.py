"""A keyed feed goes through kcat into a Kafka broker (librdkafka's own mock) and comes back the same."""

import json
import os
import pathlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import knobs
import pytest
from feed import Feed

KAFKA_MOCK = pathlib.Path(
    os.environ.get("WALCAT_TEST_KAFKA_MOCK") or knobs.WALCAT.parent / "tests" / "integration" / "kafka_mock"
)

KEYED = {"envelope": "debezium", "framing": "key-value", "tombstones": True, "key_changes": "split"}
TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
    "CREATE TABLE names (name text PRIMARY KEY, n integer)",
)
HOSTILE = ["plain", "", "null", '"', "{", "a\tb", "a\nb", "\x01\x1f\x7f", "Größe", "🐘", "\u2028", "\\", "a,b", "0"]


@dataclass(frozen=True)
class Record:
    key: bytes | None
    value: bytes | None


@pytest.fixture(scope="session")
def brokers() -> Iterator[str]:
    assert KAFKA_MOCK.exists(), f"{KAFKA_MOCK} is not built; WALCAT_TEST_KAFKA_MOCK names it"
    mock = subprocess.Popen([KAFKA_MOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield mock.stdout.readline().strip()
    mock.stdin.close()
    assert mock.wait(timeout=30) == 0


@pytest.fixture
def topic(database) -> str:
    """A topic of the test's own."""
    return f"changes-{database.name}-{os.getpid()}"


@pytest.fixture(autouse=True)
def tables(database):
    database.execute(*TABLES)


def produce(brokers: str, topic: str, *options: str, **source: Any) -> None:
    """Into partition 0, so that the order of all records can be compared."""
    command = ["kcat", "-P", "-b", brokers, "-t", topic, "-p", "0", *options]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=60 * knobs.PATIENCE, **source)
    assert done.returncode == 0, done.stderr.decode()


def consume(brokers: str, topic: str) -> list[Record]:
    """All records, by their lengths: no byte in them can be mistaken for a border."""
    command = ["kcat", "-C", "-q", "-e", "-b", brokers, "-t", topic, "-p", "0", "-o", "beginning", "-f", "%K,%S,%k%s"]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60 * knobs.PATIENCE).stdout
    records = []
    while output:
        key_size, value_size, output = output.split(b",", 2)
        key, output = taken(output, int(key_size))
        value, output = taken(output, int(value_size))
        records.append(Record(key, value))
    return records


def taken(data: bytes, size: int) -> tuple[bytes | None, bytes]:
    return (None, data) if size < 0 else (data[:size], data[size:])


def expected(records: list[str], separator: str = "\t") -> list[Record]:
    pairs = [record.split(separator) for record in records]
    return [Record(key.encode(), value.encode() or None) for key, value in pairs]


def write(database: Any) -> None:
    database.execute(
        "INSERT INTO orders SELECT n, repeat('x', n % 100) FROM generate_series(1, 1000) AS n",
        "UPDATE orders SET note = E'a\\tb\\nc' WHERE id % 3 = 0",
        "UPDATE orders SET id = id + 5000 WHERE id % 10 = 1",
        "DELETE FROM orders WHERE id % 7 = 0",
    )
    for text in HOSTILE:
        database.rows("INSERT INTO names VALUES (%s, 1) RETURNING n", (text,))
    database.execute("UPDATE names SET n = 2", "DELETE FROM names")


@pytest.mark.parametrize("key", ["json", "text"])
def test_keys_values_and_tombstones_come_back_equal(key, walcat, database, brokers, topic, tmp_path):
    feed = Feed(walcat, database, {**KEYED, "key": key})
    write(database)
    records = feed.rest()
    spool = tmp_path / "records.tsv"
    spool.write_text("".join(record + "\n" for record in records), newline="")
    with open(spool, "rb") as source:
        produce(brokers, topic, "-K", "\t", "-Z", stdin=source)
    back = consume(brokers, topic)
    assert back == expected(records)
    tombstones = [record for record in back if record.value is None]
    deletes = [record for record in back if record.value and json.loads(record.value)["op"] == "d"]
    assert [record.key for record in tombstones] == [record.key for record in deletes]
    assert len(tombstones) > 200
    print(f"{len(back)} records, {len(tombstones)} tombstones came back equal")


def test_a_running_walcat_is_piped_into_kcat(walcat, database, brokers, topic):
    feed = Feed(walcat, database, KEYED)
    kcat = subprocess.Popen(
        ["kcat", "-P", "-b", brokers, "-t", topic, "-p", "0", "-K", "\t", "-Z"], stdin=subprocess.PIPE
    )
    try:
        run = walcat.start(feed.config, stdout=kcat.stdin)
        kcat.stdin.close()
        run.wait_for(database.slot_reader, "the slot is streamed")
        write(database)
        lsn = database.wal_lsn()
        run.wait_for(lambda: database.passed(lsn), "all of it is confirmed")
        run.stop()
        assert kcat.wait(timeout=60 * knobs.PATIENCE) == 0
    finally:
        kcat.kill()
        kcat.wait()
    back = consume(brokers, topic)
    # What a compacted topic keeps: the last value of each key, and nothing of what was forgotten.
    kept = {record.key: record.value for record in back}
    moved = {number + 5000 if number % 10 == 1 else number for number in range(1, 1001)}
    assert {json.loads(key).get("id") for key, value in kept.items() if value} == {n for n in moved if n % 7 != 0}


def test_a_separator_of_several_bytes_passes_too(walcat, database, brokers, topic):
    feed = Feed(walcat, database, {**KEYED, "key": "text", "key_separator": "-\x1f-"})
    for text in (*HOSTILE, "-", "-\x1f-", "a-\x1f"):
        database.rows("INSERT INTO names VALUES (%s, 1) RETURNING n", (text,))
    records = feed.after("DELETE FROM names")
    produce(brokers, topic, "-K", "-\\x1f-", "-Z", input="".join(record + "\n" for record in records).encode())
    assert consume(brokers, topic) == expected(records, "-\x1f-")


def test_a_topic_in_front_sorts_records_into_topics(walcat, database, brokers, topic):
    output = {**KEYED, "framing": "topic-key-value", "topic": topic + ".{schema}.{table}"}
    feed = Feed(walcat, database, output)
    records = [record.split("\t", 1) for record in feed.after("INSERT INTO orders VALUES (1)", "INSERT INTO names"
                                                              " VALUES ('x', 1)", "DELETE FROM orders")]
    topics = {f"{topic}.public.orders": 3, f"{topic}.public.names": 1}
    for name, count in topics.items():
        mine = [record for its_topic, record in records if its_topic == name]
        assert len(mine) == count
        produce(brokers, name, "-K", "\t", "-Z", input="".join(record + "\n" for record in mine).encode())
        assert consume(brokers, name) == expected(mine)

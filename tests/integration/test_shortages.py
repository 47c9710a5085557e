"""What the machine refuses, threads and memory, is named, and ends the database that needs it; the others go on."""

import itertools
import resource

import pytest
from configuration import configuration, entry
from failing_calls import FailingCalls

UNAVAILABLE = 69
SHORTAGE = 71
MIB = 1 << 20

# Threads in the order in which they are made, with one serializer too many, and two databases.
THREADS = ("signals", "stopper", "writer", "keeper", "stop clock", "serializer", "serializer", "decoder", "watch",
           "reader", "watch", "reader")
STREET = {"serializers": 2, "decoders": 1}
REFUSED = "Resource temporarily unavailable"


@pytest.fixture
def calls(tmp_path):
    return FailingCalls(tmp_path / "calls")


def number(thread, which=1):
    """Of the thread of this name, as FailingCalls counts."""
    places = (place for place, name in enumerate(THREADS, start=1) if name == thread)
    return str(next(itertools.islice(places, which - 1, None)))


@pytest.fixture
def two(make_database):
    made = (make_database(), make_database())
    for database in made:
        database.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
    return made


def follow(*databases, **keys):
    return configuration(*(entry(database) for database in databases), pipeline=STREET, **keys)


def lines_of(database, run):
    return [line for line in run.lines() if line.source["db"] == database.name]


def ids_of(database, run):
    return [line.after["id"] for line in lines_of(database, run)]


@pytest.mark.parametrize("thread", ["writer", "keeper", "stop clock", "serializer", "decoder"])
def test_a_thread_that_every_database_needs_is_named_before_anything_is_read(thread, calls, database, walcat):
    run = walcat.run(follow(database), status=SHORTAGE, environment=calls.without_thread(number(thread)))
    assert f"no {thread} thread can be made: {REFUSED} (ulimit -u " in run.log()
    assert database.slot() is None


@pytest.mark.parametrize("thread", ["signals", "stopper"])
def test_without_the_threads_that_take_signals_nothing_begins(thread, calls, database, walcat):
    run = walcat.run(follow(database), status=SHORTAGE, environment=calls.without_thread(number(thread)))
    assert REFUSED in run.log()


def test_fewer_serializers_do_as_well(calls, database, walcat):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    walcat.catch_up(follow(database))
    database.execute("INSERT INTO t SELECT generate_series(1, 1000)")
    run = walcat.catch_up(follow(database), environment=calls.without_thread(number("serializer", 2)))
    assert f"no serializer thread can be made: {REFUSED}" in run.log()
    assert "going on with 1 of 2" in run.log()
    assert ids_of(database, run) == list(range(1, 1001))


@pytest.mark.parametrize("thread", ["watch", "reader"])
def test_a_thread_of_one_database_ends_that_one_alone(thread, calls, two, walcat):
    without, other = two
    run = walcat.start(follow(*two), environment=calls.without_thread(number(thread)))
    run.wait_for_log(rf"\[{without.name}/\S+\] stopped: no {thread} thread can be made: {REFUSED}")
    run.wait_for(other.slot_reader, "the slot is streamed")
    other.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    assert without.slot() is None
    run.stop()
    assert ids_of(other, run) == [1]


def test_without_any_reader_every_database_has_failed(calls, two, walcat):
    run = walcat.run(follow(*two), status=UNAVAILABLE, environment=calls.without_thread(number("watch") + "-"))
    for database in two:
        assert f"[{database.name}/{database.slot_name}] stopped: no watch thread can be made: {REFUSED}" in run.log()


@pytest.fixture
def filled(database):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 20000)")
    return database


def follow_with_rows(database, workers):
    return follow(database, snapshot={"mode": "initial", "workers": workers, "chunk_size": "64KiB"})


# Behind those of one database.
NEXT_THREAD = int(number("reader")) + 1


def test_a_snapshot_is_read_by_fewer_workers(calls, filled, walcat):
    run = walcat.catch_up(
        follow_with_rows(filled, workers=4), environment=calls.without_thread(f"{NEXT_THREAD + 1}-")
    )
    assert f"no snapshot thread can be made: {REFUSED}" in run.log()
    assert "going on with 1 of 4" in run.log()
    assert sorted(ids_of(filled, run)) == list(range(1, 20001))


def test_a_snapshot_without_a_worker_is_tried_again(calls, filled, walcat):
    run = walcat.catch_up(follow_with_rows(filled, workers=1), environment=calls.without_thread(str(NEXT_THREAD)))
    assert f"no snapshot thread can be made: {REFUSED}" in run.log()
    assert "; attempt 2 in" in run.log()
    assert sorted(ids_of(filled, run)) == list(range(1, 20001))


def test_an_incremental_snapshot_waits_for_its_worker(calls, filled, walcat):
    config = follow(filled)
    run = walcat.start(config, environment=calls.environment)
    run.wait_for(filled.slot_reader, "the slot is streamed")
    calls.refuse("pthread_create")
    asked = walcat.command("snapshot", "-c", str(walcat.write(config)), "--tables", "public.t")
    run.wait_for_log(rf"incremental snapshots wait: no incremental thread can be made: {REFUSED}")
    calls.allow("pthread_create")
    assert asked.wait_exit() == 0, asked.describe()
    run.stop()
    assert sorted(ids_of(filled, run)) == list(range(1, 20001))


def print_around(calls, walcat, two, insert_large, who):
    """One database has a row for which there is no memory, between two others: what comes before it is printed whole,
    nothing behind it; the other database goes on; with memory, the next run prints what is missing."""
    scarce, other = two
    walcat.catch_up(follow(*two))
    run = walcat.start(follow(*two), environment=calls.environment)
    for database in two:
        run.wait_for(database.slot_reader, "the slot is streamed")
    scarce.execute("INSERT INTO t VALUES (1, 'before')")
    run.wait_for_lines(1)
    calls.refuse("malloc", str(12 * MIB))
    scarce.execute(insert_large, "INSERT INTO t VALUES (3, 'behind')")
    run.wait_for_log(rf"\[{scarce.name}/\S+\] stopped: out of memory in the {who} \(ulimit -v unlimited")
    other.execute("INSERT INTO t VALUES (1, 'elsewhere')")
    run.wait_for_lines(2)
    run.stop()
    assert ids_of(scarce, run) == [1]
    assert ids_of(other, run) == [1]
    again = walcat.catch_up(follow(*two))
    assert ids_of(scarce, again) == [2, 3]
    assert not ids_of(other, again)
    return next(iter(again.lines()))


def test_a_line_that_memory_does_not_hold_ends_its_database_alone(calls, two, walcat):
    """Each byte is printed as six."""
    large = print_around(calls, walcat, two, r"INSERT INTO t VALUES (2, repeat(E'\x01', 3000000))", "serializer")
    assert large.after["v"] == "\x01" * 3_000_000


def test_a_text_that_memory_does_not_hold_ends_its_database_alone(calls, make_encoded, make_database, walcat):
    """Each byte is no UTF-8, and is replaced by three."""
    scarce, other = make_encoded(), make_database()
    scarce.execute("DROP TABLE IF EXISTS t", "CREATE TABLE t (id integer PRIMARY KEY, v text)")
    other.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
    insert = r"INSERT INTO t VALUES (2, repeat(E'\377', 5000000))"
    large = print_around(calls, walcat, (scarce, other), insert, "decoder")
    assert large.after["v"] == "\ufffd" * 5_000_000


LARGE_BYTES = 100_000_000


@pytest.fixture
def limited(two, walcat):
    """A run on two databases, of which the first is about to send a large row, under a limit of so much more memory than
    it has now."""

    def start(more):
        walcat.catch_up(follow(*two))
        run = walcat.start(follow(*two))
        for database in two:
            run.wait_for(database.slot_reader, "the slot is streamed")
        limit = run.memory_kib("VmSize") * 1024 + more
        resource.prlimit(run.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        scarce, other = two
        scarce.execute("INSERT INTO t VALUES (1, 'before')")
        scarce.execute(f"INSERT INTO t VALUES (2, repeat('x', {LARGE_BYTES}))")
        other.execute("INSERT INTO t VALUES (1, 'elsewhere')")
        run.wait_for_lines(2)
        return run

    return start


# libpq doubles its buffer until it holds the row, and copies it to hand it out: the one fails, or the other.
@pytest.mark.parametrize("room", [100, 190])
def test_a_row_that_the_limit_does_not_hold_ends_its_database_alone(room, limited, two, walcat):
    scarce, other = two
    run = limited(room * MIB)
    run.wait_for_log(rf"\[{scarce.name}/\S+\] stopped: out of memory in the \w+ \(ulimit -v \d+")
    other.execute("INSERT INTO t VALUES (2, 'elsewhere')")
    run.wait_for_lines(3)
    run.stop()
    assert ids_of(scarce, run) == [1]
    assert ids_of(other, run) == [1, 2]
    assert ids_of(scarce, walcat.catch_up(follow(*two))) == [2]

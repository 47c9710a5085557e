"""What costs or says something for each table, where there are many: questions to the catalog, lines of the log."""

import re

import pytest
from configuration import configuration, entry
from incremental import Followed
from server_version import NEEDS_MESSAGES, needs

FEW, MANY = 2, 9


def names(count):
    return [f"public.many_{n}" for n in range(1, count + 1)]


@pytest.fixture
def followed(database, walcat):
    """Nine tables of ten rows each, all of them followed."""
    for name in names(MANY):
        database.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY, note text)")
        database.execute(f"INSERT INTO {name} SELECT n, 'row ' || n FROM generate_series(1, 10) AS n")
    return Followed(walcat, database, *names(MANY))


@NEEDS_MESSAGES
def test_what_is_published_is_not_asked_for_each_table(followed, database):
    """A snapshot's tables are looked up together: once when it is accepted, once before it is read."""
    database.execute(f"ALTER DATABASE {database.name} SET log_statement = 'all'")

    def questions(count):
        before = len(database.server.log())
        followed.ask("--tables", ",".join(names(count)))
        asked = database.server.log()[before:]
        return {
            subject: len(re.findall(pattern, asked))
            for subject, pattern in {
                "published": rf"pg_publication_tables WHERE pubname = 'pub_{database.name}'",
                "files": "WITH RECURSIVE tree",
                "keys": "format_type",
                "kinds": "AS named",
            }.items()
        }

    assert questions(FEW) == questions(MANY) == {"published": 2, "files": 2, "keys": 2, "kinds": 2}


def select_even(database):
    database.execute(f"ALTER PUBLICATION pub_{database.name} SET TABLE many_1, many_2 WHERE (id % 2 = 0)")


def leave_out_note(database):
    database.execute(f"ALTER PUBLICATION pub_{database.name} SET TABLE many_1, many_2 (id)")


@needs(15, "row filters and column lists")
@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (select_even, [{"id": n, "note": f"row {n}"} for n in range(2, 11, 2)]),
        (leave_out_note, [{"id": n} for n in range(1, 11)]),
    ],
)
def test_a_table_is_read_as_it_is_published_when_its_turn_comes(followed, database, alter, expected):
    database.execute("INSERT INTO many_1 SELECT n, 'row ' || n FROM generate_series(11, 1000) AS n")
    asker = followed.midway("--tables", ",".join(names(2)))
    alter(database)
    followed.go_on(asker)
    assert followed.rows("public.many_2") == [{k: str(v) for k, v in row.items()} for row in expected]


@NEEDS_MESSAGES
def test_a_table_that_left_the_publication_is_not_read_when_its_turn_comes(followed, database):
    database.execute("INSERT INTO many_1 SELECT n, 'row ' || n FROM generate_series(11, 1000) AS n")
    asker = followed.midway("--tables", ",".join(names(3)))
    database.execute(f"ALTER PUBLICATION pub_{database.name} DROP TABLE many_2")
    followed.go_on(asker, status=69)
    assert "table public.many_2: publication" in asker.log()
    assert followed.rows("public.many_2") == [] and len(followed.rows("public.many_3")) == 10


def said(run, pattern):
    return [line for line in run.log().splitlines() if re.search(pattern, line)]


def test_what_was_done_to_many_tables_at_once_is_one_line(followed, database):
    many, few = names(MANY)[2:], names(2)
    publication = f"pub_{database.name}"
    assert len(said(followed.run, "created publication")) == 1
    database.execute(f"ALTER PUBLICATION {publication} SET (publish = 'insert')")
    followed.run.wait_for_log(rf"publication {publication} publishes no .* those of {MANY} tables do not come")
    assert len(said(followed.run, "publishes no")) == 1
    database.execute(f"DROP TABLE {', '.join(many)}")
    followed.run.wait_for_log(rf"{len(many)} tables were dropped: {many[0]}, .*{many[-1]}; hint: ")
    database.execute(f"DROP TABLE {', '.join(few)}")
    for name in few:
        followed.run.wait_for_log(rf"table {name} was dropped; hint: .*TABLE \"public\"")
    assert len(said(followed.run, "dropped")) == 1 + len(few)


def test_the_publication_is_named_with_some_of_its_tables(database, walcat):
    tables = [f"public.plenty_{n:02}" for n in range(12)]
    for name in tables:
        database.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY)")
    followed = Followed(walcat, database, *tables)
    (line,) = said(followed.run, "created publication")
    assert line.endswith(f"for {', '.join(tables[:10])} and 2 more")


@NEEDS_MESSAGES
def test_a_cut_connection_refuses_no_question(followed, database):
    """The connection is cut while the question waits for a lock: it is asked again over another one."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"

    def waiters():
        return {row.pid for row in database.rows(waiting, (database.name,))}

    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE many_1 IN ACCESS EXCLUSIVE MODE")
        asker = followed.begin("--tables", "public.many_1")
        followed.run.wait_for(waiters, "the question waits")
        cut = waiters()
        for pid in cut:
            database.rows("SELECT pg_terminate_backend(%s)", (pid,))
        followed.run.wait_for(lambda: waiters() - cut, "it waits again")
    followed.end(asker)
    assert len(followed.rows("public.many_1")) == 10


@NEEDS_MESSAGES
def test_tables_that_can_not_be_read_for_one_reason_are_one_line(database, walcat):
    """Without a key, their rows can't be read between the changes: they came into the selection later."""
    loose = [f"public.loose_{n:02}" for n in range(12)]
    for name in ("public.tight", *loose):
        key = " PRIMARY KEY" if name == "public.tight" else ""
        database.execute(f"CREATE TABLE {name} (id integer{key})", f"INSERT INTO {name} VALUES (1)")
        if not key:
            database.execute(f"ALTER TABLE {name} REPLICA IDENTITY FULL")

    def config(*tables):
        return configuration(entry(database, *tables), snapshot={"mode": "initial"})

    walcat.catch_up(config("public.tight"))
    run = walcat.start(config("public.tight", *loose))
    run.wait_for_log("rows that 12 tables had before are not printed: it has no primary key")
    (line,) = said(run, "had before are not printed")
    assert f"{', '.join(loose[:10])} and 2 more; hint: walcat snapshot --dump" in line

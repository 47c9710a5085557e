"""`walcat snapshot --tables` where a walcat follows the slot: the rows come between that one's changes."""

import pytest
from incremental import Followed, has_heard
from partitioned import EVENTS
from server_version import NEEDS_MESSAGES, needs

pytestmark = NEEDS_MESSAGES

ORDERS = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
    "INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 5) AS n",
    "CREATE TABLE items (region text, number integer, note text, PRIMARY KEY (number, region))",
    "INSERT INTO items SELECT chr(64 + mod(n, 3)), n / 3, 'item' FROM generate_series(1, 30) AS n",
)


@pytest.fixture
def follow(database, walcat):
    """Follows a database after statements; `publication` makes one that is not of all tables."""
    def run(*statements, publication="", tables=(), **keys):
        database.execute(*statements)
        if publication:
            database.execute(f"CREATE PUBLICATION pub_{database.name} FOR {publication}")
        return Followed(walcat, database, *tables, **keys)

    return run


def printed(followed):
    """What a consumer reads: tables and rows."""
    return [(line.source["table"], line.after) for line in followed.finish()]


def test_the_rows_come_between_the_changes(follow, database):
    followed = follow(*ORDERS)
    database.execute("INSERT INTO orders VALUES (6, 'before')")
    asker = followed.ask("--tables", "public.orders")
    database.execute("INSERT INTO orders VALUES (7, 'after')")
    lines = followed.finish()
    assert [line.op for line in lines] == ["c", *"rrrrrr", "c"]
    assert [line.after["id"] for line in lines] == ["6", "1", "2", "3", "4", "5", "6", "7"]
    for line in lines[1:-1]:
        assert line.source["snapshot"] == "incremental" and line.before is None
        assert line.source["commit_lsn"] == lines[1].source["commit_lsn"]
    assert lines[0].source.get("snapshot") in (None, "false", False)
    assert has_heard(asker, "accepted") and "complete: 6 rows" in asker.log()


def test_nobody_else_sees_the_messages(follow, database):
    followed = follow(*ORDERS)
    database.execute("SELECT pg_logical_emit_message(true, 'walcat', 'another')")
    followed.ask("--tables", "public.orders")
    assert [line.op for line in followed.finish()] == ["m", *"rrrrr"]


def test_several_tables_come_in_turn(follow):
    followed = follow(*ORDERS)
    followed.ask("--tables", "public.items,public.orders")
    names = [table for table, _ in printed(followed)]
    assert names == ["items"] * 30 + ["orders"] * 5


def test_several_questions_are_answered_in_turn(follow):
    followed = follow(*ORDERS)
    askers = [followed.begin("--tables", table) for table in ("public.orders", "public.items", "public.orders")]
    for asker in askers:
        followed.end(asker)
    assert sorted(table for table, _ in printed(followed)) == ["items"] * 30 + ["orders"] * 10


def test_a_condition_chooses_rows(follow):
    followed = follow(*ORDERS)
    followed.ask("--tables", "public.orders", "--where", "id = 2 OR note LIKE '%4'")
    assert [row["id"] for _, row in printed(followed)] == ["2", "4"]


def test_a_condition_that_is_wrong_is_refused(follow):
    followed = follow(*ORDERS)
    asker = followed.ask("--tables", "public.orders", "--where", "nothing = 1", status=69)
    assert "public.orders" in asker.log() and "nothing" in asker.log()
    followed.ask("--tables", "public.orders")
    assert len(printed(followed)) == 5


def test_an_empty_table_has_no_rows(follow):
    followed = follow("CREATE TABLE t (id integer PRIMARY KEY)")
    followed.ask("--tables", "public.t")
    assert printed(followed) == []


def test_names_that_need_quotes(follow):
    followed = follow('CREATE TABLE "The ""big"" one, 100% {0}" ("a ""b""" integer PRIMARY KEY, "größe" text)',
                      """INSERT INTO "The ""big"" one, 100% {0}" VALUES (1, 'x')""")
    followed.ask("--tables", 'public."The ""big"" one, 100% {0}"')
    assert printed(followed) == [('The "big" one, 100% {0}', {'a "b"': "1", "größe": "x"})]


def test_rows_larger_than_the_memory_that_is_there(follow):
    followed = follow("CREATE TABLE t (id integer PRIMARY KEY, body text)",
                      "ALTER TABLE t ALTER body SET STORAGE EXTERNAL",
                      "INSERT INTO t SELECT n, repeat('x', 12000000) FROM generate_series(1, 3) AS n",
                      "INSERT INTO t SELECT n, 'x' FROM generate_series(4, 3000) AS n",
                      pipeline={"memory_limit": "8MiB"})
    followed.ask("--tables", "public.t")
    rows = printed(followed)
    assert [row["id"] for _, row in rows] == [str(n) for n in range(1, 3001)]
    assert {len(row["body"]) for _, row in rows[:3]} == {12_000_000}


# Each type with what makes a hundred different values of n.
KEY_TYPES = {
    "text": r"""(ARRAY[E'\t', E'\\', E'\\N', '''', '"', 'ß', '🐘', E'\n', '', 'A', 'a', ' ', E'\u2028', '{1}',
                E'\x01'])[1 + mod(n, 15)] || CASE WHEN n < 15 THEN '' ELSE n::text END""",
    "bigint": "(n - 50)::bigint * 100000000000", "numeric": "(n - 50) / 7.0", "float8": "(n - 50) / 7.0",
    "float4": "((n - 50) / 7.0)::float4",
    "timestamptz": "timestamptz '1999-01-31 00:00+00' + n * interval '11 days 7 hours'",
    "date": "date '0001-01-01 BC' + n * 1000", "interval": "n * interval '1 month 3 days 1.5 seconds'",
    "bytea": r"decode(md5(n::text), 'hex') || E'\\x00'", "uuid": "md5(n::text)::uuid", "char(4)": "n::text",
    "mood": "'mood ' || mod(n, 2)", "inet": "inet '10.0.0.0' + n * 7", "bit(8)": "n::bit(8)", "int4[]": "ARRAY[n, -n]",
    "boolean": "mod(n, 2) = 0", "money": "(n - 50)::money", '"char"': "chr(32 + n)",
    "timestamp(0)": "timestamp '2024-02-28' + n * interval '1 day'", "some_text": "md5(n::text)",
    'text COLLATE "C"': "md5(n::text)", "jsonb": "jsonb_build_object('a', n)", "name": "n::text",
}
# Types that have two values alone are keys of two rows.
FEW = {"mood", "boolean"}
# What sessions would inherit, and read and write values by.
BENT = {"datestyle": "SQL, DMY", "extra_float_digits": "-10", "intervalstyle": "iso_8601", "timezone": "Asia/Kathmandu",
        "bytea_output": "escape", "default_transaction_read_only": "on", "search_path": "nowhere", "lc_monetary": "C"}


@pytest.fixture
def bent(database):
    database.execute("CREATE TYPE mood AS ENUM ('mood 1', 'mood 0')", "CREATE DOMAIN some_text AS text",
                     *(f"ALTER DATABASE {database.name} SET {name} = '{value}'" for name, value in BENT.items()))
    yield database
    # For sessions that are made anew.
    database.execute("SET default_transaction_read_only = off", f"ALTER DATABASE {database.name} RESET ALL")


def test_keys_of_all_types_come_in_order_and_once(follow, bent):
    """Each table takes more than one chunk."""
    statements, tables = [], {}
    for number, (kind, values) in enumerate(KEY_TYPES.items()):
        tables[f"public.t{number}"] = 2 if kind in FEW else 80
        statements += [f"CREATE TABLE t{number} (k {kind} PRIMARY KEY, n integer)", cast_rows(number, kind, values)]
    # The server estimates by statistics, and may fail to: "char" in 18.
    followed = follow(*statements, "ANALYZE", publication="ALL TABLES")
    followed.ask("--tables", ",".join(tables), "--rate", "240", within=60)
    followed.finish()
    for table, count in tables.items():
        rows = followed.rows(table)
        assert sorted(int(row["n"]) for row in rows) == list(range(1, count + 1)), (table, rows)


def cast_rows(number, kind, values):
    plain = kind.removesuffix(' COLLATE "C"')
    most = 2 if kind in FEW else 80
    return f"INSERT INTO t{number} SELECT ({values})::{plain}, n FROM generate_series(1, {most}) AS n"


def test_keys_of_all_types_are_the_streams_keys(follow, bent):
    """Rows whose key has a column of each type change while they are read: none of them is printed."""
    columns = ", ".join(f"k{i} {kind} NOT NULL" for i, kind in enumerate(KEY_TYPES))
    names = ", ".join(f"k{i}" for i in range(len(KEY_TYPES)))
    values = ", ".join(f"({text})::" + kind.removesuffix(' COLLATE "C"') for kind, text in KEY_TYPES.items())
    followed = follow(f"CREATE TABLE t ({columns}, n integer, PRIMARY KEY ({names}))",
                      f"INSERT INTO t SELECT {values}, 0 FROM generate_series(1, 90) AS n",
                      publication="ALL TABLES")
    asker = followed.begin("--tables", "public.t", "--rate", "60")
    followed.run.wait_for_lines(1)
    followed.ask("--pause")
    known = len(followed.rows())
    with bent.transaction() as cursor:
        cursor.execute("SET TRANSACTION READ WRITE")
        cursor.execute("LOCK TABLE public.t")
        followed.say({"ask": "resume"})
        followed.wait_for_chunk_to_hang()
        cursor.execute("UPDATE public.t SET n = 1")
    followed.end(asker)
    lines = [line for line in followed.finish() if line.op == "r"]
    old = [line.after for line in lines if line.after["n"] == "0"]
    assert len(old) == known < 90
    assert len(lines) == 90 - 15, "a chunk of 15 rows was left out"


def test_partitions_come_under_the_roots_name_where_changes_do(follow):
    followed = follow(*EVENTS, publication="TABLE events WITH (publish_via_partition_root = true)")
    followed.ask("--tables", "public.events")
    rows = printed(followed)
    assert sorted(row["id"] for _, row in rows) == ["1", "2", "3"]
    assert {(table, *row) for table, row in rows} == {("events", "id", "day", "note")}


def test_partitions_come_under_their_own_names_where_changes_do(follow):
    followed = follow(*EVENTS, publication="TABLE events")
    followed.ask("--tables", "public.events_1,public.events_2")
    assert [(table, row["id"]) for table, row in printed(followed)] == [
        ("events_1", "1"), ("events_1", "3"), ("events_2", "2"),
    ]


@pytest.mark.parametrize("via_root, name", [("true", "public.events_1"), ("false", "public.events")])
def test_a_name_that_changes_do_not_have_is_refused(via_root, name, follow):
    followed = follow(*EVENTS, publication=f"TABLE events WITH (publish_via_partition_root = {via_root})")
    log = followed.ask("--tables", name, status=69).log()
    assert name in log and "publish" in log


@needs(15, "column lists")
def test_columns_and_rows_outside_the_publication_are_not_read(follow):
    followed = follow(*ORDERS, "ALTER TABLE orders ADD secret text DEFAULT 's'",
                      publication="TABLE orders (id, note) WHERE (id < 4)")
    followed.ask("--tables", "public.orders", "--where", "id > 1")
    assert printed(followed) == [("orders", {"id": "2", "note": "order 2"}), ("orders", {"id": "3", "note": "order 3"})]


def test_columns_that_the_configuration_excludes_are_not_printed(follow):
    followed = follow(*ORDERS, selection={"exclude_columns": [r"public\.orders\.note"]})
    followed.ask("--tables", "public.orders", "--where", "note = 'order 3'")
    assert printed(followed) == [("orders", {"id": "3"})]


@pytest.mark.parametrize("identity", ["FULL", "USING INDEX orders_note", "NOTHING"])
def test_whatever_the_replica_identity_is(identity, follow):
    followed = follow(*ORDERS, "ALTER TABLE orders ALTER note SET NOT NULL",
                      "CREATE UNIQUE INDEX orders_note ON orders (note)",
                      f"ALTER TABLE orders REPLICA IDENTITY {identity}")
    followed.ask("--tables", "public.orders")
    assert sorted(row["id"] for _, row in printed(followed)) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("identity", ["USING INDEX t_code", "FULL"])
def test_an_index_will_do_for_a_key(identity, follow):
    followed = follow("CREATE TABLE t (code text NOT NULL, n integer)", "INSERT INTO t VALUES ('b', 1), ('a', 2)",
                      "CREATE UNIQUE INDEX t_code ON t (code)", f"ALTER TABLE t REPLICA IDENTITY {identity}")
    followed.ask("--tables", "public.t")
    assert printed(followed) == [("t", {"code": "a", "n": "2"}), ("t", {"code": "b", "n": "1"})]



REFUSED = {
    "no key but whole rows": ("CREATE TABLE t (id integer); ALTER TABLE t REPLICA IDENTITY FULL", "public.t", "key"),
    "no key": ("CREATE TABLE t (id integer)", "public.t", "no primary key"),
    "no key for rows with nulls": ("CREATE TABLE t (id integer UNIQUE)", "public.t", "NOT NULL"),
    "a view": ("CREATE VIEW t AS SELECT 1 AS id", "public.t", "a view"),
    "a materialized view": ("CREATE MATERIALIZED VIEW t AS SELECT 1 AS id", "public.t", "materialized view"),
    "a sequence": ("CREATE SEQUENCE t", "public.t", "sequence"),
    "unlogged": ("CREATE UNLOGGED TABLE t (id integer PRIMARY KEY)", "public.t", "unlogged"),
    "foreign": ("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER w FOREIGN DATA WRAPPER w;"
                "CREATE FOREIGN TABLE t (id integer) SERVER w", "public.t", "foreign"),
    "missing": ("SELECT 1", "public.t", "does not exist"),
    "of the catalog": ("SELECT 1", "pg_catalog.pg_class", "publish|system|catalog"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(case, follow, database):
    statement, table, reason = REFUSED[case]
    followed = follow(*ORDERS, statement)
    check_refused(followed, table, reason, "--tables", f"public.orders,{table}")


def check_refused(followed, table, reason, *arguments):
    """Before the first row of any table; and the next question is answered."""
    log = followed.ask(*arguments, status=69).log()
    assert table in log and any(word in log for word in reason.split("|")), log
    assert followed.lines() == []
    followed.ask("--tables", "public.items")
    assert len(printed(followed)) == 30


def test_what_is_not_published_is_refused(follow):
    followed = follow(*ORDERS, publication="TABLE items")
    check_refused(followed, "public.orders", "pub_", "--tables", "public.items,public.orders")


def test_what_the_configuration_excludes_is_refused(follow):
    followed = follow(*ORDERS, selection={"exclude_tables": [r"public\.orders"]})
    check_refused(followed, "public.orders", "exclude_tables", "--tables", "public.orders")


def test_what_may_not_be_read_is_refused(follow, server, database):
    name = f"reader_{database.name}"
    followed = follow(*ORDERS, f"CREATE ROLE {name} LOGIN REPLICATION", f"GRANT SELECT ON items TO {name}",
                      publication="TABLE items, orders", selection={"conn_str": server.conn_str(database.name, name)})
    check_refused(followed, "public.orders", "GRANT SELECT", "--tables", "public.orders")
    database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")

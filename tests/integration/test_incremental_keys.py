"""Incremental snapshots by keys of all kinds: rows are read by the order of the key's index, whatever that is."""

import pytest
from incremental import Followed
from server_version import MAJOR, NEEDS_MESSAGES, needs

pytestmark = NEEDS_MESSAGES

# A chunk holds two rows.
SMALL = {"batch_bytes": "4KiB"}
EXTENSIONS = ("citext", "ltree", "hstore", "cube", "seg", "isn")
MADE = (
    "CREATE TYPE mood AS ENUM ('low', 'HIGH', 'fair')",
    "CREATE TYPE pair AS (a integer, b text)",
    'CREATE DOMAIN plain AS text COLLATE "C"',
    "CREATE DOMAIN caseless AS citext",
    "CREATE DOMAIN price AS numeric(10, 2)",
)
IDENTITY = ("ALTER TABLE t ALTER k SET NOT NULL; CREATE UNIQUE INDEX k_t ON t {}; "
            "ALTER TABLE t REPLICA IDENTITY USING INDEX k_t")
MIXED = ["a", "B", "c", "D", "e", "F", "_", "ß"]

# The columns of a table t, what makes them its key (a primary key by default), and the key of each row.
CASES = {
    "citext": ("k citext", "", MIXED),
    "ltree": ("k ltree", "", ["a", "a.b", "B", "a_b", "a.b.c", "Top.x", "b.a"]),
    "hstore": ("k hstore", "", ["a=>1", "b=>2", "", "a=>1,b=>2", "B=>NULL", "a=>10"]),
    "cube": ("k cube", "", ["(1,2)", "(-1)", "(1,2),(3,4)", "(0,0,0)", "(10)", "(9)"]),
    "seg": ("k seg", "", ["1", "10", "9", "6.5 .. 7", "~3", "-1 .. 2"]),
    "isbn": ("k isbn13", "", ["9780393040029", "9780306406157", "9783161484100", "9780262033848", "9780201633610"]),
    "an ean and a name": ("k ean13, l citext", "", [("9780393040029", "b"), ("9780393040029", "A"),
                                                    ("9780306406157", "c"), ("9780306406157", "D")]),
    "a domain of another collation": ('k plain COLLATE "POSIX"', "", MIXED),
    "a domain of citext": ("k caseless", "", MIXED),
    "a domain with digits": ("k price", "", ["1.10", "-1", "NaN", "10", "9", "0"]),
    "a domain that old rows do not meet": (
        "k narrow", "ALTER TABLE t ADD PRIMARY KEY (k); ALTER DOMAIN narrow ADD CHECK (VALUE < 'b') NOT VALID", MIXED),
    "a collation that tells no cases apart": ("k text COLLATE folded", "", MIXED),
    "an index of another collation": ('k text COLLATE "en-x-icu"', IDENTITY.format('(k COLLATE "C")'), MIXED),
    "text_pattern_ops": ('k text COLLATE "en-x-icu"', IDENTITY.format("(k text_pattern_ops)"), MIXED),
    "varchar_pattern_ops": ("k varchar(9)", IDENTITY.format("(k varchar_pattern_ops)"), MIXED),
    "downwards": ("k citext, l integer NOT NULL", IDENTITY.format("(l DESC, k)"),
                  [("a", 1), ("B", 1), ("c", 2), ("D", 2), ("e", 2), ("F", 0)]),
    "with a column beside it": ("k citext, l integer", IDENTITY.format("(k) INCLUDE (l)"),
                                [(k, 1) for k in MIXED]),
    "few tenants": ("k integer, l citext", "", [(n % 2, name) for n, name in enumerate(MIXED)]),
    "three columns": ("k citext, l numeric, m ltree", "",
                      [(k, n, m) for k in ("a", "B") for n in ("1.0", "-2") for m in ("x", "Y", "y.z")]),
    '"char"': ('k "char"', "", MIXED[:-1]),
    "numeric": ("k numeric", "", ["1.0", "1.01", "NaN", "-1", "1e20", "0.00"]),
    "float8": ("k float8", "", ["NaN", "-0", "Infinity", "-Infinity", "0.1", "1e-300", "-1e300"]),
    "bytea": ("k bytea", "", [r"\x", r"\x00", r"\xff", r"\x5c27", r"\x0a"]),
    "uuid": ("k uuid", "", [f"{n}0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" for n in "0a9fb1"]),
    "inet": ("k inet", "", ["10.0.0.1", "10.0.0.1/8", "::1", "9.0.0.0", "255.0.0.0/8"]),
    "cidr": ("k cidr", "", ["10.0.0.0/8", "10.0.0.0/16", "::/0", "9.0.0.0/8", "255.0.0.0/8"]),
    "an enum": ("k mood", "", ["low", "HIGH", "fair"]),
    "an array of citext": ("k citext[]", "", ["{}", "{a}", "{B}", "{a,B}", "{c,NULL}", '{"D"}']),
    "an array of enums": ("k mood[]", "", ["{}", "{low}", "{HIGH}", "{low,fair}", "{fair,low}"]),
    "a range": ("k int4range", "", ["empty", "[1,5)", "(,)", "[1,6)", "[9,)", "[10,)"]),
    "a multirange": ("k int4multirange", "", ["{}", "{[1,5)}", "{[1,2),[9,10)}", "{[10,11)}"]),
    "a row": ("k pair", "", ["(1,a)", "(1,)", "(10,a)", "(9,B)", "(,)"]),
    "a bare varchar": ("k varchar(9), l char(3)", "", [(k, l) for k in ("a", "B") for l in ("x", "Y", "")]),
}
if MAJOR >= 18:
    MADE += ("CREATE EXTENSION btree_gist",)
    CASES["without overlaps"] = (
        "k integer, l int4range", "ALTER TABLE t ADD PRIMARY KEY (k, l WITHOUT OVERLAPS)",
        [(k, l) for k in (1, 10, 9) for l in ("[1,5)", "[5,6)", "[10,)")])


@pytest.fixture
def follow(database, walcat):
    """Follows a database that has the extensions and types, after statements."""
    def run(*statements, **keys):
        icu = "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        database.execute(*(f"CREATE EXTENSION {name}" for name in EXTENSIONS), *MADE, "CREATE DOMAIN narrow AS citext",
                         f"CREATE COLLATION folded {icu}", *statements,
                         f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
        return Followed(walcat, database, **keys)

    return run


def table_of(number, case):
    """The statements for table `t<number>` of a case."""
    columns, index, rows = case
    named = [column.split()[0] for column in columns.split(", ")]
    values = ", ".join(f"({', '.join(literal(value) for value in (row if isinstance(row, tuple) else (row,)))}, {n})"
                       for n, row in enumerate(rows))
    index = index or f"ALTER TABLE t ADD PRIMARY KEY ({', '.join(named)})"
    made = index.split("; ")
    # A condition that comes later is one that rows may break.
    late = [statement for statement in made if statement.startswith("ALTER DOMAIN")]
    statements = [f"CREATE TABLE t ({columns}, n integer, body text DEFAULT repeat('x', 1500))",
                  *(statement for statement in made if statement not in late), f"INSERT INTO t VALUES {values}", *late]
    return [statement.replace("TABLE t ", f"TABLE t{number} ").replace("INTO t ", f"INTO t{number} ")
            .replace("ON t ", f"ON t{number} ").replace("k_t", f"k_t{number}") for statement in statements]


def literal(value):
    return str(value) if isinstance(value, int) else "'" + value + "'"


def test_every_row_comes_once(follow):
    tables = {f"public.t{number}": case for number, case in enumerate(CASES)}
    statements = [statement for number, case in enumerate(CASES.values()) for statement in table_of(number, case)]
    followed = follow(*statements, "ANALYZE", pipeline=SMALL)
    followed.ask("--tables", ",".join(tables), within=60)
    rows = {table: [line for line in followed.lines() if line.table == table] for table in tables}
    read = {case: sorted(int(line.after["n"]) for line in rows[table]) for table, case in tables.items()}
    assert read == {case: list(range(len(keys))) for case, (_, _, keys) in CASES.items()}
    for table, case in tables.items():
        chunks = {line.source["commit_lsn"] for line in rows[table]}
        assert len(chunks) > 1, f"{case} was read at once"


def test_a_key_that_is_written_otherwise_is_the_same_row(follow, database):
    """All rows are while one of them is read: it is left out, and those behind it are read as they are then."""
    followed = follow("CREATE TABLE t (k citext, l numeric, m float8, n integer, PRIMARY KEY (k, l, m))",
                      "INSERT INTO t SELECT chr(96 + n), n::numeric, 0, n FROM generate_series(1, 9) AS n")
    asker = followed.begin("--tables", "public.t", "--rate", "4")
    followed.run.wait_for_lines(1)
    followed.ask("--pause")
    known = len(followed.rows())
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE t")
        followed.say({"ask": "resume"})
        followed.wait_for_chunk_to_hang()
        cursor.execute("UPDATE t SET k = upper(k), l = l * 1.00, m = '-0'")
    followed.end(asker)
    lines = followed.finish()
    rewritten = [(chr(64 + n), f"{n}.00", "-0", str(n)) for n in range(1, 10)]
    last = {line.after["n"]: tuple(line.after.values()) for line in lines}
    assert sorted(last.values()) == rewritten
    read = [tuple(line.after.values()) for line in lines if line.op == "r"]
    assert known < 9 and len(read) == 8, "the row that was rewritten in its window was left out"
    assert [row in rewritten for row in read] == [False] * known + [True] * (8 - known)


# What only the role's own path finds, and the rows that it chooses.
WHERE = {
    "k = 'ANN@x.org'": [1],
    "k = 'ANN@x.org'::citext": [1],
    "path <@ 'a'": [0, 1],
    "feeling = 'HIGH'::mood": [2],
    "bag ? 'x'": [0],
    "n > 1": [2],
    "operates(n)": [2],
}
WORDS = (
    "CREATE SCHEMA words",
    *(f"CREATE EXTENSION {name} SCHEMA words" for name in ("citext", "ltree", "hstore")),
    "CREATE TYPE words.mood AS ENUM ('low', 'HIGH')",
    "CREATE FUNCTION words.operates(integer) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = 2'",
    """CREATE TABLE public.t (k words.citext, name varchar(9), tags text[], path words.ltree, feeling words.mood,
       bag words.hstore, n integer, PRIMARY KEY (k, name, tags))""",
    """INSERT INTO public.t VALUES ('bob@x.org', 'a', '{x}', 'a', 'low', 'x=>1', 0),
       ('Ann@x.org', 'b', '{x}', 'a.b', 'low', '', 1), ('carl@x.org', 'c', '{x}', 'b', 'HIGH', '', 2)""",
    # Whoever may create things in the path must not be called by what is not the condition.
    *(f"""CREATE FUNCTION words.trap({kind}, {kind}) RETURNS boolean LANGUAGE plpgsql
          AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$""" for kind in ("varchar", "text[]")),
    *(f"CREATE OPERATOR words.{name} (FUNCTION = words.trap, LEFTARG = {kind}, RIGHTARG = {kind})"
      for kind in ("varchar", "text[]") for name in ("=", "<", "<=", ">", ">=")),
)


@pytest.mark.parametrize("published", ["", pytest.param(" WHERE (tags = '{x}')", marks=needs(15, "row filters"))])
def test_a_condition_means_what_it_means_to_the_role(published, database, walcat):
    """In a running walcat, and without one; a row filter keeps its meaning beside it."""
    database.execute(*WORDS,
                     f'ALTER DATABASE "{database.name}" SET search_path = words, public, pg_catalog',
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE public.t{published}")
    followed = Followed(walcat, database, pipeline=SMALL)
    for condition, numbers in WHERE.items():
        before = len(followed.rows())
        followed.ask("--tables", "public.t", "--where", condition)
        assert sorted(int(row["n"]) for row in followed.rows()[before:]) == numbers, condition
        dumped = followed.begin("--dump", "--where", condition)
        followed.end(dumped)
        assert sorted(int(line.after["n"]) for line in dumped.lines()) == numbers, condition


@needs(15, "row filters")
def test_a_condition_stands_beside_the_filter_of_the_root_that_changes_come_under(database, walcat):
    database.execute("CREATE TABLE t (n integer PRIMARY KEY) PARTITION BY RANGE (n)",
                     "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (3)",
                     "CREATE TABLE high PARTITION OF t FOR VALUES FROM (3) TO (9)",
                     "INSERT INTO t SELECT generate_series(0, 8)",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE high WHERE (n > 3), t WHERE (n > 1) "
                     "WITH (publish_via_partition_root)")
    followed = Followed(walcat, database, pipeline=SMALL)
    followed.ask("--tables", "public.t", "--where", "n <> 5")
    assert sorted(int(row["n"]) for row in followed.rows()[-6:]) == [2, 3, 4, 6, 7, 8]
    dumped = followed.begin("--dump", "--where", "n <> 5")
    followed.end(dumped)
    assert sorted(int(line.after["n"]) for line in dumped.lines()) == [2, 3, 4, 6, 7, 8]

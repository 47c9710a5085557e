"""What may change at a seam: a table of rows, each tried at every seam (seams.py).

To add one, append a Change to CHANGES. It has a database of its own with what `tables` makes: by default t, with a key
and large values, and l, the same without a key. At the seam its statements run in this order, each a transaction:

    before   written in the old layout, and not read by walcat yet
    ddl      the change itself
    after    written in the new layout
    late     written when the stream runs again

Of each INSERT, UPDATE and DELETE the scribe (scribe.py) knows the line that is right, as it was when it was written. So
most rows of this table need no more than `ddl`, and `carry`: how a consumer's old row looks in the new layout. UPDATE
and DELETE name one row, by WHERE.

Where the stream must not simply go on, `expects` says so, for each seam where it differs (verdicts.py). `since` is the
first PostgreSQL that has what the row is about. Write down what is right, not what walcat does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from verdicts import HEALED, STREAMED, Stopped, Verdict

Row = dict[str, Any]

PUBLICATION = "pub"


def both(*statements: str) -> tuple[str, ...]:
    return tuple(statement.format(table) for statement in statements for table in ("t", "l"))


def filled(table: str, first: int = 1) -> str:
    """Rows `first` to `first` + 23, every other one with a large value that is stored out of line."""
    return f"""INSERT INTO {table} (id, v, w, body)
        SELECT n, n * 10, '{{"n": ' || n || '}}', CASE WHEN mod(n, 2) = 0 THEN repeat(md5(n::text), 100) END
        FROM generate_series({first}, {first} + 23) AS n"""


COLUMNS = "(id integer NOT NULL, v integer, w text, touched integer NOT NULL DEFAULT 0, body text)"
PAIR = (
    *both(f"CREATE TABLE {{}} {COLUMNS} WITH (fillfactor = 10)", "ALTER TABLE {} ALTER body SET STORAGE EXTERNAL"),
    "ALTER TABLE t ADD PRIMARY KEY (id)",
    "ALTER TABLE l REPLICA IDENTITY FULL",
    filled("t"),
    filled("l"),
)
PARTITIONED = (
    f"CREATE TABLE t {COLUMNS} PARTITION BY RANGE (id)",
    "ALTER TABLE t ALTER body SET STORAGE EXTERNAL",
    "ALTER TABLE t ADD PRIMARY KEY (id)",
    "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100000) WITH (fillfactor = 10)",
    "CREATE TABLE t_2 (LIKE t INCLUDING ALL) WITH (fillfactor = 10)",
    filled("t"),
    filled("t_2", 200001),
)
ATTACH = "ALTER TABLE t ATTACH PARTITION t_2 FOR VALUES FROM (200000) TO (300000)"
PUBLISHED = f"CREATE PUBLICATION {PUBLICATION} FOR TABLE t, l"
LISTED = ("public.t", "public.l")


def writes(table: str, first: int, key: str = "id") -> tuple[str, ...]:
    """Every kind of change, to the rows `first` (even) to `first` + 3, in whatever layout the table has."""
    name = table.split(".")[-1]
    return (
        f"""INSERT INTO {table} SELECT (jsonb_populate_record({name}, '{{"{key}": {first + 100}}}')).*
            FROM {table} WHERE {key} = {first}""",
        f"UPDATE {table} SET touched = touched + 1 WHERE {key} = {first}",
        f"UPDATE {table} SET body = repeat(md5('{first}'), 101) WHERE {key} = {first + 1}",
        f"UPDATE {table} SET {key} = {key} + 1000 WHERE {key} = {first + 2}",
        f"DELETE FROM {table} WHERE {key} = {first + 3}",
    )


def early(*tables: str) -> tuple[str, ...]:
    """Read before the seam, so that the tables are known when it comes."""
    return tuple(f"UPDATE {table} SET touched = touched + 1 WHERE id = 2" for table in tables)


def old_writes(*tables: str) -> tuple[str, ...]:
    return tuple(
        statement
        for table in tables
        for statement in (f"UPDATE {table} SET v = v + 1 WHERE id = 2", *writes(table, 6))
    )


def new_writes(*tables: str, key: str = "id") -> tuple[str, ...]:
    """To rows that were written before the change, too."""
    return tuple(
        statement
        for table in tables
        for statement in (
            f"UPDATE {table} SET touched = touched + 1 WHERE {key} = 2",
            f"UPDATE {table} SET touched = touched + 1 WHERE {key} = 106",
            *writes(table, 10, key),
        )
    )


def late_writes(*tables: str, key: str = "id") -> tuple[str, ...]:
    return tuple(statement for table in tables for statement in writes(table, 14, key))


def same(row: Row) -> Row:
    return row


def renamed(**names: str) -> Callable[[Row], Row]:
    return lambda row: {names.get(name, name): value for name, value in row.items()}


def added(**values: str | None) -> Callable[[Row], Row]:
    return lambda row: {**row, **values}


def without(*names: str) -> Callable[[Row], Row]:
    return lambda row: {name: value for name, value in row.items() if name not in names}


def masking(*names: str) -> Callable[[Row], Row]:
    return lambda row: {name: "***" if name in names else value for name, value in row.items()}


@dataclass(frozen=True)
class Change:
    name: str
    ddl: tuple[str, ...] = ()
    tables: tuple[str, ...] = PAIR
    early: tuple[str, ...] = early("t", "l")
    before: tuple[str, ...] = old_writes("t", "l")
    after: tuple[str, ...] = new_writes("t", "l")
    late: tuple[str, ...] = late_writes("t", "l")
    # A row of the old layout in the new one, and tables that have another name then.
    carry: Callable[[Row], Row] = same
    moved: dict[str, str] = field(default_factory=dict)
    # Tables that begin empty with the change: what had the name before is another one.
    begun: frozenset[str] = frozenset()
    # The keys of the tables that are compared, under the names that they have in the end; () of one without a key.
    keys: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"public.t": ("id",), "public.l": ()})
    # Under their names before. Where a snapshot is to be interrupted, they are made larger.
    large: tuple[str, ...] = ("t", "l")
    # Tables whose changes from `after` on are not published, by somebody's will.
    unpublished: frozenset[str] = frozenset()
    # Tables that are printed under the name of another.
    under: dict[str, str] = field(default_factory=dict)
    # Of the configuration: `tables`, other keys of the entry, and the role in conn_str.
    listed: tuple[str, ...] = ()
    entry: dict[str, Any] = field(default_factory=dict)
    role: str = "postgres"
    # What is printed of a row, and what may never be seen, neither in lines nor in the log.
    shown: Callable[[Row], Row] = same
    secrets: tuple[str, ...] = ()
    since: int = 10
    expects: Verdict = STREAMED
    # By the seam's name, where it differs.
    expects_at: dict[str, Verdict] = field(default_factory=dict)

    def expected_at(self, seam: str) -> Verdict:
        return self.expects_at.get(seam, self.expects)


def of_columns() -> list[Change]:
    seven = "CREATE FUNCTION seven() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 7'"
    spare = "ALTER TABLE {0} RENAME v TO spare; ALTER TABLE {0} RENAME {1} TO v; ALTER TABLE {0} RENAME spare TO {1}"
    by_number = {"after": new_writes("t", "l", key="number"), "late": late_writes("t", "l", key="number")}
    more = both("UPDATE {} SET extra = 5 WHERE id = 2")
    return [
        Change("nothing"),
        Change("add_column", both("ALTER TABLE {} ADD extra integer"),
               after=(*new_writes("t", "l"), *more), carry=added(extra=None)),
        Change("add_column_default", both("ALTER TABLE {} ADD extra integer DEFAULT 7"),
               after=(*new_writes("t", "l"), *more), carry=added(extra="7")),
        Change("add_column_rewritten", (seven, *both("ALTER TABLE {} ADD extra integer DEFAULT seven()")),
               after=(*new_writes("t", "l"), *more), carry=added(extra="7")),
        Change("drop_column", both("ALTER TABLE {} DROP v"), carry=without("v")),
        Change("drop_and_add_column", both("ALTER TABLE {} DROP v", "ALTER TABLE {} ADD v text DEFAULT 'new'"),
               carry=added(v="new")),
        Change("rename_column", both("ALTER TABLE {} RENAME v TO other"), carry=renamed(v="other")),
        Change("rename_key", both("ALTER TABLE {} RENAME id TO number"), carry=renamed(id="number"), **by_number,
               keys={"public.t": ("number",), "public.l": ()}),
        Change("swap_columns", (spare.format("t", "w"), spare.format("l", "w")), carry=renamed(v="w", w="v")),
        # Nothing but the names tells these two apart.
        Change("swap_integers", (spare.format("t", "touched"), spare.format("l", "touched")),
               carry=renamed(v="touched", touched="v")),
    ]


def of_types() -> list[Change]:
    wider = both("UPDATE {} SET v = 5000000000 WHERE id = 2")
    mood = ("CREATE TYPE mood AS ENUM ('a', 'b')", *both("ALTER TABLE {} ADD m mood DEFAULT 'a'"))
    return [
        Change("integer_to_bigint", both("ALTER TABLE {} ALTER v TYPE bigint"), after=(*new_writes("t", "l"), *wider)),
        Change("integer_to_text", both("ALTER TABLE {} ALTER v TYPE text")),
        Change("text_to_jsonb", both("ALTER TABLE {} ALTER w TYPE jsonb USING w::jsonb")),
        Change("longer_varchar", both("ALTER TABLE {} ALTER w TYPE varchar(60)"),
               (*PAIR, *both("ALTER TABLE {} ALTER w TYPE varchar(50)"))),
        Change("key_to_bigint", both("ALTER TABLE {} ALTER id TYPE bigint")),
        Change("enum_value", ("ALTER TYPE mood ADD VALUE 'c'",), (*PAIR, *mood),
               after=(*new_writes("t", "l"), *both("UPDATE {} SET m = 'c' WHERE id = 2"))),
    ]


def of_identities() -> list[Change]:
    index = ("ALTER TABLE t ALTER v SET NOT NULL", "CREATE UNIQUE INDEX other ON t (v, id)",
             "ALTER TABLE t REPLICA IDENTITY USING INDEX other")
    return [
        Change("identity_full", ("ALTER TABLE t REPLICA IDENTITY FULL",)),
        Change("identity_default", ("ALTER TABLE t REPLICA IDENTITY DEFAULT",),
               (*PAIR, "ALTER TABLE t REPLICA IDENTITY FULL")),
        Change("identity_index", index),
        Change("key_widened", ("ALTER TABLE t DROP CONSTRAINT t_pkey", "ALTER TABLE t ADD PRIMARY KEY (v, id)")),
    ]


def of_tables() -> list[Change]:
    anew = ("INSERT INTO {} VALUES (301, 1, '1', 0, repeat('a', 3000))", "INSERT INTO {} VALUES (302, 2, '2', 0, NULL)",
            "UPDATE {} SET touched = 1 WHERE id = 301")
    other = {"before": (*old_writes("t", "l"), *writes("t_new", 6)), "after": new_writes("t_old", "t", "l"),
             "late": late_writes("t_old", "t", "l"), "early": early("t", "l", "t_new")}
    copy = ("CREATE TABLE t_new (LIKE t INCLUDING ALL) WITH (fillfactor = 10)", "INSERT INTO t_new SELECT * FROM t")
    swap = "ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t"
    recreated = ("DROP TABLE t", "CREATE TABLE t (id integer PRIMARY KEY, other text)")
    refilled = tuple(f"INSERT INTO t VALUES ({n}, 'new {n}')" for n in range(1, 6))
    of_new = {"begun": frozenset({"public.t"}), "after": (*refilled, *new_writes("l")),
              "late": ("INSERT INTO t VALUES (6, 'late')", *late_writes("l"))}
    return [
        Change("rename_table", ("ALTER TABLE t RENAME TO u", "ALTER TABLE l RENAME TO k"),
               after=new_writes("u", "k"), late=late_writes("u", "k"), keys={"public.u": ("id",), "public.k": ()},
               moved={"public.t": "public.u", "public.l": "public.k"}),
        Change("set_schema", ("CREATE SCHEMA other", *both("ALTER TABLE {} SET SCHEMA other")),
               after=new_writes("other.t", "other.l"), late=late_writes("other.t", "other.l"),
               keys={"other.t": ("id",), "other.l": ()}, moved={"public.t": "other.t", "public.l": "other.l"}),
        Change("truncate", both("TRUNCATE {}"), after=both(*anew), late=both("DELETE FROM {} WHERE id = 302"),
               since=11),
        Change("vacuum_full", both("VACUUM FULL {}")),
        Change("drop_table", ("DROP TABLE l",), after=new_writes("t"), late=late_writes("t"),
               keys={"public.t": ("id",)}),
        Change("create_table", ("CREATE TABLE made (id integer PRIMARY KEY, v integer)",),
               after=(*new_writes("t", "l"), "INSERT INTO made VALUES (1, 1)", "INSERT INTO made VALUES (2, 2)"),
               late=(*late_writes("t", "l"), "UPDATE made SET v = 3 WHERE id = 1", "DELETE FROM made WHERE id = 2"),
               keys={"public.t": ("id",), "public.l": (), "public.made": ("id",)}),
        Change("recreate_table", recreated, **of_new),
        Change("recreate_listed_table", recreated, **of_new, listed=LISTED, expects=HEALED),
        Change("rename_swap", (swap,), (*PAIR, *copy), **other,
               keys={"public.t": ("id",), "public.t_old": ("id",), "public.l": ()}, large=("t", "t_new", "l"),
               moved={"public.t": "public.t_old", "public.t_new": "public.t"}),
        Change("rename_swap_listed", (swap,), (*PAIR, *copy), after=(*writes("t", 10), *new_writes("l")),
               begun=frozenset({"public.t"}), listed=LISTED, expects=HEALED),
    ]


def of_partitions() -> list[Change]:
    leaves = {"since": 13, "early": early("t"), "keys": {"public.t_1": ("id",), "public.t_2": ("id",)},
              "large": ("t_1", "t_2")}
    attached = {"before": (*old_writes("t"), *writes("t_2", 200006)), "after": (*new_writes("t"), *writes("t", 200010)),
                "late": (*late_writes("t"), *writes("t", 200014))}
    detached = {"before": (*old_writes("t"), *writes("t", 200006)),
                "after": (*new_writes("t"), *writes("t_2", 200010)),
                "late": (*late_writes("t"), *writes("t_2", 200014))}
    through_root = f"CREATE PUBLICATION {PUBLICATION} FOR TABLE t WITH (publish_via_partition_root)"
    return [
        Change("attach_partition", (ATTACH,), PARTITIONED, **attached, **leaves),
        Change("detach_partition", ("ALTER TABLE t DETACH PARTITION t_2",), (*PARTITIONED, ATTACH), **detached,
               **leaves),
        # Its rows were never published.
        Change("attach_to_listed_root", (ATTACH,), PARTITIONED, **attached, **leaves, listed=("public.t",),
               expects=HEALED),
        Change("attach_to_published_root", (ATTACH,), (*PARTITIONED, through_root), **attached,
               **{**leaves, "keys": {"public.t": ("id",)}}, under={"public.t_1": "public.t", "public.t_2": "public.t"},
               expects=HEALED),
    ]


def of_publications() -> list[Change]:
    again = f"DROP PUBLICATION {PUBLICATION}; {PUBLISHED}"
    lost = "UPDATE t SET touched = touched + 1 WHERE id = 4"
    alone = {"tables": (*PAIR, PUBLISHED), "unpublished": frozenset({"public.t"}), "keys": {"public.l": ()}}
    mine = {"listed": LISTED, "expects": HEALED}
    return [
        # The publication's owner decides what is followed.
        Change("unpublish_table", (f"ALTER PUBLICATION {PUBLICATION} DROP TABLE t",), **alone),
        # The configuration does.
        Change("unpublish_listed_table", (f"ALTER PUBLICATION {PUBLICATION} DROP TABLE t",), **mine),
        Change("publish_table_again", (f"ALTER PUBLICATION {PUBLICATION} DROP TABLE t", lost,
                                       f"ALTER PUBLICATION {PUBLICATION} ADD TABLE t"), **mine),
        Change("set_published_tables", (f"ALTER PUBLICATION {PUBLICATION} SET TABLE l",), **mine),
        # Nothing was written while it was away, which walcat may not be able to know.
        Change("recreate_publication", (again,), (*PAIR, PUBLISHED), expects=HEALED),
        # The slot decodes the time in which it was not there.
        Change("miss_publication", (f"DROP PUBLICATION {PUBLICATION}", lost, PUBLISHED), (*PAIR, PUBLISHED),
               expects=Stopped(r"publication.*\bpub\b", r"on_gap")),
    ]


def of_rights() -> list[Change]:
    reader = ("CREATE ROLE seam_reader LOGIN REPLICATION", "GRANT SELECT ON t, l TO seam_reader")
    # Rows need the right, changes do not.
    refused = Stopped(r"public\.[tl]\b", r"GRANT SELECT")
    return [
        Change("revoke_select", ("REVOKE SELECT ON t, l FROM seam_reader",), (*PAIR, PUBLISHED, *reader),
               role="seam_reader", expects_at={"resumed-snapshot": refused}),
    ]


def of_masks() -> list[Change]:
    """w is masked, in t."""
    secret = (*PAIR, "UPDATE t SET w = 'confidential ' || id", "ALTER TABLE l DROP w")
    rule = {"mask_columns": [{"columns": r"public\.t\.w", "with": "***"}]}
    masked = {"tables": secret, "entry": rule, "secrets": ("confidential",), "shown": masking("w", "hidden")}
    gone = Stopped(r"mask_columns|public\.t\.w\b")
    return [
        Change("rename_masked_column", ("ALTER TABLE t RENAME w TO hidden",), carry=renamed(w="hidden"), **masked,
               expects=gone),
        Change("rename_beside_masked_column", both("ALTER TABLE {} RENAME v TO other"), carry=renamed(v="other"),
               **masked),
        Change("drop_beside_masked_column", both("ALTER TABLE {} DROP v"), carry=without("v"), **masked),
    ]


CHANGES = [
    *of_columns(), *of_types(), *of_identities(), *of_tables(), *of_partitions(), *of_publications(), *of_rights(),
    *of_masks(),
]

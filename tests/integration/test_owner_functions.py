"""What an owner of a table can do to others by a function that PostgreSQL runs when walcat's queries on it are planned.

PostgreSQL evaluates calls of IMMUTABLE functions with constant arguments in a table's index expressions, predicates and
statistics, for whoever plans a query. Mallory owns lab.samples and such a function, which does a deed in walcat's
sessions alone; Alice owns the tables of the schema shop.
"""

import json

import pytest
from configuration import configuration, entry
from incremental import EMIT, Followed, locks_of
from server_version import NEEDS_MESSAGES, before
from snapshots import SMALL_CHUNKS
from waiting import wait_until

pytestmark = NEEDS_MESSAGES

CARRIERS = {
    "an index expression": "CREATE INDEX ON lab.samples ((id + lab.taint(1)))",
    "an index predicate": "CREATE INDEX ON lab.samples (pad) WHERE id > lab.taint(0)",
    "statistics": "CREATE STATISTICS lab.of_samples ON (id + lab.taint(1)), pad FROM lab.samples",
}
VALUES = {"id": "1", "ratio": "0.30000000000000004", "at": "2024-03-04 05:06:07+00", "lasted": "-1 days +02:03:00",
          "bytes": "\\xdeadbeef", "name": "café", "price": "$1,000.00", "kind": "pg_class"}  # fmt: skip
SETTINGS = {"extra_float_digits": "-3", "DateStyle": "SQL, DMY", "TimeZone": "Asia/Tokyo", "bytea_output": "escape",
            "IntervalStyle": "sql_standard", "client_encoding": "LATIN1", "quote_all_identifiers": "on"}  # fmt: skip


def setting(name, value):
    return f"PERFORM pg_catalog.set_config('{name}', '{value}', false);"


class Town:
    """The database, its roles and their tables."""

    def __init__(self, database, walcat):
        self.database, self.walcat = database, walcat
        self.role, self.mallory, self.alice = (f"{who}_{database.name}" for who in ("walcat", "mallory", "alice"))
        database.execute(
            f"CREATE ROLE {self.role} LOGIN REPLICATION",
            f"CREATE ROLE {self.mallory} LOGIN", f"CREATE ROLE {self.alice}",
            f"CREATE SCHEMA lab AUTHORIZATION {self.mallory}", f"CREATE SCHEMA shop AUTHORIZATION {self.alice}",
            f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES",
        )  # fmt: skip
        self.as_role(
            self.mallory,
            "CREATE TABLE lab.samples (id integer PRIMARY KEY, pad text)",
            "INSERT INTO lab.samples SELECT n, repeat('x', 200) FROM generate_series(1, 1000) AS n",
            "CREATE TABLE lab.booty (id serial PRIMARY KEY, role name)",
        )
        self.as_role(
            self.alice,
            """CREATE TABLE shop.orders (id integer PRIMARY KEY, ratio float8, at timestamptz, lasted interval,
               bytes bytea, name text, price money, kind regclass)""",
            """INSERT INTO shop.orders VALUES (1, 0.1::float8 + 0.2::float8, '2024-03-04 05:06:07+00',
               '-1 day 02:03:00', '\\xdeadbeef', 'café', 1000, 'pg_class')""",
            "CREATE TABLE shop.secrets (id integer PRIMARY KEY)",
            "INSERT INTO shop.secrets VALUES (1)",
            "ALTER TABLE shop.secrets ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY hidden ON shop.secrets USING (id > 100)",
        )
        for schema, owner in (("lab", self.mallory), ("shop", self.alice)):
            self.as_role(owner, f"GRANT USAGE ON SCHEMA {schema} TO {self.role}",
                         f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {self.role}")  # fmt: skip
        self.as_role(self.mallory, "GRANT ALL ON ALL TABLES IN SCHEMA lab TO PUBLIC",
                     "GRANT ALL ON ALL SEQUENCES IN SCHEMA lab TO PUBLIC")  # fmt: skip

    def as_role(self, role, *statements):
        self.database.execute(f"SET ROLE {role}", *statements, "RESET ROLE")

    def plant(self, deed, carrier="statistics", who=None):
        """Has the planner do the deed, in each session of walcat's, or `who`'s, that plans a query on lab.samples."""
        self.as_role(
            self.mallory,
            f"""CREATE FUNCTION lab.taint(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
                BEGIN IF session_user = '{who or self.role}' THEN {deed} END IF; RETURN n; END $$""",
            CARRIERS[carrier],
            "ANALYZE lab.samples",
        )

    def config(self, **keys):
        conn_str = self.database.server.conn_str(self.database.name, self.role)
        return configuration(entry(self.database, conn_str=conn_str),
                             **{"output": {"values": "text"}, "flush_interval": "50ms", **keys})  # fmt: skip

    def follow(self):
        return Followed(self.walcat, self.database, config=self.config())

    def dump(self, *arguments, status=0):
        """`walcat snapshot --dump`, with one worker that reads chunk by chunk."""
        config = self.config(snapshot={**SMALL_CHUNKS, "workers": 1})
        made = self.walcat.command("snapshot", "-c", str(self.walcat.write(config)), "--dump", *arguments)
        assert made.wait_exit() == status, made.describe()
        return made


@pytest.fixture
def town(database, walcat):
    made = Town(database, walcat)
    yield made
    walcat.close()
    names = f"{made.role}, {made.mallory}, {made.alice}"
    database.drop_slots()
    database.execute(f"DROP OWNED BY {names} CASCADE", f"DROP ROLE {names}")


def rows_of(run, table):
    return [line.after for line in run.lines() if line.op == "r" and line.table == table]


def read_incrementally(town, *tables, status=0):
    followed = town.follow()
    followed.ask("--tables", ",".join(tables), status=status)
    followed.run.stop()  # The last rows may still be on their way.
    return followed.run


def read_at_first(town, *tables, status=0):
    config = town.config(snapshot={**SMALL_CHUNKS, "workers": 1})
    config["databases"][0]["tables"] = list(tables)
    return town.walcat.run(config, "--until-caught-up", status=status)


def dump_some(town, *tables, status=0):
    return town.dump("--tables", ",".join(tables), "--where", "id > 0", status=status)


WAYS = {"incremental": read_incrementally, "initial": read_at_first, "dump": dump_some}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("way", WAYS)
def test_values_of_others_print_as_ever(way, carrier, town):
    town.plant("".join(setting(*one) for one in SETTINGS.items()), carrier)
    run = WAYS[way](town, "lab.samples", "shop.orders")
    assert len(rows_of(run, "lab.samples")) == 1000
    assert rows_of(run, "shop.orders") == [VALUES]


def ask_with_condition(town, table, where):
    followed = town.follow()
    followed.ask("--tables", table, "--where", where)
    followed.run.stop()
    return followed.run


def dump_with_condition(town, table, where):
    return town.dump("--tables", table, "--where", where)


@pytest.mark.parametrize("read", [ask_with_condition, dump_with_condition])
def test_values_print_as_ever_where_the_condition_names_the_table(read, town):
    """Both tables are planned in one statement."""
    town.plant("".join(setting(*one) for one in SETTINGS.items()))
    run = read(town, "shop.orders", "EXISTS (SELECT FROM lab.samples s WHERE s.id = orders.id)")
    assert rows_of(run, "shop.orders") == [VALUES]


def test_an_error_of_the_function_refuses_its_table_alone(town):
    town.plant("RAISE EXCEPTION 'not today';")
    followed = town.follow()
    asker = followed.ask("--tables", "lab.samples,shop.orders", status=69)
    assert "not today" in asker.log() and "the rest was read" in asker.log()
    followed.run.wait_for(lambda: followed.rows("shop.orders"), "the row is printed")
    assert followed.rows("lab.samples") == [] and followed.rows("shop.orders") == [VALUES]


def test_sessions_that_end_while_nobody_can_log_in_hold_the_snapshot_up_alone(town):
    """Just when somebody asks something between two chunks, which walcat then looks into."""
    database, followed = town.database, town.follow()
    asker = followed.begin("--tables", "lab.samples", "--rate", "400")
    followed.run.wait_for(lambda: followed.rows("lab.samples"), "rows are printed")
    database.execute(f"ALTER ROLE {town.role} CONNECTION LIMIT 0")
    database.rows(
        f"""SELECT pg_terminate_backend(pid), pg_logical_emit_message(true, 'walcat.snapshot', %s)
            FROM pg_stat_activity WHERE usename = '{town.role}' AND backend_type = 'client backend'
            AND query NOT LIKE 'LISTEN%%' AND application_name = 'walcat'""",
        (json.dumps({"slot": database.slot_name, "ask": "start", "id": "forged", "tables": ["shop.orders"]}),),
    )
    followed.run.wait_for_log("too many connections for role")
    database.execute(f"ALTER ROLE {town.role} CONNECTION LIMIT -1")
    assert asker.wait_exit() == 0, f"{asker.describe()}\n{followed.run.describe()}"
    followed.run.wait_for(lambda: len(followed.rows("lab.samples")) == 1000, "all rows are printed")


def test_rows_of_others_in_the_same_partitioned_table_print_as_ever(town):
    """Rows whose large values the stream leaves out are read from all partitions at once, planned together."""
    town.as_role(
        town.alice,
        "CREATE TABLE shop.parcels (id integer PRIMARY KEY, ratio float8, body text) PARTITION BY RANGE (id)",
        "CREATE TABLE shop.a_near PARTITION OF shop.parcels FOR VALUES FROM (-9999) TO (9999)",
        "CREATE TABLE shop.b_far PARTITION OF shop.parcels FOR VALUES FROM (10000) TO (19999)",
        "ALTER TABLE shop.a_near ALTER body SET STORAGE EXTERNAL",
        "ALTER TABLE shop.b_far ALTER body SET STORAGE EXTERNAL",
        """INSERT INTO shop.parcels SELECT start + n, 0.1::float8 + 0.2::float8, repeat(md5(n::text), 80)
           FROM generate_series(1, 1000) AS n, (VALUES (0), (10000)) AS starts (start)""",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {town.role}",
        f"GRANT USAGE ON SCHEMA shop TO {town.mallory}",
    )
    town.database.execute(f"ALTER PUBLICATION pub_{town.database.name} SET (publish_via_partition_root = true)",
                          f"ALTER TABLE shop.b_far OWNER TO {town.mallory}")  # fmt: skip
    town.plant("".join(setting(*one) for one in SETTINGS.items()))
    town.as_role(town.mallory, "CREATE STATISTICS lab.of_far ON (id + lab.taint(1)), body FROM shop.b_far",
                 "ANALYZE shop.b_far")  # fmt: skip
    followed = town.follow()
    asker = followed.midway("--tables", "shop.parcels")
    town.database.execute("UPDATE shop.parcels SET id = -id WHERE id BETWEEN 951 AND 1000",
                          "UPDATE shop.parcels SET id = id + 1000 WHERE id BETWEEN 10951 AND 11000")  # fmt: skip
    followed.go_on(asker)
    moved = [row for row in followed.rows("shop.parcels") if int(row["id"]) < 0]
    assert len(moved) == 50
    assert {row["ratio"] for row in moved} == {"0.30000000000000004"}


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_others_are_refused_and_not_hidden(way, town):
    """Row level security that applies to walcat's role."""
    town.plant(setting("row_security", "on"))
    run = WAYS[way](town, "lab.samples", "shop.secrets", status=69)
    assert "row-level security" in run.log()


def test_no_operator_of_the_owner_is_taken_for_the_servers(town):
    """By search_path, in the questions that walcat asks outside of its read-only transactions."""
    town.as_role(
        town.mallory,
        """CREATE FUNCTION lab.same(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
           IF current_setting('transaction_read_only') = 'off' THEN
             INSERT INTO lab.booty (role) VALUES (current_user);
           END IF;
           RETURN $1 OPERATOR(pg_catalog.=) $2; END $$""",
        "CREATE OPERATOR lab.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = lab.same)",
    )
    town.plant(setting("search_path", "lab, pg_catalog"))
    followed = town.follow()
    asker = followed.midway("--tables", "lab.samples,shop.orders")
    followed.go_on(asker)
    followed.ask("--tables", "lab.samples", "--where", "id < 10")
    assert town.database.rows("SELECT role FROM lab.booty") == []


@before(16, "no large objects made in read-only transactions")
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_in_the_database(way, town):
    """A read-only transaction lets large objects be made, on such servers."""
    town.plant("PERFORM pg_catalog.lo_create(0);")
    WAYS[way](town, "lab.samples")
    assert town.database.rows("SELECT oid FROM pg_largeobject_metadata") == []


class Forgery:
    """A question by Mallory, for whose words her function takes the locks in walcat's sessions."""

    def __init__(self, town):
        self.town = town
        question = {"slot": town.database.slot_name, "ask": "start", "id": "forged", "tables": ["shop.orders"]}
        self.content = json.dumps(question)
        self.deed = "".join(f"PERFORM pg_catalog.pg_advisory_lock({lock});" for lock in locks_of(self.content))

    def ask(self):
        session = self.town.database.server.connect(self.town.database.name, self.town.mallory)
        with session.cursor() as cursor:
            cursor.execute(EMIT, (self.content,))
        session.close()

    def check_refused(self, followed):
        followed.run.wait_for(lambda: "forged" in followed.run.log(), "the question is heard")
        assert "question forged is refused" in followed.run.log()
        assert followed.rows("shop.orders") == []


def test_a_session_that_has_read_the_table_vouches_for_nothing(town):
    forgery = Forgery(town)
    town.plant(forgery.deed)
    followed = town.follow()
    asker = followed.midway("--tables", "lab.samples")
    forgery.ask()
    forgery.check_refused(followed)
    followed.go_on(asker)


def test_nor_does_one_in_which_the_function_fails(town):
    """Already while the condition is looked at: the session goes on with the next question."""
    forgery = Forgery(town)
    town.plant(f"{forgery.deed} RAISE EXCEPTION 'not today';")
    followed = town.follow()
    asker = followed.ask("--tables", "lab.samples", "--where", "id > 0", status=69)
    assert "not today" in asker.log()
    forgery.ask()
    forgery.check_refused(followed)


def test_nor_does_a_superusers_that_has_analyzed_it(town):
    """PostgreSQL keeps the function from all but a few things then; locks and names are not among them."""
    forgery = Forgery(town)
    name = setting("application_name", "walcat snapshot forged")
    town.plant(f"{forgery.deed} {name}", who="postgres")
    followed = town.follow()
    town.database.execute("ANALYZE lab.samples")
    held = town.database.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    assert len(held) == 4
    forgery.ask()
    forgery.check_refused(followed)


WAIT = 4217  # An advisory lock of the test's own.


def test_nobody_is_left_behind_who_holds_locks(town):
    """Where the function does not end, and walcat does."""
    town.plant("PERFORM pg_catalog.pg_sleep(1000);")
    run = town.walcat.start(town.config(snapshot={**SMALL_CHUNKS, "workers": 1}))
    sleeping = "SELECT pid FROM pg_stat_activity WHERE usename = %s AND wait_event = 'PgSleep'"
    run.wait_for(lambda: town.database.rows(sleeping, (town.role,)), "the function sleeps")
    run.stop()
    wait_until(lambda: not town.database.rows(sleeping, (town.role,)), "the server has noticed", within=15)


def test_nor_does_one_that_is_reading_it(town):
    """Another process of walcat's, whose worker holds the locks for as long as the function runs."""
    forgery = Forgery(town)
    town.plant(f"{forgery.deed} PERFORM pg_catalog.pg_advisory_xact_lock({WAIT});")
    followed = town.follow()
    town.database.execute(f"SELECT pg_advisory_lock({WAIT})")
    config = town.config(snapshot={**SMALL_CHUNKS, "workers": 1})
    dump = town.walcat.command("snapshot", "-c", str(town.walcat.write(config, "dump.yaml")), "--dump",
                               "--tables", "lab.samples", "--where", "id > 0")  # fmt: skip
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
    wait_until(lambda: town.database.rows(waiting, (WAIT,)), "the function waits")
    forgery.ask()
    forgery.check_refused(followed)
    town.database.execute(f"SELECT pg_advisory_unlock({WAIT})")
    assert dump.wait_exit() == 0, dump.describe()

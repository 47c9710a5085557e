"""A role that may not make the publication, or add to it, is told all that it lacks, and the statement for others to run."""

import re

import pytest
from configuration import configuration, entry

TABLES = ["shop.orders", 'shop."Items"', "shop.parts"]


@pytest.fixture
def roles(database):
    """A role with rights to read, the owner of the tables, and one that owns nothing."""
    name, owner, other = f"walcat_{database.name}", f"owner_{database.name}", f"other_{database.name}"
    database.execute(
        f"CREATE ROLE {name} LOGIN REPLICATION", f"CREATE ROLE {owner}", f"CREATE ROLE {other}",
        f"CREATE SCHEMA shop AUTHORIZATION {owner}",
        f"GRANT USAGE ON SCHEMA shop TO {name}", f"SET ROLE {owner}",
        "CREATE TABLE shop.orders (id integer PRIMARY KEY)",
        'CREATE TABLE shop."Items" (id integer PRIMARY KEY)',
        "CREATE TABLE shop.parts (id integer PRIMARY KEY) PARTITION BY LIST (id)",
        "CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES IN (1)",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {name}", "RESET ROLE",
    )
    yield name, owner, other
    database.execute(f"DROP OWNED BY {name}, {owner}, {other} CASCADE", f"DROP ROLE {name}, {owner}, {other}")


@pytest.fixture
def follow(database, roles):
    def made(*tables, **keys):
        conn_str = database.server.conn_str(database.name, roles[0])
        return configuration(entry(database, *tables, conn_str=conn_str), **keys)

    return made


def refused(walcat, database, config):
    """The one line that says why."""
    run = walcat.run(config, "--until-caught-up", status=69)
    (line,) = [line for line in run.log().splitlines() if " error " in line]
    assert database.slot() is None
    return line


def follow_hint(database, line):
    """Runs the statement as the role that the line names, or else as a superuser; both are returned."""
    role, statement = re.search(r'as (?:(\S+) or )?a superuser: ((?:CREATE|ALTER) PUBLICATION [^;]*);', line).groups()
    with database.transaction() as cursor:
        if role:
            cursor.execute(f"SET ROLE {role}")
        cursor.execute(statement)
    return role and role.strip('"'), statement


def members(database):
    return sorted(f"{schema}.{table}" for schema, table in database.rows(
        f"SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = 'pub_{database.name}'"))


def test_all_that_is_missing_for_a_new_one_is_told_at_once(walcat, database, follow, roles):
    line = refused(walcat, database, follow(*TABLES))
    assert f"no right CREATE on database {database.name}" in line.replace('"', "")
    assert all(name in line for name in ("shop.orders", 'shop."Items"', "shop.parts"))
    assert "GRANT SELECT" not in line
    follow_hint(database, line)
    walcat.catch_up(follow(*TABLES))
    assert members(database) == ["shop.Items", "shop.orders", "shop.parts_1"]


def test_where_create_alone_is_missing_that_is_the_hint(walcat, database, follow, roles):
    database.execute(f"GRANT {roles[1]} TO {roles[0]}")
    line = refused(walcat, database, follow("shop.orders"))
    assert "does not own" not in line
    database.execute(re.search("GRANT CREATE ON DATABASE [^;]*", line)[0])
    walcat.catch_up(follow("shop.orders"))
    assert members(database) == ["shop.orders"]


def test_all_tables_need_a_superuser(walcat, database, follow, roles):
    database.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO {roles[0]}')
    line = refused(walcat, database, follow())
    assert "is no superuser" in line and "list in `tables`" in line
    assert follow_hint(database, line)[0] is None
    walcat.catch_up(follow())


@pytest.mark.parametrize("owner", ["another", "its own"])
def test_of_one_that_lacks_some_tables_those_alone_are_told(walcat, database, follow, roles, owner):
    name = f"pub_{database.name}"
    database.execute(f"CREATE PUBLICATION {name} FOR TABLE shop.orders")
    if owner == "its own":
        database.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO {roles[0]}',
                         f"ALTER PUBLICATION {name} OWNER TO {roles[0]}")
    line = refused(walcat, database, follow(*TABLES))
    assert ("does not own the publication" in line) == (owner == "another")
    assert 'does not own shop."Items", shop.parts' in line
    role, statement = follow_hint(database, line)
    assert statement == f'ALTER PUBLICATION "{name}" ADD TABLE ONLY "shop"."Items", ONLY "shop"."parts"'
    # Neither the owner of the publication nor that of the tables could.
    assert role is None
    walcat.catch_up(follow(*TABLES))
    assert members(database) == ["shop.Items", "shop.orders", "shop.parts_1"]


def test_the_owner_of_publication_and_tables_is_named(walcat, database, follow, roles):
    name = f"pub_{database.name}"
    database.execute(f"CREATE PUBLICATION {name} FOR TABLE shop.orders",
                     f'GRANT CREATE ON DATABASE "{database.name}" TO {roles[1]}',
                     f"ALTER PUBLICATION {name} OWNER TO {roles[1]}",
                     f'REVOKE CREATE ON DATABASE "{database.name}" FROM {roles[1]}')
    assert follow_hint(database, refused(walcat, database, follow(*TABLES)))[0] == roles[1]
    walcat.catch_up(follow(*TABLES))


@pytest.mark.parametrize("lacks", ["nothing", "CREATE", "USAGE"])
def test_the_owner_of_all_tables_is_named_where_no_other_right_is_missing(walcat, database, follow, roles, lacks):
    if lacks != "CREATE":
        database.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO {roles[1]}')
    if lacks == "USAGE":
        database.execute("ALTER SCHEMA shop OWNER TO CURRENT_USER", f"REVOKE ALL ON SCHEMA shop FROM {roles[1]}")
    role, _ = follow_hint(database, refused(walcat, database, follow(*TABLES)))
    assert role == (roles[1] if lacks == "nothing" else None)
    walcat.catch_up(follow(*TABLES))


@pytest.mark.parametrize("is_member", [False, True])
def test_of_two_owners_the_one_that_can_act_as_the_other_is_named(walcat, database, follow, roles, is_member):
    database.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO {roles[1]}, {roles[2]}',
                     f"GRANT USAGE ON SCHEMA shop TO {roles[2]}", f"ALTER TABLE shop.parts OWNER TO {roles[2]}")
    if is_member:
        database.execute(f"GRANT {roles[1]} TO {roles[2]}")
    line = refused(walcat, database, follow(*TABLES))
    assert follow_hint(database, line)[0] == (roles[2] if is_member else None)
    walcat.catch_up(follow(*TABLES))


def test_tables_that_do_not_exist_are_told_at_once(walcat, database, follow):
    run = walcat.run(follow("shop.orders", "shop.a", "shop.b"), "--until-caught-up", status=69)
    assert "2 tables can't be published: shop.a, shop.b" in run.log()


def test_of_thousands_the_message_is_one_line(walcat, database, follow, roles):
    database.execute(f"SET ROLE {roles[1]}", *(f"CREATE TABLE shop.t{n} (id integer PRIMARY KEY)" for n in range(150)),
                     "RESET ROLE")
    line = refused(walcat, database, follow(*(f"shop.t{n}" for n in range(150))))
    assert "and 130 more" in line and line.endswith("/* and 50 more */;")


def test_a_role_that_may_not_connect_is_not_told_to_create(walcat, database, follow, roles):
    database.execute(f'REVOKE CONNECT ON DATABASE "{database.name}" FROM PUBLIC')
    run = walcat.run(follow("shop.orders", retry_config={"max_retries": 1, "initial_backoff": "50ms"}),
                     "--until-caught-up", status=69)
    assert "GRANT CONNECT ON DATABASE" in run.log()
    database.execute(f'GRANT CONNECT ON DATABASE "{database.name}" TO PUBLIC')

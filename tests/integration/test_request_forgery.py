"""What roles try that may connect and no more: to ask for incremental snapshots, to speak in walcat's place, to have
their SQL run by walcat's role, and to make so much noise that it suffers.
"""

import json
import pathlib
import re

import pytest
from incremental import EMIT, KEYS, PLAIN, VOUCH, Followed, has_heard
from server_version import NEEDS_MESSAGES

pytestmark = NEEDS_MESSAGES

MIB = 1 << 20


@pytest.fixture
def followed(database, walcat):
    database.execute(*PLAIN, "CREATE TABLE small (id integer PRIMARY KEY)", "INSERT INTO small VALUES (1), (2)")
    return Followed(walcat, database)


@pytest.fixture
def stranger(database):
    """A session of a role that has no right but to connect; its name is the role's."""
    name = f"stranger_{database.name}"
    database.execute(f"CREATE ROLE {name} LOGIN")
    yield Session(database, name)
    database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


class Session:
    def __init__(self, database, role):
        self.role = role
        self.slot = database.slot_name
        self.connection = database.server.connect(database.name, role)

    def run(self, sql, *parameters):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def ask(self, vouches=False, **question):
        content = json.dumps({"slot": self.slot, **question})
        if vouches:
            self.run(VOUCH, content)
        self.run(EMIT, content)
        return content

    def heard(self):
        """What was told since the last time, by NOTIFY."""
        self.connection.poll()
        told, self.connection.notifies[:] = list(self.connection.notifies), []
        return told


def open_question(followed):
    """The ID of the snapshot that is under way."""
    return re.search(r"incremental snapshot ([\w-]+): 1 tables", followed.run.log())[1]


def booty(database):
    return database.value("SELECT to_regclass('public.booty')")


def resident(run, line="VmHWM"):
    """Bytes, the most so far or (VmRSS) now."""
    status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
    return int(re.search(rf"{line}:\s+(\d+) kB", status)[1]) * 1024


def settle(followed):
    """Until walcat has heard all that was said so far."""
    followed.ask("--tables", "public.small", within=25)


STEAL = "true); COMMIT; CREATE TABLE public.booty (); BEGIN; SELECT (true"
DISGUISES = {"the same ID": "{}", "an ID that ends early": "{}\0z", "one with a blank": "{} ", "one with a quote": "{}'"}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_nobody_rides_on_a_question_of_others(disguise, followed, database, stranger):
    asker = followed.midway("--tables", "public.t")
    made = DISGUISES[disguise].format(open_question(followed))
    stranger.run("SELECT set_config('application_name', %s, false)", f"walcat snapshot {made}".replace("\0", ""))
    stranger.ask(ask="start", id=made, tables=["public.small"], where=STEAL)
    followed.go_on(asker)
    settle(followed)
    assert booty(database) is None
    followed.check_mirror({**KEYS, "public.small": ("id",)})
    assert sorted(followed.ids("public.small")) == [1, 2], "the test's own question, and no other"


@pytest.mark.parametrize("ask", ["start", "pause", "cancel"])
def test_who_may_not_is_refused_whatever_he_holds_and_is_called(ask, followed, stranger):
    asker = followed.midway("--tables", "public.t")
    stranger.run("SET application_name = 'walcat snapshot theirs'")
    stranger.ask(vouches=True, ask=ask, id="theirs", tables=["public.small"])
    followed.run.wait_for_log("question theirs is refused")
    followed.go_on(asker)
    followed.check_mirror(KEYS)
    assert followed.ids("public.small") == []


@pytest.mark.parametrize("how", ["altered", "once it was answered"])
def test_a_question_is_no_good_to_others(how, followed, database, stranger):
    """Whoever reads the server's log knows its words; only its very words were vouched for, while it was open."""
    content = {"slot": database.slot_name, "ask": "start", "id": "monday", "tables": ["public.small"], "where": "id = 1"}
    entitled = Session(database, "postgres")
    entitled.ask(vouches=True, **content)
    followed.run.wait_for_log("monday complete")
    if how != "altered":
        entitled.connection.close()
    stranger.ask(**{**content, "id": "tuesday", **({"where": ""} if how == "altered" else {})})
    followed.run.wait_for_log("question tuesday is refused")
    settle(followed)
    followed.finish()
    assert sorted(followed.ids("public.small")) == [1, 1, 2]


def test_a_member_of_the_role_may_ask_and_one_who_is_none_no_more_may_not(followed, database, stranger):
    database.execute(f"GRANT postgres TO {stranger.role}")
    stranger.ask(vouches=True, ask="start", id="member", tables=["public.small"])
    followed.run.wait_for_log("member complete: 2 rows")
    database.execute(f"REVOKE postgres FROM {stranger.role}")
    stranger.ask(vouches=True, ask="start", id="former", tables=["public.small"])
    followed.run.wait_for_log("question former is refused")


def test_a_question_from_the_past_needs_its_asker(followed, database):
    """Behind a stop the log is read again: nobody is there any more who would vouch for what it says."""
    followed.run.stop()
    for made in ("gone", "waiting"):
        session = Session(database, "postgres")
        session.ask(vouches=True, ask="start", id=made, tables=["public.small"], where=f"'{made}' <> ''")
        if made == "gone":
            session.connection.close()
    followed.start()
    followed.run.wait_for_log("waiting complete: 2 rows")
    assert "question gone is refused" in followed.run.log()


def test_news_by_others_is_no_news(followed, stranger):
    asker = followed.midway("--tables", "public.t")
    made = open_question(followed)
    stored = json.loads((followed.walcat.folder / f"offset_{stranger.slot}.json").read_text())
    # The channel's name is a secret; here it is known.
    for channel in {"walcat", stored["incremental"][0].get("channel", "walcat")}:
        for state in ("complete", "refused", "cancelled"):
            told = {"slot": stranger.slot, "id": made, "state": state, "text": "\x1b[2J by me"}
            stranger.run("SELECT pg_notify(%s, %s)", channel, json.dumps(told))
    assert has_heard(followed.ask("--pause"), "paused")
    assert asker.is_running(), asker.log()
    followed.go_on(asker)
    assert has_heard(asker, "complete") and "by me" not in asker.log()
    followed.check_mirror(KEYS)


def test_others_do_not_hear_what_a_condition_says(followed, stranger):
    """The server's errors quote values."""
    stranger.run("LISTEN walcat")
    asker = followed.ask("--tables", "public.t", "--where", "note::integer = 1", status=69)
    assert "row 1" in asker.log()
    settle(followed)
    stranger.run("SELECT 1")
    assert stranger.heard() == []


def test_a_terminal_does_not_obey_what_it_is_told(followed, database):
    database.execute("INSERT INTO t VALUES (0, E'\\x1b[2J\\u009b2J')")
    asker = followed.ask("--tables", "public.t", "--where", "note::integer = 1 AND id = 0", status=69)
    assert r"\u001b[2J\u009b2J" in asker.log() and "\x1b" not in asker.log() and "\x9b" not in asker.log()


ESCAPES = {"it ends the statement": STEAL, "it ends its parentheses": "true) OR (true",
           "two statements": "true; CREATE TABLE public.booty ()"}


@pytest.mark.parametrize("case", ESCAPES)
def test_a_condition_is_a_condition(case, followed, database):
    asker = followed.ask("--tables", "public.small", "--where", ESCAPES[case], status=69)
    assert "refused" in asker.log() and booty(database) is None
    assert followed.ids("public.small") == []


def test_a_condition_may_end_with_a_comment(followed):
    followed.ask("--tables", "public.small", "--where", "id = 1 -- and no other")
    assert followed.ids("public.small") == [1]


NOISE = {
    "many with long lists in a transaction":
        ("SELECT pg_logical_emit_message(true, 'walcat.snapshot', %s) FROM generate_series(1, 1000)",
         lambda slot: json.dumps({"slot": slot, "ask": "start", "id": "a", "tables": ["a.b"] * 9000})),
    "four of 50 MB":
        ("SELECT pg_logical_emit_message(true, 'walcat.snapshot', %s || repeat('x', 50000000)) "
         "FROM generate_series(1, 4)", lambda slot: f'{{"slot": "{slot}", "ask": "'),
    "many of one byte":
        ("SELECT pg_logical_emit_message(true, 'walcat.snapshot', %s) FROM generate_series(1, 100000)",
         lambda slot: "x"),
}


@pytest.mark.parametrize("case", NOISE)
def test_noise_stays_small(case, followed, stranger):
    sql, content = NOISE[case]
    settle(followed)
    before = resident(followed.run)
    stranger.run(sql, content(stranger.slot))
    settle(followed)
    # libpq holds a message twice while it comes, in room that doubles.
    most = 200 * MIB if "50 MB" in case else 64 * MIB
    assert resident(followed.run) - before < most
    assert len(followed.run.log()) < 20_000
    assert len(re.findall("passing it over", followed.run.log())) <= 3


@pytest.mark.parametrize("prefix", ["walcat.snapshot", "theirs"])
def test_a_huge_message_leaves_nothing_behind(prefix, followed, stranger):
    settle(followed)
    before = resident(followed.run, "VmRSS")
    stranger.run("SELECT pg_logical_emit_message(true, %s, repeat('x', 150000000))", prefix)
    followed.run.wait_for(lambda: resident(followed.run) - before > 100 * MIB, "it has come")
    followed.run.wait_for(lambda: resident(followed.run, "VmRSS") - before < 48 * MIB, "its memory was given back")
    followed.run.wait_for(followed.database.slot_reader, "the slot is streamed anew")
    known = followed.run.output.count()
    settle(followed)
    assert followed.run.output.count() == known + 2, "what came before does not come again"


def test_one_by_one_they_are_refused_in_a_line_a_minute(followed, stranger):
    stranger.run("SET synchronous_commit = off")
    for number in range(2000):
        stranger.ask(ask="start", id=f"noise-{number}", tables=["public.t"])
    settle(followed)
    assert len(followed.run.warnings()) <= 4
    assert followed.ids() == []


KEYS_OF_OTHERS = {
    "a domain": "guarded", "an array of it": "guarded[]", "a row with it": "wrapped", "a range of it": "ranged",
    "a domain over a row with it": "outer_wrapped", "a row with a row with it": "twice_wrapped",
}
VALUES = {"guarded": "5", "guarded[]": "{5}", "wrapped": "(5)", "ranged": "[5,6)", "outer_wrapped": "(5)",
          "twice_wrapped": '("(5)")'}


def test_no_function_of_a_domain_runs_as_walcats_role(followed, database, stranger):
    """A function that tells who runs it."""
    database.execute(
        f"GRANT CREATE ON SCHEMA public TO {stranger.role}",
        f"SET ROLE {stranger.role}",
        """CREATE FUNCTION told(integer) RETURNS boolean LANGUAGE plpgsql AS $$
           BEGIN RAISE NOTICE 'run by %', current_user; RETURN true; END $$""",
        "CREATE DOMAIN guarded AS integer CHECK (public.told(VALUE))",
        "CREATE TYPE wrapped AS (a guarded)",
        "CREATE TYPE twice_wrapped AS (a wrapped)",
        "CREATE DOMAIN outer_wrapped AS wrapped",
        "CREATE TYPE ranged AS RANGE (subtype = guarded)",
    )
    for number, kind in enumerate(KEYS_OF_OTHERS.values()):
        database.execute(f"CREATE TABLE theirs{number} (k {kind} PRIMARY KEY)",
                         f"INSERT INTO theirs{number} VALUES ('{VALUES[kind]}')")
    database.execute("RESET ROLE")
    for number, case in enumerate(KEYS_OF_OTHERS):
        asker = followed.ask("--tables", f"public.theirs{number}", status=0 if case == "a domain" else 69)
        assert case == "a domain" or "domain" in asker.log(), case
    assert "server: run by" not in followed.run.log()
    assert [row["k"] for row in followed.rows("public.theirs0")] == ["5"]

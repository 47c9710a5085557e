"""What others wrote, in logs and on terminals: names, errors of a server, labels of captures, values of a configuration."""

import json
import os
import re
import subprocess
import unicodedata

import pytest
from configuration import configuration, entry
from database import Database, quoted
from recorded import CAPTURE, replay

# Sets a terminal's title, clears it by ESC and by C1, ends the line, and reads from right to left.
NASTY = 'a\x1b]0;b\x07\x1b[2J\x9b2J\n"q"\\ \x7f\u202e\u2028'
# As logs have it, in a name's quotes or out of them.
SHOWN = r'a\u001b]0;b\u0007\u001b[2J\u009b2J'
FORMATS = ["text", "json"]


def check_lines(shown: bytes) -> list[str]:
    """They are UTF-8, and nothing in them steers a terminal or ends a line."""
    lines = shown.decode("utf-8").split("\n")
    assert lines.pop() == "", shown
    for line in lines:
        controls = [c for c in line if unicodedata.category(c) in ("Cc", "Zl", "Zp")]
        assert not controls, f"{controls!a} in {line!a}"
    return lines


def check_log(run, log_format="text") -> list[str]:
    """Each line is one of the format; returns them, or the objects' messages behind their databases."""
    lines = check_lines(run.log_path.read_bytes())
    if log_format == "text":
        assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z (info|warning|error) +", line) for line in lines), lines
        return lines
    objects = [json.loads(line) for line in lines]
    messages = [f"[{line['database']}] {line['message']}" if "database" in line else line["message"] for line in objects]
    check_lines("".join(message + "\n" for message in messages).encode())
    return messages


def check_lengths(run) -> None:
    assert max(len(line) for line in run.log_path.read_bytes().split(b"\n")) <= 16384


def written(config) -> str:
    """YAML takes control characters as escapes only."""
    return json.dumps(config)


@pytest.fixture
def nasty(server, walcat):
    made = Database(server, "nasty" + NASTY)
    yield made
    walcat.close()
    made.close()


@pytest.mark.parametrize("log_format", FORMATS)
def test_names_are_escaped(nasty, walcat, log_format):
    nasty.execute(f"CREATE ROLE {quoted(NASTY)} SUPERUSER LOGIN", f"CREATE SCHEMA {quoted(NASTY)}",
                  f"CREATE TABLE {quoted(NASTY)}.{quoted(NASTY)} (id integer, {quoted(NASTY)} text)")
    try:
        config = configuration(
            entry(nasty, conn_str=nasty.server.conn_str(nasty.name, NASTY), slot_name="nasty", publication_name=NASTY),
            log={"format": log_format})
        first = walcat.catch_up(written(config))
        nasty.execute(f"INSERT INTO {quoted(NASTY)}.{quoted(NASTY)} VALUES (1, 'x')")
        second = walcat.catch_up(written(config))
    finally:
        nasty.drop_slots()
        nasty.execute(f"DROP OWNED BY {quoted(NASTY)} CASCADE", f"DROP ROLE {quoted(NASTY)}")
    assert [line.source["table"] for line in second.lines()] == [NASTY]
    log = check_log(first, log_format) + check_log(second, log_format)
    for where in (r"created publication ", r"role ", r"\[", r"table |relation "):
        assert any(re.search(where + '"?' + "(nasty)?" + re.escape(SHOWN), line) for line in log), (where, log)


class BytesDatabase:
    """A database in SQL_ASCII whose name is no UTF-8; what speaks to it is psql."""

    name = b"caf\xe9\x1b"

    def __init__(self, beside: Database):
        self._server, self._beside = beside.server, beside.name.encode()
        self._psql(self._beside, b"CREATE DATABASE \"" + self.name + b"\" ENCODING 'SQL_ASCII' LC_COLLATE 'C' "
                   b"LC_CTYPE 'C' TEMPLATE template0")

    def execute(self, statement: bytes) -> None:
        self._psql(self.name, statement)

    def close(self) -> None:
        self.execute(b"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                     b"WHERE database = current_database()")
        self._psql(self._beside, b'DROP DATABASE "' + self.name + b'"')

    def _psql(self, database: bytes, statement: bytes) -> None:
        server = self._server
        subprocess.run([server.program("psql"), "--no-psqlrc", "--quiet", "--host", server.folder, "--port",
                        str(server.port), "--username", "postgres", b"--dbname=" + database, b"--command=" + statement],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PGCLIENTENCODING": "SQL_ASCII"})


@pytest.fixture
def bytes_database(make_encoded, walcat):
    made = BytesDatabase(make_encoded())
    yield made
    walcat.close()
    made.close()


@pytest.mark.parametrize("log_format", FORMATS)
def test_names_that_are_no_text_are_repaired(server, bytes_database, walcat, log_format):
    """Of tables and of a database, which another run finds under its own name."""
    bytes_database.execute(b'CREATE TABLE "t\xff\x9b\x1b" (id integer)')
    config = configuration(
        {"conn_str": f"host={server.folder} port={server.port} user=postgres dbname='${{NAME}}'",
         "slot_name": "cafe", "publication_name": "pub_cafe"}, log={"format": log_format})
    environment = {"NAME": os.fsdecode(bytes_database.name)}
    first = walcat.catch_up(config, environment=environment)
    bytes_database.execute(b'INSERT INTO "t\xff\x9b\x1b" VALUES (1)')
    second = walcat.catch_up(config, environment=environment)
    assert [line.source["table"] for line in second.lines()] == ["t\ufffd\ufffd\x1b"]
    log = check_log(first, log_format) + check_log(second, log_format)
    assert any("[caf\ufffd\\u001b/cafe]" in line for line in log), log
    assert any("t\ufffd\ufffd\\u001b" in line for line in log), log


@pytest.mark.parametrize("log_format", FORMATS)
def test_errors_of_the_server_are_one_line(database, walcat, log_format):
    database.execute(
        "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)",
        r"""CREATE FUNCTION boom() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION E'first\nsecond \x1b[2J' USING DETAIL = E'why\t\u009b2J', HINT = repeat('long ', 100000);
        END $$""")
    config = configuration(entry(database), log={"format": log_format})
    run = walcat.command("snapshot", "-c", str(walcat.write(config)), "--dump", "--tables", "public.t", "--where",
                         "public.boom()")
    assert run.wait_exit() == 69
    (line,) = [line for line in check_log(run, log_format) if "first" in line]
    assert r"first second \u001b[2J" in line and r"why \u009b2J" in line and "long long" in line
    check_lengths(run)


@pytest.mark.parametrize("log_format", FORMATS)
def test_what_an_offset_file_holds_is_escaped(database, walcat, log_format):
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = configuration(entry(database), log={"format": log_format})
    walcat.catch_up(config)
    (path,) = walcat.folder.glob("offset*.json")
    offset = json.loads(path.read_text())
    path.write_text(json.dumps({**offset, "database": NASTY + "long" * 100_000}))
    run = walcat.run(config, "--until-caught-up", status=69)
    (line,) = [line for line in check_log(run, log_format) if SHOWN in line]
    assert re.search(r"\.\. \(\d+ bytes more\)$", line)
    check_lengths(run)


def test_complaints_about_the_configuration_are_escaped(database, walcat):
    config = walcat.write(written({**configuration(entry(database)), NASTY: 1, "connector_name": {}}))
    path = walcat.folder / "a\x1b[2J\n\x9b.yaml"
    path.write_text('a: "b\\e[2J\\x9B"\nb: "\\e')
    cases = {
        ("run", "-c", str(config)): r"unknown key",
        ("run", "-c", str(config), "--set", NASTY + "=" + NASTY): r"\u001b",
        ("run", "-c", str(path)): r"\u001b[2J",
        ("run", "-c", str(path) + "x"): r"cannot be read",
        ("run", "--log-level", NASTY): r"\u001b",
        ("run", "--" + NASTY): r"\u001b",
        (NASTY,): r"\u001b",
        ("snapshot", "-c", str(config), "--tables", NASTY): r"\u001b",
        ("replay", "--report", str(path) + "/x", "a.wcap"): r"\u001b[2J",
        ("replay", NASTY): r"\u001b",
        ("capture", "verify", NASTY): r"\u001b",
    }
    for arguments, expected in cases.items():
        run = walcat.command(*arguments)
        assert run.wait_exit() != 0
        lines = check_lines(run.log_path.read_bytes())
        assert any(expected in line for line in lines), (arguments, lines)


def test_bytes_of_the_command_line_that_are_no_text_are_repaired(walcat):
    run = walcat.command("run", "-c", os.fsdecode(b"caf\xe9.yaml"))
    assert run.wait_exit() != 0
    assert "caf\ufffd.yaml: cannot be read" in check_lines(run.log_path.read_bytes())[0]


def test_the_configuration_is_printed_without_control_characters(database, walcat):
    config = configuration(entry(database), connector_name=NASTY)
    run = walcat.command("config", "-c", str(walcat.write(written(config))))
    assert run.wait_exit() == 0
    shown = run.output.path.read_bytes()
    assert check_lines(shown)
    again = walcat.command("config", "-c", str(walcat.write(shown.decode())))
    assert again.wait_exit() == 0
    assert again.output.path.read_bytes() == shown


def test_what_captures_say_is_escaped(nasty, walcat):
    nasty.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    config = written(configuration(entry(nasty, slot_name="nasty", publication_name="nasty"),
                                   output={"capture": {"path": CAPTURE}}))
    walcat.catch_up(config)
    nasty.execute("INSERT INTO t VALUES (1)")
    walcat.catch_up(config)
    (path,) = walcat.folder.glob("*.wcap")
    path = path.rename(walcat.folder / "a\x1b[2J\n.wcap")
    told = {}
    for arguments in (("info",), ("info", "--json"), ("verify",)):
        run = walcat.command("capture", *arguments, path.name)
        assert run.wait_exit() == 0
        told[arguments] = check_lines(run.output.path.read_bytes())
    assert any(line.startswith("stream nasty" + SHOWN) for line in told["info",]), told
    assert len(told["verify",]) == 1
    (line,) = told["info", "--json"]
    assert json.loads(line)["file"] == path.name
    assert json.loads(line)["streams"][0]["database"] == nasty.name
    again = replay(walcat, "--report", "-", path.name, path.name)
    assert json.loads(check_lines(again.log_path.read_bytes())[-1])["databases"][0]["label"].startswith(nasty.name)


def test_names_in_the_outline_of_a_snapshot_are_escaped(database, walcat):
    database.execute(f"CREATE TABLE {quoted(NASTY)} (id integer PRIMARY KEY)")
    config = walcat.write(configuration(entry(database)))
    run = walcat.command("snapshot", "-c", str(config), "--dry-run", "--tables", "public." + quoted(NASTY))
    assert run.wait_exit() == 0
    assert len(check_lines(run.output.path.read_bytes())) == 3


def test_lines_that_others_can_repeat_are_bounded(database, walcat):
    """Whoever may make tables in a database that is followed whole can do so in a loop."""
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)",
                     f"CREATE PUBLICATION pub_{database.name} FOR ALL TABLES")
    config = configuration(entry(database))
    walcat.catch_up(config)
    database.execute("ALTER TABLE t RENAME TO t0", "INSERT INTO t0 VALUES (0)")
    for n in range(1, 251):
        database.execute(f"ALTER TABLE t{n - 1} RENAME TO t{n}", f"INSERT INTO t{n} VALUES ({n})")
    run = walcat.catch_up(config)
    log = run.log()
    assert len(run.lines()) == 251
    told = [line for line in log.splitlines() if re.search(r"table public.t\d+ is public.t\d+ now", line)]
    assert len(told) == 100 + 1
    assert re.search(r"warning .* \d+ lines like this were left out: table public.t249 is public.t250 now$", told[-1])

"""What is said at the start of a connection that others on the network could read or take over."""

import ipaddress
import subprocess

import pytest
from configuration import configuration, entry
from database import Database
from postgres_server import PASSWORD, PostgresServer
from server_version import needs
from waiting import wait_until

USER = "far"


def network_address() -> str | None:
    """An address of this machine that is not loopback's."""
    shown = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return next((one for one in shown if not ipaddress.ip_address(one).is_loopback), None)


ADDRESS = network_address()
pytestmark = pytest.mark.skipif(ADDRESS is None, reason="this machine has no address but loopback's")


@pytest.fixture(scope="module")
def far_server(tmp_path_factory):
    """It is reached through the network, asks for a password in clear text there, and offers TLS."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=far",
                    "-addext", f"subjectAltName=IP:{ADDRESS}", "-keyout", folder / "key", "-out", folder / "certificate"],
                   check=True, capture_output=True)
    made = PostgresServer({"listen_addresses": f"127.0.0.1,{ADDRESS}"}, tcp=True)
    made.certificate = folder / "certificate"
    try:
        for name in ("key", "certificate"):
            there = made.data / f"our_{name}"
            there.write_bytes((folder / name).read_bytes())
            owner = made.data.stat()
            subprocess.run(["chown", f"{owner.st_uid}:{owner.st_gid}", there], check=True)
            there.chmod(0o600)
        with open(made.data / "pg_hba.conf", "a") as rules:
            rules.write(f"host all {USER} {ADDRESS}/32 password\nhost all scrambled {ADDRESS}/32 scram-sha-256\n")
        made.settings |= {"ssl": "on", "ssl_key_file": "our_key", "ssl_cert_file": "our_certificate"}
        made.restart()
        yield made
    finally:
        made.close()


@pytest.fixture
def far(far_server, walcat):
    database = Database(far_server)
    for role in (USER, "scrambled"):
        database.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD '{PASSWORD}'; END IF; END $$")
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)", f"GRANT SELECT ON t TO {USER}, scrambled",
                     f"CREATE PUBLICATION pub_{database.name} FOR TABLE t")
    yield database
    walcat.close()
    database.close()


def configured(database, host=None, user=USER, **keys):
    settings = {"host": host or ADDRESS, "port": database.server.port, "user": user, "dbname": database.name,
                "password": f"'{PASSWORD}'", **keys}
    conn_str = " ".join(f"{key}={value}" for key, value in settings.items())
    return configuration(entry(database, "public.t", conn_str=conn_str))


def said(run) -> list[str]:
    """What a run has said of its network, by level."""
    assert PASSWORD not in run.log()
    return [line.split()[1] for line in run.log().splitlines() if "sslmode=" in line]


def test_a_default_is_warned_of_once_and_before_the_password_goes(far, walcat):
    run = walcat.start(configured(far))
    reader = run.wait_for(far.slot_reader, "the stream has begun")
    far.rows("SELECT pg_terminate_backend(%s)", (reader,))
    far.execute("INSERT INTO t VALUES (1)")
    run.wait_for_lines(1)
    run.stop()
    assert said(run) == ["warning"]
    first = run.log().splitlines()[0]
    assert f"[{far.name}/{far.slot_name}] host {ADDRESS}: sslmode=prefer: " in first
    assert "sslmode=verify-full and sslrootcert=" in first and "docs/security.md" in first


def test_each_database_of_the_configuration_is_warned_of(far, walcat):
    config = configured(far)
    local = entry(far, "public.t", slot_name="local", publication_name="local")
    run = walcat.catch_up({**config, "databases": [*config["databases"], local]})
    assert said(run) == ["warning"]


@pytest.mark.parametrize("mode", ["disable", "require"])
def test_what_was_chosen_is_told(far, walcat, mode):
    assert said(walcat.catch_up(configured(far, sslmode=mode))) == ["info"]


def test_the_environment_counts(far, walcat):
    assert said(walcat.catch_up(configured(far), environment={"PGSSLMODE": "require"})) == ["info"]


def test_nothing_is_said_where_the_servers_name_is_proven(far, walcat):
    run = walcat.catch_up(configured(far, sslmode="verify-full", sslrootcert=far.server.certificate))
    assert said(run) == []
    assert run.warnings() == []


@needs(11, "channel binding")
def test_nothing_is_said_where_the_server_proves_that_it_knows_the_password(far, walcat):
    run = walcat.catch_up(configured(far, channel_binding="require", user="scrambled"))
    assert said(run) == []
    assert run.warnings() == []


def test_nothing_is_said_of_this_machine(far, walcat):
    with_host = lambda host: configured(far, host, user="postgres")  # noqa: E731
    for host in ("127.0.0.1", "localhost", far.server.folder):
        assert said(walcat.catch_up(with_host(host))) == []


def test_a_request_for_the_clear_text_password_is_refused_where_the_server_must_know_it(far, walcat):
    """As docs/security.md advises against such requests."""
    run = walcat.start(configured(far, channel_binding="require"))
    run.wait_for_log("channel binding required")
    assert far.slot() is None
    run.kill()


@pytest.mark.parametrize("command", ["snapshot --dump", "snapshot --dry-run", "capture -o a.wcap --until-caught-up"])
def test_every_command_that_connects_says_so(far, walcat, command):
    words = command.split()
    run = walcat.command(*words[:1], "-c", str(walcat.write(configured(far))), *words[1:])
    wait_until(lambda: not run.is_running(), "the command has ended", 30, run.describe)
    assert run.process.returncode == 0, run.describe()
    assert said(run) == ["warning"]

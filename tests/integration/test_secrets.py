"""No part of a password is shown, nor asked for as a host, however it is written and whatever a server says of it."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from configuration import configuration
from failing_calls import FailingCalls

SECRET = "Tr0ub4dor"
BRIEF = {"max_retries": 1, "initial_backoff": "50ms", "max_backoff": "50ms", "backoff_multiplier": 1.0}

# What libpq would take a part of the password for something else in, or refuse in words that quote it.
MISWRITTEN = {
    "an @ in it": f"postgresql://u:pa@{SECRET}@host.invalid/db",
    "an @ at its end": f"postgresql://u:{SECRET}@@host.invalid/db",
    "an @ and a colon": f"postgresql://u:pa@x:{SECRET}@host.invalid/db",
    "an @ and a comma": f"postgresql://u:pa@{SECRET},x@host.invalid/db",
    "an @ and a question mark": f"postgresql://u:pa@{SECRET}?x@host.invalid/db",
    "an @ and a slash": f"postgresql://u:pa@{SECRET}/x@host.invalid/db",
    "an @ behind a slash": f"postgresql://u:pa/{SECRET}@host.invalid/db",
    "a slash behind a number": f"postgresql://u:12/{SECRET}@host.invalid/db",
    "a slash first": f"postgresql://u:/{SECRET}@host.invalid/db",
    "a slash and a question mark": f"postgresql://u:12/?{SECRET}@host.invalid/db",
    "a bracket": f"postgresql://u:pa@[{SECRET}@host.invalid/db",
    "a percent sign": f"postgresql://u:{SECRET}%zz@host.invalid/db",
    "an @ in the query": f"postgresql://host.invalid/db?user=u&password=a&{SECRET}@x",
    "a percent sign in the query": f"postgresql://host.invalid/db?user=u&password={SECRET}%zz",
    "a scheme of others": f"mysql://u:{SECRET}@host.invalid/db",
    "a URI for a host": f"host=postgresql://u:{SECRET}@host.invalid/db",
    "a URI for a host, user in front": f"host=u:{SECRET}@host.invalid dbname=d",
    "a URI for a database": f"host=host.invalid dbname=postgresql://u:{SECRET}@h/db",
    "keys for a database": f"host=host.invalid dbname='user=u password={SECRET} dbname=x'",
    "a space in it": f"host=host.invalid password=my {SECRET} dbname=d",
    "a space and an equals sign": f"host=host.invalid password=my {SECRET}=x dbname=d",
    "a quote that does not end": f"host=host.invalid password='{SECRET} dbname=d",
    "a misspelt key": f"host=host.invalid pasword={SECRET} dbname=d",
}


def an_entry(conn_str: str) -> dict[str, str]:
    return {"conn_str": conn_str, "slot_name": "s", "publication_name": "p"}


def check_unseen(run, calls):
    assert not calls.hangs("getaddrinfo"), "a name was looked up"
    assert SECRET not in run.log()
    assert "databases[0].conn_str" in run.log()


@pytest.fixture
def calls(tmp_path):
    """The first look for a host's name would hang, and show."""
    made = FailingCalls(tmp_path / "calls")
    made.hang("getaddrinfo")
    return made


@pytest.mark.parametrize("how", MISWRITTEN)
def test_a_password_that_is_written_wrongly_is_refused_unseen(how, walcat, calls):
    written = MISWRITTEN[how]
    run = walcat.run(configuration(an_entry(written)), status=78, environment=calls.environment)
    check_unseen(run, calls)
    assert "%40" in run.log() or not written.startswith("postgresql://")


@pytest.mark.parametrize("how", ["an @ in it", "a percent sign", "a space in it"])
def test_nor_is_it_seen_from_the_environment_or_the_command_line(how, walcat, calls):
    environment = {**calls.environment, "URL": MISWRITTEN[how]}
    check_unseen(walcat.run(configuration(an_entry("${URL}")), status=78, environment=environment), calls)
    override = ["--set", f"databases.0.conn_str={MISWRITTEN[how]}"]
    check_unseen(walcat.run(configuration(an_entry("host=x")), *override, status=78, environment=environment), calls)


def test_what_the_environment_says_of_a_host_is_looked_at_as_well(walcat, calls):
    for name, value in (("PGHOST", f"u:{SECRET}@host.invalid"), ("PGDATABASE", f"postgres://u:{SECRET}@host.invalid/d")):
        run = walcat.run(configuration(an_entry("user=u")), status=78, environment={**calls.environment, name: value})
        assert not calls.hangs("getaddrinfo") and SECRET not in run.log() and name in run.log()


@pytest.mark.parametrize("password", ["p:a:s", "p#a", "p?a", "p&a=b", "p,a", "p%40a", "p%2Fa", "p+a", "p;a", "p~a"])
def test_a_password_that_libpq_reads_whole_is_taken(password, walcat):
    config = configuration(an_entry(f"postgresql://u:{password}@host.invalid/db?application_name=me@home"))
    run = walcat.command("config", "-c", str(walcat.write(config)))
    assert run.wait_exit() == 0, run.describe()
    assert password not in run.output.path.read_text()


def received(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := client.recv(size - len(data))):
        data += piece
    return data


def reply(client: socket.socket, kind: bytes, content: bytes) -> None:
    client.sendall(kind + struct.pack("!I", len(content) + 4) + content)


def tell_on(client: socket.socket) -> None:
    """Asks for the password in clear text, and quotes it in all that an error can say."""
    received(client, struct.unpack("!I", received(client, 4))[0] - 4)
    reply(client, b"R", struct.pack("!I", 3))
    kind_and_length = received(client, 5)
    if len(kind_and_length) < 5:
        return
    password = received(client, struct.unpack("!I", kind_and_length[1:])[0] - 4).rstrip(b"\0")
    fields = [b"SFATAL", b"VFATAL", b"C28P01", b'Mpassword "' + password + b'" is wrong', b"D" + b"x" * 1_990 + password,
              b"Hnot " + password]
    reply(client, b"E", b"\0".join([*fields, b"", b""]))


@contextlib.contextmanager
def telltale(answer=tell_on) -> Iterator[int]:
    """A server that does nothing but tell on those who connect; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                with client, contextlib.suppress(OSError):
                    answer(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


TOLD = "host=127.0.0.1 user=ann dbname=d sslmode=disable gssencmode=disable"


@pytest.mark.parametrize("source", ["conn_str", "PGPASSWORD", "passfile"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_quotes_the_password_is_not_repeated(source, form, walcat, tmp_path):
    file = tmp_path / "passfile"
    file.write_text(f"*:*:*:*:{SECRET}\n")
    file.chmod(0o600)
    with telltale() as port:
        given = {"conn_str": f" password={SECRET}", "passfile": f" passfile={file}", "PGPASSWORD": ""}[source]
        environment = {"PGPASSWORD": SECRET} if source == "PGPASSWORD" else {}
        run = walcat.run(configuration(an_entry(f"{TOLD} port={port}{given}"), retry_config=BRIEF, log={"format": form}),
                         status=69, environment=environment)
    assert "is wrong" in run.log() and "28P01" in run.log() and "********" in run.log()
    assert SECRET not in run.log() and SECRET[:6] not in run.log()


def test_of_several_hosts_none_repeats_what_it_was_told(walcat, tmp_path):
    """libpq keeps the words of all hosts, and the passfile has a password for each."""
    with telltale() as first, telltale(lambda client: None) as second:
        file = tmp_path / "passfile"
        file.write_text(f"*:{first}:*:*:{SECRET}\n*:{second}:*:*:another one\n")
        file.chmod(0o600)
        hosts = TOLD.replace("127.0.0.1", "127.0.0.1,127.0.0.1") + f" port={first},{second} passfile={file}"
        run = walcat.run(configuration(an_entry(hosts), retry_config=BRIEF), status=69)
    assert "is wrong" in run.log() and SECRET not in run.log()


def test_a_password_that_is_the_name_of_the_role_hides_no_name(walcat):
    with telltale() as port:
        run = walcat.run(configuration(an_entry(f"{TOLD} port={port} user=walcat password=walcat"), retry_config=BRIEF),
                         status=69)
    assert 'password "walcat" is wrong' in run.log()

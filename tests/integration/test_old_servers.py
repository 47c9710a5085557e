"""Servers too old for walcat, or for a part of it: said at once and by name."""

import socket
import struct
import threading

import pytest
from configuration import configuration, entry
from incremental import PLAIN, Followed
from server_version import before


class AncientServer:
    """Greets like a server of some version, and says to every query that it cannot read it."""

    def __init__(self, greeting: bytes):
        self._greeting = greeting
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.conn_str = f"host=127.0.0.1 port={self._socket.getsockname()[1]} user=u dbname=d sslmode=disable"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                length = struct.unpack("!i", stream.read(4))[0]
                stream.read(length - 4)
                client.sendall(self._greeting)
                while stream.read(1) == b"Q":
                    stream.read(struct.unpack("!i", stream.read(4))[0] - 4)
                    client.sendall(error(b"ERROR", b"42601", b"syntax error") + READY)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def error(severity: bytes, code: bytes, text: bytes) -> bytes:
    return message(b"E", b"S" + severity + b"\0C" + code + b"\0M" + text + b"\0\0")


READY = message(b"Z", b"I")
GREETINGS = {
    "9.6": message(b"R", bytes(4)) + message(b"S", b"server_version\x009.6.24\0") + READY,
    "9.5, which does not know all settings": error(
        b"FATAL", b"42704", b'unrecognized configuration parameter "idle_in_transaction_session_timeout"'
    ),
}


@pytest.fixture(params=GREETINGS)
def ancient(request):
    server = AncientServer(GREETINGS[request.param])
    yield server
    server.close()


@pytest.mark.parametrize("bound", [[], ["--until-caught-up"]])
def test_a_server_before_10_is_refused(bound, ancient, walcat):
    config = configuration({"conn_str": ancient.conn_str, "slot_name": "s", "publication_name": "p"})
    log = walcat.run(config, *bound, status=69).log()
    assert "10" in log and "needed" in log and "syntax" not in log


def test_a_dump_of_a_server_before_10_is_refused(ancient, walcat):
    config = configuration({"conn_str": ancient.conn_str, "slot_name": "s", "publication_name": "p"})
    run = walcat.command("snapshot", "-c", str(walcat.write(config)), "--dump", "--tables", "public.t")
    assert run.wait_exit() == 69, run.describe()
    assert "10" in run.log() and "needed" in run.log() and "syntax" not in run.log()


@before(14, "incremental snapshots")
def test_who_asks_a_follower_that_cannot_hear_is_told(database, walcat):
    database.execute(*PLAIN)
    followed = Followed(walcat, database)
    asker = followed.begin("--tables", "public.t")
    assert asker.wait_exit() == 69, asker.describe()
    assert "14" in asker.log() and "--dump" in asker.log()
    followed.run.stop()
    assert followed.lines() == []


@before(14, "incremental snapshots")
def test_rows_of_an_added_table_are_not_promised(database, walcat):
    database.execute("CREATE TABLE a (id integer PRIMARY KEY)", "CREATE TABLE b (id integer PRIMARY KEY)",
                     "INSERT INTO b VALUES (1)")
    walcat.catch_up(configuration(entry(database, "public.a"), snapshot={"mode": "initial"}))
    later = configuration(entry(database, "public.a", "public.b"), snapshot={"mode": "initial"})
    run = walcat.catch_up(later)
    assert "warning" in run.log() and "--dump" in run.log()
    database.execute("INSERT INTO b VALUES (2)")
    assert [line.after["id"] for line in walcat.catch_up(later).lines()] == [2]

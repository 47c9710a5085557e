"""Servers too old for walcat: said at once and by name."""

import socket
import struct
import threading

import pytest
from configuration import configuration


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

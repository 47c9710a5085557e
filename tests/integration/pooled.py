"""Something in between that lends its own sessions, as a pooler does: what a client asks for when it connects is lost."""

import socket
import struct
import threading

from postgres_server import PostgresServer


class Pooler:
    """Passes on all but the `options` that a client connects with. Speaks TCP, without TLS."""

    def __init__(self, server: PostgresServer):
        self._behind = str(server.folder / f".s.PGSQL.{server.port}")
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def conn_str(self, dbname: str) -> str:
        port = self._listening.getsockname()[1]
        return f"host=127.0.0.1 port={port} user=postgres dbname={dbname} sslmode=disable gssencmode=disable"

    def close(self) -> None:
        # A thread in accept() does not hear of close().
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._behind)
        size = struct.unpack("!I", client.recv(4, socket.MSG_WAITALL))[0]
        body = client.recv(size - 4, socket.MSG_WAITALL)
        words = body[4:].split(b"\0")
        kept = [word for pair in zip(words[::2], words[1::2]) if pair[0] not in (b"options", b"") for word in pair]
        body = body[:4] + b"".join(word + b"\0" for word in kept) + b"\0"
        server.sendall(struct.pack("!I", len(body) + 4) + body)
        threading.Thread(target=pass_on, args=(server, client), daemon=True).start()
        pass_on(client, server)


def pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while some := source.recv(65536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

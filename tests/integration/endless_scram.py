"""A server whose passwords take libpq hours to prove."""

import contextlib
import socket
import threading

SASL, SASL_CONTINUE = 10, 11


class EndlessScram:
    """Asks for SCRAM-SHA-256 with as many rounds as a number of libpq's holds, all of which it computes in one call."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.conn_str = (
            f"host=127.0.0.1 port={self._listener.getsockname()[1]} dbname=d password=secret"
            " sslmode=disable gssencmode=disable connect_timeout=60"
        )
        threading.Thread(target=self._serve, name="endless scram", daemon=True).start()

    def __enter__(self) -> "EndlessScram":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._log_in, args=(client,), daemon=True).start()

    @staticmethod
    def _log_in(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), client.makefile("rwb") as stream:
            read_sized(stream)
            ask(stream, SASL, b"SCRAM-SHA-256\0\0")
            assert stream.read(1) == b"p"
            nonce = read_sized(stream).split(b"r=")[1]
            ask(stream, SASL_CONTINUE, b"r=" + nonce + b"x,s=c2FsdA==,i=2147483647")
            stream.read()


def read_sized(stream) -> bytes:
    """What follows a length, which counts itself."""
    return stream.read(int.from_bytes(stream.read(4), "big") - 4)


def ask(stream, method: int, data: bytes) -> None:
    """An AuthenticationRequest."""
    stream.write(b"R" + (8 + len(data)).to_bytes(4, "big") + method.to_bytes(4, "big") + data)
    stream.flush()

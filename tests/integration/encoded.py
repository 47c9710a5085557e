"""Databases in other encodings than UTF-8."""

import itertools

from database import Database, quoted
from postgres_server import PostgresServer

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, note text, more text)"

_numbers = itertools.count(1)


class EncodedDatabase(Database):
    """A database that is not in UTF-8."""

    def __init__(self, server: PostgresServer, encoding: str):
        self.server, self.name, self._connection = server, f"{encoding.lower()}_{next(_numbers)}", None
        self._administer(
            f"CREATE DATABASE {quoted(self.name)} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )

    def insert(self, number: int, note: bytes) -> None:
        """A row whose note is stored as these bytes."""
        self.execute(f"INSERT INTO t VALUES ({number}, convert_from('\\x{note.hex()}', getdatabaseencoding()))")

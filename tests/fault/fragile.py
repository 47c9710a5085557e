"""A database that faults may happen to: behind a proxy of its own."""

from collections.abc import Mapping
from typing import Any

from configuration import RETRY, configuration
from configuration import entry as database_entry
from database import Database
from ledger import Ledger
from postgres_server import PostgresServer
from proxy import Proxy
from workload import MIXED_KEYS, MIXED_TABLES

# Hundreds of faults in a row are to cost their own time, not that of pauses.
QUICK = {
    "retry_config": {**RETRY, "initial_backoff": "10ms", "max_backoff": "200ms"},
    "circuit_breaker": {"failure_threshold": 5, "open_timeout": "200ms"},
}


class Fragile:
    """The mixed load's tables, and a ledger of what happens to them. walcat reaches the server by the proxy only."""

    def __init__(self, server: PostgresServer, settings: Mapping[str, str] | None = None):
        self.server = server
        self.proxy = Proxy(server.port)
        self.database = Database(server)
        for name, value in (settings or {}).items():
            self.database.execute(f"ALTER DATABASE {self.database.name} SET {name} = '{value}'")
        self.database.execute(*MIXED_TABLES)
        self.ledger = Ledger(self.database, MIXED_KEYS)

    def conn_str(self, connect_timeout: int = 30) -> str:
        """Without encryption, which would hide the server's messages from the proxy."""
        direct = self.server.tcp_conn_str(self.database.name)
        bare = f"sslmode=disable gssencmode=disable connect_timeout={connect_timeout}"
        return f"{direct} port={self.proxy.port} {bare}"

    def entry(self, connect_timeout: int = 30, **keys: Any) -> dict[str, Any]:
        return database_entry(self.database, *MIXED_KEYS, **{"conn_str": self.conn_str(connect_timeout), **keys})

    def configuration(self, connect_timeout: int = 30, **keys: Any) -> dict[str, Any]:
        return configuration(self.entry(connect_timeout), **{**QUICK, **keys})

    def close(self) -> None:
        """The server runs; walcat does not."""
        self.proxy.close()
        self.database.close()

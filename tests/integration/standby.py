"""A standby of a throw-away cluster, to be promoted."""

import pathlib
import shutil

from database import Database
from postgres_server import PostgresServer, server_user
from waiting import wait_until


class Standby(PostgresServer):
    """Streams from `primary` as soon as it is made, and has the log from then on."""

    def __init__(self, primary: PostgresServer):
        self._primary = primary
        super().__init__()

    def copy_slot(self, slot: str) -> None:
        """As it is on the primary's disk: what PostgreSQL 17 does for slots made with `failover`, and extensions for
        others."""
        self.stop()
        copy = self.data / "pg_replslot" / slot
        shutil.copytree(self._primary.data / "pg_replslot" / slot, copy)
        if server_user():
            for path in (copy, *copy.iterdir()):
                shutil.chown(path, "postgres", "postgres")
        self.start()

    def _init(self) -> None:
        own = self._programs
        self._programs = pathlib.Path(self.program("pg_basebackup")).parent
        self._run("pg_basebackup", "--pgdata", str(self.data), "--dbname", self._primary.conn_str("postgres"),
                  "--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
        self._programs = own

    def wait_for(self, lsn: str) -> None:
        """Until the standby has replayed the primary's log up to `lsn`.."""
        wait_until(
            lambda: self._value("postgres", "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn),
            f"the standby has replayed {lsn}",
        )

    def promote(self) -> None:
        self._pg_ctl("promote", "--timeout", "60")

    def _value(self, name: str, query: str, *parameters: str):
        connection = self.connect(name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return cursor.fetchone()[0]
        finally:
            connection.close()


class Followed(Database):
    """A database that another server holds already: the standby's copy of one."""

    def _administer(self, statement: str) -> None:
        if not statement.startswith("CREATE DATABASE"):
            super()._administer(statement)

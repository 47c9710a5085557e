"""A standby of a throw-away cluster, to be promoted."""

import pathlib
import re
import shutil

from database import Database
from postgres_server import PostgresServer, server_user
from server_version import MAJOR
from waiting import wait_until

# A backup begins and ends in one session; the end tells what backup_label holds.
BACKUP = ("SELECT pg_backup_start('standby', true)", "SELECT labelfile FROM pg_backup_stop(false)")
BACKUP_BEFORE_15 = (
    "SELECT pg_start_backup('standby', true, false)", "SELECT labelfile FROM pg_stop_backup(false, false)",
)


def left_out(folder: str, names: list[str]) -> list[str]:
    """What belongs to the running primary alone; its log is copied when the backup has ended."""
    own = {"postmaster.pid", "postmaster.opts", "pg_wal", "pg_replslot"}
    return [name for name in names if name in own and pathlib.Path(folder).name == "data"]


class Standby(PostgresServer):
    """Streams from `primary` as soon as it is made, and has the log from then on."""

    def __init__(self, primary: PostgresServer):
        self._primary = primary
        super().__init__(primary.settings)

    def copy_slot(self, *slots: str) -> None:
        """As it is on the primary's disk: what PostgreSQL 17 does for slots made with `failover`, and extensions for
        others."""
        self.stop()
        for slot in slots:
            copy = self.data / "pg_replslot" / slot
            shutil.copytree(self._primary.data / "pg_replslot" / slot, copy)
            if server_user():
                for path in (copy, *copy.iterdir()):
                    shutil.chown(path, "postgres", "postgres")
        self.start()

    def _init(self) -> None:
        """What pg_basebackup does, which knows no server newer than itself."""
        start, stop = BACKUP if MAJOR >= 15 else BACKUP_BEFORE_15
        connection = self._primary.connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute(start)
                shutil.copytree(self._primary.data, self.data, ignore=left_out)
                cursor.execute(stop)
                label = cursor.fetchone()[0]
        finally:
            connection.close()
        (self.data / "backup_label").write_text(label)
        first = re.search(r"\(file (\w+)\)", label).group(1)
        (self.data / "pg_wal").mkdir()
        for segment in (self._primary.data / "pg_wal").iterdir():
            if segment.is_file() and segment.name >= first:
                shutil.copy(segment, self.data / "pg_wal")
        (self.data / "pg_replslot").mkdir()
        (self.data / "standby.signal").touch()
        with open(self.data / "postgresql.auto.conf", "a") as settings:
            conn_str = self._primary.conn_str("postgres").replace("'", "''")
            settings.write(f"primary_conninfo = '{conn_str}'\n")
        if server_user():
            for path in (self.data, *self.data.rglob("*")):
                shutil.chown(path, "postgres", "postgres")

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

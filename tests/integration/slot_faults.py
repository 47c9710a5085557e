"""What happens to slots behind walcat's back. Each takes the offset file too, which others spoil."""

import pathlib

from database import Database


def drop(database: Database, _: pathlib.Path | None = None) -> None:
    database.drop_slots()


def advance(database: Database, _: pathlib.Path | None = None) -> None:
    database.rows("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", (database.slot_name,))


def make_anew(database: Database, _: pathlib.Path | None = None) -> None:
    database.drop_slots()
    database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (database.slot_name,))

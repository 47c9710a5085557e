"""Fixtures of the integration and the fault suite: one cluster for the whole run, databases of its own for each test,
and a hand on the binary.
"""

import pathlib
from collections.abc import Callable, Iterator

import disk
import knobs
import pytest
from configuration import follow_all
from database import Database
from encoded import TABLE, EncodedDatabase
from postgres_server import PostgresServer
from walcat_process import Line, Walcat


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """The cluster most tests share. A test that stops or bends its server makes one of its own."""
    made = PostgresServer()
    yield made
    made.close()


@pytest.fixture
def make_database(server: PostgresServer, walcat: Walcat) -> Iterator[Callable[[], Database]]:
    """Makes databases; gone with their slots when the test ends, after walcat has."""
    made: list[Database] = []

    def make() -> Database:
        made.append(Database(server))
        return made[-1]

    yield make
    walcat.close()
    for database in made:
        database.close()


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    return make_database()


@pytest.fixture
def walcat(tmp_path: pathlib.Path) -> Iterator[Walcat]:
    assert knobs.WALCAT.exists(), f"{knobs.WALCAT} is not built; the environment variable WALCAT names the binary"
    made = Walcat(tmp_path)
    yield made
    made.close()


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A disk of 256 KiB."""
    with disk.mounted(tmp_path / "disk") as folder:
        yield folder


@pytest.fixture
def lines_of(database: Database, walcat: Walcat) -> Callable[..., list[Line]]:
    """Prints what statements change: runs each as a transaction and catches up. The first call creates the slot."""
    started = False

    def run(*statements: str, **keys: object) -> list[Line]:
        nonlocal started
        config = follow_all(database, **keys)
        if not started:
            walcat.catch_up(config)
            started = True
        database.execute(*statements)
        return walcat.catch_up(config).lines()

    return run


@pytest.fixture
def make_encoded(server: PostgresServer, walcat: Walcat) -> Iterator[Callable[..., EncodedDatabase]]:
    """Databases in another encoding; by default the one that lets bytes pass that are no text."""
    made: list[EncodedDatabase] = []

    def make(encoding: str = "SQL_ASCII") -> EncodedDatabase:
        database = EncodedDatabase(server, encoding)
        made.append(database)
        database.execute(TABLE)
        return database

    yield make
    walcat.close()
    for database in made:
        database.close()

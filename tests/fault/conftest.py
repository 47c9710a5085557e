"""Fixtures: those of the integration suite, with a server that is stopped and killed, and databases behind a proxy."""

from collections.abc import Iterator

import pytest
from fragile import Fragile
from postgres_server import PostgresServer
from server_version import MAJOR
from walcat_process import Walcat

pytest_plugins = ["suite_fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "settings(**settings): settings of the database in `fragile`")


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """The cluster of all tests, one after the other. A test that stops it starts it again."""
    made = PostgresServer(tcp=True)
    yield made
    made.close()


@pytest.fixture
def fragile(request: pytest.FixtureRequest, server: PostgresServer, walcat: Walcat) -> Iterator[Fragile]:
    """A loaded database behind a proxy, on a server that the test may stop."""
    marker = request.node.get_closest_marker("settings")
    if marker and MAJOR < 12:
        pytest.skip(f"PostgreSQL {MAJOR} has no wal_sender_timeout of a database")
    made = Fragile(server, marker.kwargs if marker else {})
    yield made
    walcat.close()
    made.close()

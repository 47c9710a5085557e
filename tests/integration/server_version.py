"""The PostgreSQL that the suite runs against, for tests of what only some versions have."""

import re
import subprocess

import pytest
from postgres_server import debian_programs, find_programs


def major_version(program: str) -> int:
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"\) (\d+)", words).group(1))


MAJOR = major_version(str(find_programs() / "postgres"))
# Of pg_dump, which reads no server newer than itself.
CLIENT_MAJOR = major_version(str(debian_programs() / "pg_dump"))


def needs(major: int, what: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(MAJOR < major, reason=f"PostgreSQL {MAJOR} has no {what}")


def before(major: int, what: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(MAJOR >= major, reason=f"PostgreSQL {MAJOR} has {what}")


# Where a table is one chunk, nothing can be half done.
NEEDS_CHUNKS = needs(14, "scans of a range of pages, so a table is read in one chunk")
NEEDS_PARTITIONS = needs(13, "partitioned tables in publications")
NEEDS_TRUNCATE = needs(11, "TRUNCATE in its streams")
# By which a running walcat is also asked for incremental snapshots.
NEEDS_MESSAGES = needs(14, "logical messages in its streams")
# Those of test_debezium_types.py.
NEEDS_TYPES = needs(14, "multiranges and other types")

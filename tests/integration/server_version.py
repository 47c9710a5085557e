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

"""Small disks, for what happens when they are full."""

import pathlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(folder: pathlib.Path, size: str = "256k") -> Iterator[pathlib.Path]:
    """A disk in memory; the test is skipped where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "walcat", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def enlarge(folder: pathlib.Path, size: str = "64m") -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)

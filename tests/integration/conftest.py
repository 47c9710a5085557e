"""Fixtures: those that the fault suite shares. Under a sanitizer the modules of sanitized.py run, and no others."""

import pathlib

import pytest
import sanitized

pytest_plugins = ["suite_fixtures"]


def pytest_ignore_collect(collection_path: pathlib.Path) -> bool | None:
    is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_test and sanitized.is_left_out(collection_path.stem) else None


def pytest_configure(config: pytest.Config) -> None:
    sanitized.check()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups first: each keeps one process busy for long, and the others then fill the time of the rest."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)

"""Fixtures: those that the fault suite shares."""

pytest_plugins = ["suite_fixtures"]

"""Waiting for a condition, with a deadline and a reason. Nothing in this suite waits for time to pass instead."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import knobs

T = TypeVar("T")

POLL_SECONDS = 0.02
_never = threading.Event()


def wait_until(
    condition: Callable[[], T], what: str, within: float = 20.0, detail: Callable[[], str] = lambda: ""
) -> T:
    """Returns the first true value of `condition`; fails with `what` and `detail()` when there was none in time."""
    seconds = within * knobs.PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"after {seconds:g} s still not so: {what}\n{detail()}")
        _never.wait(POLL_SECONDS)


def hold_for(seconds: float, invariant: Callable[[], None]) -> None:
    """Checks `invariant`, which asserts, again and again for `seconds`: for claims that something does not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        invariant()
        _never.wait(POLL_SECONDS * 5)
    invariant()

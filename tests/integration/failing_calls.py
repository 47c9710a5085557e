"""System calls that hang or fail in a walcat under test, by a library that is loaded into it (failing_calls.cpp)."""

import os
import pathlib

import knobs
import pytest
from walcat_process import WalcatProcess

LIBRARY = pathlib.Path(
    os.environ.get("WALCAT_TEST_FAILING_CALLS")
    or knobs.WALCAT.parent / "tests" / "integration" / "failing_calls.so"
)


class FailingCalls:
    """What fails in the runs that are started with `environment`. Not for sanitizers, which take such calls over."""

    def __init__(self, folder: pathlib.Path):
        if knobs.SANITIZER:
            pytest.skip("sanitizers have these calls for themselves")
        assert LIBRARY.exists(), f"{LIBRARY} is not built; WALCAT_TEST_FAILING_CALLS names it"
        self.folder = folder
        self.folder.mkdir()
        self.environment = {"LD_PRELOAD": str(LIBRARY), "FAILING_CALLS": str(folder)}

    def without_thread(self, which: str) -> dict[str, str]:
        """The environment of a run whose thread of this number is refused: "3", or "3-" for all from it on."""
        return {**self.environment, "FAILING_CALLS_THREADS": which}

    def hang(self, name: str) -> None:
        (self.folder / f"hang.{name}").touch()

    def hangs(self, name: str) -> bool:
        return (self.folder / f"hung.{name}").exists()

    def wait_until_it_hangs(self, run: WalcatProcess, name: str) -> None:
        run.wait_for(lambda: self.hangs(name), f"{name} hangs")

    def refuse(self, name: str, what: str = "") -> None:
        draft = self.folder / f"{name}.draft"
        draft.write_text(what)
        draft.replace(self.folder / f"refuse.{name}")

    def allow(self, name: str) -> None:
        (self.folder / f"refuse.{name}").unlink()

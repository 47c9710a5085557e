"""What a walcat has printed and captured at once, and replays of it."""

import json
import pathlib
from typing import Any

from configuration import configuration, entry
from database import Database
from walcat_process import Walcat, WalcatProcess

CAPTURE = "out.wcap"


class Recorded:
    """A database whose lines and frames are kept, run after run, all runs of one output."""

    def __init__(self, walcat: Walcat, *databases: Database, capture: dict[str, Any] | None = None, **keys: Any):
        self.walcat = walcat
        self.lines = walcat.folder / "lines.jsonl"
        self.output = {"path": str(self.lines), "capture": {"path": CAPTURE, **(capture or {})},
                       **keys.pop("output", {})}
        selection = keys.pop("selection", {})
        self.config = configuration(*(entry(database, **selection) for database in databases), output=self.output,
                                    **keys)
        self.catch_up()

    def catch_up(self) -> WalcatProcess:
        return self.walcat.catch_up(self.config)

    def after(self, database: Database, *statements: str) -> None:
        """Runs statements, each a transaction of its own, and catches up."""
        database.execute(*statements)
        self.catch_up()

    def printed(self) -> bytes:
        return self.lines.read_bytes()

    def files(self) -> list[str]:
        """The parts of the capture, in their order."""
        return sorted(path.name for path in self.walcat.folder.glob("*.wcap"))

    def replay_config(self, **output: Any) -> pathlib.Path:
        """The same lines, to stdout."""
        kept = {key: value for key, value in self.output.items() if key not in ("path", "capture")}
        return self.walcat.write({**self.config, "output": {**kept, **output}}, "replay.yaml")

    def replay(self, *arguments: str, status: int = 0, **output: Any) -> WalcatProcess:
        """Plays what was captured, with the output options that it was printed with."""
        config = self.replay_config(**output)
        return replay(self.walcat, "-c", str(config), *arguments, *self.files(), status=status)


def replay(walcat: Walcat, *arguments: str, status: int = 0, within: float = 60.0) -> WalcatProcess:
    run = walcat.command("replay", *arguments)
    actual = run.wait_exit(within)
    assert actual == status, f"exit status {actual} instead of {status}\n{run.describe()}"
    return run


def replayed(run: WalcatProcess) -> bytes:
    return run.output.path.read_bytes()


def report_of(walcat: Walcat, name: str = "report.json") -> dict[str, Any]:
    return json.loads((walcat.folder / name).read_text())

"""The judge of runs that die: what each of them printed, what it had stored at its end, and what may come again.

A run's lines increase, and increase on over a clean stop. After a SIGKILL the next run goes on behind the stored
position: it may repeat what was printed behind that, and so may the runs after it, until all of that has come again.
"""

import json
import pathlib
from dataclasses import dataclass, field

from database import number_of
from ledger import Ledger
from walcat_process import Line, LineFile, WalcatProcess


def stored_position(path: pathlib.Path) -> int:
    """Of an offset file: where the commits end that need not be printed again."""
    return number_of(json.loads(path.read_text())["position"])


@dataclass
class Verdict:
    """How many lines came again, kill by kill."""

    repeats: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        kills, total, most = len(self.repeats), sum(self.repeats), max(self.repeats, default=0)
        return f"{kills} kills: {total} repeats, {total / max(kills, 1):.1f} a kill, {most} at most"


class Judge:
    """Hears the runs of one database one after the other; all append to one file. Each line is read once."""

    def __init__(self, ledger: Ledger, printed: LineFile, offset_file: pathlib.Path):
        self._ledger = ledger
        self._printed = printed
        self._offset_file = offset_file
        self._read_bytes = 0
        # What the ledger has not been asked about, and what may still be repeated.
        self._fresh: list[Line] = []
        self._known: dict[tuple[int, int], str] = {}
        self._last = (0, 0)
        # What comes next stands behind this.
        self._floor = (0, -1)
        self.verdict = Verdict()

    def end(self, run: WalcatProcess, way: str) -> None:
        """Ends the run in hand: `kill` or `stop`."""
        if way == "kill":
            run.kill()
            self.hear_kill()
        else:
            run.stop()
            self.hear_stop()

    def hear_kill(self) -> None:
        """The run in hand was killed, and is gone; the next has not begun."""
        self._hear()
        self._floor = (stored_position(self._offset_file), -1)
        self.verdict.repeats.append(0)

    def hear_stop(self) -> None:
        """The run in hand ended cleanly."""
        self._hear()

    def check(self) -> None:
        """Compares what was printed since the last check with the ledger. The load stands still, and all is printed."""
        self._hear()
        self._ledger.check_exactly_once(self._fresh)
        self._fresh = []
        stored = stored_position(self._offset_file)
        self._known = {position: text for position, text in self._known.items() if position[0] >= stored}

    def _hear(self) -> None:
        for line in self._read():
            if line.source["db"] != self._ledger.database.name:
                continue
            assert line.position > self._floor, f"out of order or a repeat, behind {self._floor}: {line.text}"
            self._floor = line.position
            if line.position > self._last:
                self._last = line.position
                self._fresh.append(line)
            else:
                self._hear_repeat(line)
            self._known[line.position] = line.text

    def _hear_repeat(self, line: Line) -> None:
        assert self._known.get(line.position) == line.text, f"not the line that was printed before: {line.text}"
        self.verdict.repeats[-1] += 1

    def _read(self) -> list[Line]:
        """The whole lines since the last call; a torn one is cut off by the next run."""
        with open(self._printed.path, "rb") as stream:
            stream.seek(self._read_bytes)
            block = stream.read()
        whole = block[: block.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        return [Line.parse(text) for text in whole.decode("utf-8").split("\n")[:-1]]

"""A pipe whose reader takes no more than a test asks for: so a run stands still where the test wants it to."""

import fcntl
import os
import select
import signal
from typing import Any

import knobs
from walcat_process import Line, Walcat

BLOCK_BYTES = 4096


class HeldOutput:
    """A run that prints into such a pipe. Use it in a `with` block: what is left in the pipe is gone afterwards."""

    def __init__(self, walcat: Walcat, config: dict[str, Any], *arguments: str):
        self._reading, writing = os.pipe()
        self._taken = bytearray()
        self._count = 0
        try:
            self.run = walcat.start(config, *arguments, stdout=writing)
        finally:
            os.close(writing)

    def __enter__(self) -> "HeldOutput":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reading)

    def narrow(self) -> None:
        """Makes the pipe hold as little as it can. Nothing has been written yet."""
        fcntl.fcntl(self._reading, fcntl.F_SETPIPE_SZ, BLOCK_BYTES)

    def take(self, count: int) -> None:
        """Reads on until `count` lines are there since the start. A block more may be taken."""
        while self._count < count:
            assert self._read(BLOCK_BYTES), f"the output ended after {self._count} lines\n{self.run.describe()}"

    def rest(self) -> list[Line]:
        """Reads to the end of the run and returns every line since its start."""
        while self._read(1 << 20):
            pass
        return self._lines()

    def end(self, number: signal.Signals) -> list[Line]:
        """Ends the run by SIGKILL, or cleanly by SIGTERM, and returns every line that it printed whole."""
        self.run.signal(number)
        if number == signal.SIGKILL:
            self.run.process.wait()
            return self.rest()
        self.run.wait_for_log("stopping")
        lines = self.rest()
        assert self.run.wait_exit() == 0, self.run.describe()
        return lines

    def finish(self) -> list[Line]:
        """Lets a bounded run go on to its end, and returns every line since its start."""
        lines = self.rest()
        assert self.run.wait_exit() == 0, self.run.describe()
        return lines

    def _read(self, most: int) -> bool:
        """Waits for something to read. False at the end."""
        ready, _, _ = select.select([self._reading], [], [], 30 * knobs.PATIENCE)
        assert ready, f"nothing is printed any more\n{self.run.describe()}"
        block = os.read(self._reading, most)
        self._taken += block
        self._count += block.count(b"\n")
        return bool(block)

    def _lines(self) -> list[Line]:
        return [Line.parse(text) for text in self._taken.decode("utf-8", "replace").split("\n")[:-1]]

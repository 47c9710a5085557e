"""The walcat binary under test: started with a configuration, watched, signalled, and never left behind."""

import json
import os
import pathlib
import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, IO

import knobs
from waiting import wait_until

SANITIZER_REPORT = re.compile(r"(AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:)")


@dataclass(frozen=True)
class Line:
    """One printed change."""

    text: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    source: dict[str, Any]
    op: str

    @staticmethod
    def parse(text: str) -> "Line":
        message = json.loads(text)["message"]
        return Line(text, message.get("before"), message.get("after"), message["source"], message["op"])

    @property
    def position(self) -> tuple[int, int]:
        """What tells a repeat from a new change: unique and increasing in one database."""
        return self.source["commit_lsn"], self.source["index"]

    @property
    def table(self) -> str:
        return f"{self.source['schema']}.{self.source['table']}"


class LineFile:
    """A growing file of lines. Only whole lines count."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self._counted_bytes = 0
        self._counted_lines = 0

    def count(self) -> int:
        """How many whole lines there are. Reads what came since the last call only."""
        if not self.path.exists():
            return 0
        if self.path.stat().st_size < self._counted_bytes:  # a torn line was cut off
            self._counted_bytes = self._counted_lines = 0
        with open(self.path, "rb") as stream:
            stream.seek(self._counted_bytes)
            while chunk := stream.read(1 << 20):
                self._counted_bytes += len(chunk)
                self._counted_lines += chunk.count(b"\n")
        return self._counted_lines

    def texts(self) -> list[str]:
        if not self.path.exists():
            return []
        # Not splitlines(): U+2028 and its like stand unescaped inside a line.
        return self.path.read_bytes().decode("utf-8").split("\n")[:-1]

    def lines(self) -> list[Line]:
        return [Line.parse(text) for text in self.texts()]


class WalcatProcess:
    """One run of the binary. Its stdout is a file unless the caller passes a stream of its own."""

    def __init__(
        self,
        folder: pathlib.Path,
        arguments: list[str],
        *,
        stdout: IO[Any] | int | None = None,
        environment: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ):
        number = len(list(folder.glob("run-*.log")))
        self.log_path = folder / f"run-{number}.log"
        self.output = LineFile(folder / f"run-{number}.jsonl")
        self.arguments = arguments
        with open(self.log_path, "w") as log, open(self.output.path, "w") as output:
            self.process = subprocess.Popen(
                [str(knobs.WALCAT), *arguments],
                cwd=folder,
                env={**clean_environment(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output if stdout is None else stdout,
                stderr=log,
                preexec_fn=lambda: self._prepare(prepare),
            )

    @staticmethod
    def _prepare(prepare: Callable[[], None] | None) -> None:
        """In the child. A suite that was started in the background is deaf to SIGINT, and so would walcat be."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prepare is not None:
            prepare()

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def warnings(self) -> list[str]:
        """Lines of the log, but for the one about the suite's own role, which is a superuser."""
        return [line for line in self.log().splitlines() if " warning " in line and "is a superuser" not in line]

    def lines(self) -> list[Line]:
        return self.output.lines()

    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait_for_lines(self, count: int, within: float = 30.0) -> list[Line]:
        """Returns the lines on stdout once there are at least `count`."""
        self._wait(lambda: self.output.count() >= count, f"{count} lines on stdout", within)
        return self.lines()

    def wait_for_more(self, count: int, within: float = 30.0) -> None:
        """Returns once `count` lines more than now are on stdout."""
        goal = self.output.count() + count
        self._wait(lambda: self.output.count() >= goal, f"{goal} lines on stdout", within)

    def wait_for_log(self, pattern: str, within: float = 20.0) -> str:
        """Returns the log once `pattern` is found in it."""
        found = re.compile(pattern, re.IGNORECASE)
        self._wait(lambda: found.search(self.log()), f"the log matches /{pattern}/", within)
        return self.log()

    def wait_for(self, condition: Callable[[], Any], what: str, within: float = 20.0) -> Any:
        """Returns the first true value of `condition`; fails at once when walcat has ended before."""
        return self._wait(condition, what, within)

    def wait_exit(self, within: float = 30.0) -> int:
        """Waits for the end and returns the exit status (negative: the signal that ended it)."""
        wait_until(lambda: not self.is_running(), "walcat has ended", within, self.describe)
        self.check_sanitizers()
        return self.process.returncode

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, within: float = 30.0) -> None:
        """A clean stop: SIGTERM, exit status 0."""
        self.signal(signal.SIGTERM)
        status = self.wait_exit(within)
        assert status == 0, f"a clean stop ended with {status}\n{self.describe()}"

    def kill(self) -> None:
        """SIGKILL: no last words."""
        self.process.kill()
        self.process.wait()

    def memory_kib(self, field: str = "VmRSS") -> int:
        """VmRSS is what is resident now, VmHWM the most there ever was."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {field} of process {self.pid}")

    def check_sanitizers(self) -> None:
        assert not SANITIZER_REPORT.search(self.log()), self.log()

    def describe(self) -> str:
        state = "running" if self.is_running() else f"exit status {self.process.returncode}"
        log = self.log()
        return f"walcat {' '.join(self.arguments)}: {state}, {self.output.count()} lines; stderr:\n{log[-6000:]}"

    def _wait(self, condition: Callable[[], Any], what: str, within: float) -> Any:
        def reached() -> Any:
            value = condition()
            if not value and not self.is_running():
                value = condition()
                assert value, f"walcat ended before: {what}\n{self.describe()}"
            return value

        return wait_until(reached, what, within, self.describe)


class Walcat:
    """Starts the runs of one test in one folder and ends what still runs when the test is over."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._runs: list[WalcatProcess] = []

    def start(self, config: Mapping[str, Any] | str, *arguments: str, **options: Any) -> WalcatProcess:
        """Writes the configuration and starts `walcat run`. A string is written as it is."""
        return self.command("run", "-c", str(self.write(config)), *arguments, **options)

    def run(self, config: Mapping[str, Any] | str, *arguments: str, status: int = 0, within: float = 30.0,
            **options: Any) -> WalcatProcess:
        """A run that ends by itself, by a bound or a failure."""
        run = self.start(config, *arguments, **options)
        actual = run.wait_exit(within)
        assert actual == status, f"exit status {actual} instead of {status}\n{run.describe()}"
        return run

    def catch_up(self, config: Mapping[str, Any], **options: Any) -> WalcatProcess:
        """Prints what there is and ends. The first such run creates publication and slot."""
        return self.run(config, "--until-caught-up", **options)

    def command(self, *arguments: str, **options: Any) -> WalcatProcess:
        run = WalcatProcess(self.folder, list(arguments), **options)
        self._runs.append(run)
        return run

    def write(self, config: Mapping[str, Any] | str, name: str = "walcat.yaml") -> pathlib.Path:
        """JSON is YAML, so that is how a configuration made here is written. Nobody ever reads half of it."""
        path = self.folder / name
        draft = self.folder / f"{name}.draft"
        draft.write_text(config if isinstance(config, str) else json.dumps(config, indent=2, ensure_ascii=False))
        return draft.replace(path)

    def close(self) -> None:
        for run in self._runs:
            if run.is_running():
                run.kill()
        for run in self._runs:
            run.check_sanitizers()


def clean_environment() -> dict[str, str]:
    """The caller's environment without what would lead libpq elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

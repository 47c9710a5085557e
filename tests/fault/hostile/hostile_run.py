"""One run of walcat with hostile servers and a good one: what was told to whom, and what came of it."""

import re
import signal
from dataclasses import dataclass

import knobs
from configuration import configuration
from database import Database
from hostile_server import HostileServer, Place
from lie import Lie, Matter
from printed import Heard, Printed
from victims import Victims
from waiting import wait_until
from walcat_process import WalcatProcess

STOP_SECONDS = 5
# What may take an honest server long without a word: rows of COPY may be far between.
WAITS = re.compile("^COPY")

# The bound on memory, MiB. walcat by itself, and pipeline.memory_limit; a connection or three of each database, with what
# libpq makes of a text of 4 MiB; and what an answer may take (kAnswerBytesMost), as it comes, as it is kept and as it is
# used.
ITSELF = 32 + 32
DATABASE = 4 + 3 * 4
ANSWER_MOST = 256
COPIES = 3
MIB = 1 << 20


@dataclass(frozen=True)
class Told:
    """A lie at a place."""

    lie: Lie
    place: Place

    def __str__(self) -> str:
        return f"{self.lie.name} @ {self.place}"


@dataclass
class Hostile:
    """A victim, and the server that lies to walcat about it."""

    victim: Database
    told: Told
    server: HostileServer
    # The last round that was committed when the lie was seen to have been told, and the lines that had come.
    since: tuple[int, int] | None = None
    verdict: str = ""

    def is_waited_for(self) -> bool:
        """Whether walcat may wait without limit, as it would for an honest server; a stop ends that."""
        if self.told.place.matter == Matter.FRAME:
            return self.server.dripping
        is_quiet = self.server.silent or self.server.dripping
        return is_quiet and WAITS.search(self.told.place.what) is not None

    def memory(self) -> int:
        """What walcat may have taken for it, MiB. A login has no answer to keep."""
        if self.told.place.matter == Matter.LOGIN:
            return DATABASE
        return DATABASE + COPIES * min(self.server.most_said // MIB, ANSWER_MOST)

    def __str__(self) -> str:
        times = f"told {self.server.told} times"
        return f"{self.victim.name}: {self.told}: {times}, {self.verdict or 'NO VERDICT'}".replace("\n", " ")


def street(victims: Victims, *entries: dict[str, object]) -> dict[str, object]:
    """All that asks something of a server is on, and attempts come quickly."""
    return configuration(
        victims.good_entry(),
        *entries,
        snapshot={"mode": "initial"},
        output={"values": "debezium"},
        wal_guard={"interval": "1s"},
        heartbeat_interval="1s",
        shutdown_timeout=f"{STOP_SECONDS}s",
        retry_config={"max_retries": 3, "initial_backoff": "300ms", "max_backoff": "1s", "backoff_multiplier": 2.0},
        log={"format": "json"},
    )


class HostileRun:
    def __init__(self, run: WalcatProcess, victims: Victims, hostiles: list[Hostile], printed: Printed):
        self._run = run
        self._victims = victims
        self._hostiles = hostiles
        self._printed = printed
        self._heard = Heard(run.log_path)

    def wait_for_verdicts(self) -> None:
        """Until of each lie that was told walcat has complained, or rows of the database have come right since."""
        wait_until(self._is_over, "every lie is named, or harmless", within=60, detail=self.describe)
        assert self._run.is_running(), f"walcat has ended\n{self.describe()}"

    def _is_over(self) -> bool:
        self._heard.listen()
        for hostile in self._hostiles:
            hostile.verdict = hostile.verdict or self._verdict(hostile)
        return not self._run.is_running() or all(hostile.verdict for hostile in self._hostiles)

    def _verdict(self, hostile: Hostile) -> str:
        name = hostile.victim.name
        if not hostile.server.told:
            return ""
        if hostile.since is None:
            hostile.since = self._victims.rounds, self._printed.lines[name]
        named = self._heard.named(name)
        if named is not None:
            return f"named: {named[:150]}"
        rounds, lines = hostile.since
        if self._printed.right[name] > rounds or (hostile.told.lie.believed and self._printed.lines[name] > lines):
            return "harmless"
        return "waited for" if hostile.is_waited_for() else ""

    def check_good(self) -> None:
        """All rows have come, each once, in order. The load has ended."""
        wanted = len(self._victims.committed_at)
        self._run.wait_for(lambda: len(self._printed.good) >= wanted, "the good database's rows have come", within=30)
        assert [number for number, _ in self._printed.good] == list(range(wanted)), self.describe()

    def check_memory(self) -> int:
        """Returns the most that was resident, MiB; a sanitizer takes more."""
        peak = self._run.memory_kib("VmHWM") // 1024
        bound = ITSELF + sum(hostile.memory() for hostile in self._hostiles)
        assert knobs.SANITIZER or peak < bound, f"{peak} MiB, not {bound}\n{self.describe()}"
        return peak

    def check_texts(self) -> None:
        """What was said in the log, and what was printed."""
        self._heard.listen()
        assert not self._heard.wrong, self._heard.wrong[:5]
        assert not self._printed.wrong, self._printed.wrong[:5]

    def p99(self) -> float:
        """Of the good database's rows from commit to line, seconds; without those of the snapshot."""
        begun = self._printed.good[0][1]
        committed = self._victims.committed_at
        delays = sorted(came - committed[number] for number, came in self._printed.good if committed[number] > begun)
        return delays[len(delays) * 99 // 100] if delays else 0.0

    def end(self, signals: int) -> None:
        """By a signal, which leaves time to end, or by two. Hostile servers hold it up no longer than honest ones."""
        for _ in range(signals):
            self._run.signal(signal.SIGTERM)
        status = self._run.wait_exit(within=3 * STOP_SECONDS)
        assert status == 0 or signals > 1, f"exit status {status}\n{self.describe()}"

    def describe(self) -> str:
        crowd = "\n".join(str(hostile) for hostile in self._hostiles)
        return f"{crowd}\n{self._run.describe()}"

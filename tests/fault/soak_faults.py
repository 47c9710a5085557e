"""What happens during a soak. A fault may leave things broken; heal() mends them, walcat has to do the rest itself."""

import pathlib
import random
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress

from fragile import Fragile
from prepared_load import Ends, PreparedLoad
from proxy import Direction
from soaked import Consumer
from waiting import wait_until
from workload import Pgbench, mixed

# Patience with a machine that does much else: for walcat to come back, or to catch up.
WITHIN_SECONDS = 120.0
# One in so many transactions is prepared.
PREPARED_SHARE = 4


class Soak:
    """Two databases and the two walcats that follow both."""

    def __init__(self, databases: list[Fragile], survivor: Consumer, mortal: Consumer):
        self.databases = databases
        self.survivor = survivor
        self.mortal = mortal
        self.consumers = (survivor, mortal)
        self.faults = 0
        self.prepared = Ends()

    def wait_for_lines(self, count: int) -> None:
        """Some progress of both."""
        goals = [(consumer, consumer.printed.count() + count) for consumer in self.consumers]
        self._wait(lambda: all(consumer.printed.count() >= goal for consumer, goal in goals), "some more lines")

    def wait_until_streaming(self) -> None:
        def streaming() -> bool:
            return all(
                fragile.database.slot_reader(consumer.slot(fragile)) is not None
                for fragile in self.databases
                for consumer in self.consumers
            )

        self._wait(streaming, "all slots are streamed")

    def wait_until_caught_up(self) -> None:
        """No load runs; what was committed is printed and stored."""
        for fragile in self.databases:
            end = fragile.database.wal_lsn()
            for consumer in self.consumers:
                slot = consumer.slot(fragile)
                self._wait(lambda: fragile.database.passed(end, slot), f"{slot} has confirmed {end}")

    def heal(self) -> None:
        for fragile in self.databases:
            fragile.proxy.heal()

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        def reached() -> bool:
            for consumer in self.consumers:
                assert consumer.run.is_running(), f"walcat ended before: {what}\n{consumer.run.describe()}"
            return condition()

        wait_until(reached, what, WITHIN_SECONDS, lambda: "\n".join(each.run.describe() for each in self.consumers))


class Loads:
    """On every database pgbench, and a quarter of its `rate` as prepared transactions.

    Use it in a `with` block: when that ends, nothing more is committed, and nothing is prepared.
    """

    def __init__(self, databases: list[Fragile], folder: pathlib.Path, rate: int, dice: random.Random):
        self._databases = databases
        self._folder = folder
        self._rate = rate - rate // PREPARED_SHARE
        self._running: dict[str, Pgbench] = {}
        self._prepared = [PreparedLoad(fragile.database, dice, rate / PREPARED_SHARE) for fragile in databases]
        self._ending = ExitStack()

    def __enter__(self) -> "Loads":
        for load in self._prepared:
            self._ending.enter_context(load)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
            return
        # What went wrong first is told.
        with suppress(Exception):
            self.stop()

    def stop(self) -> None:
        with ExitStack() as stack:
            for load in self._running.values():
                stack.callback(load.stop)
            # First, because sessions of pgbench may wait for what is prepared.
            self._ending.close()

    def prepared(self) -> Ends:
        """What prepared transactions have come to."""
        return sum((load.ends for load in self._prepared), Ends())

    def keep_up(self) -> None:
        """Begins those anew that have ended with their server."""
        for fragile in self._databases:
            name = fragile.database.name
            if name not in self._running or not self._running[name].is_running():
                self._running[name] = mixed(fragile.database, self._folder, rate=self._rate)


# The faults. Each happens to one database, or to one walcat.

Fault = Callable[[Soak, Fragile, random.Random], None]


def cut(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.proxy.cut(reset=dice.random() < 0.5)


def half_open(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.proxy.half_open(frozenset(dice.sample(list(Direction), dice.randint(1, 2))))


def delay(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.proxy.delay(dice.uniform(0.01, 0.1))


def throttle(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.proxy.throttle(dice.randint(20_000, 200_000))


def dribble(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.proxy.dribble()


def quicken(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.proxy.heal()


def refuse(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    """For an attempt at least."""
    known = soak.survivor.run.log().count("refused")
    fragile.proxy.refuse()
    fragile.proxy.cut()
    wait_until(lambda: soak.survivor.run.log().count("refused") > known, "walcat is refused", WITHIN_SECONDS)
    fragile.proxy.accept()


def terminate(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")


def restart(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.database.disconnect()
    # A fast stop waits until all is sent, however slowly that goes.
    fragile.proxy.heal()
    fragile.server.restart(dice.choice(("fast", "immediate")))


def kill_server(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    fragile.database.disconnect()
    fragile.server.restart("kill")


def hold(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    """Longer than the servers wait."""
    consumer = dice.choice(soak.consumers)
    consumer.run.signal(signal.SIGSTOP)
    slot = consumer.slot(fragile)
    try:
        wait_until(lambda: fragile.database.slot_reader(slot) is None, "the server has given it up", WITHIN_SECONDS)
    finally:
        consumer.run.signal(signal.SIGCONT)


def kill(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    soak.mortal.run.kill()
    soak.mortal.hear_kill()
    soak.mortal.start()


def stop(soak: Soak, fragile: Fragile, dice: random.Random) -> None:
    soak.mortal.run.stop(within=WITHIN_SECONDS)
    soak.mortal.hear_stop()
    soak.mortal.start()


def faults() -> list[Fault]:
    """Kills and cuts are quick and find the most."""
    slow: list[Fault] = [half_open, delay, throttle, dribble, refuse, restart, kill_server, hold]
    return [*slow, quicken, terminate, stop, cut, cut, kill, kill, kill]


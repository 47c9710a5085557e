#!/usr/bin/env python3
"""Random faults as long as one likes: two databases, each on a server of its own behind a proxy, under pgbench load.

    soak.py --minutes N [--seed S]

Two walcats follow both databases. The survivor is never ended: it must print each change exactly once, and its
memory, threads and file descriptors must not grow. The mortal is killed and stopped as well: it repeats no more than
the promise allows. The seed chooses which of them takes prepared transactions when they are prepared (`two_phase`):
one of them or both, where the server has that.
Time is cut into rounds. In a round load runs and faults happen; at its end all is healed, the load rests, both walcats
catch up, the ledgers are compared with the lines, and the survivor is looked at. Exit status: 1 if anything is wrong.
"""

import argparse
import pathlib
import random
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from fragile import Fragile  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from server_version import MAJOR  # noqa: E402
from soak_faults import Loads, Soak, faults  # noqa: E402
from soaked import Consumer, Usage  # noqa: E402

ROUND_SECONDS = 40.0
# Memory may move by so much between two looks without having grown: allocators breathe.
BREATH_KIB = 4096
# A dead peer is to be noticed many times in a round.
SETTINGS = {"wal_sender_timeout": "4s"}
# Some of the load's transactions come in blocks then.
if MAJOR >= 13:
    SETTINGS["logical_decoding_work_mem"] = "64kB"
TRANSACTIONS_PER_SECOND = 40


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs walcat under random faults and judges it.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    say(f"seed {seed}, {arguments.minutes:g} minutes")
    try:
        summary = run(arguments.minutes * 60, random.Random(seed))
    except AssertionError as complaint:
        say(str(complaint)[-8000:])
        print(f"soak failed (seed {seed}): {str(complaint).splitlines()[0]}")
        return 1
    print(f"soak passed (seed {seed}): {summary}")
    return 0


def run(seconds: float, dice: random.Random) -> str:
    with ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="walcat-soak.")))
        soak = begin(folder, stack, choose_two_phase(dice))
        end = time.monotonic() + seconds
        # Once through everything before the first look: what is reserved once is no growth.
        usages: list[Usage] = []
        while not usages or time.monotonic() < end:
            happened = spend_round(soak, dice, folder, min(ROUND_SECONDS, seconds / 4))
            usages.append(judge(soak))
            say(f"round {len(usages)}: {' '.join(happened)}; {usages[-1]}")
        begun, middle, last = usages[0], usages[len(usages) // 2], usages[-1]
        for name, usage in (("begin", begun), ("middle", middle), ("end", last)):
            say(f"{name}: {usage}")
        say(f"a fast stop of a server took {fast_stop_seconds(soak):.2f} s at most, with two idle walcats attached")
        last.check_not_grown(begun, BREATH_KIB)
        for consumer in soak.consumers:
            consumer.run.stop()
            consumer.hear_stop()
            consumer.check()
        ended = f"{soak.prepared}; {soak.mortal.summary()}; survivor {last}"
        return f"{soak.faults} faults in {len(usages)} rounds; {ended}"


def choose_two_phase(dice: random.Random) -> tuple[str, ...]:
    """Names of walcats."""
    chosen = dice.choice((("survivor",), ("mortal",), ("survivor", "mortal"))) if MAJOR >= 15 else ()
    say(f"two_phase: {' and '.join(chosen) or 'none'}")
    return chosen


def begin(folder: pathlib.Path, stack: ExitStack, two_phase: tuple[str, ...]) -> Soak:
    """Servers, databases with their ledgers, and both walcats, streaming."""
    databases = []
    for _ in range(2):
        server = PostgresServer(tcp=True)
        stack.callback(server.close)
        databases.append(Fragile(server, SETTINGS))
        stack.callback(databases[-1].proxy.close)
    consumers = []
    for name in ("survivor", "mortal"):
        consumers.append(Consumer(name, folder, databases, name in two_phase))
        stack.callback(consumers[-1].close)
    soak = Soak(databases, *consumers)
    for consumer in consumers:
        consumer.start()
    soak.wait_until_streaming()
    return soak


def spend_round(soak: Soak, dice: random.Random, folder: pathlib.Path, seconds: float) -> list[str]:
    """Load and faults. Returns what happened."""
    end = time.monotonic() + seconds
    happened = []
    with Loads(soak.databases, folder, TRANSACTIONS_PER_SECOND, dice) as loads:
        while not happened or time.monotonic() < end:
            loads.keep_up()
            soak.wait_for_lines(dice.randint(50, 1000))
            fault = dice.choice(faults())
            happened.append(fault.__name__)
            fault(soak, dice.choice(soak.databases), dice)
            soak.faults += 1
    soak.prepared += loads.prepared()
    soak.heal()
    return happened


def judge(soak: Soak) -> Usage:
    soak.wait_until_streaming()
    soak.wait_until_caught_up()
    for consumer in soak.consumers:
        consumer.check()
    for fragile in soak.databases:
        fragile.ledger.forget()
    soak.wait_until_caught_up()
    return soak.survivor.usage()


def fast_stop_seconds(soak: Soak) -> float:
    """Stops and starts each server, and returns how long the slower one took to stop."""
    longest = 0.0
    for fragile in soak.databases:
        fragile.database.disconnect()
        began = time.monotonic()
        fragile.server.stop("fast")
        longest = max(longest, time.monotonic() - began)
        fragile.server.start()
    soak.wait_until_streaming()
    return longest


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

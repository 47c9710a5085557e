"""Lengths of the long tests, from the environment. The defaults keep the whole suite within a few minutes.

    WALCAT                          the binary under test (build/release/walcat)
    WALCAT_TEST_SANITIZER           address or thread: the binary is slow, waits are longer, loads smaller
    WALCAT_TEST_EVERYTHING          with a sanitizer: all modules, not only those of sanitized.py (no)
    WALCAT_TEST_LOAD_SECONDS        pgbench on two databases (5)
    WALCAT_TEST_SIGTERM_ROUNDS      clean stops under load (5)
    WALCAT_TEST_SIGKILL_ROUNDS      kills under load (10)
    WALCAT_TEST_PREPARED_ROUNDS     kills and stops over prepared transactions (5)
    WALCAT_TEST_CUTS                cuts of the connection under load (15)
    WALCAT_TEST_TERMINATE_ROUNDS    walsenders terminated under load (8)
    WALCAT_TEST_BIG_ROWS            rows of the big transaction (200000)
    WALCAT_TEST_HOLD_SECONDS        how long the reader of the pipe stands still (15)
    WALCAT_TEST_SENDER_TIMEOUT      the server's wal_sender_timeout meanwhile, seconds (6)
    WALCAT_TEST_SNAPSHOT_ROWS       rows of the snapshots that are stopped and killed (100000; 8000 a kill at least)
    WALCAT_TEST_SNAPSHOT_KILLS      kills in the middle of such a snapshot (5)
    WALCAT_TEST_SEAM_ROWS           rows of the snapshot whose run is cut off each second (100000)
    WALCAT_TEST_SEAM_CUT_SECONDS    for how long (6)
    WALCAT_TEST_INCREMENTAL_ROWS    rows of the incremental snapshots under load (30000)
    WALCAT_TEST_PROPERTY_ROWS       random rows of the property test (10000)
    WALCAT_TEST_PROPERTY_SEED       of those rows (random, printed)
    WALCAT_TEST_SEED                of every random choice (1)
    WALCAT_TEST_LIES                lies of hostile servers, of some 8000 (300)
    WALCAT_TEST_LIE                 of those only the ones whose name matches this regular expression (none: any)
    WALCAT_TEST_LINES               lines of six feeds that other tools parse (100000)
    WALCAT_TEST_DUCKDB              a libduckdb.so, one of these tools (none: skipped)
    WALCAT_TEST_PARSE_LINES         the program that parses with simdjson (the build's)
    WALCAT_TEST_KAFKA_MOCK          the program that plays a Kafka broker (the build's)
    WALCAT_TEST_FAILING_CALLS       the library that makes system calls fail (the build's)
"""

import os
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]
WALCAT = pathlib.Path(os.environ.get("WALCAT") or ROOT / "build" / "release" / "walcat").resolve()
SANITIZER = os.environ.get("WALCAT_TEST_SANITIZER", "")
EVERYTHING = bool(os.environ.get("WALCAT_TEST_EVERYTHING"))


def number(name: str, usual: int, sanitized: int | None = None) -> int:
    text = os.environ.get(f"WALCAT_TEST_{name}", "")
    if text:
        return int(text)
    return sanitized if SANITIZER and sanitized is not None else usual


LOAD_SECONDS = number("LOAD_SECONDS", 5, sanitized=3)
SIGTERM_ROUNDS = number("SIGTERM_ROUNDS", 5, sanitized=3)
SIGKILL_ROUNDS = number("SIGKILL_ROUNDS", 10, sanitized=3)
PREPARED_ROUNDS = number("PREPARED_ROUNDS", 5, sanitized=3)
CUTS = number("CUTS", 15, sanitized=5)
TERMINATE_ROUNDS = number("TERMINATE_ROUNDS", 8, sanitized=4)
BIG_ROWS = number("BIG_ROWS", 200_000, sanitized=20_000)
HOLD_SECONDS = number("HOLD_SECONDS", 15, sanitized=10)
SENDER_TIMEOUT_SECONDS = number("SENDER_TIMEOUT", 6)
SNAPSHOT_ROWS = number("SNAPSHOT_ROWS", 100_000, sanitized=40_000)
SNAPSHOT_KILLS = number("SNAPSHOT_KILLS", 5, sanitized=2)
SEAM_ROWS = number("SEAM_ROWS", 100_000, sanitized=20_000)
SEAM_CUT_SECONDS = number("SEAM_CUT_SECONDS", 6, sanitized=3)
LIES = number("LIES", 300, sanitized=50)
LIE = os.environ.get("WALCAT_TEST_LIE", "")
SEED = number("SEED", 1)

# Every wait of the suite is a multiple of this: tests share the cores, and a sanitized binary takes its time.
PATIENCE = 4.0 if SANITIZER else 2.0


def dice() -> random.Random:
    """Random choices of one test; the seed is shown when it fails."""
    print(f"WALCAT_TEST_SEED={SEED}")
    return random.Random(SEED)

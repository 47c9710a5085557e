"""The modules of this suite that run under a sanitizer (`scripts/test --sanitize`), too.

They are those in which threads meet, bytes are parsed, or memory is handed from one owner to another, beyond what the unit
tests and the fault suite, which both run whole, do anyway. What the others look at (options, messages, rights, forms of
lines) is the same in every build: they run on the release build, and with `scripts/test --sanitize address --all`.
"""

import knobs

MODULES = {
    # The street, with one database and with several.
    "test_lines",
    "test_schema_changes",
    "test_two_databases",
    "test_isolation",
    "test_idle_database",
    # Transactions that are taken while they run, and one that is larger than everything.
    "test_streamed_transactions",
    "test_big_transaction",
    # Threads beside the stream.
    "test_snapshot",
    "test_snapshot_connections",
    "test_snapshot_resume",
    "test_incremental",
    "test_incremental_load",
    "test_heartbeat",
    "test_wal_guard",
    # Frames that are kept and played.
    "test_capture",
    "test_replay",
    "test_dead_letters",
    # Ends, and outputs that take no more.
    "test_output_file",
    "test_closed_pipe",
    "test_sigterm",
    "test_circuit_breaker",
}


def is_left_out(module: str) -> bool:
    return bool(knobs.SANITIZER) and not knobs.EVERYTHING and module not in MODULES


def check() -> None:
    missing = {name for name in MODULES if not (knobs.ROOT / "tests" / "integration" / f"{name}.py").exists()}
    assert not missing, f"tests/integration/sanitized.py names modules that do not exist: {missing}"

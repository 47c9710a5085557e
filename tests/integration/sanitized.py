"""The modules of this suite that run under a sanitizer (`scripts/test --sanitize`), too.

They are those in which threads meet (`thread`), bytes are parsed or memory is handed from one owner to another
(`address`), beyond what the unit tests and the fault suite, which both run whole, do anyway. What the others look at
(options, messages, rights, forms of lines) is the same in every build: they run on the release build, and with
`scripts/test --sanitize address --all`.
"""

import knobs

BOTH = {"address", "thread"}
MODULES = {
    # The street, with one database and with several.
    "test_lines": BOTH,
    "test_schema_changes": {"address"},
    "test_two_databases": BOTH,
    "test_isolation": {"thread"},
    "test_idle_database": {"thread"},
    # Transactions that are taken while they run, and one that is larger than everything.
    "test_streamed_transactions": {"address"},
    "test_big_transaction": BOTH,
    # Threads beside the stream.
    "test_snapshot": BOTH,
    "test_snapshot_connections": {"thread"},
    "test_snapshot_resume": {"thread"},
    "test_incremental": {"address"},
    "test_incremental_load": BOTH,
    "test_owner_functions": {"address"},
    "test_heartbeat": {"thread"},
    "test_wal_guard": {"thread"},
    # Frames that are kept and played.
    "test_capture": {"address"},
    "test_replay": BOTH,
    "test_dead_letters": {"address"},
    # Ends, and outputs that take no more.
    "test_output_file": BOTH,
    "test_closed_pipe": {"thread"},
    "test_sigterm": BOTH,
    "test_circuit_breaker": {"thread"},
}


def is_left_out(module: str) -> bool:
    return bool(knobs.SANITIZER) and not knobs.EVERYTHING and knobs.SANITIZER not in MODULES.get(module, set())


def check() -> None:
    missing = {name for name in MODULES if not (knobs.ROOT / "tests" / "integration" / f"{name}.py").exists()}
    assert not missing, f"tests/integration/sanitized.py names modules that do not exist: {missing}"

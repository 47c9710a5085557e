"""Configurations of the runs under test."""

from typing import Any

from database import Database

# Quick to retry and patient: for tests whose server goes away.
RETRY = {"max_retries": 50, "initial_backoff": "100ms", "max_backoff": "1s", "backoff_multiplier": 2.0}


def entry(database: Database, *tables: str, **keys: Any) -> dict[str, Any]:
    """One of `databases`; keys given replace the usual ones."""
    made = {
        "conn_str": database.conn_str,
        "slot_name": database.slot_name,
        "publication_name": f"pub_{database.name}",
        **keys,
    }
    if tables:
        made["tables"] = list(tables)
    return made


def configuration(*entries: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A whole configuration; keys given replace the usual ones. Most tests are about the stream alone."""
    return {
        "snapshot": {"mode": "never"},
        "connector_name": "it",
        "flush_interval": "200ms",
        # Most tests follow whatever tables they make, and what those without a key suffer is the subject of one test.
        "on_keyless": "publish",
        "offset_file": "offset.json",
        "retry_config": RETRY,
        "databases": list(entries),
        **keys,
    }


def follow_all(database: Database, **keys: Any) -> dict[str, Any]:
    """Follows every table of one database."""
    return configuration(entry(database), **keys)

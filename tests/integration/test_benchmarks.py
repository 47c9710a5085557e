"""The benchmarks that need a server, with next to nothing to do, so that they cannot rot. No number counts."""

import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import knobs
import pytest
from server_version import needs

BENCHMARKS = knobs.ROOT / "benchmarks"
ARRIVALS = knobs.WALCAT.parent / "benchmarks" / "arrivals"
WITHIN_SECONDS = 60


def run(name: str, *arguments: str) -> str:
    """What it prints."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *arguments],
        env={**os.environ, "WALCAT": str(knobs.WALCAT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS * knobs.PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs(12, "copies of slots")
def test_end_to_end_compares_and_reports(tmp_path: pathlib.Path):
    results, table, plot, readme = (tmp_path / name for name in ("r.json", "r.md", "r.svg", "README.md"))
    chosen = ["--workloads", "insert-100", "--clients", "walcat,pg_recvlogical"]
    printed = run("end_to_end.py", "--scale", "0.002", "--rounds", "1", *chosen, "--json", str(results))
    assert "insert-100: 2000 changes" in printed
    measured = json.loads(results.read_text())["workloads"]["insert-100"]
    assert {entry["client"] for entry in measured["runs"]} == {"walcat", "pg_recvlogical"}
    assert measured["over_pg_recvlogical"]["walcat"]["rows_per_second"] > 0
    readme.write_text("before\n<!-- benchmarks: begin -->\nold\n<!-- benchmarks: end -->\nafter\n")
    run("report.py", str(results), "--markdown", str(table), "--svg", str(plot), "--readme", str(readme))
    assert ElementTree.parse(plot).getroot().tag.endswith("svg")
    assert table.read_text() in readme.read_text()
    assert "old" not in readme.read_text() and readme.read_text().endswith("-->\nafter\n")


@pytest.mark.skipif(not ARRIVALS.exists(), reason="this build has no benchmarks")
def test_delays_are_seen_by_walcat_and_by_the_probe():
    printed = run("delay.py", "--rounds", "1", "--seconds", "1", "--rate", "50")
    assert "to walcat's line" in printed and "to the probe's frame" in printed


def test_an_idle_walcat_is_looked_at():
    assert "3 idle databases" in run("idle.py", "--seconds", "0.5")


def test_a_replay_is_measured_room_by_room(tmp_path: pathlib.Path):
    results = tmp_path / "r.json"
    printed = run("replay.py", "--rounds", "1", "--scale", "0.002", "--loop", "2", "--json", str(results))
    assert "of the plain loop" in printed and "% off" in printed
    assert json.loads(results.read_text())["wide"]["writer"]["million_per_second"] > 0

#!/usr/bin/env python3
"""Counts the cases of finished test runs and prints the closing line, `N passed, N failed[, N skipped]`.

    closing_line.py [--meson BUILD_DIRECTORY] [--pytest JUNIT_XML] [--line FILE]... [--runner-failed]

--meson reads the logs `meson test` left, --pytest the report of `pytest --junitxml`, --line the closing line of an
earlier run, which stands last in FILE. --runner-failed says that a runner ended with a failure: when no case explains
it, it counts as one. Exit status: 0 when something passed and nothing failed, else 1.

testlog.json has each test program's verdict, testlog.junit.xml the single cases of the GoogleTest programs. Neither is
enough alone: a program that timed out, crashed or was failed by a sanitizer after its last case has only passed cases in
the second, or none at all; one with no case in it is "OK" in the first.
"""

import argparse
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

GOOD_VERDICTS = {"OK", "EXPECTEDFAIL", "SKIP"}
CLOSING_LINE = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Prints the closing line of finished test runs.")
    parser.add_argument("--meson", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--pytest", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--line", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--runner-failed", action="store_true")
    arguments = parser.parse_args()
    parts = [count_meson(directory) for directory in arguments.meson]
    parts += [count_pytest(report) for report in arguments.pytest]
    parts += [count_line(file) for file in arguments.line]
    total = sum(parts, Count())
    if arguments.runner_failed and not total.failed:
        total += complain("a runner ended with a failure, though every case passed")
    print(total)
    return 1 if total.failed or not total.passed else 0


def count_meson(build: pathlib.Path) -> Count:
    logs = build / "meson-logs"
    verdicts = read_verdicts(logs / "testlog.json")
    if not verdicts:
        return complain(f"{build}: no test was run")
    cases = read_cases(logs / "testlog.junit.xml")
    if not cases:  # Meson stops without it at a GoogleTest report that is not well-formed
        by_program = sum((count_program(name, verdict, {name: None}) for name, verdict in verdicts.items()), Count())
        return by_program + complain(f"{build}: Meson left no report of single cases, and may have run but a part")
    return sum((count_program(name, verdict, cases) for name, verdict in verdicts.items()), Count())


def read_verdicts(log: pathlib.Path) -> dict[str, str]:
    """The verdict of each test program."""
    if not log.exists():
        return {}
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return {program_of(entry["name"]): entry["result"] for entry in entries}


def program_of(name: str) -> str:
    """Meson writes a test's suites in front of its name: `walcat:unit / queue`."""
    return name.split(" / ")[-1]


def read_cases(report: pathlib.Path) -> dict[str, Count | None]:
    """The cases of each GoogleTest program; None for a program that is one case itself."""
    cases: dict[str, Count | None] = {}
    if not report.exists():
        return cases
    for suite in ElementTree.parse(report).getroot():
        if "timestamp" not in suite.attrib:  # the programs of other protocols share one suite
            cases.update({program_of(case.get("name", "")): None for case in suite.iter("testcase")})
            continue
        program = program_of(suite.get("name", "").split(".", 1)[1]).split(".")[0]  # PROJECT.PROGRAM.SUITE
        cases[program] = (cases.get(program) or Count()) + count_cases(suite)
    return cases


def count_program(name: str, verdict: str, reported: dict[str, Count | None]) -> Count:
    cases = reported.get(name)
    if verdict not in GOOD_VERDICTS:
        known = cases or Count()
        return known if known.failed else known + complain(f"{name}: {verdict}")
    if name not in reported:
        return complain(f"{name}: {verdict}, with no case in it")
    if cases is None:
        return Count(skipped=1) if verdict == "SKIP" else Count(passed=1)
    return cases


def count_pytest(report: pathlib.Path) -> Count:
    if not report.exists():
        return complain(f"{report}: pytest left no report")
    count = count_cases(ElementTree.parse(report).getroot())
    return count if count.passed else count + complain(f"{report}: nothing passed")


def count_cases(root: ElementTree.Element) -> Count:
    count = Count()
    for case in root.iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            count.failed += 1
        elif "skipped" in kinds or case.get("status") == "notrun":
            count.skipped += 1
        else:
            count.passed += 1
    return count


def count_line(file: pathlib.Path) -> Count:
    lines = file.read_text().splitlines() if file.exists() else []
    match = CLOSING_LINE.match(lines[-1]) if lines else None
    if match is None:
        return complain(f"{file.name}: the run left no closing line")
    return Count(*(int(number or 0) for number in match.groups()))


def complain(reason: str) -> Count:
    """A failure that no single case stands for."""
    print(f"failed: {reason}", file=sys.stderr)
    return Count(failed=1)


if __name__ == "__main__":
    sys.exit(main())

"""scripts/lib/closing_line.py: what a run of tests amounts to."""

import json
import subprocess
import sys

import knobs
import pytest

COUNTER = knobs.ROOT / "scripts" / "lib" / "closing_line.py"


def count(*arguments):
    done = subprocess.run([sys.executable, str(COUNTER), *map(str, arguments)], capture_output=True, text=True)
    return done.stdout.strip(), done.returncode


@pytest.fixture
def meson(tmp_path):
    """Writes the logs of a `meson test` run: verdicts by program, and suites of the JUnit report."""

    def write(verdicts, *suites):
        logs = tmp_path / "meson-logs"
        logs.mkdir()
        entries = [json.dumps({"name": f"walcat:unit / {name}", "result": result}) for name, result in verdicts.items()]
        (logs / "testlog.json").write_text("\n".join(entries))
        (logs / "testlog.junit.xml").write_text(f"<testsuites>{''.join(suites)}</testsuites>")
        return tmp_path

    return write


def googletest(program, *cases):
    return f'<testsuite name="walcat.walcat:unit / {program}.Suite" timestamp="2024-01-01T00:00:00">{"".join(cases)}</testsuite>'


def programs(*names):
    cases = "".join(f'<testcase name="walcat:unit / {name}" classname="walcat"/>' for name in names)
    return f'<testsuite name="walcat">{cases}</testsuite>'


PASSED = '<testcase name="a" status="run"/>'
FAILED = '<testcase name="b" status="run"><failure/></testcase>'
SKIPPED = '<testcase name="c" status="run"><skipped/></testcase>'
DISABLED = '<testcase name="d" status="notrun"/>'


def test_cases_are_counted_one_by_one(meson):
    build = meson(
        {"q": "FAIL", "script": "OK"}, googletest("q", PASSED, PASSED, FAILED, SKIPPED, DISABLED), programs("script")
    )
    assert count("--meson", build) == ("3 passed, 1 failed, 2 skipped", 1)


def test_nothing_skipped_is_not_mentioned(meson):
    assert count("--meson", meson({"q": "OK"}, googletest("q", PASSED))) == ("1 passed, 0 failed", 0)


def test_a_timeout_is_a_failure_though_the_report_shows_none(meson):
    build = meson({"slow": "TIMEOUT", "q": "OK"}, programs("slow"), googletest("q", PASSED))
    assert count("--meson", build) == ("1 passed, 1 failed", 1)


def test_a_crash_after_the_last_case_is_a_failure(meson):
    assert count("--meson", meson({"q": "FAIL"}, googletest("q", PASSED))) == ("1 passed, 1 failed", 1)


def test_a_crash_before_any_report_is_a_failure(meson):
    assert count("--meson", meson({"q": "FAIL", "r": "OK"}, googletest("r", PASSED))) == ("1 passed, 1 failed", 1)


def test_a_program_without_a_case_is_a_failure(meson):
    build = meson({"empty": "OK", "q": "OK"}, googletest("q", PASSED))
    assert count("--meson", build) == ("1 passed, 1 failed", 1)


def test_a_report_that_meson_could_not_write_is_a_failure(meson):
    assert count("--meson", meson({"q": "OK", "r": "OK"})) == ("2 passed, 1 failed", 1)


def test_no_test_at_all_is_a_failure(tmp_path):
    assert count("--meson", tmp_path) == ("0 passed, 1 failed", 1)


def test_a_missing_report_of_pytest_is_a_failure(tmp_path):
    assert count("--pytest", tmp_path / "none.xml") == ("0 passed, 1 failed", 1)


def test_errors_of_pytest_are_failures(tmp_path):
    report = tmp_path / "pytest.xml"
    report.write_text(
        f"<testsuites><testsuite>{PASSED}{FAILED}<testcase name='e'><error/></testcase>{SKIPPED}</testsuite></testsuites>"
    )
    assert count("--pytest", report) == ("1 passed, 2 failed, 1 skipped", 1)


def test_a_runner_that_failed_without_a_case_is_a_failure(meson):
    build = meson({"q": "OK"}, googletest("q", PASSED))
    assert count("--meson", build, "--runner-failed") == ("1 passed, 1 failed", 1)


def test_parts_add_up(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    first.write_text("noise\n10 passed, 0 failed, 2 skipped\n")
    second.write_text("5 passed, 1 failed\n")
    third.write_text("killed\n")
    assert count("--line", first, "--line", second) == ("15 passed, 1 failed, 2 skipped", 1)
    assert count("--line", first, "--line", third) == ("10 passed, 1 failed, 2 skipped", 1)

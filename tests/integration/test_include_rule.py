"""scripts/check_includes: the rule is kept, and the check can fail."""

import subprocess

import knobs
import pytest

CHECK = knobs.ROOT / "scripts" / "check_includes"

# Each case: the file, its include, and a word of the complaint (None: allowed).
CASES = {
    "own door": ("src/queue/q.cpp", '"walcat/queue/q.h"', None),
    "own private header": ("src/queue/q.cpp", '"queue/ring.h"', None),
    "own private header beside it": ("src/queue/q.cpp", '"ring.h"', None),
    "a lower level": ("src/decoder/d.cpp", '"walcat/model/change.h"', None),
    "the standard library": ("src/queue/q.cpp", "<vector>", None),
    "a higher level": ("include/walcat/model/change.h", '"walcat/decoder/decoder.h"', "must not look up to decoder"),
    "angle brackets hide nothing": ("src/model/m.cpp", "<walcat/decoder/decoder.h>", "must not look up to decoder"),
    "the level of the same height": ("src/reader/r.cpp", '"walcat/decoder/decoder.h"', "do not see each other"),
    "a private header of another room": ("src/decoder/d.cpp", '"queue/ring.h"', "private to queue"),
    "a private header by a detour": ("src/decoder/d.cpp", '"../queue/ring.h"', "private to queue"),
    "a room that does not exist": ("src/decoder/d.cpp", '"walcat/kitchen/sink.h"', "no room"),
    "a file outside the rooms": ("src/main.cpp", "<vector>", "no room"),
    "a file in an unknown room": ("src/kitchen/k.cpp", "<vector>", "no room"),
    "libpq where it belongs": ("src/postgres/p.cpp", "<libpq-fe.h>", None),
    "libpq elsewhere": ("src/reader/r.cpp", "<libpq-fe.h>", "libpq-fe.h is for postgres"),
    "yaml-cpp elsewhere": ("src/cli/c.cpp", "<yaml-cpp/yaml.h>", "is for config"),
    "CLI11 elsewhere": ("src/config/c.cpp", "<CLI/CLI.hpp>", "is for cli"),
    "simdjson where it belongs": ("src/offsets/o.cpp", "<simdjson.h>", None),
    "simdjson elsewhere": ("src/writer/w.cpp", "<simdjson.h>", "simdjson.h is for"),
    "spdlog elsewhere": ("src/pipeline/p.cpp", "<spdlog/spdlog.h>", "is for base"),
    "a space before the word": ("src/reader/r.cpp", "<libpq-fe.h>", "is for postgres"),
}


def check(root):
    return subprocess.run([str(CHECK), str(root)], capture_output=True, text=True)


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("case", CASES)
def test_an_include_is_judged_by_the_rooms_it_joins(case, tmp_path):
    path, included, complaint = CASES[case]
    write(tmp_path, "src/queue/ring.h", "#pragma once\n")
    space = " " if "space" in case else ""
    write(tmp_path, path, f"// A file.\n\n#{space}include {included}\n")
    done = check(tmp_path)
    if complaint is None:
        assert (done.returncode, done.stdout) == (0, ""), done.stdout
        return
    line = 1 if "file" in case else 3
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:{line}: ") and complaint in done.stdout, done.stdout


def test_an_empty_tree_is_not_a_clean_one(tmp_path):
    assert check(tmp_path).returncode == 1


def test_every_breach_is_reported(tmp_path):
    write(tmp_path, "src/reader/r.cpp", "#include <libpq-fe.h>\n#include <yaml-cpp/yaml.h>\n")
    write(tmp_path, "src/writer/w.cpp", "#include <CLI/CLI.hpp>\n")
    assert len(check(tmp_path).stdout.splitlines()) == 3


def test_walcat_keeps_the_rule():
    done = check(knobs.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr

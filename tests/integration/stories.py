"""What happens to published tables, and when a run sees it."""

from configuration import configuration, entry
from mirror import Mirror

MOMENTS = ("between runs", "behind a cut", "while streaming")


class Story:
    """Runs of one configuration, and what happens between."""

    def __init__(self, database, walcat, **keys):
        self.database = database
        self.walcat = walcat
        self.publication = f"pub_{database.name}"
        self.keys = {"snapshot": {"mode": "initial"}, "output": {"values": "text"}, **keys}
        self.runs = []

    def config(self, **keys):
        return configuration(entry(self.database), **{**self.keys, **keys})

    def start(self, **keys):
        self.runs.append(self.walcat.start(self.config(**keys)))
        self.runs[-1].wait_for_log("streaming from")
        return self.runs[-1]

    def happens(self, moment, *events):
        """`events`, at a moment of a stream that began before; returns the run that sees them."""
        first = self.start(**({"wal_guard": {"interval": "100ms"}} if moment == "while streaming" else {}))
        if moment == "between runs":
            first.stop()
        self.database.execute(*(event.format(p=self.publication) for event in events))
        if moment == "between runs":
            return self.runs.append(self.walcat.start(self.config())) or self.runs[-1]
        if moment == "behind a cut":
            self.database.rows("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = %s",
                               (self.database.name,))
        return first

    def lines(self):
        return [line for run in self.runs for line in run.lines()]

    def converges(self, keys):
        """What the lines make is what the tables hold, sooner or later."""

        def is_equal():
            try:
                Mirror(keys).apply(self.lines()).check_equal(self.database)
            except AssertionError as wrong:
                self.wrong = wrong
                return False
            return True

        try:
            self.runs[-1].wait_for(is_equal, "the right rows")
        except AssertionError as late:
            raise AssertionError(f"{self.wrong}\n{late}") from None

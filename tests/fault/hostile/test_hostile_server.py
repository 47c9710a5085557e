"""A hostile or broken server gets a named refusal and nothing more, and a good database beside it goes on printing.

Each test is one run of walcat with the good database and with 25 others, each behind a server that tells one lie. The lies
are every row of lies.py at every place that walcat gives a server to lie in. Places are found by watching a run that nobody
lies to: a question that is asked for the first time tomorrow is lied about tomorrow.
"""

import collections
import re
from collections.abc import Iterator

import knobs
import pytest
from hostile_run import Hostile, HostileRun, Told, street
from hostile_server import HostileServer, HostileServers
from lies import LIES
from postgres_server import PostgresServer
from printed import Heard, Printed
from victims import Load, Victims
from walcat_process import Walcat

AT_ONCE = 25
RUNS = -(-knobs.LIES // AT_ONCE)
CROWDED = {"max_connections": "400", "max_wal_senders": "100", "max_replication_slots": "100"}


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    server = PostgresServer(CROWDED)
    yield Victims(server)
    server.close()


@pytest.fixture(scope="module")
def servers(victims: Victims) -> Iterator[HostileServers]:
    made = HostileServers(f"{victims.server.folder}/.s.PGSQL.{victims.server.port}")
    yield made
    made.close()


@pytest.fixture
def printed(walcat: Walcat) -> Iterator[Printed]:
    made = Printed()
    yield made
    walcat.close()
    made.close()


@pytest.fixture(scope="module")
def table(victims: Victims, servers: HostileServers, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """Every lie at every place where it can be told: what is seen of a true server is what can be lied about."""
    honest = servers.listen()
    (victim,) = victims.some(1)
    walcat, printed = Walcat(tmp_path_factory.mktemp("honest")), Printed()
    try:
        with Load(victims, {victim.name: honest}):
            run = walcat.start(street(victims, victims.entry(victim, honest)), stdout=printed.writing)
            run.wait_for(lambda: printed.right[victim.name] > 5 and looks(honest) > 1, "everything has been asked")
        run.stop()
        heard = Heard(run.log_path)
        heard.listen()
        assert not heard.complaints and not heard.wrong and not printed.wrong, run.describe()
    finally:
        walcat.close()
        printed.close()
        victims.forget_walcat()
    return [
        Told(lie, place)
        for place, truth in honest.seen.items()
        for lie in LIES
        if place.matter in lie.about and lie.told(truth) is not None
    ]


def looks(honest: HostileServer) -> int:
    """How often the watch has asked where the log ends, which is the last of its questions."""
    return sum(times for place, times in honest.times.items() if "pg_current_wal_flush_lsn" in place.what)


@pytest.fixture(scope="module")
def chosen(table: list[Told]) -> list[Told]:
    """The lies that were asked for by name, or so many by chance that each has its turn, and each place has."""
    if knobs.LIE:
        return [told for told in table if re.search(knobs.LIE, str(told))]
    shuffled = list(table)
    knobs.dice().shuffle(shuffled)
    places: dict[str, list[Told]] = {}
    for told in shuffled:
        places.setdefault(told.lie.name, []).append(told)
    turns: collections.Counter[object] = collections.Counter()
    taken: list[Told] = []
    while len(taken) < min(knobs.LIES, len(table)):
        for those in filter(None, places.values()):
            told = min(those, key=lambda it: turns[it.place])
            those.remove(told)
            turns[told.place] += 1
            taken.append(told)
    return taken[: knobs.LIES]


def test_there_is_a_place_for_each_lie(table):
    assert {lie.name for lie in LIES} == {told.lie.name for told in table}


@pytest.mark.parametrize("part", range(RUNS))
def test_lies_are_named_and_the_good_database_goes_on(
    part, table, chosen, victims, servers, walcat, printed, record_property
):
    mine = chosen[part::RUNS][:AT_ONCE]
    if not mine:
        pytest.skip("no lies are left for this run")
    hostiles = [
        Hostile(victim, told, servers.listen(told.lie, told.place))
        for victim, told in zip(victims.some(len(mine)), mine, strict=True)
    ]
    entries = [victims.entry(hostile.victim, hostile.server) for hostile in hostiles]
    try:
        with Load(victims, {hostile.victim.name: hostile.server for hostile in hostiles}):
            process = walcat.start(street(victims, *entries), stdout=printed.writing)
            run = HostileRun(process, victims, hostiles, printed)
            run.wait_for_verdicts()
        run.check_good()
        peak = run.check_memory()
        run.end(signals=1 + part % 2)
        run.check_texts()
        record_property("p99_ms", round(run.p99() * 1000))
        record_property("peak_mib", peak)
        print(f"{len(mine)} lies of {len(table)}; the good database's p99: {run.p99() * 1000:.0f} ms; {peak} MiB")
    finally:
        (walcat.folder / "verdicts.txt").write_text("".join(f"{hostile}\n" for hostile in hostiles))
        try:
            walcat.close()
        finally:
            # A run that fails is not to fail the next one.
            victims.forget_walcat()

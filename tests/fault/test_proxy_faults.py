"""What can happen to a connection: walcat notices, goes on by itself, and prints each change once, in one run."""

import re

import knobs
import pytest
from fragile import Fragile
from proxy import BOTH, Direction
from server_messages import Place
from waiting import hold_for
from walcat_process import WalcatProcess
from workload import mixed


@pytest.fixture
def run(fragile, walcat):
    started = walcat.start(fragile.configuration())
    started.wait_for(fragile.database.slot_reader, "the slot is streamed")
    return started


def check_all_once(fragile: Fragile, run: WalcatProcess) -> None:
    """The load has ended: everything comes, and nothing twice."""
    run.wait_for(lambda: run.output.count() >= fragile.ledger.count(), "every change is printed", within=60)
    run.stop()
    fragile.ledger.check_exactly_once(run.lines())


def test_cuts_leave_no_gap_and_no_repeat(fragile, run, tmp_path):
    dice = knobs.dice()
    with mixed(fragile.database, tmp_path, rate=60) as load:
        for _ in range(knobs.CUTS):
            run.wait_for_more(dice.randint(1, 200))
            run.wait_for(lambda: fragile.proxy.cut(reset=dice.random() < 0.5), "there is a connection to cut")
        run.wait_for_more(1)
        assert load.is_running()
    check_all_once(fragile, run)


@pytest.mark.parametrize(
    "directions",
    [BOTH, frozenset({Direction.FROM_SERVER}), frozenset({Direction.FROM_CLIENT})],
    ids=["both", "from the server", "from walcat"],
)
@pytest.mark.settings(wal_sender_timeout="2s")
def test_a_half_open_connection_is_noticed(directions, fragile, run, tmp_path):
    with mixed(fragile.database, tmp_path):
        run.wait_for_lines(100)
        assert fragile.proxy.half_open(directions)
        run.wait_for_more(1000)
    check_all_once(fragile, run)


@pytest.mark.settings(wal_sender_timeout="2s")
def test_a_half_open_connection_is_noticed_at_rest(fragile, run):
    run.wait_for(lambda: fragile.proxy.half_open(), "there is a connection")
    fragile.database.execute("UPDATE accounts SET balance = 1")
    check_all_once(fragile, run)


def test_a_server_that_falls_silent_after_the_login_is_left(fragile, walcat):
    fragile.proxy.mute_login()
    run = walcat.start(fragile.configuration(connect_timeout=2))
    run.wait_for_log("no answer within 4 s")
    run.wait_for(fragile.database.slot_reader, "the slot is streamed")
    fragile.database.execute("UPDATE accounts SET balance = 1")
    check_all_once(fragile, run)


@pytest.mark.settings(wal_sender_timeout="2s")
def test_a_quiet_server_is_not_taken_for_a_dead_one(fragile, run):
    """Nothing happens for several times as long as it takes to notice a dead one."""
    walsender = fragile.database.slot_reader()

    def same_walsender() -> None:
        assert fragile.database.slot_reader() == walsender, run.describe()

    hold_for(6.0, same_walsender)
    check_all_once(fragile, run)


@pytest.mark.settings(wal_sender_timeout="2s")
def test_a_row_that_takes_long_to_come_is_not_taken_for_silence(fragile, run):
    walsender = fragile.database.slot_reader()
    fragile.proxy.throttle(50_000)
    fragile.database.execute("UPDATE accounts SET note = repeat('x', 300000) WHERE id = 1")
    run.wait_for_lines(1)
    assert fragile.database.slot_reader() == walsender, run.describe()
    check_all_once(fragile, run)


@pytest.mark.parametrize("fault", ["delay", "throttle", "dribble"])
def test_a_slow_connection_loses_nothing(fault, fragile, run, tmp_path):
    faults = {
        "delay": lambda: fragile.proxy.delay(0.1),
        "throttle": lambda: fragile.proxy.throttle(20_000),
        "dribble": fragile.proxy.dribble,
    }
    with mixed(fragile.database, tmp_path, rate=30):
        run.wait_for_lines(50)
        faults[fault]()
        run.wait_for_more(200)
        fragile.proxy.cut()
        run.wait_for_more(100)
    fragile.proxy.heal()
    check_all_once(fragile, run)


def test_a_refused_connection_is_tried_until_it_stands(fragile, run, tmp_path):
    with mixed(fragile.database, tmp_path):
        run.wait_for_lines(50)
        fragile.proxy.refuse()
        fragile.proxy.cut()
        run.wait_for_log("refused.*attempt 4")
        fragile.proxy.accept()
        run.wait_for_more(100)
    check_all_once(fragile, run)


@pytest.mark.parametrize("place", [Place.MESSAGE_KIND, Place.MESSAGE_LENGTH], ids=lambda place: place.name.lower())
def test_a_corrupted_message_costs_the_connection_and_no_change(place, fragile, run, tmp_path):
    with mixed(fragile.database, tmp_path):
        run.wait_for_lines(50)
        fragile.proxy.corrupt(place)
        run.wait_for(lambda: fragile.proxy.corrupted, "a byte was changed")
        run.wait_for_more(500)
    assert "attempt" in run.log()
    check_all_once(fragile, run)


@pytest.mark.parametrize(
    "place", [Place.CHANGE_KIND, Place.COLUMN_COUNT, Place.VALUE_LENGTH], ids=lambda place: place.name.lower()
)
def test_a_corrupted_change_is_an_error_with_its_position(place, fragile, run, walcat, tmp_path):
    with mixed(fragile.database, tmp_path):
        run.wait_for_lines(50)
        fragile.proxy.corrupt(place)
        assert run.wait_exit() == 69
    # The byte is right the next time.
    assert re.search(r"stopped: message .* at LSN [0-9A-F]+/[0-9A-F]+", run.log()), run.log()
    again = walcat.catch_up(fragile.configuration())
    fragile.ledger.check_exactly_once(run.lines() + again.lines())

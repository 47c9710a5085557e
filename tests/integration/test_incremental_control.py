"""What is asked of an incremental snapshot while it goes on, by `walcat snapshot` and by hand; and what it lives
through: ends and starts of walcat, and connections that are cut.
"""

import re
import signal
import time

import pytest
from incremental import KEYS, PLAIN, RATE, ROWS, Followed, has_heard
from server_version import NEEDS_MESSAGES
from waiting import hold_for

pytestmark = NEEDS_MESSAGES

ALL = list(range(1, ROWS + 1))


@pytest.fixture
def followed(database, walcat):
    database.execute(*PLAIN, "CREATE TABLE small (id integer PRIMARY KEY)", "INSERT INTO small VALUES (1), (2)")
    return Followed(walcat, database)


def check_each_row_once(followed):
    followed.check_mirror(KEYS)
    assert sorted(followed.ids()) == ALL


def test_paused_it_prints_no_row_and_the_stream_goes_on(followed, database):
    asker = followed.midway("--tables", "public.t")
    known = len(followed.ids())
    database.execute("INSERT INTO t VALUES (0, 'new')")
    followed.run.wait_for_lines(known + 1)

    def is_quiet():
        assert len(followed.ids()) == known and asker.is_running()

    hold_for(3 * 100 / RATE, is_quiet)
    followed.go_on(asker)
    assert has_heard(asker, "paused") and has_heard(asker, "resumed") and has_heard(asker, "complete")
    check_each_row_once(followed)


def test_it_stays_paused_when_walcat_starts_anew(followed):
    asker = followed.midway("--tables", "public.t")
    known = len(followed.ids())
    followed.restart(signal.SIGTERM)
    followed.run.wait_for_log("going on where it was left")
    hold_for(3 * 100 / RATE, lambda: followed.run.lines() == [])
    assert followed.run.lines() == []
    followed.go_on(asker)
    check_each_row_once(followed)
    assert len(followed.runs[0].lines()) == known


def test_a_cancelled_one_is_over(followed, database):
    asker = followed.midway("--tables", "public.t")
    known = len(followed.ids())
    assert has_heard(followed.ask("--cancel"), "cancelled")
    followed.end(asker, status=69)
    assert "cancelled" in asker.log()
    database.execute("INSERT INTO t VALUES (0, 'new')")
    followed.run.wait_for_lines(known + 1)
    followed.restart(signal.SIGTERM)
    followed.ask("--tables", "public.small")
    lines = followed.finish()
    assert len([line for line in lines if line.table == "public.t"]) == known + 1
    assert followed.ids("public.small") == [1, 2]


def test_it_is_cancelled_while_it_runs(followed):
    asker = followed.begin("--tables", "public.t", "--rate", str(RATE))
    followed.run.wait_for_lines(1)
    followed.ask("--cancel")
    followed.end(asker, status=69)
    followed.finish()
    assert len(followed.ids()) < ROWS


def test_a_cancel_ends_those_that_wait_for_their_turn(followed):
    first = followed.midway("--tables", "public.t")
    second = followed.begin("--tables", "public.small")
    second.wait_for_log("accepted: .*behind 1 others")
    followed.ask("--cancel")
    followed.end(first, status=69)
    followed.end(second, status=69)
    followed.finish()
    assert followed.ids("public.small") == []


@pytest.mark.parametrize("word", ["--pause", "--resume", "--cancel"])
def test_where_nothing_is_under_way_that_is_said(word, followed):
    assert has_heard(followed.ask(word), "idle")
    assert followed.finish() == []


@pytest.mark.parametrize("words", [["--pause"], ["--cancel"], ["--tables", "public.t", "--rate", "5"],
                                   ["--tables", "public.t", "--no-wait"], ["--tables", "public.t", "--timeout", "5"]])
def test_where_nobody_follows_the_slot_there_is_nobody_to_ask(words, followed):
    followed.run.stop()
    asker = followed.ask(*words, status=69)
    assert followed.database.slot_name in asker.log()


def test_no_wait_leaves_before_the_end(followed):
    asker = followed.ask("--tables", "public.t", "--no-wait", "--rate", str(RATE))
    assert has_heard(asker, "accepted") and not has_heard(asker, "complete")
    assert len(followed.ids()) < ROWS
    followed.run.wait_for_log("incremental snapshot .* complete")
    check_each_row_once(followed)


def test_no_wait_leaves_though_another_is_under_way(followed):
    first = followed.midway("--tables", "public.t")
    followed.ask("--tables", "public.small", "--no-wait", within=5)
    followed.go_on(first)
    followed.run.wait_for_log("(?s)complete.*complete")
    followed.finish()
    assert (len(followed.ids()), followed.ids("public.small")) == (ROWS, [1, 2])


def test_a_walcat_that_ends_is_missed_and_its_successor_welcome(followed):
    """Who asked says so while none is there, and hears the end from the next one."""
    asker = followed.midway("--tables", "public.t")
    followed.run.kill()
    asker.wait_for_log(f"no walcat follows slot {followed.database.slot_name} any more")
    followed.start()
    asker.wait_for_log(f"a walcat follows slot {followed.database.slot_name} again")
    followed.go_on(asker)
    assert has_heard(asker, "complete")
    followed.check_mirror(KEYS)
    assert set(followed.ids()) == set(ALL)


def test_where_none_comes_back_the_wait_has_an_end(followed):
    asker = followed.begin("--tables", "public.t", "--rate", "1", "--timeout", "5")
    asker.wait_for_log("accepted")
    followed.run.stop()
    followed.end(asker, status=75)
    assert re.search("no end within 5 s.*no walcat follows slot", asker.log())


def test_a_timeout_ends_the_wait_and_not_the_snapshot(followed):
    first = followed.midway("--tables", "public.t")
    assert "no end within 1 s" in followed.ask("--tables", "public.small", "--timeout", "1", status=75).log()
    followed.go_on(first)
    followed.run.wait_for_log("(?s)complete.*complete")
    followed.finish()
    assert (len(followed.ids()), followed.ids("public.small")) == (ROWS, [1, 2])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_asked_may_leave_at_any_time(number, followed):
    asker = followed.midway("--tables", "public.t")
    asker.signal(number)
    assert asker.wait_exit(5) == -number
    followed.ask("--resume")
    followed.run.wait_for_log("incremental snapshot .* complete")
    check_each_row_once(followed)


@pytest.mark.parametrize("words", [["--rate", "0"], ["--rate", "x"], ["--pause", "--cancel"], ["--dump", "--rate", "5"],
                                   ["--pause", "--tables", "public.t"], ["--dump", "--no-wait"],
                                   ["--dump", "--timeout", "5"], ["--timeout", "5"], ["--tables", "public.t", "--timeout", "0"]])
def test_words_that_do_not_go_together(words, followed):
    followed.ask(*words, status=64)


def test_the_rate_is_kept(followed):
    asker = followed.ask("--tables", "public.t", "--rate", "1000")
    seconds = float(re.search(r"complete: \d+ rows in ([\d.]+) s", asker.log())[1])
    assert seconds >= (ROWS - 2 * 250) / 1000


def test_the_rate_is_kept_after_a_pause(followed):
    asker = followed.midway("--tables", "public.t")
    hold_for(ROWS / RATE, lambda: None)
    left = ROWS - len(followed.ids())
    began = time.monotonic()
    followed.go_on(asker)
    assert time.monotonic() - began >= (left - 200) / RATE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_next_start_goes_on(number, followed, database):
    asker = followed.begin("--tables", "public.t,public.small", "--rate", str(RATE))
    followed.run.wait_for_lines(300)
    lsn = database.wal_lsn()
    followed.run.wait_for(lambda: database.passed(lsn), "the rows are confirmed")
    known = len(followed.ids())
    database.execute("UPDATE t SET note = 'new' WHERE mod(id, 10) = 0")
    followed.restart(number)
    followed.run.wait_for_log("going on where it was left")
    followed.end(asker)
    followed.check_mirror({**KEYS, "public.small": ("id",)})
    repeated = len(followed.ids()) - len(set(followed.ids()))
    assert repeated <= RATE // 4 and known > repeated, "chunks that were done are not read again"


@pytest.mark.parametrize("whose", ["the reader's", "the stream's", "all"])
def test_connections_that_are_cut_are_made_anew(whose, followed, database):
    asker = followed.midway("--tables", "public.t")
    reader, sender = followed.reader_pid(), database.slot_reader()
    for pid in {"the reader's": [reader], "the stream's": [sender], "all": [reader, sender]}[whose]:
        database.rows("SELECT pg_terminate_backend(%s)", (pid,))
    database.execute("UPDATE t SET note = 'new' WHERE mod(id, 10) = 0")
    followed.say({"ask": "resume"})
    followed.end(asker)
    followed.check_mirror(KEYS)


def test_who_resumes_is_answered_though_the_reader_was_cut_off(followed, database):
    asker = followed.midway("--tables", "public.t")
    database.rows("SELECT pg_terminate_backend(%s)", (followed.reader_pid(),))
    followed.ask("--resume", within=5)
    followed.end(asker)


def test_the_message_can_be_written_by_hand(followed):
    made = followed.say_start("public.small", "public.t", where="id <= 2")
    followed.run.wait_for_log(f"{made} complete: 4 rows")
    lines = followed.finish()
    assert {line.op for line in lines} == {"r"}
    assert (followed.ids(), followed.ids("public.small")) == ([1, 2], [1, 2])


def test_a_message_that_was_said_twice_is_one_question(followed):
    for _ in range(2):
        followed.say({"ask": "start", "id": "same", "tables": ["public.small"]})
    followed.ask("--tables", "public.small")
    followed.finish()
    assert sorted(followed.ids("public.small")) == [1, 1, 2, 2]


def test_a_message_that_was_rolled_back_asks_nothing(followed, database):
    with pytest.raises(ZeroDivisionError), database.transaction() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(true, 'walcat.snapshot', %s)",
                       (f'{{"slot": "{database.slot_name}", "ask": "start", "id": "x", "tables": ["public.t"]}}',))
        raise ZeroDivisionError
    followed.ask("--tables", "public.small")
    followed.finish()
    assert followed.ids() == []


MALFORMED = {
    "no JSON": "start, please", "nothing": "", "another kind of JSON": "[1]", "an unknown question": {"ask": "stop"},
    "no question": {}, "a start without tables": {"ask": "start", "id": "a"},
    "a start without an ID": {"ask": "start", "id": None, "tables": ["public.t"]},
    "an ID with a byte that ends texts": {"ask": "start", "id": "a\0b", "tables": ["public.t"]},
    "a condition with such a byte": {"ask": "start", "id": "a", "tables": ["public.t"], "where": "true\0"},
    "a channel that is none": {"ask": "start", "id": "a", "tables": ["public.t"], "channel": "no name"},
    "an empty list": {"ask": "start", "id": "a", "tables": []},
    "a name without a schema": {"ask": "start", "id": "a", "tables": ["t"]},
    "numbers for names": {"ask": "start", "id": "a", "tables": [1]},
    "a rate that is none": {"ask": "start", "id": "a", "tables": ["public.t"], "rows_per_second": -1},
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_message_is_passed_over(case, followed):
    followed.say(MALFORMED[case])
    followed.ask("--tables", "public.small")
    assert re.search(r"warning .*walcat\.snapshot.*passing it over", followed.run.log())
    assert [line.op for line in followed.finish()] == ["r", "r"]
    assert followed.ids() == []


def test_a_condition_writes_nothing(followed, database):
    database.execute(
        "CREATE TABLE booty (thief text)",
        """CREATE FUNCTION steal() RETURNS boolean LANGUAGE plpgsql AS $$
           BEGIN INSERT INTO public.booty VALUES (current_user); RETURN true; END $$""",
        f"CREATE ROLE stranger_{database.name}",
        f"SET ROLE stranger_{database.name}",
    )
    made = followed.say_start("public.small", where="public.steal()")
    database.execute("RESET ROLE")
    followed.run.wait_for_log(f"{made} (refused|complete)")
    booty = database.rows("SELECT thief FROM booty")
    database.execute(f"DROP ROLE stranger_{database.name}")
    assert booty == []


def test_messages_for_others_are_none_of_ours(followed):
    followed.say({"slot": "another", "ask": "start", "id": "a", "tables": ["public.t"]})
    followed.say({"ask": "start", "id": "b", "tables": ["public.t"]}, transactional=False)
    followed.ask("--tables", "public.small")
    assert [line.op for line in followed.finish()] == ["r", "r"]
    assert followed.runs[0].warnings() == []

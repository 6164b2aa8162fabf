import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit.faults import How
from warm_transfer.testing.livekit.grammar import _SUBJECTS, GRAMMAR, scenario
from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.when import When


def test_a_clause_without_a_subject_has_the_one_before() -> None:
    told = scenario("answers after 4 s, says yes after 6 s; caller hangs up 20 s after the merge")
    assert told.phone.answers_after_s == 4.0
    assert (told.human.says, told.human.after_s) == ("yes", 6.0)
    assert told.caller.hangs_up == When(20.0, "merge")


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("at 9 s", When(9.0)),
        ("after 0.5 s", When(0.5)),
        ("200 ms after the dial", When(0.2, "dial")),
        ("1 second after the yes", When(1.0, "yes")),
        ("3 seconds after the outcome", When(3.0, "outcome")),
        ("while ringing", When(1.0, "ringing")),
        ("while merging", When(0.03, "yes")),
    ],
)
def test_times(words: str, when: When) -> None:
    assert scenario(f"the caller hangs up {words}").caller.hangs_up == when


def test_the_human() -> None:
    assert scenario("never answers").phone.answers_after_s is None
    assert scenario("is busy after 0.5 s").phone.refuses_with == 486
    assert scenario("refuses with 603").phone.refuses_with == 603
    assert scenario("answers as we cancel").phone.answers_on_cancel
    assert scenario("sends no sound").phone.voice == ""
    assert scenario("voicemail greeting").human.says == "voicemail"
    assert scenario("is a voicemail after 2 s").human.after_s == 2.0
    assert scenario("hangs up at 5 s").human.hangs_up == When(5.0)
    no = scenario('says no "in a meeting, call later" after 3 s').human
    assert (no.says, no.words, no.after_s) == ("no", "in a meeting, call later", 3.0)


def test_the_others() -> None:
    assert scenario("caller calls by phone").caller.by_phone
    assert scenario("app accepts at 7 s").app.accepts == When(7.0)
    assert scenario('app declines "closed" at 7 s').app.words == "closed"
    assert scenario("app cancels while briefing").app.cancels == When(1.0, "answer")
    assert scenario("session closes at 7 s").app.closes_session == When(7.0)
    assert scenario("the job shuts down at 7 s").app.shuts_down == When(7.0)
    assert scenario("agent speaks for 2.5 s").agent.speaks_s == 2.5
    assert scenario("agent model fails while briefing").agent.model_fails == When(1.0, "answer")
    assert scenario("agent loses the caller room at 1 s").agent.loses_caller_room == When(1.0)
    assert scenario("agent loses the consult room at 1 s").agent.loses_consult_room == When(1.0)
    assert scenario("agent reconnects at 1 s").agent.reconnects == When(1.0)
    assert scenario("server has no SIP service").server.sip == "absent"
    assert scenario("server loses the dial after 2 s").phone.request_lost_after_s == 2.0
    assert scenario("server restarts at 1 s").server.restarts == When(1.0)
    assert scenario("server sends a second agent at 1 s").server.dispatches == When(1.0)
    assert scenario("agent says goodbye for 2 s").agent.goodbye_s == 2.0
    observer = scenario("observer joins 1 s after the merge, leaves 5 s after the merge").observer
    assert (observer.joins, observer.leaves) == (When(1.0, "merge"), When(5.0, "merge"))
    assert scenario("server can move").server.moves
    faults = scenario("server refuses the consult room, cannot merge").faults
    assert {name: fault.how for (name, _), fault in faults.items()} == {
        "room.create_room": How.FAILS,
        "stream.open": How.FAILS,
    }


def test_the_policy() -> None:
    told = scenario("policy ring limit 20 s, hold limit 40 s, decision limit 500 ms")
    assert told.policy == {"ring_timeout_s": 20.0, "hold_limit_s": 40.0, "decision_timeout_s": 0.5}
    assert scenario("policy returns the caller").policy == {"on_human_left": "return"}
    assert scenario("policy lets the agent leave").policy == {"after_merge": "leave"}


def test_the_merge_strategies_are_named_in_order() -> None:
    assert scenario("policy merges by relay").merge == ("relay",)
    assert scenario("policy merges by move then relay").merge == ("move", "relay")
    with pytest.raises(InvalidArgument, match="'teleport'; name one of move,"):
        scenario("policy merges by relay then teleport")


def test_the_human_says_one_thing_after_the_other() -> None:
    told = scenario('says no "wait" after 2 s, says yes after 8 s; hangs up at 20 s')
    assert told.human == Human(
        "no", after_s=2.0, words="wait", then=(Line("yes", 8.0),), hangs_up=When(20.0)
    )
    machine = scenario("is a voicemail after 2 s, says yes").human
    assert machine.lines == (Line("voicemail", 2.0), Line("yes", 6.0))


def test_nobody_says_two_things_at_once() -> None:
    with pytest.raises(InvalidArgument, match="'no' at 6 s, not after 'yes'"):
        scenario("says yes, says no")


@pytest.mark.parametrize(
    "line",
    [
        "human is busy; answers after 4 s",
        "human never answers, answers as we cancel",
        "human refuses with 603, is busy",
        "human hangs up at 3 s, hangs up at 9 s",
        "caller hangs up at 3 s; human is busy; caller hangs up while ringing",
        "agent speaks for 2 s, speaks for 2 s",
        "policy ring limit 20 s, ring limit 30 s",
        "policy merges by relay; policy merges by move",
    ],
)
def test_what_is_told_twice_or_contradicts_itself_is_refused(line: str) -> None:
    first, *_, last = line.replace(", ", "; ").split("; ")
    with pytest.raises(InvalidArgument) as caught:
        scenario(line)
    assert f"has {first!r} and then {last!r}" in str(caught.value)
    assert GRAMMAR in str(caught.value)


def test_other_than_that_a_subject_does_many_things() -> None:
    told = scenario("app accepts at 7 s, declines at 8 s, cancels at 9 s; agent reconnects at 7 s")
    assert (told.app.accepts, told.app.declines) == (When(7.0), When(8.0))
    told = scenario("caller hangs up at 7 s; human hangs up at 7 s; session closes at 7 s")
    assert told.caller.hangs_up == told.human.hangs_up == told.app.closes_session == When(7.0)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("human answers after 4 s, dances on the table", "dances on the table"),
        ("human answers after four s", "human answers after four s"),
        ("caller says yes", "caller says yes"),
        ("moon rises", "moon rises"),
        ("caller hangs up", "caller hangs up"),
    ],
)
def test_what_is_not_understood_is_shown_with_the_grammar(line: str, shown: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        scenario(line)
    assert repr(shown) in str(caught.value)
    assert GRAMMAR in str(caught.value)


def test_an_empty_line_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="is empty"):
        scenario(" ; ,")


def test_every_kind_of_subject_is_in_the_grammar() -> None:
    for subject in _SUBJECTS:
        assert f"    {subject} " in GRAMMAR

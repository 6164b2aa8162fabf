"""What is heard, and is not, is named; what a shared room cannot help is excused, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from warm_transfer.states import State
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.audit_sound import LEAK_S
from warm_transfer.testing.livekit.ears import Ears, Heard
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.script import Caller
from warm_transfer.testing.scenario import SCENARIOS, Result, run

SHARED = replace(SCENARIOS["merged"], merge=("shared_room",), caller=Caller(by_phone=True))
BY_RELAY = SCENARIOS["merged"]
LEAVES = SCENARIOS["agent-leaves-after-merge"]
Tamper = Callable[[Result], Result]


def entered(result: Result, state: State) -> float:
    return next(at_s for at_s, each in result.states if each is state)


def hear(result: Result, listener: str, tag: str, from_s: float, to_s: float) -> Result:
    """As if somebody had heard something else through another participant."""
    result.world.ears.hear(listener, f"{listener}'s", frozenset({tag}), from_s)
    result.world.ears.hear(listener, f"{listener}'s", frozenset(), to_s)
    return result


def rewrite(result: Result, change: Callable[[Heard], Heard | None]) -> Result:
    """As if what was heard had been heard otherwise, or not at all."""
    ears = Ears()
    for who in ("caller", "human"):
        for heard in result.world.heard(who):
            now = change(heard)
            if now is not None:
                via = f"{now.identity} {now.tag} {now.from_s}"
                ears.hear(now.listener, via, frozenset({now.tag}), now.from_s)
                ears.hear(now.listener, via, frozenset(), now.to_s)
    result.world.ears = ears
    return result


def _briefed(listener: str, tag: str) -> Tamper:
    def tamper(result: Result) -> Result:
        from_s = entered(result, State.BRIEFING) + 0.1
        return hear(result, listener, tag, from_s, from_s + 0.1)

    return tamper


def _without(listener: str, tag: str) -> Tamper:
    return lambda result: rewrite(
        result, lambda heard: None if (heard.listener, heard.tag) == (listener, tag) else heard
    )


def _music_lasts(seconds: float, after: State) -> Tamper:
    def tamper(result: Result) -> Result:
        to_s = entered(result, after) + seconds
        return rewrite(
            result, lambda heard: replace(heard, to_s=to_s) if heard.tag == "music" else heard
        )

    return tamper


def _music_breaks_off(seconds: float) -> Tamper:
    def tamper(result: Result) -> Result:
        to_s = entered(result, State.MERGED) - seconds
        return rewrite(
            result, lambda heard: replace(heard, to_s=to_s) if heard.tag == "music" else heard
        )

    return tamper


def _left_in_silence(result: Result) -> Result:
    # As if it had decided to go when one of them had hung up already.
    states = [(at_s + 58.0 * (state is State.ENDED), state) for at_s, state in result.states]
    return replace(result, states=tuple(states))


TAMPERED: dict[str, tuple[str, Tamper]] = {
    "3 nothing crosses: the caller heard briefing": ("merged", _briefed("caller", "briefing")),
    "3 nothing crosses: the caller heard human": ("merged", _briefed("caller", "human")),
    "3 nothing crosses: the human heard music": ("merged", _briefed("human", "music")),
    "3 nothing crosses: the human heard caller": ("merged", _briefed("human", "caller")),
    "8 merged they hear each other: the caller": ("merged", _without("caller", "human")),
    "8 merged they hear each other: the human": ("merged", _without("human", "caller")),
    "2 the hold audio is heard": ("merged", _without("caller", "music")),
    "2 the hold audio is heard: there was none": ("merged", _music_breaks_off(1.0)),
    "2 the hold audio ends": ("merged", _music_lasts(0.6, State.MERGED)),
    "2 the hold audio ends: it was": ("decline", _music_lasts(0.6, State.DECLINED)),
    "12 no silence behind the agent: the caller": ("agent-leaves-after-merge", _left_in_silence),
    "12 no silence behind the agent: the human": ("agent-leaves-after-merge", _left_in_silence),
}


@pytest.mark.parametrize("problem", TAMPERED)
def test_each_broken_invariant_is_named(problem: str) -> None:
    name, tamper = TAMPERED[problem]

    found = audit(tamper(run(SCENARIOS[name])))

    assert any(each.startswith(problem) for each in found)


@pytest.mark.parametrize("tamper", [_music_lasts(0.4, State.MERGED), _music_breaks_off(0.4)])
def test_the_hold_audio_need_not_end_to_the_millisecond(tamper: Tamper) -> None:
    assert audit(tamper(run(BY_RELAY))) == ()


def test_a_phone_that_sends_nothing_is_not_heard() -> None:
    told = replace(BY_RELAY, phone=replace(BY_RELAY.phone, voice=""))

    assert audit(run(told)) == ()


# After a merge that failed, and after one that was given up.


@pytest.mark.parametrize("name", ["merge-failed", "human-leaves-returned"])
@pytest.mark.parametrize(("listener", "tag"), [("caller", "human"), ("human", "caller")])
@pytest.mark.parametrize(("after_s", "problems"), [(0.8, 0), (1.1, 1)])
def test_after_a_merge_that_has_ended_nothing_crosses_either(
    name: str, listener: str, tag: str, after_s: float, problems: int
) -> None:
    result = run(SCENARIOS[name])
    end_s = result.states[-1][0]
    if name == "merge-failed":
        # Where something went wrong, the release may take until the transfer is closed.
        end_s = result.began_s + result.took_s
        assert result.world.faults.met

    found = audit(hear(result, listener, tag, end_s + after_s, end_s + after_s + 0.1))

    assert [each.split(" at ")[0] for each in found] == [
        f"3 nothing crosses: the {listener} heard {tag}"
    ] * problems


# What a shared room cannot help.


@pytest.mark.parametrize(("listener", "tag"), [("caller", "human"), ("human", "caller")])
def test_in_a_shared_room_nothing_crosses_either(listener: str, tag: str) -> None:
    found = audit(_briefed(listener, tag)(run(SHARED)))

    assert len(found) == 1
    assert found[0].startswith(f"3 nothing crosses: the {listener} heard {tag}")


@pytest.mark.parametrize(
    ("stalled_before_s", "for_s", "excused"), [(0.5, 1.0, True), (9.0, 1, False)]
)
def test_in_a_shared_room_a_stall_excuses_what_is_heard_in_it(
    stalled_before_s: float, for_s: float, *, excused: bool
) -> None:
    result = run(SHARED)
    briefing_s = entered(result, State.BRIEFING)
    result.world.stalls_s.append((briefing_s - stalled_before_s, for_s))

    assert (audit(_briefed("caller", "human")(result)) == ()) == excused


@pytest.mark.parametrize("late", ["stalls_s", "late_news_s"])
@pytest.mark.parametrize(
    ("heard_s", "late_after_s", "excused"),
    [
        (LEAK_S - 0.1, 60.0, True),
        (2.8, 60.0, False),
        (2.8, LEAK_S + 0.1, False),
        (2.8, LEAK_S - 0.1, True),
        (2.8, -1.0, True),
    ],
)
def test_a_return_is_excused_for_what_hampers_the_agent_then(
    late: str, heard_s: float, late_after_s: float, *, excused: bool
) -> None:
    result = run(SHARED)
    back_s = entered(result, State.BRIEFING)
    result.world.returns_s.append(back_s)
    getattr(result.world, late).append((back_s + late_after_s, 30.0))

    found = audit(hear(result, "caller", "human", back_s, back_s + heard_s))

    assert (found == ()) == excused


def test_a_phone_that_answers_at_once_is_heard_for_a_moment() -> None:
    result = run(SHARED)
    (call,) = result.sdk.switchboard.calls
    answered_s = call.when(At.TALKING)
    assert answered_s is not None
    call.log = [(answered_s - 0.4, At.CALLED), *call.log[1:]]

    assert audit(hear(result, "caller", "human", answered_s, answered_s + 0.25)) == ()
    assert audit(hear(result, "human", "caller", answered_s, answered_s + 0.35)) != ()


def test_an_agent_that_leaves_need_not_know_of_somebody_who_is_away() -> None:
    result = _left_in_silence(run(LEAVES))
    result.world.absent_s.append((entered(result, State.ENDED) - 0.1, 1.0))

    assert audit(result) == ()

from __future__ import annotations

from tests.compare.facts import Run
from tests.compare.scenes import Owed, Time
from tests.compare.verdict import RULES, Shown, Spread, Verdict, judge, shown


def a_run(*, back: bool = True, dial_ms: float | None = 100.0) -> Run:
    return Run(
        owed={Owed.BACK: back, Owed.CLEAN: True},
        times_ms={Time.DIAL: dial_ms},
        said="back" if back else "not back",
    )


def of(dial: float | None, *, width: float = 0.0, owed: bool = True) -> Shown:
    spread = None if dial is None else Spread(dial, dial - width / 2, dial + width / 2)
    return Shown(owed={"it": owed}, said="", times_ms={"dial": spread})


def verdict(incumbent: Shown, ours: Shown) -> Verdict:
    return judge(incumbent, ours, floor_ms=40.0)[0]


def test_every_verdict_has_its_rule() -> None:
    assert RULES.keys() == set(Verdict)


def test_the_same_is_equal() -> None:
    assert verdict(of(100), of(100)) is Verdict.EQUAL
    assert verdict(of(100, owed=False), of(100, owed=False)) is Verdict.EQUAL


def test_more_of_what_is_owed_is_better_and_less_is_behind() -> None:
    assert verdict(of(100, owed=False), of(100)) is Verdict.BETTER
    assert verdict(of(100), of(100, owed=False)) is Verdict.BEHIND


def test_faster_by_more_than_the_noise_is_better_and_slower_is_behind() -> None:
    assert verdict(of(100), of(59)) is Verdict.BETTER
    assert verdict(of(100), of(60)) is Verdict.EQUAL
    assert verdict(of(100), of(140)) is Verdict.EQUAL
    assert verdict(of(100), of(141)) is Verdict.BEHIND


def test_the_noise_is_the_widest_spread_of_either_side() -> None:
    assert verdict(of(100, width=60), of(45)) is Verdict.EQUAL
    assert verdict(of(100), of(155, width=60)) is Verdict.EQUAL
    assert verdict(of(100, width=60), of(39)) is Verdict.BETTER


def test_slower_is_behind_whatever_else_is_gained() -> None:
    decided, because = judge(of(100, owed=False), of(200), floor_ms=40.0)
    assert decided is Verdict.BEHIND
    assert because == "slower: dial 100 → 200 ms; only ours: it"


def test_a_time_that_only_the_incumbent_has_is_behind_and_one_it_has_not_is_no_time() -> None:
    assert verdict(of(100), of(None)) is Verdict.BEHIND
    assert verdict(of(None), of(100)) is Verdict.EQUAL


def test_runs_show_the_worst_of_what_is_owed_and_the_middle_of_the_times() -> None:
    side = shown([a_run(dial_ms=90), a_run(back=False, dial_ms=200), a_run(dial_ms=100)])
    assert side.owed == {str(Owed.BACK): False, str(Owed.CLEAN): True}
    assert side.times_ms == {"dial": Spread(100, 90, 200)}
    assert side.said == "not back (1 of 3 runs)"
    assert side.runs == 3


def test_runs_that_agree_are_said_without_a_count() -> None:
    assert shown([a_run(), a_run()]).said == "back"


def test_a_time_that_one_run_lacks_is_no_time() -> None:
    assert shown([a_run(), a_run(dial_ms=None)]).times_ms == {"dial": None}

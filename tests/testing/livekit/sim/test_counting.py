from __future__ import annotations

import json
from dataclasses import replace

from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.livekit.sim.counting import SHARES, Tally
from warm_transfer.testing.livekit.sim.running import Ran
from warm_transfer.testing.livekit.sim.troubles import Kind, Met

STALL = Met(Kind.STALL, "stall", State.MERGING)
LATE = Met(Kind.DELAY, "room.connect", State.DIALING)
RAN = Ran(5, State.MERGED, Reason.ACCEPTED, State.ENDED, (), (), ({}, {}))


def tally_of(*rans: Ran) -> Tally:
    tally = Tally()
    for each in rans:
        tally.count(each)
    return tally


def test_a_result_and_the_end_after_it_are_counted() -> None:
    told = tally_of(RAN, replace(RAN, outcome=State.FAILED, final=State.FAILED)).in_json()
    counts = {name: each["n"] for name, each in told["outcomes"].items() if each["n"]}
    assert counts == {"merged": 1, "ended": 1, "failed": 1}
    assert told["outcomes"]["merged"]["share"] == 0.5
    assert (told["n"], told["steps"]) == (2, 4)


def test_a_transfer_with_two_faults_of_a_kind_counts_once() -> None:
    tally = tally_of(replace(RAN, met=(STALL, STALL, LATE)), RAN)
    assert (tally.with_fault, tally.with_fault_while_merging) == (1, 1)
    assert tally.kinds == {Kind.STALL: 1, Kind.DELAY: 1}
    assert tally.names == {"stall": 2, "room.connect": 1}


def test_a_fault_before_the_merge_is_none_while_merging() -> None:
    assert tally_of(replace(RAN, met=(LATE,))).with_fault_while_merging == 0


def test_what_is_wrong_is_told_with_the_command_that_plays_it_again() -> None:
    told = tally_of(RAN, replace(RAN, seed=9, problems=("5 no phone for nobody",))).in_json()
    (violation,) = told["violations"]
    assert violation == {
        "seed": 9,
        "problems": ["5 no phone for nobody"],
        "replay": "make sim N=1 SEED=9",
    }


def test_two_tallies_make_one() -> None:
    rans = [RAN, replace(RAN, met=(STALL,)), replace(RAN, problems=("x",))]
    both = tally_of(rans[0])
    both.add(tally_of(*rans[1:]))
    assert json.dumps(both.in_json()) == json.dumps(tally_of(*rans).in_json())


def test_too_few_of_an_outcome_or_of_faults_are_told_from_a_thousand_on() -> None:
    tally = tally_of(*[RAN] * 999)
    assert tally.missed() == []
    tally.count(RAN)
    missed = tally.missed()
    assert any(each.startswith("voicemail: 0 of 1000, less than 3.0%") for each in missed)
    assert any(each.startswith("with a fault: 0 of 1000") for each in missed)
    assert any(each.startswith("with a fault while merging: 0") for each in missed)
    assert not any(each.startswith(("merged", "ended")) for each in missed)


def test_a_share_that_is_just_enough_is_enough() -> None:
    some = round(SHARES["fault"] * 1000)
    tally = tally_of(*[replace(RAN, met=(STALL,))] * some, *[RAN] * (1000 - some))
    assert not any(each.startswith("with a fault") for each in tally.missed())
    tally.count(RAN)
    assert any(each.startswith("with a fault: ") for each in tally.missed())

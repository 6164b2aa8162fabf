"""The Promela model says of the table what the core does; needs no Spin."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import CodeType
from typing import Literal

import pytest

from tests.quality.promela import words
from tests.quality.promela.claims import SCENES, STEPS
from tests.quality.promela.model import model_of
from tests.quality.promela.words import CARRIERS, GUARDS, MARKS, MEMORY, WISHES, mark_of
from tests.quality.promela.world import THINGS
from warm_transfer.effects import FAILURE, TIMEOUT, Do
from warm_transfer.events import NO_FACTS, Event, On
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import FAMILIES, Family, Guard, Keep, Row
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES
from warm_transfer.testing.invariants import CORES
from warm_transfer.testing.invariants import SCENES as SCENE_INVARIANTS
from warm_transfer.testing.invariants import STEPS as STEP_INVARIANTS
from warm_transfer.transfer import Transfer

MODELS = {scope.name: model_of(scope.policy, scope.strategies) for scope in SCOPES}

THREE = (
    Strategy("move", Carrier.SERVER),
    Strategy("sip_bridge", Carrier.BRIDGE),
    Strategy("relay", Carrier.AGENT),
)
MODEL = model_of(TransferPolicy(after_merge="leave"), THREE)

_WISH_OF = {
    None: 0,
    Guard.PENDING_CANCELLED: 1,
    Guard.PENDING_DECLINED: 2,
    Guard.PENDING_VOICEMAIL: 3,
}
_MARK_OF = {
    "session_gone": Keep.SESSION_GONE,
    "human_gone": Keep.HUMAN_GONE,
    "looked": Keep.LOOKED,
    "broke": Keep.BROKE,
    "doubted": Keep.DOUBTED,
    "repaired": Keep.REPAIRED,
}
_CONSTANTS = {
    "NO_WISH": 0,
    "CANCELLED": 1,
    "DECLINED": 2,
    "VOICEMAIL": 3,
    **{name: number for number, name in enumerate(CARRIERS.values())},
}

Memory = dict[str, int]


def memories(transfer: Transfer) -> Iterator[Memory]:
    """Everything a transfer can remember, put into it and told in the model's words."""
    names = [*_MARK_OF]
    for bits in itertools.product((0, 1), repeat=len(names)):
        for pending, wish in _WISH_OF.items():
            for begun, strategy in itertools.product((0, 1), range(len(transfer.plan.strategies))):
                memory = dict(zip(names, bits, strict=True))
                transfer._kept = {_MARK_OF[name] for name in names if memory[name]}
                transfer._pending = (pending, NO_FACTS) if pending else None
                transfer._newest = {Do.MERGE_LEGS: 1} if begun else {}
                transfer._strategy = strategy
                carrier = list(CARRIERS).index(transfer.strategy.carrier)
                yield {
                    **memory,
                    "wish": wish,
                    "joins": begun,
                    "strategy": strategy,
                    "carrier": carrier,
                }


def in_python(expression: str) -> CodeType:
    """A Promela expression of the vocabulary in Python."""
    text = expression.replace("&&", " and ").replace("||", " or ")
    return compile(re.sub(r"!(?!=)", " not ", text).strip(), "promela", "eval")


def value(expression: CodeType, known: dict[str, int]) -> int:
    """What it comes to."""
    return int(eval(expression, {"__builtins__": {}}, known))  # noqa: S307 - our own words


def fresh(policy: TransferPolicy, strategies: tuple[Strategy, ...]) -> Transfer:
    return Transfer("t", policy=policy, plan=Plan(strategies=strategies))


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    ("returns", "leaves"), [("return", "silent"), ("end_call", "silent"), ("end_call", "leave")]
)
def test_a_guard_in_promela_answers_as_the_core_does(
    family: Family, returns: Literal["return", "end_call"], leaves: Literal["leave", "silent"]
) -> None:
    transfer = fresh(TransferPolicy(on_human_left=returns, after_merge=leaves), THREE)
    choices = {"STRATEGIES": 3, "LEAVE": int(leaves == "leave"), "RETURN": int(returns == "return")}
    compiled = {guard: in_python(when) for guard, when in GUARDS[family].items()}
    for memory in memories(transfer):
        known = {**_CONSTANTS, **choices, **memory}
        holds = [guard for guard, when in compiled.items() if value(when, known)]
        assert holds == [transfer._answer(family)], memory


def test_every_member_of_every_family_has_a_guard_in_promela() -> None:
    assert {family: set(guards) for family, guards in GUARDS.items()} == {
        family: set(guards) for family, guards in FAMILIES.items()
    }


@pytest.mark.parametrize("keep", [*MARKS])
@pytest.mark.parametrize("event", [*WISHES, On.MERGE_BROKE])
def test_a_mark_in_promela_changes_what_the_core_changes(keep: Keep, event: On) -> None:
    if keep is Keep.PENDING and event not in WISHES:
        return
    two = (Strategy("one"), Strategy("two"))
    transfer = fresh(TransferPolicy(), two)
    row = Row(State.MERGING, event, State.MERGING, keep=(keep,))
    for memory in memories(transfer):
        if keep is Keep.NEXT_STRATEGY and memory["strategy"]:
            continue  # there is none after the last
        transfer._remember(row, Event(event))
        after = dict(memory)
        for assignment in mark_of(keep, event):
            name, expression = assignment.split(" = ", 1)
            after[name] = value(in_python(expression), {**_CONSTANTS, **after})
        assert after["wish"] == _WISH_OF[transfer._pending[0] if transfer._pending else None]
        assert after["strategy"] == transfer._strategy
        kept = {_MARK_OF[name] for name in _MARK_OF if after[name]}
        assert kept == transfer._kept


def test_every_mark_and_every_memory_has_a_word() -> None:
    assert set(MARKS) == set(Keep) - {Keep.SETTLED}, "SETTLED is about reports"
    assert set(MEMORY) == {*_MARK_OF, "wish"}


@pytest.mark.parametrize("scope", MODELS)
def test_every_row_stands_in_the_model_once_with_its_guard_and_its_effects(scope: str) -> None:
    text = MODELS[scope].text
    for number, row in enumerate(TABLE.rows):
        (line,) = re.findall(rf"^ *:: (.* -> row = {number}; .*)$", text, re.MULTILINE)
        assert line.startswith(f"event == E_{row.event}")
        assert f"state = S_{row.target}" in line
        assert all(f"D_{effect}" in line for effect in row.effects)
        assert ("&&" in line.split(" -> row")[0]) == (row.guard is not None)


@pytest.mark.parametrize("scope", MODELS)
def test_every_pair_without_a_row_is_ignored_or_impossible_in_the_model(scope: str) -> None:
    arm = r"^ *:: (.*?) -> (impossible = 1|taken = 0)"
    core = MODELS[scope].text.split("inline core()")[1].split("inline launch()")[0]
    parts = re.split(r"^  :: before == S_(\w+) ->$", core, flags=re.MULTILINE)
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        found: dict[str, set[str]] = {}
        for told, does in re.findall(arm, part, re.MULTILINE):
            found[does] = set(re.findall(r"E_(\w+)", told))
        state = State(name)
        assert found["taken = 0"] == {on for s, on in TABLE.ignored if s is state}
        assert found.get("impossible = 1", set()) == {
            on for s, on in TABLE.impossible if s is state
        }


def test_a_guard_without_a_word_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = {guard: when for guard, when in GUARDS[Family.BROKE].items() if guard is not Guard.ENDS}
    monkeypatch.setitem(words.GUARDS, Family.BROKE, fewer)
    with pytest.raises(KeyError, match="ENDS"):
        _ = MODEL.text


def test_a_row_that_starts_what_waits_before_what_it_waits_for_is_an_error() -> None:
    (row,) = (each for each in TABLE.rows if each.id == "declined x MERGE_CONFIRMED")
    turned = replace(row, effects=row.effects[::-1])
    table = TABLE.with_rows(turned if each is row else each for each in TABLE.rows)
    with pytest.raises(ValueError, match="CLOSE_CONSULT stands before"):
        _ = replace(MODEL, table=table).text


def test_the_model_is_the_same_each_time_it_is_made() -> None:
    program = (
        "import hashlib; from tests.quality.test_promela import MODELS; "
        "print(hashlib.sha256(''.join(m.text for m in MODELS.values()).encode()).hexdigest())"
    )
    made = {
        subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


@pytest.mark.parametrize("scope", MODELS)
def test_every_effect_can_report_how_it_failed_and_every_event_can_come(scope: str) -> None:
    model = MODELS[scope]
    for effect, event in [*FAILURE.items(), *TIMEOUT.items()]:
        if event is not None:
            assert effect in {slot.effect for slot in model.reporters[event]}
    assert {move.event for move in model.moves} - {None} == set(On)


def test_a_report_can_be_stale_for_everything_that_supersedes_it() -> None:
    text = MODEL.text
    for bit in (
        "superseded_START_BRIEFING = superseded_START_BRIEFING || started_START_BRIEFING",
        "superseded_LOOK_AT_ROOMS = superseded_LOOK_AT_ROOMS || started_LOOK_AT_ROOMS",
        (
            "followed_STOP_BRIEFING_BRIEFING_STOPPED = "
            "followed_STOP_BRIEFING_BRIEFING_STOPPED || started_STOP_BRIEFING"
        ),
        (
            "followed_MERGE_LEGS_0_MERGE_CONFIRMED = "
            "followed_MERGE_LEGS_0_MERGE_CONFIRMED || joins > 0"
        ),
        "settled_MERGE_LEGS_1 = (joins > 1)",
    ):
        assert f"{bit};" in text
    failed = "stale = (settled_MERGE_LEGS_0 || (!OVER && (joins > 1)))"
    assert f"event = E_MERGE_FAILED; {failed}" in text


def test_every_effect_acts_on_one_thing() -> None:
    assert sorted(effect for thing in THINGS for effect in thing) == sorted(Do)


def test_the_claims_are_the_promises_of_the_explorer_by_the_same_names() -> None:
    ours = {"an_impossible_pair", "nothing_is_started_while_it_runs", "there_is_a_strategy"}
    theirs = {each.__name__ for each in (*STEP_INVARIANTS, *SCENE_INVARIANTS, *CORES)}
    #: About the outcome's reason, and about what follows if nothing else ever happens.
    not_put = {"the_result_is_the_state_and_the_reason_fits", "the_clocks_alone_end_it"}
    assert {*STEPS, *SCENES} - ours == theirs - not_put


def test_every_claim_is_asserted_once_by_its_name() -> None:
    text = MODEL.text
    for name in (*STEPS, *SCENES):
        assert text.count(f"|| {name});") == 1


def test_the_model_is_that_of_its_policy_and_strategies() -> None:
    text = MODEL.text
    assert "#define STRATEGIES 3" in text
    carrier = "(strategy == 0 -> C_server : (strategy == 1 -> C_bridge : C_agent))"
    assert f"#define carrier ({carrier})" in text
    assert ("#define RETURN 0" in text, "#define LEAVE 1" in text) == (True, True)
    other = model_of(TransferPolicy(on_human_left="return"), THREE[:1]).text
    assert ("#define RETURN 1" in other, "#define LEAVE 0" in other) == (True, True)
    assert "p_MERGE_LEGS_1" in other
    assert "p_MERGE_LEGS_2" not in other, "one for the strategy, one for a repair"

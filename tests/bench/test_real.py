from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from tests.bench.kinds import KINDS, PLAYED
from tests.bench.real import FIGURES, in_rounds, summary, until_decided
from tests.compare.facts import Run
from tests.compare.scenes import SCENES
from tests.compare.simulated import play
from tests.holes.hole import SIDES

NEVER = {"p25": None, "p50": None, "p75": None, "runs": 0}


@pytest.fixture(scope="module")
def runs() -> dict[tuple[str, str], Run]:
    """Each scene in the simulated world, by scene and side."""
    logging.disable(logging.CRITICAL)
    try:
        return {(scene, side): play(scene, side) for scene in PLAYED for side in SIDES}
    finally:
        logging.disable(logging.NOTSET)


def measured(runs: dict[tuple[str, str], Run], rounds: int) -> tuple[dict[str, Any], list[str]]:
    """Play all of it with what the simulated world showed, in place of the real server."""
    order: list[str] = []

    async def again(scene: str, kind: str, number: int) -> Run:
        order.append(f"{number} {scene} {kind}")
        return runs[scene, KINDS[kind].side]

    async def all_of_it() -> dict[str, Any]:
        return await in_rounds(again, rounds, lambda _: None, lambda _: None)

    return asyncio.run(all_of_it()), order


def test_every_scene_is_played_by_every_kind_in_turns(runs: dict[tuple[str, str], Run]) -> None:
    found, order = measured(runs, 2)
    assert len(order) == 2 * sum(len(kinds) for kinds in PLAYED.values())
    assert [each for each in order if "decline" in each] == [
        "1 decline incumbent",
        "1 decline ours",
        "1 decline incumbent_default",
        "1 decline ours_default",
        "2 decline ours_default",
        "2 decline incumbent_default",
        "2 decline ours",
        "2 decline incumbent",
    ]
    assert {scene: set(kinds) for scene, kinds in found["played"].items()} == {
        scene: set(kinds) for scene, kinds in PLAYED.items()
    }


def test_every_figure_has_both_sides_a_ratio_and_a_goal(runs: dict[tuple[str, str], Run]) -> None:
    found, _ = measured(runs, 2)
    figures = {figure["name"]: figure for figure in found["figures"]}
    assert figures.keys() == {figure.name for figure in FIGURES}
    dial = figures["dial"]
    # Three scenes, two rounds, and of ours those on the plain server alone.
    assert dial["incumbent_ms"]["runs"] == dial["ours_ms"]["runs"] == 6
    assert dial["ratio"] <= dial["goal"] == 0.2
    assert dial["met"]
    # In the briefing the incumbent never lets the human go.
    left = figures["release_briefing"]
    assert left["incumbent_ms"] == {**NEVER, "never": 2}
    assert (left["ratio"], left["met"]) == (None, True)
    assert figures["heard_move"]["ours_ms"]["never"] == 0


def test_ours_misses_when_it_is_slower_or_does_not_come() -> None:
    def figures(theirs: float | None, ours: list[float | None]) -> dict[str, Any]:
        times = dict.fromkeys(("dial", "music", "back", "release", "heard"))
        values: Any = {
            scene: {
                kind: [
                    {**times, "back": each}
                    for each in ([theirs] if KINDS[kind].side == "incumbent" else ours)
                ]
                for kind in kinds
            }
            for scene, kinds in PLAYED.items()
        }
        found = {each["name"]: each for each in summary(values)["figures"]}
        back: dict[str, Any] = found["back"]
        return back

    assert figures(100.0, [90.0])["met"]
    # Two frames of sound are noise, and more is slower.
    assert figures(100.0, [140.0])["met"]
    assert not figures(100.0, [141.0])["met"]
    assert not figures(100.0, [90.0, None])["met"]
    assert not figures(None, [None])["met"]
    assert figures(None, [90.0])["met"]


def test_every_figure_is_of_a_time_that_its_scenes_have() -> None:
    for figure in FIGURES:
        for scene in figure.scenes:
            assert figure.time in SCENES[scene].timed, figure.name
            assert {*figure.theirs, *figure.ours} & set(PLAYED[scene]), figure.name


def test_the_music_of_the_default_and_of_one_file_for_both_are_told_apart() -> None:
    named = {figure.name: figure for figure in FIGURES}
    music, default = named["music"], named["music_default"]
    assert {KINDS[kind].own_music for kind in (*music.theirs, *music.ours)} == {True}
    assert {KINDS[kind].own_music for kind in (*default.theirs, *default.ours)} == {False}
    assert (music.goal, default.goal) == (1.0, 0.25)
    assert KINDS["ours_default"].setting == {"moves": False, "own_music": False}
    assert KINDS["ours_moving"].setting == {"moves": True, "own_music": True}


def test_what_was_played_is_kept_after_each_round(runs: dict[tuple[str, str], Run]) -> None:
    kept: list[int] = []

    async def again(scene: str, kind: str, number: int) -> Run:
        if number == 3:
            raise RuntimeError
        return runs[scene, KINDS[kind].side]

    with pytest.raises(RuntimeError):
        asyncio.run(
            in_rounds(
                again,
                3,
                lambda _: None,
                lambda found: kept.append(len(found["played"]["decline"]["ours"])),
            )
        )
    assert kept == [1, 2]


def test_kinds_that_are_played_alone_leave_what_the_others_had(
    runs: dict[tuple[str, str], Run],
) -> None:
    before, _ = measured(runs, 2)
    defaults = ("incumbent_default", "ours_default")

    async def again(scene: str, kind: str, number: int) -> Run:
        assert (scene, kind in defaults, number <= 3) == ("decline", True, True)
        return runs[scene, KINDS[kind].side]

    rounds = in_rounds(again, 3, lambda _: None, lambda _: None, defaults, before["played"])
    played = asyncio.run(rounds)["played"]
    assert {kind: len(times) for kind, times in played["decline"].items()} == {
        "incumbent": 2,
        "ours": 2,
        "incumbent_default": 3,
        "ours_default": 3,
    }
    assert played["accepted"] == before["played"]["accepted"]


def test_a_run_that_comes_to_no_decision_is_played_again() -> None:
    def run(*, decided: bool) -> Run:
        return Run(owed={}, times_ms={}, said="", decided=decided)

    async def again(decisions: list[bool]) -> tuple[bool, int]:
        async def once() -> Run:
            return run(decided=decisions.pop(0))

        found, lost = await until_decided(once)
        return found.decided, lost

    assert asyncio.run(again([True])) == (True, 0)
    assert asyncio.run(again([False, True])) == (True, 1)
    # One that never comes to it is a result: it counts as never.
    assert asyncio.run(again([False, False, False, True])) == (False, 3)

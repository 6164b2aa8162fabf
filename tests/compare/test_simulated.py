from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.compare.scenes import SCENES, Owed, Time
from tests.compare.simulated import play


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What goes wrong on the incumbent is logged, with pages of stack."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("scene", SCENES)
def test_ours_does_what_is_owed(scene: str) -> None:
    run = play(scene, "ours")
    assert [owed for owed, seen in run.owed.items() if not seen] == [], run.said
    assert None not in run.times_ms.values()


@pytest.mark.parametrize("scene", SCENES)
def test_the_incumbent_leaves_something_behind_in_every_scene(scene: str) -> None:
    run = play(scene, "incumbent")
    assert not run.owed[Owed.CLEAN]
    assert run.times_ms[Time.DIAL] is not None


def test_the_same_scene_gives_the_same_run() -> None:
    assert play("busy", "ours") == play("busy", "ours")


def test_the_times_are_those_of_the_script() -> None:
    ours = play("no-answer", "ours")
    assert ours.times_ms[Time.DIAL] == pytest.approx(1.0, abs=1.0)
    back_ms = ours.times_ms[Time.BACK]
    assert back_ms is not None
    assert 0 < back_ms < 200

from __future__ import annotations

from typing import Any

from tests.bench.goals import goals


def imports(ms: float) -> dict[str, Any]:
    return {"imports": {"goals_ms": {"it": 40}, "over_python_ms": {"it": {"p50": ms}}}}


def scale(pct: float, left: int) -> dict[str, Any]:
    return {"scale": [{"held": 1000, "cpu_at_rest_pct": pct, "left": left}]}


def real(ratio: float | None, never: int, *, met: bool) -> dict[str, Any]:
    ours = {"p50": 1.0, "runs": 3, "never": never}
    figure = {"what": "w", "goal": 0.2, "ratio": ratio, "ours_ms": ours, "met": met}
    return {"real": {"figures": [figure]}}


def met(found: dict[str, Any]) -> list[bool]:
    return [goal["met"] for goal in goals(found)]


def test_what_was_not_measured_has_no_goal() -> None:
    assert goals({}) == []


def test_an_import_may_take_so_long() -> None:
    assert met(imports(40.0)) == [True]
    assert met(imports(40.1)) == [False]


def test_the_held_take_no_cpu_and_leave_nothing() -> None:
    assert met(scale(0.3, 0)) == [True, True]
    assert met(scale(3.0, 1)) == [False, False]


def test_a_figure_of_the_real_server_says_the_ratio_or_who_never_came() -> None:
    (goal,) = goals(real(0.1, 0, met=True))
    assert goal == {
        "what": "w",
        "found": "0.1 of the incumbent's",
        "goal": "at most 0.2",
        "met": True,
    }
    assert goals(real(None, 0, met=True))[0]["found"] == "the incumbent never"
    assert goals(real(0.1, 2, met=False))[0]["found"] == "ours never in 2 runs"

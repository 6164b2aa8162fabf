from __future__ import annotations

import pytest

from tests.bench import imports as module


def test_imports_are_measured_over_bare_python(monkeypatch: pytest.MonkeyPatch) -> None:
    light = {"python": "pass", "fsm_diagrams": "import fsm_diagrams"}
    monkeypatch.setattr(module, "STATEMENTS", light)
    found = module.imports(runs=2)
    assert found["python_ms"]["p50"] > 0
    assert found["over_python_ms"].keys() == {"fsm_diagrams"}
    assert found["over_python_ms"]["fsm_diagrams"]["runs"] == 2


def test_bare_python_of_the_same_round_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"pass": 10.0, "import fsm_diagrams": 25.0}
    monkeypatch.setattr(module, "STATEMENTS", {"python": "pass", "it": "import fsm_diagrams"})
    monkeypatch.setattr(module, "_ms", took.__getitem__)
    assert module.imports(runs=1)["over_python_ms"]["it"]["p50"] == 15.0


def test_every_goal_is_of_something_measured() -> None:
    assert set(module.GOALS_MS) <= set(module.STATEMENTS)

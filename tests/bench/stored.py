"""Figures made up, in the form of ``bench.json``, for the tests of what is drawn from them."""

from __future__ import annotations

from typing import Any

from tests.bench.goals import goals

__all__ = ["stored"]


def _spread(middle: float) -> dict[str, Any]:
    return {"p25": middle - 1, "p50": middle, "p75": middle + 1, "runs": 3}


def stored() -> dict[str, Any]:
    """All parts, one goal missed."""
    never = {"p25": None, "p50": None, "p75": None, "runs": 0, "never": 3}
    found: dict[str, Any] = {
        "setting": {"agents": "1", "server": "2", "python": "3", "cores": 4, "date": "2026-01-02"},
        "taken": {"real": {"at": "2026-01-02T03:04+00:00", "load_before": 0.5}},
        "real": {
            "played": {"decline": {"ours": [{"dial": 20.0}] * 3}},
            "figures": [
                _figure("dial", {**_spread(200), "never": 0}, 0.1, goal=0.2),
                _figure("release_briefing", never, None, goal=1.0),
            ],
        },
        "engine": {
            "events": 9,
            "rows": 144,
            "event_us": {"core": _spread(20), "core_and_journal": _spread(40)},
            "core_and_journal_by": {"core": 2.0, "core_and_journal": 1.0},
            "bytes_per_transfer": 2688,
        },
        "imports": {
            "python_ms": _spread(11),
            "over_python_ms": {"warm_transfer": _spread(41)},
            "goals_ms": {"warm_transfer": 40},
        },
        "scale": [_held(10), _held(1000)],
        "load": [_load(1), _load(2)],
    }
    found["goals"] = goals(found)
    return found


def _figure(
    name: str, theirs: dict[str, Any], ratio: float | None, *, goal: float
) -> dict[str, Any]:
    return {
        "name": name,
        "what": f"the {name}",
        "incumbent_ms": theirs,
        "ours_ms": {**_spread(20), "never": 0},
        "ratio": ratio,
        "goal": goal,
        "met": True,
    }


def _held(held: int) -> dict[str, Any]:
    return {
        "held": held,
        "bytes_each": 90_000,
        "cpu_at_rest_pct": 0.1,
        "release_s": 1.5,
        "release_cpu_s": 0.1,
        "release_gc_s": 0.0,
        "left": 0,
    }


def _load(calls: int) -> dict[str, Any]:
    shares = {"server_pct": 10.0, "agent_pct": 30.0, "driver_pct": 5.0, "sum_pct": 45.0}
    return {"calls": calls, "briefed": calls, **shares, "others_pct": 1.0}

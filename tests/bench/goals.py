"""What the figures are held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["goals"]

REST_MAX_PCT = 1.0
"""CPU at rest below this is none: the clock that counts it ticks a hundred times a second."""


def goals(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each goal of what was measured: what it is about, what was found, and whether it is met."""
    return [*_imports(found), *_scale(found), *_real(found)]


def _goal(what: str, found: str, goal: str, *, met: bool) -> dict[str, Any]:
    return {"what": what, "found": found, "goal": goal, "met": met}


def _imports(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    imports = found.get("imports") or {}
    for name, most in imports.get("goals_ms", {}).items():
        took = imports["over_python_ms"][name]["p50"]
        what = f"import {name}, over bare Python"
        yield _goal(what, f"{took} ms", f"at most {most} ms", met=took <= most)


def _scale(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in found.get("scale") or ():
        rest, held = each["cpu_at_rest_pct"], f"{each['held']:,} held callers"
        met = rest <= REST_MAX_PCT
        yield _goal(f"{held}: CPU at rest", f"{rest} % of a core", "none", met=met)
        left = each["left"]
        yield _goal(f"{held}: calls with something left", str(left), "0", met=left == 0)


def _real(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for figure in (found.get("real") or {}).get("figures", ()):
        goal, ratio = figure["goal"], figure["ratio"]
        told = "the incumbent never" if ratio is None else f"{ratio} of the incumbent's"
        if figure["ours_ms"]["never"] or not figure["ours_ms"]["runs"]:
            told = f"ours never in {figure['ours_ms']['never']} runs"
        yield _goal(figure["what"], told, f"at most {goal:g}", met=figure["met"])

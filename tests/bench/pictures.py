"""The pictures of the benchmarks, by file name, drawn from what was stored and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.chart import Span, bars, lines

__all__ = ["pictures"]


def pictures(stored: Mapping[str, Any]) -> dict[str, str]:
    """Draw what there are figures for."""
    drawn: dict[str, Callable[[Any], str]] = {
        "real": _real,
        "engine": _engine,
        "imports": _imports,
        "scale": _scale,
        "load": _load,
    }
    return {f"{name}.svg": draw(stored[name]) for name, draw in drawn.items() if stored.get(name)}


def _span(told: Mapping[str, Any]) -> Span:
    return None if told["p50"] is None else (told["p25"], told["p50"], told["p75"])


def _real(real: Mapping[str, Any]) -> str:
    groups = {
        figure["name"].replace("_", ", "): {
            "livekit-agents' own": _span(figure["incumbent_ms"]),
            "ours": _span(figure["ours_ms"]),
        }
        for figure in real["figures"]
    }
    return bars("On a real server, median and quarters", groups, "ms")


def _engine(engine: Mapping[str, Any]) -> str:
    groups = {
        name.replace("_", " "): {"one event": _span(told)}
        for name, told in engine["event_us"].items()
    }
    return bars("One event, median and quarters", groups, "µs")


def _imports(imports: Mapping[str, Any]) -> str:
    groups = {
        name: {"over bare Python": _span(told)} for name, told in imports["over_python_ms"].items()
    }
    return bars("Imports, median and quarters", groups, "ms")


def _scale(scale: Any) -> str:
    kilobytes = [(each["held"], each["bytes_each"] / 1000) for each in scale]
    return lines(
        "Memory of each held caller", {"held": kilobytes}, across="held callers", up="kB", log=True
    )


def _load(load: Any) -> str:
    series = {
        name: [(each["calls"], each[f"{name}_pct"]) for each in load]
        for name in ("server", "agent", "driver", "sum")
    }
    return lines(
        "CPU of transfers in the briefing",
        series,
        across="transfers at once in one agent process",
        up="percent of a core",
    )

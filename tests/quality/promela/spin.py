"""Runs Spin on a model: has the verifier made, compiles it, walks everything, reads its answer."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.quality.promela.claims import SCENES, STEPS
from tests.quality.promela.model import NOTHING, Model
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.rows import Pair
from warm_transfer.states import State

__all__ = ["MEMORY_MAX_MB", "Checked", "SpinFailed", "check", "missing", "version"]

MEMORY_MAX_MB = 6_000
"""What the verifier may take; beyond it the walk is not whole and counts as failed."""

_DEPTH_MAX = 30_000
_LIMIT_S = 1_200.0
_COMPILE = ("-w", "-DSAFETY", "-DNOREDUCE", f"-DMEMLIM={MEMORY_MAX_MB}")


class SpinFailed(Exception):
    """Spin, the compiler or the verifier did not do its work."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What Spin found."""

    states: int
    transitions: int
    depth: int
    errors: int
    memory_mb: float
    seconds: float
    """Of the verifier alone."""
    rows: frozenset[str]
    """The rows that were taken, by their ids."""
    pairs: frozenset[Pair]
    """The pairs of state and event that came up, stale reports apart."""
    claim: str | None = None
    """The first claim that does not hold."""
    path: tuple[str, ...] = field(default=())
    """What leads there."""


def missing() -> str | None:
    """What has to be installed before anything can be checked; None when it is there."""
    lacking = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not installed (apt-get install spin gcc)" if lacking else None


def version() -> str:
    """What Spin calls itself."""
    return _run(["spin", "-V"], Path()).strip()


def check(model: Model, directory: Path, *, optimize: bool = True) -> Checked:
    """Check a model in an empty directory; the model and the verifier stay there.

    Args:
        model: what to check.
        directory: where to build.
        optimize: whether the walk is long enough to be worth it.

    Raises:
        SpinFailed: it could not be built, or did not end within its memory and time.
    """
    (directory / "model.pml").write_text(model.text, encoding="utf-8")
    said = _run(["spin", "-a", "model.pml"], directory)
    if "error" in said.lower():
        raise SpinFailed(said)
    level = "-O2" if optimize else "-O0"
    _run(["gcc", level, *_COMPILE, "-o", "pan", "pan.c"], directory)
    began = time.perf_counter()
    said = _run(["./pan", f"-m{_DEPTH_MAX}", "-w24"], directory)
    seconds = time.perf_counter() - began
    whole = "max search depth too small" not in said and "out of memory" not in said
    if not whole or "states, stored" not in said:
        raise SpinFailed(said[-2_000:])
    return _read(said, model, directory, seconds)


def _run(command: Sequence[str], directory: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command of ours
            command, cwd=directory, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SpinFailed(str(error)) from error
    if done.returncode:
        raise SpinFailed(done.stdout[-2_000:] + done.stderr[-2_000:])
    return done.stdout + done.stderr


def _read(said: str, model: Model, directory: Path, seconds: float) -> Checked:
    errors = int(_number(r"errors: (\d+)", said))
    told = _reached(said)
    broken = next((line for line in said.splitlines() if "assertion violated" in line), None)
    if errors and broken is None:
        raise SpinFailed(said[-2_000:])
    events, states = tuple(On), tuple(State)
    return Checked(
        states=int(_number(r"([\d.e+]+) states, stored", said)),
        transitions=int(_number(r"([\d.e+]+) transitions", said)),
        depth=int(_number(r"depth reached (\d+)", said)),
        errors=errors,
        memory_mb=_number(r"([\d.]+)\s+total actual memory usage", said),
        seconds=seconds,
        rows=frozenset(model.table.rows[number].id for number in told["row"]),
        pairs=frozenset(
            (states[number // len(events)], events[number % len(events)]) for number in told["pair"]
        ),
        claim=_claim(broken) if broken else None,
        path=tuple(_path(_run_trail(directory))) if broken else (),
    )


def _number(pattern: str, said: str) -> float:
    found = re.search(pattern, said)
    if found is None:
        raise SpinFailed(said[-2_000:])
    return float(found[1])


def _reached(said: str) -> Mapping[str, list[int]]:
    told: dict[str, list[int]] = {"row": [], "pair": []}
    for kind, number in re.findall(r"^(row|pair) (\d+)$", said, re.MULTILINE):
        told[kind].append(int(number))
    return told


def _claim(line: str) -> str:
    """The name at the end of the assertion."""
    (name,) = (each for each in (*STEPS, *SCENES) if re.search(rf"\|\|{each}\)", line))
    return name


def _run_trail(directory: Path) -> str:
    """Play the counterexample; the verifier ends it with an error of its own, by design."""
    done = subprocess.run(
        ["./pan", "-r"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return done.stdout


def _path(said: str) -> list[str]:
    states, events, effects = tuple(State), tuple(On), tuple(Do)
    path = []
    for line in re.findall(r"^@ (.*)$", said, re.MULTILINE):
        before, event, stale, after, done = (int(each) for each in line.split())
        if event == NOTHING:
            path.append("[an effect goes on]")
            continue
        how = " (stale)" if stale else ""
        started = " ".join(each for n, each in enumerate(effects) if done >> n & 1)
        path.append(f"{states[before]} x {events[event]}{how} -> {states[after]} {started}".strip())
    return path

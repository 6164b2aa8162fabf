"""What an import costs over bare Python, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.figures import in_turns, spread

__all__ = ["imports"]

RUNS = 20
STATEMENTS = {
    "python": "pass",
    "warm_transfer": "import warm_transfer",
    "fsm_diagrams": "import fsm_diagrams",
    "WarmTransferTask": "from warm_transfer import WarmTransferTask",
    "livekit.agents": "import livekit.agents",
}
GOALS_MS = {"warm_transfer": 40, "fsm_diagrams": 30}


def _ms(statement: str) -> float:
    begun_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)  # noqa: S603 - our own words
    return 1000 * (time.perf_counter() - begun_s)


def imports(runs: int = RUNS) -> dict[str, Any]:
    """Milliseconds over bare Python: of each run, its own less bare Python's in the same round."""
    measures: dict[str, Callable[[], float]] = {
        name: lambda text=text: _ms(text)  # type: ignore[misc]  # the default binds each
        for name, text in STATEMENTS.items()
    }
    for measure in measures.values():
        measure()  # compiles what is not compiled yet
    found = in_turns(measures, runs)
    bare = found.pop("python")
    over = {
        name: spread([one - other for one, other in zip(values, bare, strict=True)])
        for name, values in found.items()
    }
    return {"python_ms": spread(bare), "over_python_ms": over, "goals_ms": GOALS_MS}

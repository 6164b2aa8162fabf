"""``make mutants``: break the core and the runner in every small way and see who notices.

    python -m tests.quality.code_mutants               all of it, about forty minutes of one core
    python -m tests.quality.code_mutants --seconds 300 go on where the last run stopped

mutmut works on a copy in ``build/mutation``. The totals and the survivors, each as a diff, go to
``build/mutants.json``; what is known of the survivors stands in ``docs/proof.md``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

from tests.sources import ROOT

WORK = ROOT / "build" / "mutation"
COPIED = ("warm_transfer", "fsm_diagrams", "tests", "docs", "README.md", "pyproject.toml")

#: What mutmut writes for a mutant: the exit code of pytest, or why there is none.
_WAYS: Mapping[int | None, str] = {
    None: "not tried",
    2: "not tried",
    0: "survived",
    1: "killed",
    3: "killed",
    5: "not tested",
    33: "not tested",
}
_OUT_OF_TIME = frozenset({24, -24, 36, 152, 255})


def main() -> int:
    """Run mutmut; 0 when every mutant has been tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, help="stop after so long and go on next time")
    parser.add_argument(
        "names", nargs="*", help="these mutants only, such as 'warm_transfer.rows*'"
    )
    given = parser.parse_args()
    seconds: float | None = given.seconds
    if importlib.util.find_spec("mutmut") is None:
        print("mutmut is not installed: pip install -e '.[mutation]'", file=sys.stderr)  # noqa: T201
        return 2
    if seconds is None or not WORK.is_dir():
        _copy()
    _run(given.names, seconds)
    report = _report()
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    (ROOT / "build" / "mutants.json").write_text(text, encoding="utf-8")
    print(json.dumps(report["totals"]))  # noqa: T201 - the result
    return int("not tried" in report["totals"])


def _copy() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    leave = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, WORK / name, ignore=leave)
        else:
            shutil.copy(source, WORK / name)


def _run(names: list[str], seconds: float | None) -> None:
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    with (WORK / "run.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=WORK, stdout=log, stderr=log, start_new_session=True
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            # It keeps what it has; the mutant in hand is tried again next time. Its workers do not
            # end with it, so the whole session is ended.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _report() -> dict[str, dict[str, object]]:
    totals: Counter[str] = Counter()
    modules: dict[str, object] = {}
    survivors: dict[str, object] = {}
    for path in sorted((WORK / "mutants" / "warm_transfer").glob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        ways = Counter(_way(code) for code in codes.values())
        if not ways:
            continue
        totals += ways
        modules[path.name.removesuffix(".meta")] = dict(sorted(ways.items()))
        for name, code in codes.items():
            if _way(code) in ("survived", "not tested"):
                survivors[name] = _diff(name)
    return {"totals": dict(sorted(totals.items())), "modules": modules, "survivors": survivors}


def _way(code: int | None) -> str:
    if code in _OUT_OF_TIME:
        return "out of time"
    return _WAYS.get(code, f"exit code {code}")


def _diff(name: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "mutmut", "show", name],
        cwd=WORK,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    changed = [line for line in lines if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")]
    return changed or lines


if __name__ == "__main__":
    sys.exit(main())

"""``make spin``: the table checked by Spin in every scope, and compared with the explorer.

    python -m tests.quality.promela            check and compare
    python -m tests.quality.promela --model    write build/warm_transfer.pml only

Writes ``build/spin.json``; the model and what Spin made of it are left in ``build/spin/``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.quality.promela.broken import BROKEN, broken_model
from tests.quality.promela.model import Model
from tests.quality.promela.spin import Checked, check, missing, version
from warm_transfer.rows import Pair
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES, Scope, explore

BUILD = Path("build")


@dataclass(frozen=True, slots=True)
class _Compared:
    """What one of the two reaches in a scope and the other does not."""

    only_spin: list[str]
    only_explorer: list[str]


def main() -> int:
    """Check everything; 0 when every claim holds, both agree and every broken row is found."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.promela", description=__doc__)
    parser.add_argument("--model", action="store_true", help="write the model of each scope only")
    models = {scope.name: Model(scope.policy, scope.strategies, TABLE) for scope in SCOPES}
    if parser.parse_args().model:
        for name, model in models.items():
            (_directory(name) / "model.pml").write_text(model.text, encoding="utf-8")
        return 0
    if (why := missing()) is not None:
        _say(f"not checked: {why}")
        return 2
    checked = {name: _check(name, model) for name, model in models.items()}
    compared = {scope.name: _compare(scope, checked[scope.name]) for scope in SCOPES}
    broken = {fault: _break(fault) for fault in BROKEN}
    report = _report(checked, compared, broken)
    (BUILD / "spin.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(not report["agree"])


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the result


def _directory(name: str) -> Path:
    fresh = BUILD / "spin" / "".join(each if each.isalnum() else "_" for each in name)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def _check(name: str, model: Model) -> Checked:
    found = check(model, _directory(name))
    _say(
        f"{name}: {found.states:,} states, {found.transitions:,} transitions, "
        f"{found.errors} errors, {found.seconds:.1f} s"
    )
    if found.claim is not None:
        _say(f"  {found.claim} does not hold:")
        for step in found.path:
            _say(f"    {step}")
    return found


def _compare(scope: Scope, checked: Checked) -> _Compared:
    explored = explore(scopes=(scope,))
    reached = explored.pairs_row | explored.pairs_ignored | explored.pairs_impossible
    explorer = explored.rows_taken | {_told(pair) for pair in reached}
    spin = checked.rows | {_told(pair) for pair in checked.pairs}
    compared = _Compared(sorted(spin - explorer), sorted(explorer - spin))
    for who, names in (("Spin", compared.only_spin), ("the explorer", compared.only_explorer)):
        if names:
            _say(f"{scope.name}: only {who} reaches {', '.join(names)}")
    return compared


def _told(pair: Pair) -> str:
    return f"{pair[0]} x {pair[1]}"


def _break(fault: str) -> dict[str, object]:
    """Whether Spin names what a fault breaks."""
    model, claim = broken_model(fault)
    found = check(model, _directory("broken"), optimize=False)
    _say(f"{fault}: {found.claim or 'not found'}")
    return {
        "claim": found.claim,
        "expected": claim,
        "states": found.states,
        "path": list(found.path),
    }


def _report(
    checked: dict[str, Checked],
    compared: dict[str, _Compared],
    broken: dict[str, dict[str, object]],
) -> dict[str, object]:
    rows = {row for each in checked.values() for row in each.rows}
    pairs = {pair for each in checked.values() for pair in each.pairs}
    agree = not any(each.errors for each in checked.values())
    agree &= not any(each.only_spin or each.only_explorer for each in compared.values())
    agree &= all(each["claim"] == each["expected"] for each in broken.values())
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "table": TABLE.version,
        "spin": version(),
        "agree": agree,
        "rows": {"total": len(TABLE.rows), "taken": len(rows)},
        "pairs": {
            "rows": [len(pairs & set(TABLE.by_pair)), len(TABLE.by_pair)],
            "ignored": [len(pairs & set(TABLE.ignored)), len(TABLE.ignored)],
            "impossible": [len(pairs & TABLE.impossible), len(TABLE.impossible)],
        },
        "states": sum(each.states for each in checked.values()),
        "transitions": sum(each.transitions for each in checked.values()),
        "errors": sum(each.errors for each in checked.values()),
        "seconds": round(sum(each.seconds for each in checked.values()), 1),
        "scopes": {
            name: {
                "states": each.states,
                "transitions": each.transitions,
                "depth": each.depth,
                "errors": each.errors,
                "broken": each.claim,
                "rows": len(each.rows),
                "pairs": len(each.pairs),
                "memory_mb": round(each.memory_mb, 1),
                "seconds": round(each.seconds, 1),
                "only_spin": compared[name].only_spin,
                "only_explorer": compared[name].only_explorer,
            }
            for name, each in checked.items()
        },
        "broken_rows": broken,
    }


if __name__ == "__main__":
    sys.exit(main())

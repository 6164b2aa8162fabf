"""Counts what came of many transfers, and says whether enough of each kind were among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warm_transfer.states import DELIVERED, FINAL, State
from warm_transfer.testing.livekit.sim.running import Ran
from warm_transfer.testing.livekit.sim.troubles import Kind

__all__ = ["JUDGED_FROM", "SHARES", "Tally", "Violation", "replayed_by"]

SHARES: Mapping[str, float] = {"outcome": 0.03, "fault": 0.3, "fault_while_merging": 0.01}
"""The smallest share of each result and of each end after a merge, of transfers with a fault, and
of transfers with a fault while merging."""

JUDGED_FROM = 1000
"""Among fewer transfers than this a share says little."""

_COUNTED = tuple(state for state in State if state in DELIVERED | FINAL)


@dataclass(frozen=True, slots=True)
class Violation:
    """A transfer in which something was wrong."""

    seed: int
    problems: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What came of so many transfers."""

    n: int = 0
    outcomes: Counter[State] = field(default_factory=Counter)
    """Results; and of those that were merged, how they ended."""
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)
    """In how many transfers a fault of each kind has happened."""
    names: Counter[str] = field(default_factory=Counter)
    """How often which method of the seam, or what else, went wrong."""
    with_fault: int = 0
    with_fault_while_merging: int = 0
    steps: int = 0
    violations: list[Violation] = field(default_factory=list)

    def count(self, ran: Ran) -> None:
        """Count one more."""
        self.n += 1
        self.outcomes.update({each for each in (ran.outcome, ran.final) if each in _COUNTED})
        self.reasons[str(ran.reason)] += 1
        self.kinds.update({met.kind for met in ran.met})
        self.names.update(met.name for met in ran.met)
        self.with_fault += bool(ran.met)
        self.with_fault_while_merging += any(met.state is State.MERGING for met in ran.met)
        self.steps += len(ran.lines)
        if ran.problems:
            self.violations.append(Violation(ran.seed, ran.problems))

    def add(self, other: Tally) -> None:
        """Count all that somebody else has counted."""
        self.n += other.n
        self.outcomes.update(other.outcomes)
        self.reasons.update(other.reasons)
        self.kinds.update(other.kinds)
        self.names.update(other.names)
        self.with_fault += other.with_fault
        self.with_fault_while_merging += other.with_fault_while_merging
        self.steps += other.steps
        self.violations += other.violations

    def missed(self) -> list[str]:
        """The shares that are too small, in words; none among too few transfers."""
        if self.n < JUDGED_FROM:
            return []
        wanted = [(state.value, self.outcomes[state], SHARES["outcome"]) for state in _COUNTED]
        wanted += [
            ("with a fault", self.with_fault, SHARES["fault"]),
            (
                "with a fault while merging",
                self.with_fault_while_merging,
                SHARES["fault_while_merging"],
            ),
        ]
        wanted += [(f"with {kind}", self.kinds[kind], 1 / self.n) for kind in Kind]
        return [
            f"{name}: {found} of {self.n}, less than {share:.1%}"
            for name, found, share in wanted
            if found < share * self.n
        ]

    def in_json(self) -> dict[str, Any]:
        """As ``build/sim.json`` has it."""
        return {
            "n": self.n,
            "steps": self.steps,
            "outcomes": {state.value: self._share(self.outcomes[state]) for state in _COUNTED},
            "reasons": dict(sorted(self.reasons.items())),
            "faults": {
                "transfers": self._share(self.with_fault),
                "while_merging": self._share(self.with_fault_while_merging),
                "kinds": {kind.value: self._share(self.kinds[kind]) for kind in Kind},
                "names": dict(sorted(self.names.items())),
            },
            "missed": self.missed(),
            "violations": [
                {"seed": each.seed, "problems": list(each.problems), "replay": replayed_by(each)}
                for each in sorted(self.violations, key=lambda each: each.seed)
            ],
        }

    def _share(self, found: int) -> dict[str, float]:
        return {"n": found, "share": round(found / max(self.n, 1), 5)}


def replayed_by(violation: Violation) -> str:
    """The command that plays it again."""
    return f"make sim N=1 SEED={violation.seed}"

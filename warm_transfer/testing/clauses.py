"""The clauses of a contract, and what a run found out about them.

A clause has a name and one sentence. A run keeps what happened, in order, and every clause that
did not hold; the first of them in the contract's order is the one that is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

__all__ = ["BrokenClause", "Findings", "brief", "parts_given"]

_HAPPENED_MAX = 40
"""Lines of history in a report; what is older is left out."""


class BrokenClause(AssertionError):
    """A clause of a contract does not hold."""

    def __init__(
        self,
        clause: str,
        sentence: str,
        problem: str,
        *,
        plan: object = None,
        also: tuple[str, ...] = (),
        happened: tuple[str, ...] = (),
    ) -> None:
        super().__init__(clause, sentence, problem)
        self.clause = clause
        """The name of the clause."""
        self.sentence = sentence
        """What the clause says."""
        self.problem = problem
        """What was seen instead."""
        self.plan = plan
        """What was tried."""
        self.also = also
        """Other clauses that the same run has broken."""
        self.happened = happened
        """What happened, line by line."""

    def __str__(self) -> str:
        lines = [f"{self.clause}: {self.problem}", f"  the clause: {self.sentence}"]
        if self.plan is not None:
            lines.append(f"  tried: {brief(self.plan)}")
        if self.happened:
            lines.append("  what happened:")
            lines += [f"    {each}" for each in self.happened]
        if self.also:
            lines.append(f"  also broken: {', '.join(self.also)}")
        return "\n".join(lines)


class Findings:
    """What one run has found out.

    Args:
        clauses: the sentence of each clause by its name, in the order in which they are reported.
        plan: what is tried.
    """

    def __init__(self, clauses: Mapping[str, str], plan: object = None) -> None:
        self._clauses = clauses
        self._plan = plan
        self.problems: dict[str, str] = {}
        """The first problem of each clause that did not hold."""
        self._happened: list[str] = []
        self.now_s: Callable[[], float] = lambda: 0.0
        """The time that stands before what happened, in seconds."""

    def note(self, what: str) -> None:
        """Keep that something happened."""
        self._happened.append(f"{self.now_s():9.3f} s  {what}")

    def check(self, holds: object, clause: str, problem: str) -> None:
        """A clause holds here, or it is broken by a problem; the first problem counts."""
        assert clause in self._clauses, f"{clause} is no clause of this contract"
        if not holds and clause not in self.problems:
            self.problems[clause] = problem
            self.note(f"broken: {clause}: {problem}")

    @contextmanager
    def guard(self, clause: str, what: str) -> Iterator[None]:
        """Whatever is raised in here breaks a clause; a cancellation goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - code under test may raise anything
            self.check(False, clause, f"{what} raised {error!r}")

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the clauses that did not hold, in the contract's order."""
        return tuple(each for each in self._clauses if each in self.problems)

    def raise_if_broken(self) -> None:
        """Raise for the first clause that did not hold.

        Raises:
            BrokenClause: it names the clause, and tells what happened.
        """
        if not self.problems:
            return
        first, *also = self.broken
        raise BrokenClause(
            first,
            self._clauses[first],
            self.problems[first],
            plan=self._plan,
            also=tuple(also),
            happened=tuple(self._happened[-_HAPPENED_MAX:]),
        )


def brief(value: Any) -> str:
    """A value as one writes it: of a dataclass only what is not as by default."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{brief(k)}: {brief(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(brief, value))})"
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    given = [f"{name}={brief(part)}" for name, part in parts_given(value)]
    return f"{type(value).__name__}({', '.join(given)})"


def parts_given(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass that are not as by default, and what they are."""
    for each in fields(value):
        part = getattr(value, each.name)
        if part != _default(each):
            yield each.name, part


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default

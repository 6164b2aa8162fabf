"""A contract suite: plans are drawn, each is played on a fresh virtual clock, clauses are checked.

A suite is a class with one test. Whoever has an adapter of their own derives from it, says how to
make the adapter, and lets pytest, or unittest, run it. First come the usual plans, then what
hypothesis draws, as many as its active profile says; what breaks is shrunk and its clause named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from warm_transfer.testing import clock
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.tools import needed

__all__ = ["Contract"]

P = TypeVar("P")


class Contract(Generic[P]):
    """What every suite does; the suites say what is tried and what must hold."""

    CLAUSES: ClassVar[Mapping[str, str]] = {}
    """The sentence of each clause by its name."""

    def usual(self) -> Sequence[P]:
        """The plans that are always tried, simplest first."""
        raise NotImplementedError

    def drawn(self, st: Any) -> Any:
        """The strategy by which further plans are drawn.

        Args:
            st: ``hypothesis.strategies``.
        """
        raise NotImplementedError

    async def play(self, plan: P, findings: Findings) -> None:
        """Play one plan, and take down what it shows."""
        raise NotImplementedError

    def check(self, plan: P) -> None:
        """Play one plan on a fresh virtual clock.

        Raises:
            BrokenClause: a clause does not hold.
            warm_transfer.testing.clock.Deadlock: everybody waits for somebody, as when an adapter
                waits for a socket or a thread.
        """
        findings = Findings(self.CLAUSES, plan)
        clock.run(self.play(plan, findings))
        findings.raise_if_broken()

    def test_every_clause_holds(self) -> None:
        """Try the usual plans, then what is drawn."""
        hypothesis = needed("hypothesis", "the contract suites")
        st = needed("hypothesis.strategies", "the contract suites")

        def every_clause_holds(plan: P) -> None:
            self.check(plan)

        # What hypothesis prints of a failure begins with this name.
        every_clause_holds.__name__ = type(self).__name__
        test: Any = hypothesis.given(plan=self.drawn(st))(every_clause_holds)
        for plan in self.usual():
            self.check(plan)
        # A run takes milliseconds, but the machine may be shared.
        hypothesis.settings(deadline=None)(test)()

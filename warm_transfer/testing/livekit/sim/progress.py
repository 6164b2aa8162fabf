"""How far a long run is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from typing import TextIO

from warm_transfer.testing.livekit.sim.counting import Tally, replayed_by

__all__ = ["Progress"]

WIDTH = 30
PARTS = 10
"""Elsewhere than on a terminal, how many lines there are in all."""


class Progress:
    """Shows how far a run of `n` transfers is.

    Args:
        n: how many there will be.
        to: where to write.
    """

    def __init__(self, n: int, to: TextIO) -> None:
        self._n = n
        self._to = to
        self._shown = 0
        self._told = 0

    def show(self, tally: Tally, seconds: float) -> None:
        """Show it, so many seconds after the beginning."""
        line = self._line(tally, seconds)
        self._tell(tally)
        if self._to.isatty():
            self._to.write(f"\r{line}\x1b[K")
        elif tally.n * PARTS // self._n > self._shown:
            self._shown = tally.n * PARTS // self._n
            self._to.write(f"{line}\n")
        self._to.flush()

    def _tell(self, tally: Tally) -> None:
        """Tell what has been found since, at once: a long run may be looked into while it runs."""
        for each in tally.violations[self._told :]:
            begin = "\r\x1b[K" if self._to.isatty() else ""
            self._to.write(f"{begin}{replayed_by(each)}: {'; '.join(each.problems)}\n")
        self._told = len(tally.violations)

    def end(self) -> None:
        """Leave the bar's line."""
        if self._to.isatty():
            self._to.write("\n")

    def _line(self, tally: Tally, seconds: float) -> str:
        done = tally.n / self._n
        each_s = seconds / max(tally.n, 1)
        bar = "#" * round(done * WIDTH)
        left_s = each_s * (self._n - tally.n)
        return (
            f"[{bar:.<{WIDTH}}] {tally.n:,} of {self._n:,}, {1 / max(each_s, 1e-9):,.0f} a second, "
            f"{left_s:.0f} s left, {len(tally.violations)} violations"
        )

from __future__ import annotations

import io

from warm_transfer.testing.livekit.sim.counting import Tally, Violation
from warm_transfer.testing.livekit.sim.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_that_grows_in_one_line() -> None:
    to = Terminal()
    progress = Progress(1000, to)
    progress.show(Tally(n=500, violations=[Violation(3, ("x", "y"))]), 2.0)
    assert to.getvalue() == (
        "\r\x1b[Kmake sim N=1 SEED=3: x; y\n"
        "\r[###############...............] 500 of 1,000, 250 a second, 2 s left, 1 violations"
        "\x1b[K"
    )
    progress.show(Tally(n=1000, violations=[Violation(3, ("x", "y"))]), 4.0)
    progress.end()
    assert to.getvalue().count("\n") == 2
    assert "#" * 30 in to.getvalue()


def test_elsewhere_there_is_a_line_for_each_tenth() -> None:
    to = io.StringIO()
    progress = Progress(1000, to)
    for n in range(50, 1001, 50):
        progress.show(Tally(n=n), n / 100)
    progress.end()
    assert len(to.getvalue().splitlines()) == 10
    assert "\r" not in to.getvalue()


def test_before_anything_is_done_nothing_is_divided_by_nothing() -> None:
    to = Terminal()
    Progress(10, to).show(Tally(), 0.0)
    assert "0 of 10" in to.getvalue()


def test_elsewhere_too_a_violation_is_told_once_and_at_once() -> None:
    to = io.StringIO()
    progress = Progress(100_000, to)
    found = Violation(7, ("wrong",))
    progress.show(Tally(n=100, violations=[found]), 1.0)
    assert to.getvalue() == "make sim N=1 SEED=7: wrong\n"
    progress.show(Tally(n=200, violations=[found, Violation(8, ("too",))]), 2.0)
    assert to.getvalue().splitlines()[1:] == ["make sim N=1 SEED=8: too"]

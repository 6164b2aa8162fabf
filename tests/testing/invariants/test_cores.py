"""Each promise of the group is broken once on purpose, and names itself."""

from tests.testing.invariants.made import (
    Made,
    each_names_itself,
)
from warm_transfer.events import On
from warm_transfer.states import State
from warm_transfer.testing.invariants import Core
from warm_transfer.testing.invariants.cores import CORES

S = State

BROKEN: dict[str, Made] = {
    "every_wait_has_a_deadline": lambda: Core(S.DIALING, frozenset({On.HOLD_LIMIT_PASSED}), 1),
    "the_clocks_alone_end_it": lambda: Core(S.MERGING, frozenset({On.DEADLINE_PASSED}), None),
}


def test_each_promise_names_itself() -> None:
    each_names_itself(BROKEN, CORES)

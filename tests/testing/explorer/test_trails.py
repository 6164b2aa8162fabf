"""What was taken after what."""

from warm_transfer.table import TABLE
from warm_transfer.testing.explorer.trails import Trails

REQUESTED = "idle x TRANSFER_REQUESTED"
HELD = "holding x CALLER_HELD"
OPENED = "holding x CONSULT_OPENED"
GONE = "holding x CALLER_HUNG_UP"


def trails_of_two() -> tuple[Trails, int, int]:
    """The start, and what the request leads to."""
    trails = Trails(TABLE)
    trails.add()
    trails.add()
    requested = trails.number(REQUESTED)
    trails.leave(trails.entered[0], 1 << requested)
    assert trails.enter(1, trails.along(trails.entered[0], requested))
    return trails, requested, trails.entered[1]


def test_a_row_is_taken_directly_after_the_one_that_led_there() -> None:
    trails, requested, entered = trails_of_two()
    assert trails.last(1) == 1 << requested
    trails.leave(entered, 1 << trails.number(HELD))
    assert trails.switches == {(REQUESTED, HELD)}


def test_a_row_that_stays_comes_between_but_is_on_no_path() -> None:
    trails, _, entered = trails_of_two()
    opened = trails.along(entered, trails.number(OPENED))
    trails.leave(opened, 1 << trails.number(GONE))
    trails.along(opened, trails.number(GONE))
    assert trails.switches == {(OPENED, GONE)}
    assert trails.paths == {(REQUESTED, GONE)}


def test_a_second_way_in_is_told_from_one_that_is_known() -> None:
    trails, _, entered = trails_of_two()
    assert not trails.enter(1, entered)
    assert trails.enter(1, trails.along(entered, trails.number(OPENED)))

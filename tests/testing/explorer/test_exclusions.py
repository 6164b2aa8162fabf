"""What no world can do is written down row by row; that it is right is in test_every_path."""

from warm_transfer.table import TABLE
from warm_transfer.testing.explorer.exclusions import NOT_IN_ANY_WORLD
from warm_transfer.testing.explorer.feasible import adjacent


def test_each_is_a_pair_of_rows_that_meet() -> None:
    assert set(NOT_IN_ANY_WORLD) <= adjacent(TABLE)


def test_each_has_a_reason() -> None:
    assert all(len(why) > 40 for why in NOT_IN_ANY_WORLD.values())

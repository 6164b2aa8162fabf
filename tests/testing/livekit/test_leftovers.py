from warm_transfer.testing.livekit.leftovers import Ledger, Left


def test_nothing_is_false_and_anything_is_true() -> None:
    assert not Left()
    assert Left(tasks=("a task",))
    assert str(Left(rooms=("a", "b"), open=("player",))) == "rooms: a, b; open: player"


def test_what_was_kept_does_not_count_but_more_of_it_does() -> None:
    ledger, things = Ledger(), [object(), object()]
    ledger.opened(things[0], "api client")
    ledger.keep([])
    assert not ledger.left([])
    ledger.opened(things[1], "api client")
    assert ledger.left([]).open == ("api client",)
    ledger.closed(things[1])
    ledger.closed(things[1])
    assert not ledger.left([])

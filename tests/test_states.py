from warm_transfer.states import DELIVERED, FINAL, HELD, WAITING, State


def test_the_happy_path_comes_first_and_in_its_order() -> None:
    happy = [State.IDLE, State.HOLDING, State.DIALING, State.BRIEFING, State.MERGING, State.MERGED]
    assert list(State)[:6] == happy


def test_a_state_waits_is_final_or_is_idle() -> None:
    assert frozenset() == WAITING & FINAL
    assert WAITING | FINAL | {State.IDLE} == set(State)


def test_the_caller_is_held_in_every_waiting_state_before_the_merge() -> None:
    assert {State.MERGED} == WAITING - HELD


def test_every_end_but_those_after_a_merge_delivers_the_outcome() -> None:
    assert {State.ENDED, State.RETURNED} == FINAL - DELIVERED
    assert {State.MERGED} == DELIVERED - FINAL


def test_a_state_is_written_as_its_name_in_lower_case() -> None:
    for state in State:
        assert state.value == state.name.lower()
        assert f"{state}" == state.value

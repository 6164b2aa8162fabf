"""Equal memories are equal, whatever numbers their effects have."""

from warm_transfer.effects import Do
from warm_transfer.events import Event, On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.explorer.memory import (
    GAP,
    canonical,
    fork,
    key,
    renamed,
    renumber,
    rewind,
)
from warm_transfer.testing.invariants import Known
from warm_transfer.testing.model import Flight, Phase
from warm_transfer.transfer import Handling, Transfer


def dialing(*before: On) -> Transfer:
    transfer = Transfer("t")
    for on in (On.TRANSFER_REQUESTED, *before, On.CALLER_HELD):
        transfer.receive(Event(on), 0.0)
    return transfer


def key_of(transfer: Transfer) -> tuple[object, ...]:
    memory = vars(transfer)
    renumber(memory)
    rewind(memory, 0.0)
    return key(memory, Known(), Carrier.AGENT)


def test_a_fork_goes_its_own_way() -> None:
    transfer = dialing()
    twin = fork(transfer)
    twin.receive(Event(On.CONSULT_ANSWERED), 1.0)
    assert transfer.state is State.DIALING
    assert transfer.receive(Event(On.CONSULT_RANG), 1.0).effects == ()
    first = transfer.receive(Event(On.CONSULT_ANSWERED), 1.0).effects[0].id
    assert first == vars(twin)["_newest"][Do.START_BRIEFING]


def test_what_has_no_effect_leaves_the_memory_equal() -> None:
    assert key_of(dialing()) == key_of(dialing(On.CONSULT_OPENED, On.CONSULT_OPENED))
    assert key_of(dialing()) != key_of(Transfer("t"))


def test_effects_that_report_are_renumbered_and_releases_forgotten() -> None:
    transfer = dialing()
    transfer.receive(Event(On.APP_CANCELLED), 1.0)
    kept = renumber(vars(transfer))
    assert sorted(vars(transfer)["_names"]) == [GAP, 2 * GAP, 3 * GAP, 4 * GAP]
    assert kept == sorted(kept)
    assert Do.HANG_UP_CONSULT not in vars(transfer)["_newest"]


def test_what_was_settled_stays_settled_by_its_new_number() -> None:
    transfer = dialing(On.CONSULT_OPENED)
    for on in (On.CONSULT_ANSWERED, On.APP_ACCEPTED, On.BRIEFING_STOPPED, On.MERGE_CONFIRMED):
        transfer.receive(Event(on), 1.0)
    merge = vars(transfer)["_newest"][Do.MERGE_LEGS]
    assert merge <= vars(transfer)["_settled"]
    renumber(vars(transfer))
    assert vars(transfer)["_newest"][Do.MERGE_LEGS] <= vars(transfer)["_settled"]
    late = Event(On.MERGE_FAILED, effect=vars(transfer)["_newest"][Do.MERGE_LEGS])
    assert transfer.receive(late, 2.0).handling is Handling.STALE


def test_an_id_that_is_not_kept_stands_behind_the_kept_one_before_it() -> None:
    kept = (3, 7)
    assert [renamed(number, kept) for number in kept] == [GAP, 2 * GAP]
    assert GAP < renamed(5, kept) < 2 * GAP < renamed(9, kept)
    flights = (
        Flight(GAP, Do.DIAL_CONSULT, Phase.RUNNING),
        Flight(GAP + 40, Do.HANG_UP_CONSULT, Phase.RUNNING),
        Flight(GAP + 60, Do.CLOSE_CONSULT, Phase.WAITING),
    )
    assert [each.id for each in canonical(flights)] == [GAP, GAP + 1, GAP + 2]

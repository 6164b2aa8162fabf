import pickle

import pytest

from warm_transfer import errors
from warm_transfer.errors import (
    CallerUnclear,
    InvalidArgument,
    JournalError,
    ServerUnusable,
    TableError,
    TransferInProgress,
    UnexpectedEvent,
    WarmTransferError,
)

LINK = "`RoomOptions(participant_identity=...)`"
TEXTS = [
    (
        InvalidArgument("sip_trunk_id", "is missing", "give the id of an outbound trunk"),
        "`sip_trunk_id` is missing; give the id of an outbound trunk",
    ),
    (
        CallerUnclear(0),
        (
            "the session is linked to no participant; the caller has hung up, or has not joined "
            f"yet, or is to be named with {LINK}"
        ),
    ),
    (
        CallerUnclear(3),
        f"3 participants could be the caller; link the session to one with {LINK}",
    ),
    (
        TransferInProgress("tr_1", "dialing"),
        (
            "transfer tr_1 of this session is still dialing; wait for it or cancel it before "
            "starting another"
        ),
    ),
    (
        ServerUnusable("LIVEKIT_API_KEY", "is refused", "check LIVEKIT_API_SECRET"),
        "`LIVEKIT_API_KEY` is refused; check LIVEKIT_API_SECRET",
    ),
    (
        TableError("idle x APP_CANCELLED", "stands twice"),
        "idle x APP_CANCELLED: stands twice",
    ),
    (
        UnexpectedEvent("idle", "CONSULT_RANG"),
        "CONSULT_RANG cannot happen while idle",
    ),
    (
        JournalError("journal.jsonl, line 3", "is no JSON"),
        "journal.jsonl, line 3: is no JSON",
    ),
]
IDS = [f"{type(error).__name__}-{number}" for number, (error, _) in enumerate(TEXTS)]


@pytest.mark.parametrize(("error", "text"), TEXTS, ids=IDS)
def test_an_error_makes_its_own_text(error: WarmTransferError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(("error", "text"), TEXTS, ids=IDS)
def test_an_error_survives_pickling(error: WarmTransferError, text: str) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is type(error)
    assert str(again) == text


def test_every_error_is_in_the_table_of_texts() -> None:
    own = {getattr(errors, name) for name in errors.__all__} - {WarmTransferError}
    assert {type(error) for error, _ in TEXTS} == own


def test_every_error_is_the_librarys_own_and_stands_in_the_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), WarmTransferError)
        assert f"`{name}`" in (errors.__doc__ or "")


def test_a_wrong_argument_is_also_a_value_error() -> None:
    assert issubclass(InvalidArgument, ValueError)

"""How long the doctor waits for what, in seconds, and from where on it complains."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from warm_transfer.errors import InvalidArgument

__all__ = ["DoctorLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorLimits:
    """The limits of one examination.

    Raises:
        InvalidArgument: one is not a positive number.
    """

    whole_s: float = 90.0
    """All checks together, without the cleaning up."""
    request_s: float = 5.0
    """One request that nobody has to be waited for: as `TransferPolicy.api_timeout_s`."""
    join_s: float = 15.0
    """To join a room, audio path included: as `TransferPolicy.open_timeout_s`."""
    watch_s: float = 2.0
    """How long an agent that nobody called has to take the test room."""
    move_s: float = 8.0
    """To move a participant; the server waits 3 s for one that is not there."""
    sip_service_s: float = 10.0
    """For an answer of the SIP service; the server gives up on an absent one after 1 s."""
    answer_s: float = 5.0
    """For the SIP service to answer its own call; measured on loopback: 0.1 s."""
    hear_s: float = 5.0
    """For sound over the bridge; measured on loopback: 0.4 s after the dial."""
    ring_s: float = 20.0
    """How long the phone of ``--call`` may ring."""
    call_margin_s: float = 5.0
    """What a dialling request may take longer than the ringing."""
    cleanup_s: float = 15.0
    """To remove everything that was made."""
    slow_request_s: float = 1.0
    """A slower server is complained of: a look at both rooms has to be done in the 2 s of
    `TransferPolicy.look_timeout_s`."""
    skew_warning_s: float = 10.0
    """Clocks that differ by more are complained of."""
    skew_failed_s: float = 60.0
    """Clocks that differ by more make tokens invalid (livekit/protocol ``auth/verifier.go``,
    ``tokenLeeway``)."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not math.isfinite(value) or value <= 0:
                raise InvalidArgument(each.name, f"is {value!r}", "give seconds above 0")

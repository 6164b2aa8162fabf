"""How long each effect may take: sums of named limits of the policy, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from warm_transfer.effects import RELEASES, Do
from warm_transfer.policy import Plan, TransferPolicy

__all__ = ["limit_s"]

_FIELDS: Mapping[Do, tuple[str, ...]] = {
    Do.HOLD_CALLER: ("speech_limit_s", "hold_timeout_s"),
    Do.PLAY_HOLD_AUDIO: ("speech_limit_s", "api_timeout_s"),
    Do.OPEN_CONSULT: ("open_timeout_s",),
    # Once more the margin: the dialer's own limit is to strike first, because it knows more.
    Do.DIAL_CONSULT: ("ring_timeout_s", "dial_margin_s", "dial_margin_s"),
    Do.START_BRIEFING: ("decision_timeout_s",),
    Do.STOP_BRIEFING: ("merge_timeout_s",),
    # A merge that waits for it has at least half of its own time left.
    Do.PREPARE_MERGE: ("api_timeout_s",),
    Do.MERGE_LEGS: ("merge_timeout_s",),
    Do.LOOK_AT_ROOMS: ("look_timeout_s",),
    Do.NOTIFY_CONSULT: ("notice_limit_s",),
    Do.DELIVER_OUTCOME: ("api_timeout_s",),
    Do.AWAIT_LAST_WORDS: ("leave_timeout_s",),
    **dict.fromkeys(sorted(RELEASES), ("release_timeout_s",)),
    # It goes on until the dialling request has ended, which may take as long as the ringing.
    Do.HANG_UP_CONSULT: ("ring_timeout_s", "dial_margin_s", "dial_margin_s", "release_timeout_s"),
}

_WITH_DTMF = frozenset({Do.DIAL_CONSULT, Do.HANG_UP_CONSULT})


def limit_s(name: Do, policy: TransferPolicy, plan: Plan) -> float:
    """The limit of one run of an effect, in seconds."""
    limit: float = sum(getattr(policy, field) for field in _FIELDS[name])
    return limit + plan.dtmf_s if name in _WITH_DTMF else limit

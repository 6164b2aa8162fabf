"""Which strategies a run can have here, and in a sentence why not.

The human is a WebRTC participant everywhere, so that what is heard can be attributed; a bridge and
a move join it all the same. No phone is dialled.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from tests.live.server import VARIABLES

__all__ = ["NAMES", "RUNNABLE", "why_not"]

NAMES = ("relay", "shared_room", "sip_bridge", "move")
RUNNABLE = ("relay", "shared_room")
"""Those that need no SIP service and nobody's cloud."""

_NEEDS = {"sip_bridge": (*VARIABLES, "WT_BRIDGE_TRUNK"), "move": VARIABLES}
_FOR = {
    "sip_bridge": "it needs a LiveKit server with a SIP service, and the bridge's objects there",
    "move": "it needs LiveKit's cloud, for the open-source server cannot move a participant",
}


def why_not(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why a strategy cannot run with these variables; None when it can."""
    if name in RUNNABLE:
        return None
    missing = [each for each in _NEEDS[name] if not environ.get(each)]
    if missing:
        return f"{_FOR[name]}; set {', '.join(missing)}"
    return None

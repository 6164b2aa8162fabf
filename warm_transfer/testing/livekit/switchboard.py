"""Which scripted phone a dial reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livekit import api

from warm_transfer.testing.livekit.bridge import Bridge
from warm_transfer.testing.livekit.phones import Call, Phone
from warm_transfer.testing.livekit.world import World

__all__ = ["Switchboard"]


class Switchboard:
    """Connects dials to phones.

    Args:
        world: the server.
        phones: what the phone of each destination does, call by call; the last one goes on. The
            destination ``""`` stands for every other.
    """

    def __init__(self, world: World, phones: Mapping[str, Sequence[Phone]] | None = None) -> None:
        self._world = world
        self._phones = {number: list(each) for number, each in (phones or {}).items()}
        self.calls: list[Call] = []
        """Every call to a phone so far, in order."""
        self.bridges: list[Bridge] = []
        """Every call of the SIP service to itself so far, in order."""

    def call(self, request: api.CreateSIPParticipantRequest) -> Call:
        """Ring the phone that a request asks for, or the SIP service itself."""
        if self._world.trunks.leads_here(request.sip_trunk_id):
            bridge = Bridge(self._world, request)
            self.bridges.append(bridge)
            return bridge
        scripts = self._phones.get(request.sip_call_to) or self._phones.get("") or [Phone()]
        phone = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        call = Call(self._world, request, phone, "human")
        self.calls.append(call)
        return call

"""The unmodified class of livekit-agents on the simulated server.

Only the SDK's names that its module uses are exchanged, by objects of the same simulated server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from livekit import rtc
from livekit.agents.beta.workflows import warm_transfer as module

from tests.holes.framework import HolesSdk
from warm_transfer.testing.livekit.player import SimHoldPlayer

__all__ = ["incumbent_on"]


class _Rtc:
    """``livekit.rtc`` with simulated rooms."""

    def __init__(self, sdk: HolesSdk) -> None:
        self.Room = sdk.room

    def __getattr__(self, name: str) -> Any:
        return getattr(rtc, name)


@contextlib.contextmanager
def incumbent_on(sdk: HolesSdk) -> Iterator[None]:
    """While it lasts, what the incumbent's module makes is simulated."""

    def session(**options: Any) -> Any:
        return sdk.consult_session(options)

    def player() -> SimHoldPlayer:
        return SimHoldPlayer(sdk.world, "background_audio")

    exchanged = mock.patch.multiple(
        module, rtc=_Rtc(sdk), AgentSession=session, BackgroundAudioPlayer=player
    )
    with exchanged:
        yield

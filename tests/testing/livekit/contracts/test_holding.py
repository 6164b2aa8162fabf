"""Our own way of holding, with our hold audio and with others, keeps the contract."""

from __future__ import annotations

from tests.testing.livekit.contracts.own_holds import Tune
from warm_transfer.testing.contracts import HoldAudioContract


class TestOurs(HoldAudioContract):
    """The clip that is played unless an application gives something."""


class TestSilence(HoldAudioContract):
    def hold_audio(self) -> None:
        return None


class TestIterator(Tune):
    """Frames that an application makes."""

import pytest

from warm_transfer.testing.livekit.switches import Switches
from warm_transfer.testing.livekit.world import World

pytestmark = pytest.mark.asyncio


async def test_everything_is_on_at_first_and_changes_are_kept() -> None:
    switches = Switches(World(), "output", ("audio", "video", "transcription"), has=("audio",))
    seen: list[bool] = []
    switches.changed = lambda: seen.append(switches.audio_enabled)
    switches.set_audio_enabled(enable=False)
    switches.set_audio_enabled(enable=False)
    switches.set_video_enabled(enable=False)
    switches.set_transcription_enabled(enable=False)
    assert switches.all() == {"audio": False, "video": False, "transcription": False}
    assert [what for _, what, _ in switches.log] == [
        "output.audio",
        "output.video",
        "output.transcription",
    ]
    assert seen == [False, False, False]
    assert not switches.video_enabled
    assert not switches.transcription_enabled


async def test_what_is_connected_can_be_asked_as_in_the_sdk() -> None:
    switches = Switches(World(), "input", ("audio", "video"), has=("audio",))
    assert switches.audio is not None
    assert switches.video is None
    assert switches.transcription is None

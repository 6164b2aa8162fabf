import asyncio

import pytest

from warm_transfer.testing.livekit.voice import SimSpeech, Voice
from warm_transfer.testing.livekit.world import World

pytestmark = pytest.mark.asyncio


async def test_one_thing_is_said_after_the_other_and_each_beginning_and_end_is_told() -> None:
    world, told = World(), list[tuple[float, bool]]()
    voice = Voice(world, "agent", lambda: True, lambda on: told.append((world.now_s, on)))
    began_s = world.now_s
    first, second = SimSpeech("one"), SimSpeech("two")
    voice.say(first, 2.0)
    voice.say(second, 3.0)
    assert voice.current is first
    await second.wait_for_playout()
    assert first.done()
    assert world.now_s - began_s == pytest.approx(5.0)
    await voice.aclose()
    assert [on for _, on in told] == [True, False, True, False]
    assert [at_s - began_s for at_s, _ in told] == pytest.approx([0.0, 2.0, 2.0, 5.0])
    assert voice.current is None


async def test_with_the_output_off_nothing_sounds_and_it_is_over_in_no_time() -> None:
    world, told = World(), list[bool]()
    voice = Voice(world, "agent", lambda: False, told.append)
    began_s = world.now_s
    speech = SimSpeech("one")
    voice.say(speech, 2.0)
    await speech
    # integration 2: it "plays" in 10 ms
    assert world.now_s - began_s == pytest.approx(0.01)
    await voice.aclose()
    assert True not in told


async def test_what_may_not_be_interrupted_is_only_by_force() -> None:
    voice = Voice(World(), "agent", lambda: True)
    firm, weak = SimSpeech("one", allow_interruptions=False), SimSpeech("two")
    voice.say(firm, 2.0)
    voice.say(weak, 2.0)
    await asyncio.sleep(0.5)
    voice.interrupt(force=False)
    assert (firm.done(), weak.done(), weak.interrupted) == (False, True, True)
    with pytest.raises(RuntimeError, match="does not allow interruptions"):
        firm.interrupt()
    voice.interrupt(force=True)
    assert firm.interrupted
    await voice.aclose()


async def test_who_asked_is_told_once_when_it_is_over() -> None:
    speech, told = SimSpeech("one"), list[SimSpeech]()
    speech.add_done_callback(told.append)
    speech.add_done_callback(told.append)
    assert told == []
    speech.finish()
    speech.interrupt()
    assert told == [speech]
    assert not speech.interrupted

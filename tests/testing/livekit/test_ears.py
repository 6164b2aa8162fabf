from warm_transfer.testing.livekit.ears import Ears, Heard


def test_a_changing_mix_becomes_intervals() -> None:
    ears = Ears()
    ears.hear("caller", "caller-1", frozenset({"agent"}), 1.0)
    ears.hear("caller", "caller-1", frozenset({"agent", "music"}), 2.0)
    ears.hear("caller", "caller-1", frozenset({"music"}), 3.0)
    assert ears.hears("caller") == {"music"}
    assert ears.heard("caller", 5.0) == (
        Heard("caller", "caller-1", "agent", 1.0, 3.0),
        Heard("caller", "caller-1", "music", 2.0, 5.0),
    )


def test_a_sound_of_no_length_was_not_heard() -> None:
    ears = Ears()
    ears.hear("caller", "caller-1", frozenset({"agent"}), 1.0)
    ears.hear("caller", "caller-1", frozenset(), 1.0)
    assert ears.heard("caller", 2.0) == ()


def test_one_listener_may_hear_through_several_legs() -> None:
    ears = Ears()
    for identity in ("human-1", "human-2"):
        ears.hear("human", identity, frozenset({"briefing"}), 1.0)
    assert len(ears.heard("human", 2.0)) == 2
    assert len(ears.heard("human-2", 2.0)) == 1

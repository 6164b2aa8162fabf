from livekit import rtc

from warm_transfer.testing.livekit.server import Member, ServerRoom, Track


def member(room: ServerRoom, identity: str, kind: int = 0) -> Member:
    room.members[identity] = Member("PA", identity, "", kind, room)
    return room.members[identity]


def test_a_mix_is_the_open_sounding_tracks_of_the_others() -> None:
    room = ServerRoom("call", "RM")
    listener, speaker = member(room, "listener"), member(room, "speaker")
    track = speaker.tracks["TR"] = Track("TR", "voice", 2, speaker, "agent")
    listener.tracks["TR_own"] = Track("TR_own", "mine", 2, listener, "caller", open=True)
    assert listener.mix() == frozenset()
    track.open = True
    assert listener.mix() == {"agent"}
    for name, value in (("muted", True), ("cut", True), ("live", False), ("tag", "")):
        before = getattr(track, name)
        setattr(track, name, value)
        assert listener.mix() == frozenset()
        setattr(track, name, before)
    for name in ("hears", "can_subscribe", "joined"):
        setattr(listener, name, False)
        assert listener.mix() == frozenset()
        setattr(listener, name, True)
    listener.unsubscribed.add("TR")
    assert listener.mix() == frozenset()


def test_agents_do_not_keep_a_room_open() -> None:
    room = ServerRoom("call", "RM")
    agent = member(room, "agent", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
    assert not room.keeps_open
    caller = member(room, "caller")
    assert room.keeps_open
    assert list(room.others(agent)) == [caller]

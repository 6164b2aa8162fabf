import pytest
from livekit import rtc

from warm_transfer.testing.livekit.server import Member, ServerRoom, Track, tag_of

SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP


def member(room: ServerRoom, identity: str, kind: int = 0) -> Member:
    room.members[identity] = Member("PA", identity, "", kind, room)
    return room.members[identity]


def heard_track(room: ServerRoom, listener: Member) -> Track:
    speaker = member(room, "speaker")
    track = speaker.tracks["TR"] = Track("TR", "voice", 2, speaker, "agent", open=True)
    listener.asked.add("TR")
    listener.receives.add(track)
    return track


def test_a_mix_is_the_open_sounding_tracks_that_reach_somebody() -> None:
    room = ServerRoom("call", "RM")
    listener = member(room, "listener")
    track = heard_track(room, listener)
    assert listener.mix() == {"agent"}
    for name, value in (("muted", True), ("cut", True), ("live", False), ("open", False)):
        before = getattr(track, name)
        setattr(track, name, value)
        assert listener.mix() == frozenset(), name
        setattr(track, name, before)
    track.tag = ""
    assert listener.mix() == frozenset()
    track.tag = "agent"
    listener.joined = False
    assert listener.mix() == frozenset()


def test_a_track_of_several_sounds_is_heard_as_each_of_them() -> None:
    room = ServerRoom("call", "RM")
    listener = member(room, "listener")
    heard_track(room, listener).tag = tag_of({"music", "caller"})
    assert listener.mix() == {"caller", "music"}


def test_a_track_may_reach_who_asked_for_it_unless_somebody_forbids_it() -> None:
    # facts A.0: can_subscribe, and publisher-side track permissions
    room = ServerRoom("call", "RM")
    listener = member(room, "listener")
    track = heard_track(room, listener)
    assert listener.may_receive(track)
    for who, name, value in (
        (listener, "can_subscribe", False),
        (listener, "joined", False),
        (listener, "asked", set()),
        (listener, "room", ServerRoom("consult", "RM")),
        (track, "live", False),
        (track.member, "permissions", {}),
        (track.member, "permissions", {"other": None}),
        (track.member, "permissions", {"listener": frozenset({"TR_other"})}),
    ):
        before = getattr(who, name)
        setattr(who, name, value)
        assert not listener.may_receive(track), name
        setattr(who, name, before)


@pytest.mark.parametrize("allowed", [None, frozenset({"TR"})])
def test_a_permission_names_a_listener_with_all_tracks_or_some(
    allowed: frozenset[str] | None,
) -> None:
    room = ServerRoom("call", "RM")
    listener = member(room, "listener")
    track = heard_track(room, listener)
    track.member.permissions = {"listener": allowed}
    assert listener.may_receive(track)


def test_only_legs_ask_for_each_track_themselves() -> None:
    # facts 0.1: livekit-sip subscribes by itself
    room = ServerRoom("call", "RM")
    assert member(room, "leg", SIP).asks
    assert not member(room, "client").asks


def test_agents_do_not_keep_a_room_open() -> None:
    room = ServerRoom("call", "RM")
    agent = member(room, "agent", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
    assert not room.keeps_open
    caller = member(room, "caller")
    assert room.keeps_open
    assert room.others(agent) == [caller]

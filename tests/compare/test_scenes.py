from __future__ import annotations

from tests.compare.live import LIVE
from tests.compare.scenes import SCENES, Owed, Time
from tests.compare.simulated import PLAYS
from tests.holes.holes import HOLES

FIXED = {
    "busy",
    "no-answer",
    "decline",
    "voicemail",
    "caller-leaves-ringing",
    "caller-leaves-briefing",
    "caller-leaves-merging",
    "human-leaves-briefing",
    "human-leaves-merging",
    "session-closed",
    "await-cancelled",
    "accepted",
}


def test_the_rows_are_fixed_and_played_in_both_places() -> None:
    assert SCENES.keys() == FIXED
    assert PLAYS.keys() == FIXED
    assert LIVE.keys() == FIXED


def test_every_scene_asks_whether_the_await_ends_and_nothing_is_left() -> None:
    for scene in SCENES.values():
        assert {Owed.ENDED, Owed.CLEAN} <= set(scene.owed), scene.id


def test_a_reason_that_is_owed_has_words_to_look_for() -> None:
    for scene in SCENES.values():
        assert (Owed.REASON in scene.owed) == bool(scene.words), scene.id


def test_the_ways_in_are_always_timed_and_the_ways_out_where_they_are_owed() -> None:
    assert SCENES["busy"].timed == (Time.DIAL, Time.MUSIC, Time.BACK)
    assert SCENES["decline"].timed == (Time.DIAL, Time.MUSIC, Time.BACK, Time.RELEASE)
    assert SCENES["session-closed"].timed == (Time.DIAL, Time.MUSIC, Time.RELEASE)
    assert SCENES["human-leaves-merging"].timed == (Time.DIAL, Time.MUSIC, Time.BACK)
    assert SCENES["accepted"].timed == (Time.DIAL, Time.MUSIC, Time.HEARD, Time.RELEASE)


def test_who_leaves_in_a_scene_leaves_on_the_real_server_too() -> None:
    assert {name for name, live in LIVE.items() if live.ends == "hang-up"} == {
        name for name in FIXED if "leaves" in name
    }


def test_the_holes_that_a_scene_shows_are_holes() -> None:
    known = {hole.id for hole in HOLES}
    assert len(known) == 41
    assert {hole for scene in SCENES.values() for hole in scene.holes} <= known


def test_both_ways_of_merging_are_played_in_the_scenes_after_the_yes() -> None:
    assert {name for name, live in LIVE.items() if live.moving} == {
        "caller-leaves-merging",
        "human-leaves-merging",
        "accepted",
    }

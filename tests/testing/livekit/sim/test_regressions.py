"""Transfers that once broke an invariant; `make sim N=1 SEED=…` tells each as it stands here."""

from __future__ import annotations

import pytest
from aiohttp import ClientConnectionError
from livekit import api

from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.script import Agent, App, Caller, Scenario, Server
from warm_transfer.testing.livekit.sim.drawing import Drawn
from warm_transfer.testing.livekit.sim.running import run
from warm_transfer.testing.livekit.sim.troubles import Trouble, What
from warm_transfer.testing.livekit.when import When

REGRESSIONS = {
    # A room that a join made which had been cut off, after it had been deleted.
    "the joining of the consult room is cancelled": Drawn(
        seed=310,
        scenario=Scenario(phone=Phone(answers_after_s=5.0)),
        troubles=(Trouble(What.TASK_CANCELLED, When(0.05, "request"), which=1),),
    ),
    # The room of a second agent was full.
    "a second agent is sent into a full room": Drawn(
        seed=363,
        scenario=Scenario(
            phone=Phone(answers_after_s=1.0),
            human=Human("yes", 1.0),
            server=Server(dispatches=When(2.0, "merge")),
            merge=("sip_bridge", "relay"),
        ),
        bridge=True,
    ),
    # What limits the agent's tracks was never sent after a short loss of the signalling.
    "a bridge is built while the agent is away": Drawn(
        seed=786,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.1, answers_after_s=0.5),
            human=Human("yes", 0.3),
            caller=Caller(hangs_up=When(6.0, "merge")),
            agent=Agent(reconnects=When(0.05, "dial"), reconnect_s=0.2),
            merge=("sip_bridge",),
        ),
        bridge=True,
    ),
    # A leg that is away hears nothing, and nobody is told.
    "the agent leaves while the human is away": Drawn(
        seed=8177,
        scenario=Scenario(
            phone=Phone(answers_after_s=1.0),
            human=Human("yes", 1.0),
            caller=Caller(hangs_up=When(9.0, "merge"), by_phone=True),
            agent=Agent(goodbye_s=2.0),
            faults={("player.aclose", 1): Fault(How.HANGS)},
            policy={"after_merge": "leave", "call_limit_s": 130.0},
            merge=("shared_room",),
        ),
        troubles=(Trouble(What.HUMAN_RECONNECTS, When(0.5, "yes"), 4.0),),
    ),
    # The leg was looked for when the server was back and the leg was not, and counted as gone.
    "the human is let go while the server restarts": Drawn(
        seed=111721,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.391, answers_after_s=0.538),
            human=Human(after_s=0.592, briefing_s=3.521),
            caller=Caller(hangs_up=When(7.993, "merge")),
            agent=Agent(loses_caller_room=When(4.584, "merge")),
            server=Server(restarts=When(2.386, "answer")),
            policy={"after_merge": "leave", "decision_timeout_s": 20.0, "call_limit_s": 34.797},
            merge=("relay",),
        ),
    ),
    # What a listener raised was logged by the SDK, and nobody was told that the lane was silent.
    "a relay cannot listen after a reconnect": Drawn(
        seed=110965,
        scenario=Scenario(
            phone=Phone(rings_after_s=None, answers_after_s=1.093),
            human=Human(after_s=3.295, briefing_s=3.678, hangs_up=When(0.752, "merge")),
            caller=Caller(hangs_up=When(1.283, "merge"), by_phone=True),
            agent=Agent(speaks_s=2.247, reconnects=When(2.579, "answer"), reconnect_s=1.5),
            faults={("player.play", 1): Fault(How.TWICE), ("stream.open", 1): Fault(How.HANGS)},
            policy={"decision_timeout_s": 20.0, "on_human_left": "return"},
            merge=("relay",),
        ),
    ),
    # The leg was gone and the answer lost, so the room that it had made anew was not deleted.
    "a leg makes the room anew and its removal is not answered": Drawn(
        seed=301613,
        scenario=Scenario(
            phone=Phone(
                rings_after_s=0.315, answers_after_s=4.948, refuses_with=486, refuses_after_s=3.668
            ),
            human=Human(
                after_s=4.449,
                then=(Line(says="nothing", after_s=8.242),),
                briefing_s=1.883,
                hangs_up=When(after_s=7.493, of="merge"),
            ),
            caller=Caller(hangs_up=When(after_s=2.884)),
            app=App(session_closes_first=False),
            server=Server(moves=True),
            faults={
                ("room.connect", 1): Fault(how=How.FAILS, error=ConnectionError("connection lost")),
                ("room.remove_participant", 2): Fault(
                    how=How.FAILS_AFTER,
                    error=api.ServerError("unavailable", "no response from servers", status=503),
                    seconds=0.1,
                ),
            },
            policy={"decision_timeout_s": 20.0, "after_merge": "leave", "call_limit_s": 52.127},
            merge=("relay",),
        ),
        troubles=(
            Trouble(what=What.SLOW_NEWS, when=When(after_s=0.397, of="yes"), seconds=0.05, which=3),
        ),
    ),
    # The agent did not know of the human's voice, and so did not keep the caller from it.
    "the news of the human's leg are late in a shared room": Drawn(
        seed=204825,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.164, answers_after_s=1.119),
            human=Human(after_s=2.803, briefing_s=0.8, hangs_up=When(2.466, "merge")),
            caller=Caller(hangs_up=When(9.684, "merge"), by_phone=True),
            agent=Agent(speaks_s=3.534),
            server=Server(moves=True),
            policy={"decision_timeout_s": 20.0, "after_merge": "leave", "call_limit_s": 89.094},
            merge=("shared_room",),
        ),
        troubles=(Trouble(What.SLOW_NEWS, When(0.042, "dial"), 3.0, which=6),),
    ),
    # The agent's view was still of the leg before, and the server was not asked.
    "a leg takes the place of another and the news of it are late": Drawn(
        seed=1023585,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.333, answers_after_s=2.466),
            human=Human(after_s=5.387, briefing_s=1.026),
            caller=Caller(hangs_up=When(3.334, "merge"), by_phone=True),
            server=Server(moves=True),
            faults={("sip.create_sip_participant", 1): Fault(How.TWICE, seconds=0.1)},
            policy={"decision_timeout_s": 20.0, "after_merge": "leave", "call_limit_s": 68.967},
            merge=("shared_room",),
        ),
        troubles=(Trouble(What.SLOW_NEWS, When(0.316, "dial"), 3.0, which=1),),
    ),
    # The leg came about late, and made the consult room anew, which was not deleted again.
    "the dial is cancelled in its first millisecond": Drawn(
        seed=1069912,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.197, answers_after_s=5.881),
            human=Human(says="nothing", after_s=1.211, briefing_s=2.53),
            caller=Caller(hangs_up=When(3.69, "merge")),
            agent=Agent(speaks_s=1.735),
            server=Server(moves=True),
            merge=("relay",),
        ),
        troubles=(Trouble(What.TASK_CANCELLED, When(0.001, "dial")),),
    ),
    # Where the consult room lives on, nobody closed the session again whose close had hung.
    "a bridged call goes on whose briefing did not close": Drawn(
        seed=1098469,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.251, answers_after_s=1.349),
            human=Human(after_s=5.148, briefing_s=2.462),
            caller=Caller(hangs_up=When(4.595, "merge"), by_phone=True),
            agent=Agent(goodbye_s=2.524, loses_caller_room=When(0.304, "yes")),
            faults={("session.aclose", 1): Fault(How.HANGS)},
            policy={"decision_timeout_s": 5.523, "ring_timeout_s": 17.789},
            merge=("sip_bridge",),
        ),
        bridge=True,
    ),
    # The same break, told twice, was taken for a second one by the judge.
    "a broken bridge is told twice": Drawn(
        seed=1317509,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.252, answers_after_s=3.05, hangs_up_after_s=8.46),
            human=Human(after_s=1.604, briefing_s=3.665, hangs_up=When(5.974, "merge")),
            caller=Caller(hangs_up=When(8.86, "merge"), by_phone=True),
            app=App(session_closes_first=False),
            agent=Agent(loses_consult_room=When(4.907, "answer")),
            server=Server(moves=True),
            policy={
                "decision_timeout_s": 20.0,
                "on_human_left": "return",
                "call_limit_s": 29.355,
            },
            merge=("sip_bridge",),
        ),
        bridge=True,
        troubles=(Trouble(What.REPEATED_EVENT, When(0.658, "outcome"), which=6),),
    ),
    # The server made it all the same, after it had been deleted.
    "the making of the consult room is cancelled": Drawn(
        seed=304687,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.033, answers_after_s=2.359),
            human=Human(says="voicemail", after_s=4.249, briefing_s=0.99),
            caller=Caller(hangs_up=When(0.362, "dial"), by_phone=True),
            agent=Agent(goodbye_s=3.851),
            server=Server(moves=True),
            policy={"decision_timeout_s": 6.976, "after_merge": "leave", "call_limit_s": 42.603},
            merge=("relay",),
        ),
        troubles=(Trouble(What.ALL_CANCELLED, When(0.002, "dial"), which=5),),
    ),
    # The server was back a moment before the leg was, and said that there is none.
    "a hang-up meets the server before the leg is back": Drawn(
        seed=404186,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.023, answers_after_s=0.494, hangs_up_after_s=13.825),
            human=Human(after_s=2.298, briefing_s=3.377, hangs_up=When(2.054, "merge")),
            caller=Caller(hangs_up=When(6.814, "merge"), by_phone=True),
            app=App(session_closes_first=False),
            agent=Agent(goodbye_s=3.254),
            server=Server(moves=True, restarts=When(0.235, "answer")),
            policy={"decision_timeout_s": 1.761, "on_human_left": "return"},
            merge=("relay",),
        ),
    ),
    # Nothing kept the human from the hold audio when they were let in.
    "the human is let in while the agent is away": Drawn(
        seed=404897,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.027, answers_after_s=1.05),
            human=Human(says="voicemail", after_s=4.838, briefing_s=2.738),
            caller=Caller(hangs_up=When(5.181, "answer"), by_phone=True),
            app=App(accepts=When(2.82, "answer")),
            agent=Agent(reconnects=When(0.001), reconnect_s=1.5),
            server=Server(moves=True),
            faults={("room.remove_participant", 1): Fault(How.LATE, seconds=4.0)},
            policy={"decision_timeout_s": 20.0},
            merge=("shared_room",),
        ),
    ),
    # The request before the repair had not been answered, and nobody waited for it any more.
    "a bridge is repaired while the first request for it is on": Drawn(
        seed=512843,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.397, answers_after_s=2.048),
            human=Human(after_s=5.732, briefing_s=3.7, hangs_up=When(4.435, "merge")),
            caller=Caller(hangs_up=When(1.457, "merge")),
            app=App(session_closes_first=False),
            server=Server(moves=True),
            faults={("sip.create_sip_participant", 2): Fault(How.TWICE, seconds=1.0)},
            policy={"decision_timeout_s": 20.0, "ring_timeout_s": 16.364},
            merge=("sip_bridge",),
        ),
        bridge=True,
    ),
    # The leg had made the room anew, which was not deleted when the dial had ended meanwhile.
    "a late leg's room cannot be deleted at first": Drawn(
        seed=2034357,
        scenario=Scenario(
            phone=Phone(rings_after_s=None, answers_after_s=1.03),
            server=Server(moves=True),
            faults={
                ("room.create_room", 1): Fault(
                    How.FAILS, error=ClientConnectionError("cannot connect")
                ),
                ("room.delete_room", 3): Fault(
                    How.FAILS, error=api.ServerError("internal", "internal error", status=500)
                ),
            },
            merge=("move",),
        ),
    ),
    # It was let in for the answer of the leg before it, and its own answer shut no gate.
    "a leg answers that has been let in already": Drawn(
        seed=2208492,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.408, answers_after_s=0.384),
            human=Human(after_s=2.826, briefing_s=3.345, hangs_up=When(5.032, "answer")),
            caller=Caller(hangs_up=When(1.145, "ringing"), by_phone=True),
            app=App(session_closes_first=False),
            agent=Agent(goodbye_s=1.416),
            faults={("sip.create_sip_participant", 1): Fault(How.TWICE, seconds=1.0)},
            policy={"decision_timeout_s": 20.0},
            merge=("shared_room",),
        ),
    ),
    # The simulated server took a track while the signalling was away, and its limits later.
    "the briefing's track is published while the agent is away": Drawn(
        seed=2327114,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.099, answers_after_s=0.108),
            human=Human("no", 5.31, briefing_s=4.38, hangs_up=When(0.984, "merge")),
            caller=Caller(hangs_up=When(10.853, "merge"), by_phone=True),
            app=App(session_closes_first=False),
            agent=Agent(reconnects=When(0.326, "dial"), reconnect_s=0.2),
            server=Server(moves=True),
            policy={
                "decision_timeout_s": 20.0,
                "on_human_left": "return",
                "merge_timeout_s": 2.829,
            },
            merge=("shared_room",),
        ),
    ),
    # The server answered a request that it had not seen to the end when it went down.
    "the server goes down while the call is ended": Drawn(
        seed=2928929,
        scenario=Scenario(
            phone=Phone(rings_after_s=None, answers_after_s=6.197),
            human=Human(after_s=3.213, briefing_s=3.677),
            caller=Caller(hangs_up=When(2.44, "merge"), by_phone=True),
            app=App(session_closes_first=False),
            server=Server(moves=True, restarts=When(2.463, "merge")),
            policy={"decision_timeout_s": 4.059, "hold_limit_s": 30.0},
            merge=("move", "relay"),
        ),
    ),
    # They were moved back into the consult room behind its deletion, and nobody hung them up there.
    "the caller hangs up while the human arrives": Drawn(
        seed=2100953,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.27, answers_after_s=2.787),
            human=Human(after_s=1.0, briefing_s=1.503),
            caller=Caller(hangs_up=When(0.035, "yes"), by_phone=True),
            app=App(cancels=When(1.271, "answer")),
            server=Server(moves=True),
            policy={
                "decision_timeout_s": 20.0,
                "on_human_left": "return",
                "ring_timeout_s": 9.975,
            },
            merge=("move", "relay"),
        ),
        troubles=(Trouble(What.AWAIT_CANCELLED, When(0.303, "yes"), which=7),),
    ),
    # The way back led into a room that was given up meanwhile, and was waited for all the same.
    "the caller hangs up as the moved human is looked for": Drawn(
        seed=10417,
        scenario=Scenario(
            phone=Phone(rings_after_s=None, answers_after_s=5.641),
            human=Human(after_s=0.787, briefing_s=2.957),
            caller=Caller(hangs_up=When(0.014, "yes"), by_phone=True),
            agent=Agent(goodbye_s=1.15),
            server=Server(moves=True),
            policy={"decision_timeout_s": 7.383, "merge_timeout_s": 2.879},
            merge=("move", "relay"),
        ),
    ),
    # A new bridge was asked for, and two seconds later came to nothing.
    "the human is gone a moment after the bridge is built": Drawn(
        seed=5256118,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.307, answers_after_s=2.751),
            human=Human(after_s=3.859, then=(Line("nothing", 2.992),), briefing_s=3.499),
            caller=Caller(hangs_up=When(7.17, "merge")),
            agent=Agent(speaks_s=2.303, loses_consult_room=When(0.048, "outcome")),
            server=Server(moves=True),
            policy={"decision_timeout_s": 20.0},
            merge=("sip_bridge",),
        ),
        bridge=True,
    ),
    # Whoever had been moved stayed with the caller until the dial request gave up.
    "the caller's room is lost while the human is moved and the request hangs": Drawn(
        seed=5417065,
        scenario=Scenario(
            phone=Phone(
                rings_after_s=0.408, answers_after_s=4.31, service="old", request_hangs=True
            ),
            human=Human(after_s=3.177, briefing_s=2.528),
            caller=Caller(hangs_up=When(9.807), by_phone=True),
            app=App(close_on_disconnect=False),
            agent=Agent(loses_caller_room=When(3.375, "answer")),
            server=Server(moves=True),
            policy={
                "decision_timeout_s": 20.0,
                "after_merge": "leave",
                "call_limit_s": 42.631,
                "ring_timeout_s": 12.319,
            },
            merge=("move", "relay"),
        ),
    ),
    # They were moved back right behind the deletion of the room.
    "the human is moved back as the room is deleted": Drawn(
        seed=16639,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.263, answers_after_s=3.192, service="new"),
            human=Human(after_s=0.31, briefing_s=3.339),
            caller=Caller(hangs_up=When(0.047, "yes"), by_phone=True),
            app=App(accepts=When(0.673, "ringing"), session_closes_first=False),
            agent=Agent(speaks_s=1.428),
            server=Server(moves=True),
            policy={"decision_timeout_s": 20.0, "ring_timeout_s": 17.774},
            merge=("move", "relay"),
        ),
    ),
    # The gates were let go of while the phone was yet to ring: the request was on its way.
    "the server restarts as a failed transfer hangs up": Drawn(
        seed=7018986,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.013, answers_after_s=4.489),
            human=Human(after_s=1.882, briefing_s=2.882),
            caller=Caller(by_phone=True),
            agent=Agent(goodbye_s=1.314),
            server=Server(restarts=When(0.029, "dial")),
            faults={
                ("session.output.audio", 1): Fault(
                    How.FAILS_AFTER, error=ConnectionError("connection lost")
                )
            },
            policy={"decision_timeout_s": 20.0},
            merge=("shared_room",),
        ),
    ),
    # It was found by asking, and taken away from a listener who had not asked for it yet.
    "a human's track comes as the agent loses its connection": Drawn(
        seed=7061135,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.313, answers_after_s=0.463),
            human=Human(after_s=1.429, briefing_s=1.707),
            caller=Caller(hangs_up=When(0.71, "merge"), by_phone=True),
            agent=Agent(reconnects=When(0.134, "dial"), reconnect_s=4.0),
            policy={"decision_timeout_s": 20.0},
            merge=("shared_room",),
        ),
    ),
    # The judge asked for the human's voice, which was on its way to the caller as they were lost.
    "the human is lost as the agent leaves": Drawn(
        seed=7255421,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.112, answers_after_s=7.74, service="new"),
            human=Human(after_s=1.382, briefing_s=2.726),
            caller=Caller(hangs_up=When(4.956, "merge"), by_phone=True),
            app=App(closes_session=When(0.034, "yes")),
            agent=Agent(speaks_s=0.703),
            policy={
                "decision_timeout_s": 20.0,
                "after_merge": "leave",
                "call_limit_s": 82.129,
                "ring_timeout_s": 10.118,
            },
            merge=("shared_room",),
        ),
        troubles=(Trouble(What.HUMAN_RECONNECTS, When(0.152, "yes"), 0.3),),
    ),
    # A bar for the leg's new session was under way as the human was let in, and came behind.
    "the human's leg joins again as they are let in": Drawn(
        seed=2,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.2, answers_after_s=1.2),
            human=Human("yes", 0.8, briefing_s=0.9),
            caller=Caller(hangs_up=When(2.5, "merge"), by_phone=True),
            policy={"decision_timeout_s": 20.0, "after_merge": "leave"},
            merge=("shared_room",),
        ),
        troubles=(
            Trouble(What.HUMAN_RECONNECTS, When(1.298475), 0.3),
            Trouble(What.STALL, When(1.298475), 0.5),
        ),
    ),
    # The judge asked for the voice of a human who had hung up before the gates were open.
    "the human hangs up as the agent leaves": Drawn(
        seed=8896250,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.284, answers_after_s=0.829),
            human=Human(after_s=1.839, briefing_s=2.641, hangs_up=When(0.101, "merge")),
            caller=Caller(by_phone=True),
            policy={"decision_timeout_s": 20.0, "after_merge": "leave", "call_limit_s": 76.129},
            merge=("shared_room",),
        ),
        troubles=(Trouble(What.TASK_CANCELLED, When(0.044, "yes"), which=3),),
    ),
    # The simulated agent was back before its server was, and found nobody.
    "the server restarts as the agent reconnects": Drawn(
        seed=8135103,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.173, answers_after_s=6.861),
            human=Human(after_s=2.534, briefing_s=3.303),
            caller=Caller(by_phone=True),
            agent=Agent(reconnects=When(0.454, "yes"), reconnect_s=1.5),
            server=Server(moves=True, restarts=When(0.031, "yes")),
            policy={"decision_timeout_s": 20.0, "merge_timeout_s": 3.84},
            merge=("move",),
        ),
    ),
    # Nobody was at the gates any more.
    "the keeper of a shared room's gates is cancelled": Drawn(
        seed=19225,
        scenario=Scenario(
            phone=Phone(rings_after_s=0.019, answers_after_s=7.051),
            human=Human("yes", 2.987, briefing_s=1.14),
            caller=Caller(by_phone=True),
            agent=Agent(speaks_s=2.42, goodbye_s=2.149),
            merge=("shared_room",),
        ),
        troubles=(Trouble(What.TASK_CANCELLED, When(0.134), which=4),),
    ),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_it_breaks_no_invariant_any_more(name: str) -> None:
    assert run(REGRESSIONS[name]).problems == ()

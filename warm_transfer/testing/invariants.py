"""What must be true of every transfer, whatever happens: the invariants of the design.

Each is one function with its sentence as docstring, and yields what is wrong, so that a
counterexample names the promise it breaks. Those of `STEPS` look at one step of the core and at
what is known from the steps before; those of `SCENES` look at the core's state and at the world;
those of `CORES` look at the core alone. None needs asyncio or LiveKit, so they hold for the
explorer's model, for a replayed journal and for a run in any world alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import ACCEPTANCES, CLOCKS, On
from warm_transfer.outcome import REASONS_OF, Reason
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.states import DELIVERED, FINAL, HELD, WAITING, State
from warm_transfer.testing.model import Flights, Leg, Music, Phase, Room, World
from warm_transfer.transfer import Handling, Step

__all__ = [
    "CORES",
    "SCENES",
    "STEPS",
    "Core",
    "Known",
    "Moment",
    "Scene",
    "broken_by",
    "learn",
    "repeated",
]


class Known(NamedTuple):
    """What the steps so far have told, independently of what the core remembers."""

    requested: bool = False
    answered: bool = False
    accepted: bool = False
    asked: On | None = None
    """The first cancel or decline that came while merging."""
    agent_gone: bool = False
    """The session closed while merging or merged."""
    human_left: bool = False
    """The consult leg left while merging."""
    tried: tuple[str, ...] = ()
    """The merge strategies tried while merging, in order."""
    repairs: int = 0
    broken: bool = False
    """The merged call's merge broke, or its bridge lost its room for us, and nothing has told
    since that it stands."""
    dials: int = 0
    stops: int = 0
    outcomes: int = 0
    settled: int = 0
    """The newest effect when the merge was last settled; reports up to it are history."""


#: What keeps a cancel or decline until the merge is known.
ASKED_WHILE_MERGING = {
    On.APP_CANCELLED: (State.CANCELLED, Reason.APP_CANCELLED),
    On.CONSULT_DECLINED: (State.DECLINED, Reason.DECLINED),
    On.APP_DECLINED: (State.DECLINED, Reason.DECLINED),
    On.VOICEMAIL_DETECTED: (State.VOICEMAIL, Reason.VOICEMAIL),
}

AGENT_GOES = (On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST, On.AGENT_HEARD_OUT)
"""The events with which the agent is gone, or goes, from a merged call."""

MERGE_REPORTS = frozenset({On.MERGE_CONFIRMED, On.MERGE_FAILED, On.MERGE_UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Moment:
    """One step, and what was known before it."""

    step: Step
    known: Known
    policy: TransferPolicy
    carrier: Carrier
    """Who carries the sound of the strategy in use."""

    @property
    def on(self) -> On:
        """The event."""
        return self.step.event.name

    @property
    def done(self) -> tuple[Do, ...]:
        """The effects the step starts."""
        return tuple(effect.name for effect in self.step.effects)

    @property
    def leaves(self) -> bool:
        """Whether the state changes."""
        return self.step.before is not self.step.after

    @property
    def ends(self) -> bool:
        """Whether the transfer ends here."""
        return self.leaves and self.step.after in FINAL

    @property
    def relayed(self) -> bool:
        """Whether the agent carries the sound."""
        return self.carrier is Carrier.AGENT

    @property
    def needs_agent(self) -> bool:
        """Whether a merged call would fall silent without the agent."""
        return self.relayed or self.known.broken


def learn(moment: Moment) -> Known:
    """What is known after a step. In a final state only what still matters is kept."""
    known, step = moment.known, moment.step
    if step.handling is not Handling.ROW:
        return known
    if step.after in FINAL:
        outcomes = known.outcomes + (step.outcome is not None)
        return Known(requested=known.requested, outcomes=outcomes, settled=known.settled)
    if moment.leaves and step.after is State.MERGED:
        first = min((effect.id for effect in step.effects), default=1)
        return Known(
            requested=True,
            answered=known.answered,
            accepted=known.accepted,
            agent_gone=known.agent_gone,
            dials=known.dials,
            stops=known.stops,
            outcomes=known.outcomes + (step.outcome is not None),
            settled=first - 1,
        )
    return _learn_more(moment, known)


def _learn_more(moment: Moment, known: Known) -> Known:
    """The same for a step that neither merges nor ends."""
    step = moment.step
    on, done = moment.on, moment.done
    merging = step.before is State.MERGING
    tried = known.tried
    repairs = known.repairs
    for effect in step.effects:
        if effect.name is Do.MERGE_LEGS and merging:
            tried = (*tried, effect.strategy or "")
        elif effect.name is Do.MERGE_LEGS:
            repairs += 1
    merged = step.before is State.MERGED
    doubtful = on is On.CONSULT_ROOM_LOST and moment.carrier is Carrier.BRIDGE
    broken = known.broken or (merged and (on is On.MERGE_BROKE or doubtful))
    settled = known.settled
    if merged and on is On.MERGE_CONFIRMED:
        broken, settled = False, max(settled, step.event.effect or 0)
    asked = known.asked
    if merging and step.after is State.MERGING and on in ASKED_WHILE_MERGING:
        asked = asked or on
    return Known(
        requested=known.requested or on is On.TRANSFER_REQUESTED,
        answered=known.answered or on is On.CONSULT_ANSWERED,
        accepted=known.accepted or on in ACCEPTANCES,
        asked=asked,
        agent_gone=known.agent_gone or on is On.SESSION_CLOSED,
        human_left=known.human_left or (merging and on is On.CONSULT_HUNG_UP),
        tried=tried,
        repairs=repairs,
        broken=broken,
        dials=known.dials + done.count(Do.DIAL_CONSULT),
        stops=known.stops + done.count(Do.STOP_BRIEFING),
        outcomes=known.outcomes + (step.outcome is not None),
        settled=settled,
    )


# Promises about a step.


def one_outcome_is_delivered_once(moment: Moment) -> Iterator[str]:
    """Every transfer has exactly one outcome; it is delivered in the step that decides it."""
    delivers = moment.done.count(Do.DELIVER_OUTCOME)
    decides = moment.step.outcome is not None
    if delivers != decides:
        yield f"decides {decides}, delivers {delivers} times"
    if decides and moment.known.outcomes:
        yield "a second outcome"
    if moment.ends and not moment.known.outcomes and not decides:
        yield "ends without an outcome"


def the_result_is_the_state_and_the_reason_fits(moment: Moment) -> Iterator[str]:
    """An outcome's result is the state in which it was delivered, with a reason of that state."""
    outcome = moment.step.outcome
    if outcome is None:
        return
    if outcome.result is not moment.step.after or outcome.result not in DELIVERED:
        yield f"{outcome.result} delivered in {moment.step.after}"
    elif outcome.reason not in REASONS_OF[outcome.result]:
        yield f"{outcome.reason} is no reason for {outcome.result}"


def final_states_do_not_change(moment: Moment) -> Iterator[str]:
    """After the end nothing starts but releases, and no state follows."""
    if moment.step.before in FINAL:
        if moment.leaves:
            yield f"{moment.step.before} becomes {moment.step.after}"
        if not set(moment.done) <= RELEASES:
            yield f"starts {', '.join(moment.done)}"


def after_the_end_only_a_late_start_is_answered(moment: Moment) -> Iterator[str]:
    """After the end nothing is given back twice; only what came about late is taken down."""
    late = {On.CONSULT_OPENED}
    if moment.step.before not in (State.ENDED, State.RETURNED):
        late |= {On.CONSULT_ANSWERED, On.MERGE_CONFIRMED}
    if moment.step.before in FINAL and moment.done and moment.on not in late:
        yield f"{moment.on} starts {', '.join(moment.done)}"


def a_transfer_is_asked_for_once(moment: Moment) -> Iterator[str]:
    """A second request changes nothing."""
    again = moment.on is On.TRANSFER_REQUESTED and moment.known.requested
    if again and (moment.leaves or moment.done):
        yield f"leads to {moment.step.after} and starts {list(moment.done)}"


def nothing_is_done_before_it_is_asked(moment: Moment) -> Iterator[str]:
    """Before the request nothing has been taken, so nothing is taken or given back."""
    if moment.step.before is State.IDLE and moment.on is not On.TRANSFER_REQUESTED:
        extra = set(moment.done) - {Do.DELIVER_OUTCOME}
        if extra or moment.step.after not in FINAL | {State.IDLE}:
            yield f"{moment.on} leads to {moment.step.after} and starts {sorted(extra)}"
        if moment.ends and moment.on in (On.APP_ACCEPTED, On.APP_DECLINED):
            yield f"{moment.on} answers what was never asked"


def a_merge_follows_a_yes(moment: Moment) -> Iterator[str]:
    """Legs are joined only after the human answered and the human or the application said yes."""
    known = moment.known
    if Do.MERGE_LEGS in moment.done and not (known.answered and known.accepted):
        yield "joins the legs before the yes"
    if moment.leaves and moment.step.after is State.MERGED and not known.accepted:
        yield "merged before the yes"


def a_merge_is_prepared_when_the_human_answers(moment: Moment) -> Iterator[str]:
    """The first strategy is got ready when somebody has answered, once, and no other one is."""
    answered = moment.leaves and moment.step.after is State.BRIEFING
    prepared = [each.strategy for each in moment.step.effects if each.name is Do.PREPARE_MERGE]
    if answered != bool(prepared):
        yield f"{moment.on} prepares {prepared or 'nothing'}"


def nobody_decides_before_the_answer(moment: Moment) -> Iterator[str]:
    """What is said in the human's name before anybody answered decides nothing."""
    said = (On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED, On.APP_ACCEPTED)
    if moment.on in said and not moment.known.answered and moment.leaves:
        yield f"{moment.on} leads to {moment.step.after}, but nobody has answered"


def the_briefing_is_over_before_the_legs_are_joined(moment: Moment) -> Iterator[str]:
    """The yes stops the briefing, once; when it is silent, and only then, the merge follows."""
    enters = moment.leaves and moment.step.after is State.MERGING
    if enters and Do.STOP_BRIEFING not in moment.done:
        yield "merging with the briefing on"
    if Do.STOP_BRIEFING in moment.done and moment.known.stops:
        yield "stops the briefing a second time"
    if Do.MERGE_LEGS in moment.done and not moment.known.stops:
        yield "joins the legs without having stopped the briefing"
    taken = moment.step.handling is Handling.ROW and moment.step.before is State.MERGING
    if taken and moment.on is On.BRIEFING_STOPPED and Do.MERGE_LEGS not in moment.done:
        yield "the briefing is silent and no merge follows"


def one_dial_at_most(moment: Moment) -> Iterator[str]:
    """A transfer dials once for each attempt, and never while another dial is out."""
    if moment.known.dials + moment.done.count(Do.DIAL_CONSULT) > 1:
        yield "dials a second time"


def a_dial_that_was_answered_has_said_all(moment: Moment) -> Iterator[str]:
    """After the answer a report of the dial changes nothing; the leg itself is the news."""
    reports = (On.CONSULT_RANG, On.CONSULT_REFUSED, On.DIAL_UNCERTAIN, On.CONSULT_ANSWERED)
    if moment.on in reports and moment.known.answered and (moment.leaves or moment.done):
        yield f"{moment.on} leads to {moment.step.after} and starts {list(moment.done)}"


def whoever_leaves_ends_the_waiting(moment: Moment) -> Iterator[str]:
    """The caller's hang-up, a lost caller room and the job's end decide in the same step."""
    before = moment.step.before
    ends = {
        On.CALLER_HUNG_UP: State.ABANDONED,
        On.CALLER_ROOM_LOST: State.FAILED,
        On.JOB_SHUTTING_DOWN: State.FAILED if before is State.MERGING else State.CANCELLED,
    }.get(moment.on)
    if ends is None or before in FINAL:
        return
    if moment.step.after is not (State.ENDED if before is State.MERGED else ends):
        yield f"{moment.on} in {before} leads to {moment.step.after}"


def what_the_human_says_is_the_outcome(moment: Moment) -> Iterator[str]:
    """While the human decides, a no is a decline and a machine is a voicemail."""
    said = {On.CONSULT_DECLINED: State.DECLINED, On.VOICEMAIL_DETECTED: State.VOICEMAIL}
    after = said.get(moment.on)
    if moment.step.before is State.BRIEFING and after not in (None, moment.step.after):
        yield f"{moment.on} leads to {moment.step.after}"


def before_the_merge_every_wish_is_followed_at_once(moment: Moment) -> Iterator[str]:
    """Until the yes a cancel, a no, a close or a lost consult room ends the waiting at once."""
    ends = {
        On.APP_CANCELLED: State.CANCELLED,
        On.APP_DECLINED: State.DECLINED,
        On.SESSION_CLOSED: State.CANCELLED,
        On.HOLD_LIMIT_PASSED: State.FAILED,
        On.CONSULT_ROOM_LOST: State.FAILED,
        On.CONSULT_OPEN_FAILED: State.FAILED,
        On.CALLER_HOLD_FAILED: State.FAILED,
        On.BRIEFING_FAILED: State.FAILED,
    }.get(moment.on)
    waiting = moment.step.before in HELD - {State.MERGING}
    news = waiting and moment.step.handling is not Handling.STALE
    if news and ends not in (None, moment.step.after):
        yield f"{moment.on} leads to {moment.step.after}"


def only_the_merge_ends_the_merging(moment: Moment) -> Iterator[str]:
    """While merging, a wish waits until the merge is known; the caller's leaving does not."""
    may_end = MERGE_REPORTS | {
        On.DEADLINE_PASSED,
        On.CALLER_HUNG_UP,
        On.CALLER_ROOM_LOST,
        On.JOB_SHUTTING_DOWN,
        On.CONSULT_OPEN_FAILED,
        On.BRIEFING_FAILED,
    }
    if moment.step.before is not State.MERGING:
        return
    if moment.leaves and moment.on not in may_end:
        yield f"{moment.on} leads to {moment.step.after}"
    waits = moment.on in (*ASKED_WHILE_MERGING, On.SESSION_CLOSED, *ACCEPTANCES)
    if moment.done and waits:
        yield f"{moment.on} starts {', '.join(moment.done)}"


def what_was_asked_while_merging_is_followed(moment: Moment) -> Iterator[str]:
    """When the merge does not come about, the first that was asked meanwhile is the outcome."""
    known, outcome = moment.known, moment.step.outcome
    unmerged = moment.on in (On.MERGE_FAILED, On.DEADLINE_PASSED)
    if moment.step.before is not State.MERGING or not unmerged:
        return
    if outcome is None:
        unwanted = known.asked or known.agent_gone or known.human_left
        if unwanted and moment.on is On.MERGE_FAILED and Do.MERGE_LEGS in moment.done:
            yield "tries another merge that nobody wants any more"
        return
    got = (outcome.result, outcome.reason)
    if known.agent_gone:
        want = (State.CANCELLED, Reason.SESSION_CLOSED)
    elif known.asked is not None:
        want = ASKED_WHILE_MERGING[known.asked]
    elif known.human_left:
        want = (State.FAILED, Reason.HUMAN_LEFT)
    else:
        want = (State.FAILED, Reason.MERGE_FAILED)
    if got != want:
        yield f"{got[0]} ({got[1]}) instead of {want[0]} ({want[1]})"


def a_merge_that_fails_goes_on_or_ends(moment: Moment) -> Iterator[str]:
    """A failed merge ends in another strategy or with an outcome; an uncertain one is looked at."""
    if moment.step.handling is not Handling.ROW or moment.step.before is not State.MERGING:
        return
    goes_on = {Do.MERGE_LEGS, Do.UNMERGE_LEGS} <= set(moment.done)
    if moment.on is On.MERGE_FAILED and not moment.ends and not goes_on:
        yield "neither another strategy, with the old one undone, nor an outcome"
    look = (On.MERGE_UNCERTAIN, On.CONSULT_HUNG_UP, On.CONSULT_ROOM_LOST, On.MERGE_BROKE)
    looks = moment.on in look or (moment.on is On.DEADLINE_PASSED and not moment.ends)
    if looks and Do.LOOK_AT_ROOMS not in moment.done:
        yield f"{moment.on} is not settled by a look at the rooms"


def each_strategy_is_tried_once_with_its_whole_time(moment: Moment) -> Iterator[str]:
    """Every merge strategy is tried at most once, and each has the whole merge time."""
    if moment.step.before is not State.MERGING:
        return
    for effect in moment.step.effects:
        if effect.name is not Do.MERGE_LEGS:
            continue
        if (effect.strategy or "") in moment.known.tried:
            yield f"{effect.strategy} is tried again"
        deadline = moment.step.deadline
        whole = moment.step.at_s + moment.policy.merge_timeout_s
        if moment.known.tried and (deadline is None or deadline.at_s < whole):
            yield f"{effect.strategy} has less than {moment.policy.merge_timeout_s:g} s"


def a_broken_merge_is_repaired_once(moment: Moment) -> Iterator[str]:
    """The first break of a merged call is repaired, the second counts as the human's leaving."""
    if moment.step.before is not State.MERGED or moment.on is not On.MERGE_BROKE:
        return
    if moment.known.repairs and not moment.ends:
        yield "a second break is not taken for the end"
    if not moment.known.repairs and Do.MERGE_LEGS not in moment.done:
        yield "the first break is not repaired"


def a_settled_merge_is_not_undone_by_an_older_report(moment: Moment) -> Iterator[str]:
    """A report of a merge or look older than the one that settled the merge changes nothing."""
    number = moment.step.event.effect
    old = number is not None and number <= moment.known.settled
    if moment.on in MERGE_REPORTS and old and (moment.leaves or moment.done):
        yield f"{moment.on} leads to {moment.step.after} and starts {list(moment.done)}"


def nobody_is_returned_to_an_agent_who_has_gone(moment: Moment) -> Iterator[str]:
    """After the session has closed a merged caller is not given back to it."""
    returned = moment.step.after is State.RETURNED or Do.RESUME_CALLER in moment.done
    if returned and moment.known.agent_gone and moment.step.before is State.MERGED:
        yield "returns the caller to a closed session"


def the_policy_says_what_follows_the_human(moment: Moment) -> Iterator[str]:
    """When the human is gone from a merged call, the policy decides whether the caller returns."""
    gone = (On.CONSULT_HUNG_UP, On.MERGE_BROKE, On.MERGE_FAILED, On.MERGE_UNCERTAIN)
    if not moment.ends or moment.step.before is not State.MERGED:
        return
    if moment.on in gone or (moment.on is On.CONSULT_ROOM_LOST and moment.relayed):
        returns = moment.policy.on_human_left == "return" and not moment.known.agent_gone
        if (moment.step.after is State.RETURNED) != returns:
            yield f"{moment.on} leads to {moment.step.after}"
    elif moment.step.after is State.RETURNED:
        yield f"{moment.on} returns the caller"


def the_humans_leaving_is_followed(moment: Moment) -> Iterator[str]:
    """A human who leaves a call ends it, unless a merge is under way, which is looked at."""
    in_a_call = moment.step.before not in FINAL | {State.MERGING}
    if moment.on is On.CONSULT_HUNG_UP and in_a_call and not moment.ends:
        yield f"leads to {moment.step.after}"


def a_merged_call_outlives_what_it_does_not_need(moment: Moment) -> Iterator[str]:
    """A merged call ends only when somebody leaves, the sound is lost, or its time is up."""
    may_end = {
        On.CALLER_HUNG_UP,
        On.CALLER_ROOM_LOST,
        On.JOB_SHUTTING_DOWN,
        On.CONSULT_HUNG_UP,
        On.MERGE_BROKE,
        On.MERGE_FAILED,
        On.MERGE_UNCERTAIN,
        On.DEADLINE_PASSED,
        On.AGENT_HEARD_OUT,
    }
    if moment.step.before is not State.MERGED:
        return
    agent_goes = moment.on in AGENT_GOES
    sound_lost = moment.on is On.CONSULT_ROOM_LOST and moment.relayed
    if moment.leaves and moment.on not in may_end and not sound_lost:
        yield f"{moment.on} leads to {moment.step.after}"
    done = [name for name in moment.done if name is not Do.LEAVE_CALL]
    if moment.ends and agent_goes and not moment.needs_agent and done:
        yield f"{moment.on} starts {', '.join(done)} in a call that needs no agent"


def a_call_that_ends_is_ended_for_all(moment: Moment) -> Iterator[str]:
    """The end of a merged call closes the caller's room, unless the call lives on without us."""
    ended = moment.leaves and moment.step.after is State.ENDED
    lives_on = moment.on in AGENT_GOES and not moment.needs_agent
    if ended and not lives_on and Do.END_CALL not in moment.done:
        yield "leaves the caller's room behind"


def the_policy_says_whether_the_agent_leaves(moment: Moment) -> Iterator[str]:
    """By policy an agent is heard out and leaves where the server joins the legs, nowhere else."""
    leaves = moment.policy.after_merge == "leave" and moment.carrier is Carrier.SERVER
    merges = moment.leaves and moment.step.after is State.MERGED
    heard_out, going = (each in moment.done for each in (Do.AWAIT_LAST_WORDS, Do.LEAVE_CALL))
    if (heard_out or going) and not leaves:
        yield f"{moment.on} makes an agent leave that is to stay"
    if merges and leaves and not heard_out:
        yield "an agent that is to leave stays"
    mended = moment.known.broken and moment.on is On.MERGE_CONFIRMED
    taken = moment.step.handling is Handling.ROW and moment.step.before is State.MERGED
    if taken and mended and leaves and not heard_out:
        yield "an agent that is to leave stays after a repair"
    if taken and moment.on is On.AGENT_HEARD_OUT and leaves and going == moment.needs_agent:
        yield "leaves silence behind" if going else "has said its last words and stays"


def the_agent_leaves_after_the_outcome(moment: Moment) -> Iterator[str]:
    """An agent leaves when the outcome is out and its last words have been said, not before."""
    if Do.LEAVE_CALL in moment.done and not moment.known.outcomes:
        yield "leaves before the outcome"
    if Do.LEAVE_CALL in moment.done and moment.on is not On.AGENT_HEARD_OUT:
        yield f"{moment.on} makes the agent leave"


def whoever_is_let_go_is_told(moment: Moment) -> Iterator[str]:
    """A human who has answered and is let go for another's reason hears a notice first."""
    own = (
        On.CONSULT_DECLINED,
        On.VOICEMAIL_DETECTED,
        On.CONSULT_HUNG_UP,
        On.CONSULT_OPEN_FAILED,
        On.CONSULT_ROOM_LOST,
    )
    let_go = moment.step.before is State.BRIEFING and moment.ends and moment.on not in own
    if let_go and Do.NOTIFY_CONSULT not in moment.done:
        yield f"{moment.on} hangs up without a word"


def a_late_start_is_compensated(moment: Moment) -> Iterator[str]:
    """After the end a late answer, room or merge is taken down by the step that learns of it."""
    undo = {
        On.CONSULT_OPENED: {Do.CLOSE_CONSULT},
        On.CONSULT_ANSWERED: {Do.HANG_UP_CONSULT},
        On.MERGE_CONFIRMED: {Do.UNMERGE_LEGS, Do.HANG_UP_CONSULT},
    }.get(moment.on)
    after_merged = moment.step.before in (State.ENDED, State.RETURNED)
    if moment.step.before not in FINAL or undo is None:
        return
    if after_merged and moment.on is not On.CONSULT_OPENED:
        return  # what ended the call has taken the legs down, and repeats it when a merge returns
    if not undo <= set(moment.done):
        yield f"{moment.on} is followed by {list(moment.done)} only"


# Promises about the core alone.


@dataclass(frozen=True, slots=True)
class Core:
    """The core between two steps."""

    state: State
    clocks: frozenset[On]
    """The clocks that run."""
    left: int | None
    """How many state deadlines in a row end it; None when they never do."""


#: holding, then nothing; or merging, a look, and the end: more in a row would be a loop.
DEADLINES_MAX = 4


def every_wait_has_a_deadline(core: Core) -> Iterator[str]:
    """Every waiting state has its own clock, and the hold limit runs while the caller is held."""
    if core.state in WAITING and On.DEADLINE_PASSED not in core.clocks:
        yield f"{core.state} waits without a deadline"
    if core.state in HELD - {State.MERGING} and On.HOLD_LIMIT_PASSED not in core.clocks:
        yield f"{core.state} is not bounded by the hold limit"
    if core.state in FINAL and core.clocks:
        yield f"a clock runs on in {core.state}"


def the_clocks_alone_end_it(core: Core) -> Iterator[str]:
    """If nothing else ever happens, the deadlines lead to an end."""
    if core.state in WAITING and (core.left is None or core.left > DEADLINES_MAX):
        yield f"{core.state} is not ended by its deadlines"


# Promises about the world.


@dataclass(frozen=True, slots=True)
class Scene:
    """The core's state, the world, and what is in flight."""

    state: State
    world: World
    flights: Flights
    carrier: Carrier

    @property
    def quiet(self) -> bool:
        """Whether nothing is in flight."""
        return not self.flights

    def flying(self, name: Do) -> bool:
        """Whether an effect is in flight, or behind."""
        return any(each.name is name for each in self.flights)

    @property
    def lives_on(self) -> bool:
        """A merged call that does not need the agent, left to itself."""
        left = self.world.caller and (not self.world.agent or self.flying(Do.LEAVE_CALL))
        return self.state is State.ENDED and left and self.carrier is not Carrier.AGENT


def the_callers_input_is_off_while_held(scene: Scene) -> Iterator[str]:
    """The agent does not hear the caller while held or merged."""
    if scene.state in HELD | {State.MERGED} and scene.world.input_on:
        yield f"{scene.state} with the caller's input on"


def the_held_caller_hears_music(scene: Scene) -> Iterator[str]:
    """Once nothing is in flight, a held caller hears hold audio, or it was tried, and no agent."""
    if scene.state in HELD and scene.quiet:
        if scene.world.music is Music.OFF:
            yield f"{scene.state} in silence"
        if scene.world.output_on:
            yield f"{scene.state} with the agent audible"


def the_human_is_told(scene: Scene) -> Iterator[str]:
    """Once nothing is in flight, a human who has to decide is in a room with a speaking agent."""
    if scene.state is State.BRIEFING and scene.quiet:
        if scene.world.room is not Room.OPEN:
            yield f"the consult room is {scene.world.room}"
        if not scene.world.briefing:
            yield "nobody briefs"


def music_and_agent_do_not_mix(scene: Scene) -> Iterator[str]:
    """Hold audio plays to nobody who has the agent back, but until its stop has run again."""
    world = scene.world
    if world.music is Music.ON and world.input_on and not scene.flying(Do.STOP_HOLD_AUDIO):
        yield "hold audio plays while the agent listens"


def no_briefing_reaches_the_caller(scene: Scene) -> Iterator[str]:
    """The legs are never joined while the consult agent may speak."""
    if scene.world.joined and scene.world.briefing:
        yield "joined with the briefing on"


def no_leg_is_left_up_after_the_end(scene: Scene) -> Iterator[str]:
    """After the end, or with the caller gone, a leg that is up is being hung up."""
    world = scene.world
    up = world.leg in (Leg.RINGING, Leg.ANSWERED)
    over = scene.state in FINAL or not world.caller
    if up and over and not scene.lives_on and not scene.flying(Do.HANG_UP_CONSULT):
        yield f"the leg is {world.leg} in {scene.state}"


def nothing_is_left(scene: Scene) -> Iterator[str]:
    """When all is quiet after the end, no room, no leg, no sound and no join is left."""
    world = scene.world
    if scene.state not in FINAL or not scene.quiet:
        return
    if world.room is Room.OPEN and not (scene.lives_on and scene.carrier is Carrier.BRIDGE):
        yield "the consult room is open"
    if world.prepared and not scene.lives_on:
        yield "what was prepared for the merge is left"
    if world.briefing:
        yield "the consult agent may speak"
    if world.music is not Music.OFF and world.caller:
        yield f"hold audio is {world.music}"
    if world.joined and not scene.lives_on:
        yield "the legs are joined"


def the_caller_is_back_with_the_agent(scene: Scene) -> Iterator[str]:
    """When all is quiet after the end, a caller who has an agent has it as before."""
    world = scene.world
    if scene.state not in FINAL - {State.ENDED} or not scene.quiet:
        return
    if world.caller and world.agent and not (world.input_on and world.output_on):
        yield f"{scene.state}: input {world.input_on}, output {world.output_on}"


def an_ended_call_is_over(scene: Scene) -> Iterator[str]:
    """When a merged call has ended and all is quiet, the caller's room is gone."""
    if scene.state is State.ENDED and scene.quiet and scene.world.caller and not scene.lives_on:
        yield "the caller is left alone in the room"


def merged_means_they_talk(scene: Scene) -> Iterator[str]:
    """When all is quiet in a merged call, the two hear each other and the agent may announce."""
    world = scene.world
    if scene.state is not State.MERGED or not scene.quiet:
        return
    if not world.joined or world.leg is not Leg.ANSWERED:
        yield f"joined {world.joined}, the leg is {world.leg}"
    if world.music is not Music.OFF:
        yield f"hold audio is {world.music}"
    if not world.output_on:
        yield "the caller cannot hear an announcement"
    if scene.carrier is Carrier.SERVER and world.room is Room.OPEN:
        yield "the consult room is still open"


def nobody_is_left_in_silence(scene: Scene) -> Iterator[str]:
    """In a call that lives on without the agent, caller and human hear each other."""
    if scene.lives_on and scene.quiet and not scene.world.joined:
        yield "nobody carries the sound"


def the_agent_goes_last(scene: Scene) -> Iterator[str]:
    """An agent that leaves has delivered the outcome, and its hold audio is silent."""
    going = any(e.name is Do.LEAVE_CALL and e.phase is not Phase.WAITING for e in scene.flights)
    if going and scene.world.delivered == 0:
        yield "goes before the outcome has arrived"
    if going and scene.world.music is Music.ON and not scene.flying(Do.STOP_HOLD_AUDIO):
        yield "goes with the hold audio on"


def the_outcome_arrives_once(scene: Scene) -> Iterator[str]:
    """The application gets the outcome once: not twice, and not never."""
    if scene.world.delivered > 1:
        yield "delivered twice"
    if scene.quiet and scene.state in DELIVERED | FINAL and scene.world.delivered == 0:
        yield "never delivered"


def something_can_go_on(scene: Scene) -> Iterator[str]:
    """What is in flight is never all waiting for one another."""
    if scene.flights and all(e.phase in (Phase.WAITING, Phase.BEHIND) for e in scene.flights):
        yield "everything in flight waits"


StepInvariant = Callable[[Moment], Iterator[str]]
CoreInvariant = Callable[[Core], Iterator[str]]
SceneInvariant = Callable[[Scene], Iterator[str]]

STEPS: tuple[StepInvariant, ...] = (
    one_outcome_is_delivered_once,
    the_result_is_the_state_and_the_reason_fits,
    final_states_do_not_change,
    after_the_end_only_a_late_start_is_answered,
    a_transfer_is_asked_for_once,
    nothing_is_done_before_it_is_asked,
    a_merge_follows_a_yes,
    a_merge_is_prepared_when_the_human_answers,
    nobody_decides_before_the_answer,
    the_briefing_is_over_before_the_legs_are_joined,
    one_dial_at_most,
    a_dial_that_was_answered_has_said_all,
    whoever_leaves_ends_the_waiting,
    what_the_human_says_is_the_outcome,
    before_the_merge_every_wish_is_followed_at_once,
    only_the_merge_ends_the_merging,
    what_was_asked_while_merging_is_followed,
    a_merge_that_fails_goes_on_or_ends,
    each_strategy_is_tried_once_with_its_whole_time,
    a_broken_merge_is_repaired_once,
    a_settled_merge_is_not_undone_by_an_older_report,
    nobody_is_returned_to_an_agent_who_has_gone,
    the_policy_says_what_follows_the_human,
    the_humans_leaving_is_followed,
    a_merged_call_outlives_what_it_does_not_need,
    a_call_that_ends_is_ended_for_all,
    the_policy_says_whether_the_agent_leaves,
    the_agent_leaves_after_the_outcome,
    whoever_is_let_go_is_told,
    a_late_start_is_compensated,
)

CORES: tuple[CoreInvariant, ...] = (every_wait_has_a_deadline, the_clocks_alone_end_it)

SCENES: tuple[SceneInvariant, ...] = (
    the_callers_input_is_off_while_held,
    the_held_caller_hears_music,
    the_human_is_told,
    music_and_agent_do_not_mix,
    no_briefing_reaches_the_caller,
    no_leg_is_left_up_after_the_end,
    nothing_is_left,
    the_caller_is_back_with_the_agent,
    an_ended_call_is_over,
    merged_means_they_talk,
    nobody_is_left_in_silence,
    the_agent_goes_last,
    the_outcome_arrives_once,
    something_can_go_on,
)


def broken_by(seen: Moment | Core | Scene) -> Iterator[tuple[str, str]]:
    """The invariants that do not hold, as (name, what is wrong)."""
    match seen:
        case Moment():
            for about_step in STEPS:
                yield from ((about_step.__name__, wrong) for wrong in about_step(seen))
        case Core():
            for about_core in CORES:
                yield from ((about_core.__name__, wrong) for wrong in about_core(seen))
        case Scene():
            for about_scene in SCENES:
                yield from ((about_scene.__name__, wrong) for wrong in about_scene(seen))


def repeated(first: Step, second: Step) -> Iterator[tuple[str, str]]:
    """A report that is delivered twice changes nothing the second time."""
    name = "a_report_delivered_twice_changes_nothing"
    if first.event.effect is None or first.event.name in CLOCKS:
        return
    if second.before is not second.after:
        yield name, f"{first.event.name} again leads to {second.after}"
    extra = {effect.name for effect in second.effects} - RELEASES
    if extra:
        yield name, f"{first.event.name} again starts {sorted(extra)}"

"""Gates: keep people in one room from hearing the human, and the human from hearing them.

The server takes subscriptions away at the API's request (``UpdateSubscriptions``), but does not
remember it: a leg that reconnects asks for every track anew, and gets it. So a gate is shut again
at everything that may have opened it, and every half second besides. Until the human has answered,
their leg may not subscribe at all, which the server does remember (facts A.0).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from livekit import api, rtc

from warm_transfer.livekit.legs import Legs, each_has_its_turn

__all__ = ["Gates"]

#: When somebody or something has come, the gates are shut at once and after these pauses: taking
#: away a track that has not been asked for yet changes nothing, and livekit-sip asks for it 2 ms
#: after it was published, and 13 to 24 ms after an answer (facts A.0, integration 4).
_SOON_S = (0.03, 0.07, 0.2)
#: A leg's reconnect of which we are not told is found within this time.
_AGAIN_S = 0.5
#: Between two tries of opening, while a server restarts.
_RETRY_S = 0.25

#: How a track says that it is audio: at the client (``rtc.TrackKind``), and at the server.
_AUDIO = {"kind": rtc.TrackKind.KIND_AUDIO, "type": api.TrackType.Value("AUDIO")}

#: Where a leg says that it is answered, which is when it asks for every track.
_STATUS = "sip.callStatus"

#: What is known of the human may have changed, or of anybody beside them.
_NEWS = ("participant_connected", "track_published", "reconnected")


class _Person(NamedTuple):
    """Somebody in the room."""

    sid: str
    """Of this session of theirs; another one after a full reconnect."""
    tracks: tuple[str, ...]
    """The sids of the audio tracks."""


class Gates:
    """The gates of one transfer, in the caller's room.

    Args:
        legs: who is where.
        beside: the identity of the agent's connection that talks to the human.
    """

    def __init__(self, legs: Legs, *, beside: str) -> None:
        self._legs = legs
        self._beside = beside
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._passes: set[asyncio.Task[bool]] = set()
        self._failed = False
        self._shut = False
        self._opened = False
        self._closed = False
        self._admitted = False
        self._admitting = asyncio.Lock()
        self._bars_nobody = False
        self._shut_since_s = -math.inf
        """When the last pass was begun that found the human there and shut every gate."""
        self._passed = asyncio.Event()
        self._barred = ""
        """The sid of the human's leg that has been forbidden to subscribe."""
        self._found: set[str] = set()
        """The tracks of which the server has told when it was asked."""

    @property
    def are_open(self) -> bool:
        """Whether they have been opened, and not been shut since."""
        return self._opened

    def shut(self) -> None:
        """Shut them from now on, again and again; safe to repeat. Nothing after `aclose`."""
        if self._closed or self._shut:
            return
        self._shut, self._opened = True, False
        for event in _NEWS:
            self._legs.caller_room.on(event, self._on_news)
        self._legs.caller_room.on("participant_attributes_changed", self._on_attributes)
        self._begin_keeping()

    async def admit(self) -> None:
        """Let the human hear the agent and nobody else, once their leg has asked for its tracks.

        Raises:
            Exception: the gates could not be shut in `open_timeout_s`; the human hears nobody.
        """
        asked_s = self._loop.time() + sum(_SOON_S)
        self._news.set()
        async with asyncio.timeout(self._legs.policy.open_timeout_s):
            # While the agent is away, nobody is kept from its own tracks, the hold audio being one.
            while self._shut and (self._shut_since_s < asked_s or self._legs.out_of_touch):
                self._passed.clear()
                await self._passed.wait()
            if self._shut:
                await self._admit()

    async def open(self) -> None:
        """Let everybody hear everybody; tried until the server has done it.

        Raises:
            ConnectionAbortedError: they have been shut meanwhile.
        """
        self._forget()
        if self._passes:
            # One that arrives behind the opening would undo it.
            await asyncio.wait(self._passes)
        while self._may_open:
            try:
                await self._open_now()
            except Exception as error:  # noqa: BLE001 - a restart takes 5 s; the merge clock bounds it
                self._legs.log.debug("gates not opened yet", detail=type(error).__name__)
                await asyncio.sleep(_RETRY_S)
                continue
            if self._may_open:
                self._opened = True
                return
        raise ConnectionAbortedError

    @property
    def _may_open(self) -> bool:
        return not (self._shut or self._closed)

    async def aclose(self) -> None:
        """Let them be as they are; safe to repeat."""
        self._closed = True
        self._forget()
        tasks = {*self._passes, *([self._keeper] if self._keeper is not None else [])}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # Shutting.

    def _forget(self) -> None:
        """Look after them no more."""
        if self._shut:
            for event in _NEWS:
                self._legs.caller_room.off(event, self._on_news)
            self._legs.caller_room.off("participant_attributes_changed", self._on_attributes)
        self._shut = False
        self._news.set()
        self._passed.set()

    def _on_news(self, *_: object) -> None:
        self._news.set()

    def _on_attributes(self, changed: Mapping[str, str], who: Any) -> None:
        """It may be another leg than the one for which the human was let in: a replayed dial."""
        if who.identity == self._legs.human_identity and _STATUS in changed:
            self._news.set()

    def _begin_keeping(self, before: asyncio.Task[None] | None = None) -> None:
        """Have somebody at the gates, also when whoever was there has been cancelled."""
        del before
        if self._shut and (self._keeper is None or self._keeper.done()):
            name = f"warm-transfer {self._legs.transfer_id} gates"
            self._keeper = self._loop.create_task(self._keep(), name=name)
            self._keeper.add_done_callback(self._begin_keeping)

    async def _keep(self) -> None:
        turn = 0
        while self._shut:
            self._news.clear()
            # What we have not been told of is found by asking, now and then.
            self._begin_pass(ask=turn >= len(_SOON_S))
            try:
                async with asyncio.timeout(_SOON_S[turn] if turn < len(_SOON_S) else _AGAIN_S):
                    await self._news.wait()
                turn = 0
            except TimeoutError:
                # A server that restarts opens all gates as soon as it is back.
                turn = len(_SOON_S) - 1 if self._failed else turn + 1

    def _begin_pass(self, *, ask: bool) -> None:
        """Shut every gate, whatever became of the pass before: its request may hang."""
        begun_s = self._loop.time()
        name = f"warm-transfer {self._legs.transfer_id} gates shutting"
        task = self._loop.create_task(self._shut_now(ask=ask), name=name)
        self._passes.add(task)
        task.add_done_callback(lambda done: self._end_pass(done, begun_s))

    def _end_pass(self, task: asyncio.Task[bool], begun_s: float) -> None:
        self._passes.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        self._failed = error is not None
        if error is not None:
            self._legs.log.warning("gate not shut", detail=type(error).__name__)
        elif task.result():
            self._shut_since_s = max(self._shut_since_s, begun_s)
            self._passed.set()

    async def _shut_now(self, *, ask: bool) -> bool:
        """Shut every gate; False if there was nobody to keep from anybody."""
        people = await self._people(ask=ask)
        human = people.get(self._legs.human_identity)
        if human is None:
            return False
        await each_has_its_turn([self._bar(human), *self._each(people, subscribe=False)])
        return True

    async def _bar(self, human: _Person) -> None:
        """Forbid the human's leg to subscribe, once for each time it joins before the answer."""
        if human.sid != self._barred and not self._bars_nobody:
            await self._allow_subscribing(False)
            self._barred = human.sid

    async def _admit(self) -> None:
        """Let the human's leg subscribe."""
        async with self._admitting:
            if self._admitted:
                return
            self._bars_nobody = True
            if self._passes:
                # One that arrives behind the permission would undo it.
                await asyncio.wait(self._passes)
            await self._allow_subscribing(True)
            self._admitted = True

    # Opening.

    async def _open_now(self) -> None:
        people = await self._people(ask=False)
        for who in (self._legs.caller_identity, self._legs.human_identity):
            if who not in people:
                raise LookupError(who)
        await self._admit()
        await each_has_its_turn(self._each(people, subscribe=True))

    # Who is there.

    async def _people(self, *, ask: bool) -> Mapping[str, _Person]:
        """Who is in the room, by identity, with the tracks that can be heard.

        The server is asked whether or not it is wanted when the human's voice is not known to us,
        whose news may be late, and while the agent is away itself: after a restart, the legs are
        back before the agent, and hear each other.
        """
        room = self._legs.caller_room
        if room.connection_state == rtc.ConnectionState.CONN_CONNECTED and not ask:
            known = {
                each.identity: _Person(each.sid, _audio(each.track_publications.values(), "kind"))
                for each in list(room.remote_participants.values())
            }
            human = known.get(self._legs.human_identity)
            if human is not None and human.tracks:
                return known
        request = api.ListParticipantsRequest(room=room.name)
        async with asyncio.timeout(self._legs.policy.api_timeout_s):
            found = await self._legs.api.room.list_participants(request)
        people = {
            each.identity: _Person(each.sid, _audio(each.tracks, "type"))
            for each in found.participants
        }
        self._take_for_news(people.values())
        return people

    def _take_for_news(self, people: Iterable[_Person]) -> None:
        """A track found by asking may be one that its listeners have not asked for yet."""
        tracks = {sid for each in people for sid in each.tracks}
        if not tracks <= self._found:
            self._found |= tracks
            self._news.set()

    # Requests.

    def _each(
        self, people: Mapping[str, _Person], *, subscribe: bool
    ) -> Iterator[Coroutine[Any, Any, None]]:
        legs = self._legs
        for listener, sids in self._pairs(people):
            if sids:
                request = api.UpdateSubscriptionsRequest(
                    room=legs.caller_room.name,
                    identity=listener,
                    track_sids=sids,
                    subscribe=subscribe,
                )
                yield self._within(legs.api.room.update_subscriptions, request)

    def _pairs(self, people: Mapping[str, _Person]) -> Iterator[tuple[str, list[str]]]:
        """Who is kept from which tracks.

        Not the agent from the human, whom it is to understand, and nobody from the agent, whose
        tracks have permissions of their own.
        """
        legs = self._legs
        agents = (self._beside, legs.caller_room.local_participant.identity)
        others = {
            identity: each.tracks
            for identity, each in people.items()
            if identity not in (*agents, legs.human_identity)
        }
        for identity in others:
            yield identity, list(people[legs.human_identity].tracks)
        yield legs.human_identity, [sid for tracks in others.values() for sid in tracks]

    async def _allow_subscribing(self, allowed: bool) -> None:
        legs = self._legs
        # All of them are set at once, and without the last the leg could not tell its progress.
        permission = api.ParticipantPermission(
            can_subscribe=allowed,
            can_publish=True,
            can_publish_data=True,
            can_update_metadata=True,
        )
        request = api.UpdateParticipantRequest(
            room=legs.caller_room.name, identity=legs.human_identity, permission=permission
        )
        await self._within(legs.api.room.update_participant, request)

    async def _within(self, call: Callable[[Any], Any], request: object) -> None:
        async with asyncio.timeout(self._legs.policy.api_timeout_s):
            await call(request)


def _audio(tracks: Iterable[Any], kind: str) -> tuple[str, ...]:
    return tuple(each.sid for each in tracks if getattr(each, kind) == _AUDIO[kind])

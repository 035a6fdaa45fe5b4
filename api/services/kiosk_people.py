"""Who stands before a kiosk, in memory: how the nearest of them seems, and how long each of them stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from api.wiring import Services
from chatbot.affect import AffectState, begin, remembered, see
from chatbot.signals import from_face
from personalization.types import EventType, MemberId, Purpose, Subject
from stores.database import new_id
from stores.events import Event
from stores.kiosks import Kiosk

SHORTEST_STAY_S, LONGEST_STAY_S = 1.0, 3_600.0
"""Whoever stands there longer is a picture on a wall."""
FACE_HALF_LIFE_S = 0.5
"""After so long a look at a face counts half: looks are averaged by the time that each of them lasted."""
Person = Mapping[str, Any]


@dataclass(slots=True)
class Mood:
    """How one person seems for as long as they are the nearest. `told`: what the chat had heard of the member.

    `who`: track, member, and whether the member agrees that their expression is read.

    A face is one observation, however often it is looked at: the looks of a moment are no independent witnesses, and a polite
    smile must not outvote what was said. Where nothing was said, the face is all there is.
    """

    who: tuple[int | None, str | None, bool]
    told: AffectState | None = None
    state: AffectState | None = None
    face: float | None = None
    at: float = 0.0

    def look(self, person: Person, at: float, now: datetime) -> None:
        """Take in a face that may be read. `at` in seconds of a clock."""
        valence, certainty = float(person["valence"]), person["certainty"]
        if self.face is not None:
            weight = 0.5 ** (max(at - self.at, 0.0) / FACE_HALF_LIFE_S)
            valence = weight * self.face + (1 - weight) * valence
        self.face, self.at = valence, at
        seen = from_face(person["expression"] or "neutral", valence, certainty)
        state = see(self.told or begin(now), seen, "neutral", now, turn=False)
        self.state = state if self.told is not None else replace(state, valence=round(valence, 4))


def feel(services: Services, before: Mood | None, person: Person, at: float) -> Mood:
    """Return how the nearest person seems now, and keep it with the member's mood, by consent; it begins anew with another person.

    Where the face may not be read, a mood that the chat has just heard counts: who was angry a minute ago is not cheered at.
    """
    now, member_id = datetime.now(UTC), person["member_id"]
    granted = services.consents.granted(Subject(member_id), at=now) if member_id is not None else frozenset()
    who = (person["track_id"], member_id, Purpose.EXPRESSION in granted)
    profiled = Purpose.PROFILING in granted
    mood = before if before is not None and before.who == who else Mood(who)
    if mood is not before and profiled:
        kept = remembered(services.member_affect.get(member_id, at=now), granted)
        mood.told = mood.state = begin(now, kept) if kept is not None else None
    if person["valence"] is not None:
        mood.look(person, at, now)
        if profiled and mood.state is not None:
            services.member_affect.put(member_id, mood.state.as_json(), at=now)
    return mood


@dataclass(slots=True)
class Stay:
    """One person's time before the camera, for the log. `look` is the sum of `looks` valences."""

    since: float
    member_id: MemberId | None = None
    look: float = 0.0
    looks: int = 0

    def forget(self) -> None:
        """Know neither who it is nor how they looked."""
        self.member_id, self.look, self.looks = None, 0.0, 0


@dataclass(slots=True)
class Stays:
    """Everybody's time before one kiosk's camera."""

    _stays: dict[int | None, Stay] = field(default_factory=dict)

    def forget(self, members: Collection[str] | None = None) -> None:
        """Name these members no more, or nobody."""
        for stay in self._stays.values():
            if members is None or stay.member_id in members:
                stay.forget()

    def keep(self, seen: Sequence[Person], at: float) -> list[MemberId]:
        """Take in who is there; return the members who have just come. Who is taken for somebody else than before begins anew."""
        came = []
        for person in seen:
            stay, member_id = self._stays.setdefault(person["track_id"], Stay(at)), person["member_id"]
            if member_id != stay.member_id:
                if stay.member_id is not None and member_id is not None:
                    stay.since = at
                stay.forget()
                if member_id is not None:
                    stay.member_id = MemberId(member_id)
                    came.append(stay.member_id)
            if person["valence"] is not None:
                stay.look, stay.looks = stay.look + person["valence"], stay.looks + 1
        return came

    def over(self, there: Collection[int | None]) -> list[Stay]:
        """Return the stays of who is not there any more, and end them."""
        return [self._stays.pop(track) for track in list(self._stays) if track not in there]


def record(services: Services, kiosk: Kiosk, visitor_id: str, over: Sequence[Stay], at: float) -> None:
    """Tell the log how long each of them stood there until `at`, and how they looked, by the consents of this moment."""
    now, made = datetime.now(UTC), []
    for stay in over:
        seconds = min(at - stay.since, LONGEST_STAY_S)
        if seconds < SHORTEST_STAY_S:
            continue
        granted = frozenset() if stay.member_id is None else services.consents.granted(Subject(stay.member_id), at=now)
        member_id = stay.member_id if Purpose.FACE_RECOGNITION in granted else None
        told: list[tuple[EventType, dict[str, Any]]] = [(EventType.DWELLED, {"seconds": round(seconds)})]
        if stay.looks and (stay.member_id is None or (member_id is not None and Purpose.EXPRESSION in granted)):
            mean = stay.look / stay.looks
            told.append((EventType.EXPRESSED, {"valence": max(-1.0, min(1.0, mean))}))
        made += [
            Event(new_id(), kind, now, "kiosk", member_id, visitor_id, payload={"kiosk_id": kiosk.name, **payload})
            for kind, payload in told
        ]
    if made:
        services.events.append_batch(made, received_at=now)

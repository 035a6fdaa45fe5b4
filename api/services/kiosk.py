"""From what a camera tells to what a kiosk shows: consent is asked for every person in every observation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from api.services import kiosk_tickets
from api.services.cameras import notice
from api.services.kiosk_people import Mood, Stays, feel, record
from api.services.kiosk_screens import EMPTY, Audience, Screens
from api.wiring import Services
from personalization.display import DisplayPolicy, Mode, Scene, Shown, choose
from personalization.types import MemberId, Purpose, Subject
from stores.database import new_id
from stores.kiosks import Kiosk
from stores.switches import Use

log = structlog.get_logger(__name__)
ATTRACT_FOR_S = 60.0
CAMERA_SILENT_S = 10.0
POLICY_S = 2.0
SENT_S = 0.02
"""Time to send a display in, before its poster is designed: that holds the interpreter's lock."""
LATE_S = 5.0
"""What a camera saw longer ago, and could only tell now, is written down and shown to nobody."""
LATEST_S = 3_600.0
"""An agent's clock that is further behind is wrong; it counts as so far behind."""
RECOGNISED = "You agreed to be recognised here. Touch “Forget me” to end it."
NOBODY = "Nobody is recognised. No picture is stored."
OFF = "Recognition is switched off in this shop. No picture is stored."
_TOLD = ("headline", "subline", "words", "items", "coupon", "poster", "slides", "decision_id")


@dataclass(slots=True)
class _State:
    """What one kiosk shows to whom. Times in seconds of the service's clock."""

    visitor_id: str
    shown: Shown = field(default_factory=Shown)
    published: bool = False
    camera: bool = False
    attract_until: float = 0.0
    watched_until: float = 0.0
    mood: Mood | None = None
    uses: frozenset[Use] = frozenset()
    notice: dict[str, Any] | None = None
    """What the store has switched on, and the notice at its entrance, as of the last request."""
    party: frozenset[int | None] = frozenset()
    """The tracks of whom `visitor_id` stands for: who was there when it began. It ends when the last of them has left."""
    there: frozenset[int | None] = frozenset()
    """The tracks of whoever was seen last."""
    denied: dict[str, frozenset[int | None]] = field(default_factory=dict)
    """Members who said that it is not them, and the tracks that were there; until those have left, nobody is taken for them."""
    stays: Stays = field(default_factory=Stays)
    coupon: tuple[MemberId, dict[str, Any]] | None = None
    """Whom the display has greeted with which coupon: it stays while they are there alone, until it is time to be quiet."""
    loop: dict[str, Any] | None = None
    """The last posters, to be there at once when what is personal has to go."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Kiosks:
    """Turns observations into displays. `clock` counts seconds."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock, self._screens = services, clock, Screens(services)
        self._policy, self._policy_read = services.display_policy, float("-inf")
        self._states: dict[str, _State] = {}
        self._guard = threading.Lock()

    def display(self, kiosk: Kiosk) -> dict[str, Any]:
        """Return what the kiosk shows now. Called twice a second while a display is on, it keeps the display true.

        When no camera has told anything for a while, nobody can know that a member is still there: they leave.
        """
        state, bus = self._state(kiosk), self._services.bus
        with state.lock:
            current = self._heed(kiosk, state, bus.current(kiosk.kiosk_id))
            if current is None or self._is_over(state, current):
                self._stays_over(kiosk, state, (), self._clock())
                return self._attract(kiosk, state)
            return self._tell_camera(kiosk, state, current)

    def observe(self, kiosk: Kiosk, people: Sequence[Mapping[str, Any]], *, at: datetime | None = None) -> bool:
        """Take in everybody whom a camera sees now, the nearest first; return whether the display changed.

        `at`: when it was seen. What is late changes no display.
        """
        state = self._state(kiosk)
        with state.lock:
            self._heed(kiosk, state, self._services.bus.current(kiosk.kiosk_id))
            seen = [self._allowed(state.uses, person, state.denied) for person in people]
            now = self._clock()
            late = 0.0 if at is None else min(max((datetime.now(UTC) - at).total_seconds(), 0.0), LATEST_S)
            self._services.kiosk_health.camera(kiosk.kiosk_id, late_s=late, at=datetime.now(UTC))
            there = frozenset(person["track_id"] for person in seen)
            self._stays_over(kiosk, state, there, now - late)
            for member_id in state.stays.keep(seen, now - late):
                self._services.templates.seen(member_id, at=datetime.now(UTC) - timedelta(seconds=late))
            if late > LATE_S:
                return False
            state.watched_until = now + CAMERA_SILENT_S
            self._others_came(state, there)
            shown = choose(self._rules(), state.shown, self._scene(state, seen, now))
            changed = shown.mode is not state.shown.mode or shown.known != state.shown.known
            left = state.shown.came is not None and shown.came is None
            state.shown = shown
            if left:
                state.visitor_id, state.mood, state.coupon, state.denied = new_id(), None, None, {}
            if changed:
                self._show(kiosk, state)
            elif not state.camera and (current := self._services.bus.current(kiosk.kiosk_id)) is not None:
                self._tell_camera(kiosk, state, current)
            return changed

    def switched(self, store_id: str) -> None:
        """Somebody switched what cameras may do in this store: its displays follow, now."""
        for kiosk in self._services.kiosks.all():
            if kiosk.store_id == store_id and self._services.bus.current(kiosk.kiosk_id) is not None:
                self.display(kiosk)

    def forget(self, member_id: MemberId) -> None:
        """Turn every kiosk that shows this member anonymous, now, and its cached copies old.

        First without waiting for what a kiosk is just making, then again behind it, so that it cannot come after.
        """
        bus = self._services.bus
        shown: list[Kiosk] = []
        for kiosk in self._services.kiosks.all():
            state = self._state(kiosk)
            if member_id in state.shown.known | bus.shows(kiosk.kiosk_id):
                self._publish(kiosk, state, self._posters(state), Shown())
                shown.append(kiosk)
        for kiosk in self._services.kiosks.all():
            state = self._state(kiosk)
            with state.lock:
                state.stays.forget({member_id})
                if kiosk in shown or member_id in state.shown.known | bus.shows(kiosk.kiosk_id):
                    kiosk_tickets.next_epoch(self._services.db, kiosk)
                    self._blank(kiosk, state)

    def not_me(self, kiosk: Kiosk, members: frozenset[MemberId] | None = None) -> None:
        """Somebody says that they are not whom the kiosk greeted: it is anonymous at once, until they have left."""
        state = self._state(kiosk)
        with state.lock:
            known = self.known(kiosk)
            denied = known if members is None else members
            state.denied |= dict.fromkeys(denied, state.there)
            state.stays.forget(denied)
            if members is None or members & known:
                self._blank(kiosk, state)

    def purge(self, kiosk: Kiosk) -> int:
        """Have the kiosk delete its cached copies; return the number that new ones carry."""
        number, bus = kiosk_tickets.next_epoch(self._services.db, kiosk), self._services.bus
        current = self.display(kiosk)
        told = current | {"epoch": number, "revision": current["revision"] + 1}
        bus.publish(kiosk.kiosk_id, told, members=bus.shows(kiosk.kiosk_id))
        return number

    def _blank(self, kiosk: Kiosk, state: _State) -> dict[str, Any]:
        """Show the last posters, without asking the core for new ones: the next look at the display does."""
        now = self._clock()
        state.shown = Shown(since=now, came=state.shown.came, last_seen=state.shown.last_seen)
        state.mood, state.coupon, state.attract_until = None, None, now
        state.stays.forget()
        return self._publish(kiosk, state, self._posters(state))

    def _posters(self, state: _State) -> dict[str, Any]:
        return state.loop or EMPTY | self._screens.bare()

    def known(self, kiosk: Kiosk) -> frozenset[MemberId]:
        """Return whom the display greets now."""
        return frozenset(map(MemberId, self._services.bus.shows(kiosk.kiosk_id)))

    def _rules(self) -> DisplayPolicy:
        """Return the policy that counts now; one that was just saved counts within POLICY_S, in every process."""
        now = self._clock()
        if now - self._policy_read >= POLICY_S:
            saved = self._services.display_policies.newest()
            self._policy, self._policy_read = saved.policy if saved else self._services.display_policy, now
        return self._policy

    def _heed(self, kiosk: Kiosk, state: _State, current: dict[str, Any] | None) -> dict[str, Any] | None:
        """Take note of what the store's cameras may do now; return the display, which begins anew where that has changed."""
        switch = self._services.switches.latest(kiosk.store_id)
        told = notice(switch)
        state.uses, state.notice = frozenset() if switch is None else switch.uses, told
        if current is None or current.get("notice") == told:
            return current
        if not set((current.get("notice") or {"uses": ()})["uses"]) <= state.uses:  # cached copies are personal, too
            kiosk_tickets.next_epoch(self._services.db, kiosk)
        return self._blank(kiosk, state)

    def _allowed(self, uses: frozenset[Use], person: Mapping[str, Any], denied: Collection[str]) -> dict[str, Any]:
        """Return the person without what nobody may know, by what is switched on and by the consents of this moment.

        Where the shop asks for liveness, who is not known to be alive is nobody: a picture of a member is no member.
        """
        member_id = person.get("member_id")
        granted = (
            self._services.consents.granted(Subject(MemberId(member_id)), at=datetime.now(UTC))
            if member_id
            else frozenset()
        )
        lives = self._services.settings.vision_liveness == "none" or person.get("live") is True
        may_know = lives and Use.RECOGNITION in uses and Purpose.FACE_RECOGNITION in granted
        known = member_id if may_know and member_id not in denied else None
        reads = Use.EXPRESSION in uses and (not member_id or Purpose.EXPRESSION in granted)
        told: dict[str, Any] = {"track_id": person.get("track_id"), "member_id": known}
        for name in ("expression", "valence", "certainty"):
            told[name] = person.get(name) if reads else None
        return told

    def _scene(self, state: _State, seen: Sequence[Mapping[str, Any]], now: float) -> Scene:
        known = frozenset(person["member_id"] for person in seen if person["member_id"])
        nearest = seen[0] if seen else None
        state.mood = None if nearest is None else feel(self._services, state.mood, nearest, now)
        mood = None if state.mood is None else state.mood.state
        valence = None if mood is None else mood.valence
        unsettled = nearest is not None and nearest["expression"] in {"surprised", "negative"}
        return Scene(now, bool(seen), known, valence, unsettled, None if state.mood is None else state.mood.who)

    @staticmethod
    def _others_came(state: _State, there: frozenset[int | None]) -> None:
        """End what was of people who have left, also where others came before the place was empty."""
        if not there:
            return
        state.there = there
        state.denied = {one: tracks for one, tracks in state.denied.items() if tracks & there}
        if not state.party & there:
            state.visitor_id, state.party = new_id() if state.party else state.visitor_id, there

    def _stays_over(self, kiosk: Kiosk, state: _State, there: Collection[int | None], at: float) -> None:
        record(self._services, kiosk, state.visitor_id, state.stays.over(there), at)

    def _show(self, kiosk: Kiosk, state: _State) -> None:
        if state.shown.mode is Mode.ATTRACT:
            self._attract(kiosk, state, state.shown)
            return
        affect = None if state.mood is None or state.mood.state is None else state.mood.state.as_affect()
        audience = Audience(tuple(sorted(MemberId(one) for one in state.shown.known)), state.visitor_id, affect)

        def publish(content: dict[str, Any]) -> None:
            if all(self._recognisable(member_id) for member_id in state.shown.known):
                self._publish(kiosk, state, self._with_coupon(state, audience.alone, content))

        def early(content: dict[str, Any]) -> None:
            publish(content)
            time.sleep(SENT_S)

        publish(self._screens.make(kiosk, state.shown.mode, audience, early))
        if not all(self._recognisable(member_id) for member_id in state.shown.known):
            self._blank(kiosk, state)  # withdrawn while it was made

    @staticmethod
    def _with_coupon(state: _State, alone: MemberId | None, content: dict[str, Any]) -> dict[str, Any]:
        """Return the content with the coupon of who is still there alone: somebody may be just about to scan it."""
        if alone is None or state.shown.mode not in {Mode.WELCOME, Mode.INSPIRE}:
            return content
        if content["coupon"] is not None:
            state.coupon = alone, content["coupon"]
        elif state.shown.mode is Mode.INSPIRE and state.coupon is not None and state.coupon[0] == alone:
            return content | {"coupon": state.coupon[1]}
        return content

    def _attract(self, kiosk: Kiosk, state: _State, shown: Shown | None = None) -> dict[str, Any]:
        state.attract_until = self._clock() + ATTRACT_FOR_S
        state.shown = shown or Shown(since=self._clock(), came=state.shown.came, last_seen=state.shown.last_seen)
        state.loop = self._screens.make(kiosk, Mode.ATTRACT, Audience((), state.visitor_id))
        return self._publish(kiosk, state, state.loop)

    def _recognisable(self, member_id: str) -> bool:
        granted = self._services.consents.granted(Subject(MemberId(member_id)), at=datetime.now(UTC))
        return Purpose.FACE_RECOGNITION in granted

    def _is_over(self, state: _State, current: Mapping[str, Any]) -> bool:
        if not state.published:  # another process shows this one, or did before a restart
            return datetime.now(UTC) - datetime.fromisoformat(current["at"]) > timedelta(seconds=ATTRACT_FOR_S)
        until = state.attract_until if state.shown.mode is Mode.ATTRACT else state.watched_until
        return self._clock() >= until

    def _tell_camera(self, kiosk: Kiosk, state: _State, current: dict[str, Any]) -> dict[str, Any]:
        """Say on the display that a camera has begun or ended to look."""
        if not state.published or state.camera == (self._clock() < state.watched_until):
            return current
        return self._publish(kiosk, state, EMPTY | {name: current[name] for name in _TOLD if name in current})

    def _publish(
        self, kiosk: Kiosk, state: _State, content: dict[str, Any], shown: Shown | None = None
    ) -> dict[str, Any]:
        bus, db, shown = self._services.bus, self._services.db, shown or state.shown
        state.published, state.camera = True, self._clock() < state.watched_until
        before = bus.current(kiosk.kiosk_id)
        told = OFF if Use.RECOGNITION not in state.uses else RECOGNISED if shown.known else NOBODY
        now = datetime.now(UTC)
        display = {
            "epoch": kiosk_tickets.epoch(db, kiosk),
            "ticket": kiosk_tickets.ticket(db, kiosk, shown.known, at=now) if shown.known else None,
            "kiosk_id": kiosk.kiosk_id, "revision": before["revision"] + 1 if before else 1, "mode": shown.mode.value,
            "why": shown.why, "at": now.isoformat(), "retailer": self._services.settings.retailer,
            "privacy": {
                "camera": state.camera, "recognised": bool(shown.known), "expression": Use.EXPRESSION in state.uses, "text": told,
            }, "notice": state.notice, **content,
        }  # fmt: skip
        bus.publish(kiosk.kiosk_id, display, members=shown.known)
        return display

    def _state(self, kiosk: Kiosk) -> _State:
        with self._guard:
            return self._states.setdefault(kiosk.kiosk_id, _State(new_id()))

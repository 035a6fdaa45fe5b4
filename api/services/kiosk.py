"""What a kiosk shows: strangers see an attract loop, consenting members their own, unhappy people a calm page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from api import views
from api.wiring import Services
from personalization.types import (
    Affect,
    Channel,
    Context,
    Decision,
    EventType,
    MemberId,
    Purpose,
    StoreId,
    Subject,
    VisitorId,
)
from stores.database import new_id
from stores.events import Event
from stores.kiosks import Kiosk

log = structlog.get_logger(__name__)
UNHAPPY = -0.35
UNHAPPY_LOOKS = 3
SLIDES = 4
ATTRACT_FOR_S = 60.0
CAMERA_SILENT_S = 10.0
SHORTEST_STAY_S = 1.0


@dataclass(slots=True)
class _State:
    """What one kiosk shows to whom."""

    visitor_id: str
    mode: str = "none"
    member_id: str | None = None
    track_id: int | None = None
    unhappy: int = 0
    camera: bool = False
    attract_until: float = 0.0
    watched_until: float = 0.0
    since: float | None = None
    looks: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Kiosks:
    """Turns observations into displays. `clock` counts seconds."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock = services, clock
        self._states: dict[str, _State] = {}
        self._guard = threading.Lock()

    def display(self, kiosk: Kiosk) -> dict[str, Any]:
        """Return what the kiosk shows now. Called every few seconds while a display is on, it keeps the display true.

        When no camera has told anything for a while, nobody can know that a member is still there: they leave.
        """
        state, bus = self._state(kiosk), self._services.bus
        with state.lock:
            current = bus.current(kiosk.kiosk_id)
            if current is None or self._is_over(state, current):
                return self._attract(kiosk, state)
            return self._tell_camera(kiosk, state, current)

    def _is_over(self, state: _State, current: Mapping[str, Any]) -> bool:
        if state.mode == "none":  # another process shows this one, or did before a restart
            return datetime.now(UTC) - datetime.fromisoformat(current["at"]) > timedelta(seconds=ATTRACT_FOR_S)
        until = state.attract_until if state.mode == "attract" else state.watched_until
        return self._clock() >= until

    def _tell_camera(self, kiosk: Kiosk, state: _State, current: dict[str, Any]) -> dict[str, Any]:
        """Say on the display that a camera has begun or ended to look."""
        if state.mode == "none" or state.camera == (self._clock() < state.watched_until):
            return current
        unchanged = ("headline", "subline", "items", "coupon", "poster", "slides", "decision_id")
        return self._publish(kiosk, state, state.mode, {name: current[name] for name in unchanged})

    def observe(self, kiosk: Kiosk, seen: Mapping[str, Any]) -> bool:
        """Take in one observation; return whether the display changed."""
        state = self._state(kiosk)
        with state.lock:
            state.watched_until = self._clock() + CAMERA_SILENT_S
            member_id = self._recognised(seen.get("member_id"))
            if seen.get("track_id") != state.track_id or not seen["present"]:
                self._stay_over(kiosk, state)
                state.track_id, state.unhappy = seen.get("track_id"), 0
            if not seen["present"]:
                return self._leave(kiosk, state)
            valence = seen.get("valence") if self._may_read(kiosk, member_id) else None
            state.since = self._clock() if state.since is None else state.since
            if valence is not None:
                state.looks.append(valence)
            state.unhappy = state.unhappy + 1 if valence is not None and valence < UNHAPPY else 0
            calm = state.unhappy >= UNHAPPY_LOOKS or (state.mode == "calm" and valence is not None and valence < 0)
            mode = "calm" if calm else "welcome" if member_id else "attract"
            if (mode, member_id) == (state.mode, state.member_id) or (mode == "attract" and state.mode == "none"):
                self._watched(kiosk, state)
                return False
            self._show(kiosk, state, mode, member_id, valence)
            return True

    def forget(self, member_id: MemberId) -> None:
        """Turn every kiosk that shows this member anonymous, now."""
        for kiosk in self._services.kiosks.all():
            state = self._state(kiosk)
            with state.lock:
                if member_id in {state.member_id, self._services.bus.shows(kiosk.kiosk_id)}:
                    state.member_id, state.track_id, state.unhappy = None, None, 0
                    self._attract(kiosk, state)

    def _stay_over(self, kiosk: Kiosk, state: _State) -> None:
        """Tell the log how long somebody stood there, and how they looked where that may be read."""
        since, looks = state.since, state.looks
        state.since, state.looks = None, []
        seconds = 0.0 if since is None else self._clock() - since
        if seconds < SHORTEST_STAY_S:
            return
        told: list[tuple[EventType, dict[str, Any]]] = [(EventType.DWELLED, {"seconds": round(seconds)})]
        if looks:
            told.append((EventType.EXPRESSED, {"valence": max(-1.0, min(1.0, sum(looks) / len(looks)))}))
        now = datetime.now(UTC)
        made = [
            Event(new_id(), kind, now, "kiosk", state.member_id, state.visitor_id, payload={"kiosk_id": kiosk.name, **payload})
            for kind, payload in told
        ]  # fmt: skip
        self._services.events.append_batch(made, received_at=now)

    def _leave(self, kiosk: Kiosk, state: _State) -> bool:
        if state.mode in {"attract", "none"}:
            self._watched(kiosk, state)
            return False
        state.member_id, state.unhappy = None, 0
        state.visitor_id = new_id()
        self._attract(kiosk, state)
        return True

    def _watched(self, kiosk: Kiosk, state: _State) -> None:
        if not state.camera and (current := self._services.bus.current(kiosk.kiosk_id)) is not None:
            self._tell_camera(kiosk, state, current)

    def _show(self, kiosk: Kiosk, state: _State, mode: str, member_id: MemberId | None, valence: float | None) -> None:
        state.member_id = member_id
        if mode == "attract":
            self._attract(kiosk, state)
            return
        calm = mode == "calm"
        affect = None if valence is None else Affect(valence, 0.5, {}, "face")
        decision = self._decide(
            kiosk,
            state,
            member_id,
            size=3,
            affect=affect,
            wants_coupon=not calm and member_id is not None,
            wants_creative=not calm,
        )
        member = self._services.members.get(member_id) if member_id else None
        headline = (
            f"Welcome back, {member.first_name}" if member and not calm else "Take your time" if calm else "Hello"
        )
        subline = (
            f"A person is glad to help at {self._services.settings.support_contact}."
            if calm
            else "Picked for you, from what you buy"
        )
        self._publish(kiosk, state, mode, {
            "headline": headline, "subline": subline, "items": [views.card(item) for item in decision.slate],
            "coupon": views.coupon(decision.coupon) if decision.coupon and not calm else None,
            "poster": views.creative(decision.creative) if decision.creative else None, "slides": [], "decision_id": decision.decision_id,
        })  # fmt: skip
        self._viewed(kiosk, decision, member_id)

    def _attract(self, kiosk: Kiosk, state: _State) -> dict[str, Any]:
        """Show a loop of posters of what is popular here."""
        state.attract_until = self._clock() + ATTRACT_FOR_S
        state.member_id = None
        slides: list[dict[str, Any]] = []
        decision = self._decide(kiosk, state, None, size=SLIDES, affect=None, wants_coupon=False, wants_creative=False)
        maker = self._services.core.creative
        for item in decision.slate:
            slide = {"headline": item.product.name, "item": views.card(item), "poster": None}
            if maker is not None:
                creative = maker.make(decision.context, item, None, None)
                self._services.creatives.put(creative)
                slide["poster"] = views.creative(creative)
            slides.append(slide)
        return self._publish(kiosk, state, "attract", {
            "headline": f"Good to see you at {self._services.settings.retailer}", "subline": "What people here like", "coupon": None,
            "items": [slide["item"] for slide in slides[:3]], "poster": slides[0]["poster"] if slides else None, "slides": slides,
            "decision_id": decision.decision_id,
        })  # fmt: skip

    def _decide(
        self,
        kiosk: Kiosk,
        state: _State,
        member_id: MemberId | None,
        *,
        size: int,
        affect: Affect | None,
        wants_coupon: bool,
        wants_creative: bool,
    ) -> Decision:
        context = Context(
            Channel.KIOSK, datetime.now(UTC), StoreId(kiosk.store_id) if kiosk.store_id else None, affect=affect, slate_size=size,
            wants_coupon=wants_coupon, wants_creative=wants_creative,
        )  # fmt: skip
        decision = self._services.core.decide(Subject(member_id, VisitorId(state.visitor_id)), context)
        self._services.metrics.decisions.labels(context.channel).inc()
        return decision

    def _publish(self, kiosk: Kiosk, state: _State, mode: str, content: dict[str, Any]) -> dict[str, Any]:
        bus = self._services.bus
        state.mode, state.camera = mode, self._clock() < state.watched_until
        recognised = state.member_id is not None
        before = bus.current(kiosk.kiosk_id)
        told = (
            "You agreed to be recognised here. Say “forget me” in the chat to end it."
            if recognised
            else "Nobody is recognised. No picture is stored."
        )
        display = {
            "kiosk_id": kiosk.kiosk_id, "revision": before["revision"] + 1 if before else 1, "mode": mode,
            "at": datetime.now(UTC).isoformat(), "retailer": self._services.settings.retailer,
            "privacy": {"camera": state.camera, "recognised": recognised, "expression": kiosk.expression_notice, "text": told}, **content,
        }  # fmt: skip
        bus.publish(kiosk.kiosk_id, display, member_id=state.member_id)
        return display

    def _viewed(self, kiosk: Kiosk, decision: Decision, member_id: MemberId | None) -> None:
        now = datetime.now(UTC)
        events = [
            Event(
                new_id(),
                EventType.VIEWED,
                now,
                "kiosk",
                member_id,
                decision.subject.visitor_id,
                decision.decision_id,
                item.product.product_id,
            )
            for item in decision.slate
        ]
        self._services.events.append_batch(events, received_at=now)

    def _recognised(self, member_id: str | None) -> MemberId | None:
        """Return the member if consent to face recognition stands at this moment."""
        if member_id is None:
            return None
        granted = self._services.consents.granted(Subject(MemberId(member_id)), at=datetime.now(UTC))
        return MemberId(member_id) if Purpose.FACE_RECOGNITION in granted else None

    def _may_read(self, kiosk: Kiosk, member_id: MemberId | None) -> bool:
        if member_id is None:
            return kiosk.expression_notice
        return Purpose.EXPRESSION in self._services.consents.granted(Subject(member_id), at=datetime.now(UTC))

    def _state(self, kiosk: Kiosk) -> _State:
        with self._guard:
            return self._states.setdefault(kiosk.kiosk_id, _State(new_id()))

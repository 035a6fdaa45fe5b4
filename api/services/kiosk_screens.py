"""What is on a kiosk's screen in each of its modes. Nothing here says what somebody bought, or how they look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api import views
from api.services.films import Films
from api.wiring import Services
from personalization.decisions import Creative, Decision
from personalization.display import Mode
from personalization.types import Affect, Channel, Context, MemberId, SlateItem, StoreId, Subject, VisitorId
from stores.kiosks import Kiosk

SLIDES, ITEMS, DISCOVERIES = 4, 3, 6
EMPTY: dict[str, Any] = {"coupon": None, "poster": None, "slides": [], "items": []}
FROM_PURCHASES = frozenset({"repeat", "kind", "taste", "together"})
"""Sources of reasons that would tell bystanders what somebody buys."""
HEADLINES = {
    Mode.WELCOME: "Welcome back", Mode.INSPIRE: "Something new for you?", Mode.CALM: "Take your time", Mode.HELP: "Shall we help?",
}  # fmt: skip
SUBLINES = {
    Mode.WELCOME: "Picked for you", Mode.INSPIRE: "You may like to try", Mode.CALM: "A person is glad to help at {contact}.",
    Mode.HELP: "Somebody from our team is glad to help at {contact}.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audience:
    """Who looks at the screen: the members who agreed to be recognised, and the visitor that they are together."""

    members: tuple[MemberId, ...]
    visitor_id: str
    affect: Affect | None = None

    @property
    def alone(self) -> MemberId | None:
        """The one member, when there is just one."""
        return self.members[0] if len(self.members) == 1 else None


def card(item: SlateItem) -> dict[str, Any]:
    """Return an item as a screen that others see, too, may show it."""
    shown = views.card(item)
    return (
        shown | {"reason": "Picked for you.", "reason_code": "picked"}
        if item.reason.facts.get("source") in FROM_PURCHASES
        else shown
    )


class Screens:
    """Asks the core what to show. That it was shown the kiosk itself tells (`stores.plays`)."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def make(
        self, kiosk: Kiosk, mode: Mode, audience: Audience, early: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Return the content of a screen; a part that cannot be made is left out. `early` is told it without its poster, which follows."""
        if mode is Mode.ATTRACT:
            return self._attract(kiosk, audience)
        quiet = mode in {Mode.CALM, Mode.HELP}
        headline, subline, words = self._words(mode, audience)

        def content(decision: Decision) -> dict[str, Any]:
            return EMPTY | {
                "headline": headline, "subline": subline, "words": words, "items": [card(item) for item in decision.slate],
                "coupon": views.coupon(decision.coupon) if decision.coupon and not quiet else None,
                "poster": self._poster(decision.creative, decision.slate[0] if decision.slate else None), "decision_id": decision.decision_id,
            }  # fmt: skip

        size = DISCOVERIES if mode is Mode.INSPIRE else ITEMS

        def tell(decision: Decision) -> None:
            if early is not None:
                early(content(decision) | {"poster_follows": True})

        return content(
            self._decide(
                kiosk, audience, size=size, coupon=mode is Mode.WELCOME and audience.alone is not None,
                creative=mode is Mode.WELCOME, early=None if early is None else tell,
            )
        )  # fmt: skip

    def _words(self, mode: Mode, audience: Audience) -> tuple[str, str, dict[str, Any]]:
        """Return headline and subline, and what a page says them from in other languages.

        A first name at most, and none where several could be meant.
        """
        headline, subline, name = HEADLINES[mode], SUBLINES[mode], None
        if mode is Mode.WELCOME and audience.alone is not None:
            member = self._services.members.get(audience.alone)
            name = member.first_name if member else None
            headline = f"{headline}, {name}" if name else headline
        shared = len(audience.members) > 1
        if shared and mode in {Mode.WELCOME, Mode.INSPIRE}:
            subline = "What people here like"
        contact = self._services.settings.support_contact
        return headline, subline.format(contact=contact), {"name": name, "contact": contact, "shared": shared}

    def bare(self) -> dict[str, Any]:
        """Return a screen for nobody that needs neither the core nor anything stored."""
        return {
            "headline": f"Good to see you at {self._services.settings.retailer}", "subline": "", "decision_id": None,
            "words": {"name": None, "contact": self._services.settings.support_contact, "shared": False},
        }  # fmt: skip

    def _attract(self, kiosk: Kiosk, audience: Audience) -> dict[str, Any]:
        """Return a loop of posters of what is popular here."""
        stranger = Audience((), audience.visitor_id)
        decision = self._decide(kiosk, stranger, size=SLIDES, coupon=False, creative=False)
        slides = self._slides(decision)
        return EMPTY | self.bare() | {
            "subline": "What people here like", "items": [slide["item"] for slide in slides[:ITEMS]], "poster": slides[0]["poster"] if slides else None, "slides": slides,
            "decision_id": decision.decision_id,
        }  # fmt: skip

    def _slides(self, decision: Decision) -> Sequence[dict[str, Any]]:
        maker, slides = self._services.core.creative, []
        for item in decision.slate:
            slide: dict[str, Any] = {"headline": item.product.name, "item": views.card(item), "poster": None}
            if maker is not None:
                creative = maker.make(decision.context, item, None)
                self._services.creatives.put(creative)
                slide["poster"] = self._poster(creative, item, any_variant=True)
            slides.append(slide)
        return slides

    def _poster(
        self, creative: Creative | None, item: SlateItem | None, *, any_variant: bool = False
    ) -> dict[str, Any] | None:
        """Return a poster, with the film that may be played in its place: of the variant that was placed, in the loop of any approved one."""
        if creative is None or item is None:
            return None
        film = Films(self._services).to_play(item.product, creative, any_variant=any_variant)
        return views.creative(creative) | {"film": None if film is None else views.film(film)}

    def _decide(
        self, kiosk: Kiosk, audience: Audience, *, size: int, coupon: bool, creative: bool,
        early: Callable[[Decision], None] | None = None,
    ) -> Decision:  # fmt: skip
        context = Context(
            Channel.KIOSK, datetime.now(UTC), StoreId(kiosk.store_id) if kiosk.store_id else None, affect=audience.affect,
            slate_size=size, wants_coupon=coupon, wants_creative=creative,
        )  # fmt: skip
        core = self._services.core
        if len(audience.members) > 1:
            context = core.for_all(audience.members, context)
        decision = core.decide(Subject(audience.alone, VisitorId(audience.visitor_id)), context, early=early)
        self._services.metrics.decisions.labels(context.channel).inc()
        return decision

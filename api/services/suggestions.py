"""What an agent may say, show and give: from the core, the voice and canned answers. Nothing here is ever sent by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api import views
from api.wiring import Services
from chatbot.affect import load
from chatbot.handoff import Reason
from chatbot.languages import read
from chatbot.voice.states import DISTRESSED
from personalization.decisions import Decision
from personalization.offers import Coupon
from personalization.types import Channel, Context, MemberId, Subject, VisitorId
from stores.conversations import Conversation
from stores.desk import CannedAnswer
from stores.handoffs import Agent, Handoff

SHOWN = 3
_WORD = re.compile(r"\w{3,}")


def suggest(
    services: Services, conversation: Conversation, handoff: Handoff, agent: Agent, *, at: datetime
) -> dict[str, Any]:
    """Return replies, items and the coupons that the shopper holds.

    The items are a decision of the core for what the shopper wrote last, logged like any other. To somebody in distress, or about
    a sensitive topic, no items and no coupons are suggested: first the trouble, then the shop.
    """
    member = MemberId(conversation.member_id) if conversation.member_id else None
    subject = Subject(member, VisitorId(conversation.visitor_id))
    state = load(conversation.affect)
    mood = state.state if state else "neutral"
    unsold = state is not None and state.valence < services.tunings.current().moods.sell
    troubled = unsold or mood in DISTRESSED or handoff.reason == Reason.SENSITIVE
    latest = services.conversations.latest(conversation.conversation_id, 12)
    asked = next((str(one.body.get("text") or "") for one in reversed(latest) if one.role == "user"), "")
    spoken = any(one.role == "agent" for one in latest)
    decision, held = None, []
    if not troubled:
        context = Context(
            Channel.WIDGET,
            at,
            query=read(asked, conversation.language) or None,
            affect=state.as_affect() if state else None,
            slate_size=SHOWN,
            conversation_id=conversation.conversation_id,
        )
        decision = services.core.decide(subject, context)
        held = [
            coupon
            for coupon, status in services.ledger.coupons_of(subject)
            if status == "open" and coupon.expires_at > at
        ]
    base = services.settings.resolved_public_url
    return {
        "replies": [
            *_voiced(services, conversation, agent, mood, decision, held, first=not spoken, troubled=troubled),
            *_canned(services.desk_records.answers(), asked, conversation.language),
        ],
        "items": [views.card(item, base) for item in decision.slate] if decision else [],
        "coupons": [views.coupon(coupon, base) for coupon in held],
        "decision_id": decision.decision_id if decision else None,
        "fallback": bool(decision and decision.fallbacks),
    }  # fmt: skip


def _voiced(
    services: Services, conversation: Conversation, agent: Agent, mood: str, decision: Decision | None, held: Sequence[Coupon], *, first: bool, troubled: bool
) -> list[dict[str, str]]:  # fmt: skip
    voice = services.voice.speaking(conversation.language)
    found = []
    if first:
        act = "desk.sorry" if troubled else "desk.hello"
        found.append(("apology" if troubled else "opening", voice.word(act, {"agent": agent.name}, mood)))
    if decision is not None and decision.slate:
        names = ", ".join(item.product.name for item in decision.slate)
        found.append(("items", voice.word("desk.items", {"names": names}, mood)))
    if held:
        found.append(
            ("coupon", voice.word("desk.coupon", {"code": held[0].code, "discount": str(held[0].discount)}, mood))
        )
    if not first:
        found.append(("closing", voice.word("desk.closing", {}, mood)))
    return [{"why": why, "title": "", "text": text} for why, text in found]


def _canned(answers: Sequence[CannedAnswer], asked: str, language: str) -> list[dict[str, str]]:
    """Return the answers of this language: those that share most words with what was asked, then the rest by title."""
    wanted = set(_WORD.findall(asked.lower()))
    fitting = sorted(
        (answer for answer in answers if answer.language == language), key=lambda answer: answer.title.casefold()
    )
    fitting.sort(key=lambda answer: -len(wanted & set(_WORD.findall(f"{answer.title} {answer.text}".lower()))))
    return [{"why": "canned", "title": answer.title, "text": answer.text} for answer in fitting]

"""Coupons."""

from __future__ import annotations

from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, Say
from chatbot.ports import Answer, ShopAssistant


@on("coupon")
def _coupon(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.recommend(say.conversation_id, wants_coupon=True)
    if answer.coupon:
        shown = Answer(coupon=answer.coupon, decision_id=answer.decision_id)
        say("coupon.given", shown, [("Why this one?", "why this?")])
    else:
        say("coupon.none", replies=ASK_MORE[:1])

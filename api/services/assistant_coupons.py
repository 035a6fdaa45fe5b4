"""Coupons in a conversation: those that the shopper holds, and what the till would say to one."""

from __future__ import annotations

from api import views
from api.errors import ProblemError
from api.schemas import BasketLineIn
from api.services.assistant_base import AssistantBase
from api.services.baskets import Baskets
from api.services.till import Till
from chatbot.ports import CouponCheck, HeldCoupon
from personalization.offers import Coupon
from personalization.types import Money, Reason
from stores.redeeming import is_for

MOST_NAMED = 5


class Coupons(AssistantBase):
    """What is held, and why one does not work; to their owner only."""

    def coupons(self, conversation_id: str) -> list[HeldCoupon]:
        """Return the shopper's coupons, newest first; one whose time is over is expired, whatever the ledger got round to."""
        now = self._now()
        return [
            self._held(coupon, "expired" if status == "open" and coupon.expires_at <= now else status)
            for coupon, status in self._services.ledger.coupons_of(self._subject(conversation_id))
        ]

    def check_coupon(self, conversation_id: str, code: str) -> CouponCheck:
        """Return what the till would say to this code and the shopper's basket as it is."""
        subject = self._subject(conversation_id)
        basket = Baskets(self._services).read(subject)
        lines = [
            BasketLineIn(product_id=line.product.product_id, amount_minor=line.product.price.minor_units * line.quantity, quantity=line.quantity)
            for line in basket.lines
        ]  # fmt: skip
        source = f"chat:{subject.visitor_id}"
        try:
            checked = Till(self._services).examine(code, lines, subject, source, at=self._now())
        except ProblemError as error:
            return CouponCheck(code, Reason(error.code.replace("-", "_"), error.detail), basket=basket.total)
        held = None
        if checked.coupon is not None and is_for(self._services.ledger.get(checked.coupon.code)[2], subject):
            why = checked.reason.code if checked.reason is not None else ""
            status = why if why in {"redeemed", "expired"} else "open"
            held = self._held(checked.coupon, status)
        off = Money(checked.off, self._services.settings.currency) if checked.off else None
        return CouponCheck(checked.coupon.code if checked.coupon else code, checked.reason, held, off, basket.total)

    def _held(self, coupon: Coupon, status: str) -> HeldCoupon:
        known = self._services.catalogue.products(sorted(coupon.product_ids)[:40])
        there = [product for product in known.values() if product.in_stock][:MOST_NAMED]
        return HeldCoupon(coupon, status, views.coupon(coupon, self._base), tuple(there))

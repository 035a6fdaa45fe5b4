"""The `ShopAssistant` behind Rasa's actions: every call speaks for one conversation, with that shopper's rights."""

from __future__ import annotations

from dataclasses import replace

from api.services.assistant_account import Account
from api.services.assistant_basket import BasketTalks
from api.services.assistant_coupons import Coupons
from api.services.assistant_orders import Orders
from api.services.assistant_products import Products
from api.services.desk import Desk
from api.shop_file import shop_facts
from chatbot.ports import Answer, ShopFacts


class Assistant(Products, BasketTalks, Coupons, Account, Orders):
    """Answers for one conversation at a time; safe to call from several threads."""

    def handoff(self, conversation_id: str) -> Answer:
        """Queue the conversation for a person."""
        desk = Desk(self._services, now=self._now)
        told = desk.ask(conversation_id)
        return replace(told, replies=desk.replies(told.act))

    def store_hours(self) -> str:
        """Return the settings' hours."""
        return self._services.settings.store_hours

    def shop(self) -> ShopFacts:
        """Return what the settings and the shop's file tell."""
        return shop_facts(self._services.settings)

"""The shop itself: hours, way, delivery, payment, returns; what the retailer does not tell is not made up."""

from __future__ import annotations

from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import ShopAssistant, ShopFacts

WAY: tuple[str, str] = ("How do I get there?", "how do I get to the shop")


@on("store_hours")
def _hours(assistant: ShopAssistant, say: Say) -> None:
    say("shop.hours", replies=[WAY, *ASK_MORE[:1]], hours=assistant.store_hours())


@on("store_location")
def _location(assistant: ShopAssistant, say: Say) -> None:
    shop = assistant.shop()
    if not shop.address:
        _unknown(say, shop, "the address")
        return
    act = "shop.location.directions" if shop.directions else "shop.location"
    say(act, replies=[("Opening hours", "when are you open")], address=shop.address, directions=shop.directions)


@on("delivery_info")
def _delivery(assistant: ShopAssistant, say: Say) -> None:
    shop = assistant.shop()
    if not shop.delivery:
        _unknown(say, shop, "delivery")
        return
    say(
        "shop.delivery",
        replies=[("How can I pay?", "how can I pay"), ("Where is my order?", "where is my order")],
        delivery=shop.delivery,
    )


@on("payment_info")
def _payment(assistant: ShopAssistant, say: Say) -> None:
    shop = assistant.shop()
    if not shop.payment:
        _unknown(say, shop, "which ways to pay are taken")
        return
    ways = ", ".join(shop.payment[:-1]) + f" and {shop.payment[-1]}" if len(shop.payment) > 1 else shop.payment[0]
    say("shop.payment", replies=[("Delivery", "do you deliver"), *ASK_MORE[:1]], ways=ways)


def return_rules(assistant: ShopAssistant, say: Say) -> None:
    """Tell the retailer's rules for returns."""
    shop = assistant.shop()
    if not shop.returns:
        _unknown(say, shop, "the rules for returns")
        return
    say("shop.returns", replies=[("Return something", "I want to return something"), HUMAN], returns=shop.returns)


on("return_policy")(return_rules)


def _unknown(say: Say, shop: ShopFacts, what: str) -> None:
    replies: Replies = [HUMAN, *ASK_MORE[:1]]
    reach = " or ".join(filter(None, (shop.phone, shop.email))) or shop.contact
    say("shop.unknown", replies=replies, what=what, contact=reach)

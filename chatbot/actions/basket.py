"""The basket: what is said of it goes to adding or changing; here it is shown, and filled with what was bought before."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.basket_adding import (
    BASKET_WORDS,
    FLOW,
    add,
    add_named,
    added,
    done,
    pending,
    pointed_at_all,
    put_in,
    wait,
)
from chatbot.actions.basket_changing import change, listed
from chatbot.actions.looking import Events, keep, state_of
from chatbot.actions.registry import NOT_AN_ANSWER, awaits, on, reminds
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import Answer, Remembered, ShopAssistant
from chatbot.shopping.amounts import quantity
from chatbot.shopping.changes import Change, Deed, changes
from chatbot.shopping.references import places, resolve
from chatbot.shopping.wish import searched

MOST_LISTED = 8
_USUAL = re.compile(
    r"\b(?:usual|usually|normally|regulars?|always (?:buy|get|order)|as always|every week|standard)\b", re.IGNORECASE
)


@on("basket_add")
def _add(assistant: ShopAssistant, say: Say) -> Any:
    wanted = changes(say.text, assistant.names)
    if any(one.deed is not Deed.ADD or one.anew or not one.what for one in wanted):
        return change(assistant, say, wanted)
    return add(assistant, say, say.text)


@on("basket_remove")
def _remove(assistant: ShopAssistant, say: Say) -> Any:
    count, rest = quantity(say.text)
    plain = Change(Deed.REMOVE, " ".join(BASKET_WORDS.sub(" ", rest).split()), count, said=rest)
    return change(assistant, say, changes(say.text, assistant.names) or [plain])


@on("basket_show")
def _show(assistant: ShopAssistant, say: Say) -> Any:
    basket = assistant.basket(say.conversation_id)
    if not basket.lines:
        say("basket.empty", Answer(basket=basket.card), [("The usual", "my usual, please"), *ASK_MORE[:1]])
        return None
    replies: Replies = [("Any coupons?", "any coupons for me"), ("Empty it", "empty my basket")]
    say(
        "basket.shown",
        Answer(basket=basket.card),
        replies,
        lines=listed(basket),
        total=str(basket.total),
        pieces=basket.pieces,
    )
    return None


@on("reorder")
def _reorder(assistant: ShopAssistant, say: Say) -> Any:
    usual = bool(_USUAL.search(say.text))
    found = assistant.usual(say.conversation_id) if usual else assistant.last_order(say.conversation_id)
    if found.refused or not found.lines:
        refused = found.refused or "sold_out"
        replies: Replies = {
            "unknown": [HUMAN], "no_consent": [("You may use my purchases", "you may use my purchases"), *ASK_MORE[:1]],
            "nothing": ASK_MORE[:2], "sold_out": ASK_MORE[:1],
        }[refused]  # fmt: skip
        say(f"reorder.{refused}", replies=replies)
        return None
    say(
        "basket.reorder.usual" if usual else "basket.reorder.last",
        replies=[("Yes, add all", "yes"), ("No, thanks", "no")],
        **_remembered(found),
    )
    lines = [[line.product.product_id, line.quantity] for line in found.lines]
    ids = [line.product.product_id for line in found.lines]
    return [*keep(state_of(say).showing(ids[:MOST_LISTED])), *wait(say, {"kind": "reorder", "lines": lines})]


def _remembered(found: Remembered) -> dict[str, Any]:
    lines = [f"• {line.quantity} × {line.product.name}, {line.product.price}" for line in found.lines[:MOST_LISTED]]
    more = len(found.lines) - MOST_LISTED
    lines += [f"• and {more} more"] if more > 0 else []
    cost = sum(line.product.price.minor_units * line.quantity for line in found.lines)
    missing = (
        f"\nNot to be had now: {', '.join(found.missing[:3])}{' and more' if len(found.missing) > 3 else ''}."
        if found.missing
        else ""
    )
    money = type(found.lines[0].product.price)(cost, found.lines[0].product.price.currency)
    return {
        "lines": "\n".join(lines),
        "total": str(money),
        "day": f"{found.at:%d %B}" if found.at else "",
        "missing": missing,
        "count": len(found.lines),
    }


@awaits(FLOW, also=("basket_add", "product_search", "refine_search"))
def _heard(assistant: ShopAssistant, say: Say) -> Any:
    """Hear which one it is to be, or whether all of it."""
    asked = pending(say)
    if say.intent in {"deny", "never_mind"}:
        say("basket.kept", replies=ASK_MORE)
        return done(say)
    if asked.get("kind") == "reorder":
        return _heard_reorder(assistant, say, asked)
    if say.intent in {"product_search", "refine_search"} and asked.get("kind") != "name" and not places(say.text):
        return NOT_AN_ANSWER
    count, rest = quantity(say.text)
    if asked.get("kind") == "name":
        if places(say.text):  # of what is shown
            return add(assistant, say, say.text)
        return (
            add_named(assistant, say, say.text, count or int(asked.get("quantity", 1)))
            if searched(BASKET_WORDS.sub(" ", rest)).query
            else NOT_AN_ANSWER
        )
    return _heard_which(assistant, say, asked, count, rest)


def _heard_which(assistant: ShopAssistant, say: Say, asked: dict[str, Any], count: int | None, rest: str) -> Any:
    asked_about = tuple(asked.get("ids") or ())
    if asked_about != state_of(say).shown:  # another list was shown since: a place means that one
        return NOT_AN_ANSWER
    products = assistant.products(asked_about)
    meant = resolve(rest, products)
    if not meant and say.intent == "affirm":
        meant = [0] if len(products) == 1 else []
    if not meant or (len(meant) > 1 and not pointed_at_all(rest, products, meant)):
        return NOT_AN_ANSWER
    return added(assistant, say, [products[n] for n in meant], count or int(asked.get("quantity", 1)))


def _heard_reorder(assistant: ShopAssistant, say: Say, asked: dict[str, Any]) -> Any:
    lines = [(str(product_id), int(count)) for product_id, count in asked.get("lines") or ()]
    products = assistant.products([product_id for product_id, _ in lines])
    chosen = [products[n] for n in resolve(say.text, products)] if say.intent in {"pick_item", "basket_add"} else []
    if not chosen and say.intent not in {"affirm", "basket_add"}:
        return NOT_AN_ANSWER
    wanted = [(product, dict(lines)[product.product_id]) for product in chosen or products]
    return put_in(assistant, say, wanted)


@reminds(FLOW)
def _remind(assistant: ShopAssistant, say: Say) -> Events:
    """Take the question up again, once in a conversation and never with somebody in distress; who strays again has let it go."""
    asked = pending(say)
    if asked.get("strayed"):
        return done(say)
    if not say.troubled and not asked.get("reminded"):
        kind = asked.get("kind")
        act = f"basket.reminder.{kind if kind in {'add', 'reorder', 'name'} else 'add'}"
        say(act, replies=[("Never mind", "never mind")])
        asked = {**asked, "reminded": True}
    return [SlotSet("basket", {**asked, "strayed": True})]

"""The basket: put in, taken out, shown, and filled again with what was bought before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.looking import Events, best_named, entities, keep, look, number_replies, state_of
from chatbot.actions.registry import NOT_AN_ANSWER, awaits, on, reminds
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import Answer, Basket, Remembered, ShopAssistant
from chatbot.shopping.amounts import quantity
from chatbot.shopping.references import out_of_range, resolve
from chatbot.shopping.wish import searched
from personalization.types import Product

FLOW = "basket"
AFTER: Replies = [("Show my basket", "show my basket"), ("Anything else?", "what do you recommend")]
MOST_LISTED, MOST_PIECES = 8, 99
_BASKET_WORDS = re.compile(
    r"\b(?:add|put|place|throw|pop|stick|include|take|remove|delete|drop|get rid of|to|in|into|out|out of|off|from|my|the|our|shopping|basket|cart|bag|trolley|list|please|also|i'?ll|i will|i'?d like|i want|want|need"
    r"|buy|order|get|have|give|me|can|could|would|you|just|then|now|as well|too|of|some|instead|make|it|them|that|those|these|this|one|ones|again|more|no longer|don'?t|not|anymore|any more|change|only|keep)\b",
    re.IGNORECASE,
)
_EXACT = re.compile(
    r"\b(?:make (?:it|that|them)|change (?:it |that |the (?:quantity|amount|number) )?to|only (?:want |need )?\d|instead of \d|in total)\b",
    re.IGNORECASE,
)
_ALL = re.compile(r"\b(?:everything|all of it|all items|empty|clear|whole basket|start over|all)\b", re.IGNORECASE)
_AND = re.compile(r"\s*(?:,| and | plus |&)\s*", re.IGNORECASE)
_USUAL = re.compile(
    r"\b(?:usual|usually|regulars?|always (?:buy|get|order)|as always|every week|standard)\b", re.IGNORECASE
)


def done(*more: Any) -> Events:
    """Return the events that end the flow."""
    return [SlotSet("basket", None), SlotSet("awaiting", None), *more]


def _wait(pending: dict[str, Any]) -> Events:
    return [SlotSet("basket", pending), SlotSet("awaiting", FLOW)]


@on("basket_add")
def _add(assistant: ShopAssistant, say: Say) -> Any:
    count, rest = quantity(say.text)
    if count is not None and count > MOST_PIECES:
        say("basket.too_many", replies=[HUMAN], count=count, most=MOST_PIECES)
        return None
    state = state_of(say)
    shown = assistant.products(state.shown)
    if _EXACT.search(say.text) and count is not None:
        return _set(assistant, say, count, rest)
    meant = _each(rest, shown) or resolve(rest, shown, state.focus)
    if meant and (len(meant) == 1 or _pointed_at_all(rest, shown, meant)):
        return _added(assistant, say, [shown[n] for n in meant], count or 1)
    if len(meant) > 1:
        return _ask(say, [shown[n] for n in meant], count or 1)
    place = out_of_range(rest, len(shown)) if shown else None
    if place is not None:
        say("pick.out_of_range", replies=number_replies(shown, "add number"), place=place, count=len(shown))
        return None
    return _add_named(assistant, say, rest, count or 1)


def _each(text: str, shown: Sequence[Product]) -> list[int]:
    """Return what the parts of an enumeration point at, where each points at one thing ("the oat milk and the rice")."""
    parts = [resolve(part, shown) for part in _AND.split(text)]
    return list(dict.fromkeys(one for part in parts for one in part)) if all(len(part) == 1 for part in parts) else []


def _pointed_at_all(text: str, shown: Sequence[Product], meant: Sequence[int]) -> bool:
    """Whether several were meant, rather than one that several fit: "both", "the first and the third"."""
    low = text.lower()
    places = len(re.findall(r"\b(?:first|second|third|fourth|fifth|last|\d(?:st|nd|rd|th)|number \w+)\b", low))
    return (
        places == len(meant)
        or len(_each(text, shown)) == len(meant)
        or bool(re.search(r"\b(?:both|all|everything|each)\b", low))
    )


def _add_named(assistant: ShopAssistant, say: Say, text: str, count: int) -> Any:
    """Put in what the text names, one thing or several; ask where a name fits several products."""
    parts = [part for part in _AND.split(_BASKET_WORDS.sub(" ", text)) if searched(part).query]
    if not parts:
        shown = assistant.products(state_of(say).shown)
        say("basket.ask_which", replies=number_replies(shown, "add number") or ASK_MORE)
        return [SlotSet("basket", {"kind": "name", "quantity": count}), SlotSet("awaiting", FLOW)]
    found = [(quantity(part), best_named(assistant, say, quantity(part)[1])) for part in parts]
    if len(found) > 1 and all(named for _, named in found):
        products = [(named[0], own or count) for (own, _), named in found]
        for product, pieces in products:
            assistant.basket_add(say.conversation_id, product.product_id, pieces)
        return _say_added(assistant, say, products)
    named = found[0][1]
    if not named:
        return look(assistant, say, searched(parts[0], entities(say)), state=state_of(say))
    return _added(assistant, say, named[:1], count) if len(named) == 1 else _ask(say, named, count, assistant)


def _ask(say: Say, products: Sequence[Product], count: int, assistant: ShopAssistant | None = None) -> Events:
    """Ask which of several products it is to be; what is picked next goes into the basket."""
    ids = [product.product_id for product in products]
    answer = assistant.show(say.conversation_id, ids) if assistant is not None else Answer()
    say("basket.which", answer, number_replies(list(products)), count=len(ids))
    return [*keep(state_of(say).showing(ids)), *_wait({"kind": "add", "quantity": count, "ids": ids})]


def _added(assistant: ShopAssistant, say: Say, products: Sequence[Product], count: int) -> Events:
    for product in products:
        assistant.basket_add(say.conversation_id, product.product_id, count)
    return _say_added(assistant, say, [(product, count) for product in products])


def _say_added(assistant: ShopAssistant, say: Say, added: Sequence[tuple[Product, int]]) -> Events:
    basket = assistant.basket(say.conversation_id)
    held = {line.product.product_id: line.quantity for line in basket.lines}
    there = [(product, count) for product, count in added if product.product_id in held]
    if not there:
        say("basket.full", answer=Answer(basket=basket.card), replies=AFTER[:1])
        return done()
    names = ", ".join(f"{count} × {product.name}" if count > 1 else product.name for product, count in there)
    say(
        "basket.added",
        Answer(basket=basket.card),
        AFTER[:1] if say.troubled else AFTER,
        what=names,
        total=str(basket.total),
        pieces=basket.pieces,
    )
    state = state_of(say)
    events = (
        keep(state.about(there[0][0].product_id)) if len(there) == 1 and there[0][0].product_id in state.shown else []
    )
    return done(*events)


def _set(assistant: ShopAssistant, say: Say, count: int, rest: str) -> Any:
    """Make it so many pieces of what is meant: a line of the basket, or what was just talked of."""
    basket = assistant.basket(say.conversation_id)
    held = [line.product for line in basket.lines]
    focus = state_of(say).focus
    named = resolve(_BASKET_WORDS.sub(" ", rest), held)
    if not named:
        named = [n for n, product in enumerate(held) if product.product_id == focus] or (
            [len(held) - 1] if held else []
        )
    if len(named) != 1:
        say("basket.change.which", replies=number_replies(held))
        return None
    product = held[named[0]]
    after = assistant.basket_put(say.conversation_id, product.product_id, count)
    say(
        "basket.changed",
        Answer(basket=after.card),
        AFTER[:1],
        what=product.name,
        count=count,
        total=str(after.total or "nothing"),
    )
    return done()


@on("basket_remove")
def _remove(assistant: ShopAssistant, say: Say) -> Any:
    basket = assistant.basket(say.conversation_id)
    held = [line.product for line in basket.lines]
    if not held:
        say("basket.empty", Answer(basket=basket.card), ASK_MORE[:1])
        return done()
    count, rest = quantity(say.text)
    if _ALL.search(say.text) and not resolve(_ALL.sub(" ", _BASKET_WORDS.sub(" ", rest)), held):
        after = assistant.basket_clear(say.conversation_id)
        say("basket.cleared", Answer(basket=after.card), ASK_MORE[:1], count=len(held))
        return done()
    state = state_of(say)
    meant = resolve(_BASKET_WORDS.sub(" ", rest), held)
    if not meant:  # "the second one" of what is shown, or "it"
        shown = assistant.products(state.shown)
        pointed: set[str | None] = {shown[n].product_id for n in resolve(rest, shown, state.focus)} or (
            {state.focus} if re.search(r"\b(?:it|that|this)\b", rest.lower()) else set()
        )
        meant = [n for n, product in enumerate(held) if product.product_id in pointed]
    if not meant and len(held) == 1 and not searched(_BASKET_WORDS.sub(" ", rest)).query:
        meant = [0]
    if not meant:
        say(
            "basket.not_in",
            Answer(basket=basket.card),
            number_replies(held, "remove number"),
            what=_listed(basket),
        )
        return None
    if len(meant) > 1 and not re.search(r"\b(?:both|all|and)\b", rest.lower()):
        say("basket.remove.which", replies=[(held[n].name[:40], f"remove {held[n].name}") for n in meant[:5]])
        return None
    return _removed(assistant, say, basket, meant, count)


def _removed(assistant: ShopAssistant, say: Say, basket: Basket, meant: Sequence[int], count: int | None) -> Events:
    names = []
    for n in meant:
        line = basket.lines[n]
        left = max(line.quantity - count, 0) if count is not None else 0
        assistant.basket_put(say.conversation_id, line.product.product_id, left)
        names.append(f"{count} × {line.product.name}" if count is not None and left else line.product.name)
    after = assistant.basket(say.conversation_id)
    act = "basket.removed" if after.lines else "basket.removed.last"
    say(
        act,
        Answer(basket=after.card),
        AFTER[:1] if after.lines else ASK_MORE[:1],
        what=", ".join(names),
        total=str(after.total or ""),
    )
    return done()


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
        lines=_listed(basket),
        total=str(basket.total),
        pieces=basket.pieces,
    )
    return None


def _listed(basket: Basket) -> str:
    lines = [
        f"• {line.quantity} × {line.product.name}, {line.product.price}"
        + ("" if line.product.in_stock else " (sold out now)")
        for line in basket.lines
    ]
    more = len(lines) - 12
    return "\n".join([*lines[:12], *([f"• and {more} more"] if more > 0 else [])])


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
    return [*keep(state_of(say).showing(ids[:MOST_LISTED])), *_wait({"kind": "reorder", "lines": lines})]


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
    pending = say.slot("basket")
    pending = pending if isinstance(pending, dict) else {}
    if say.intent in {"deny", "never_mind"}:
        say("basket.kept", replies=ASK_MORE)
        return done()
    if pending.get("kind") == "reorder":
        return _heard_reorder(assistant, say, pending)
    if say.intent in {"product_search", "refine_search"} and pending.get("kind") != "name":
        return NOT_AN_ANSWER
    count, rest = quantity(say.text)
    if pending.get("kind") == "name":
        return (
            _add_named(assistant, say, say.text, count or int(pending.get("quantity", 1)))
            if searched(_BASKET_WORDS.sub(" ", rest)).query
            else NOT_AN_ANSWER
        )
    products = assistant.products(pending.get("ids") or ())
    meant = resolve(rest, products)
    if not meant and say.intent == "affirm":
        meant = [0] if len(products) == 1 else []
    if not meant or (len(meant) > 1 and not _pointed_at_all(rest, products, meant)):
        return NOT_AN_ANSWER
    return _added(assistant, say, [products[n] for n in meant], count or int(pending.get("quantity", 1)))


def _heard_reorder(assistant: ShopAssistant, say: Say, pending: dict[str, Any]) -> Any:
    lines = [(str(product_id), int(count)) for product_id, count in pending.get("lines") or ()]
    products = assistant.products([product_id for product_id, _ in lines])
    chosen = [products[n] for n in resolve(say.text, products)] if say.intent in {"pick_item", "basket_add"} else []
    if not chosen and say.intent not in {"affirm", "basket_add"}:
        return NOT_AN_ANSWER
    wanted = [(product, dict(lines)[product.product_id]) for product in chosen or products]
    for product, count in wanted:
        assistant.basket_add(say.conversation_id, product.product_id, count)
    return _say_added(assistant, say, wanted)


@reminds(FLOW)
def _remind(assistant: ShopAssistant, say: Say) -> None:
    pending = say.slot("basket")
    kind = pending.get("kind") if isinstance(pending, dict) else "add"
    say(
        f"basket.reminder.{kind if kind in {'add', 'reorder', 'name'} else 'add'}",
        replies=[("Never mind", "never mind")],
    )

"""The basket: put in, taken out, shown, and filled again with what was bought before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.looking import (
    Events,
    best_named,
    entities,
    in_the_catalogues_words,
    keep,
    look,
    number_replies,
    state_of,
)
from chatbot.actions.registry import NOT_AN_ANSWER, awaits, on, reminds
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import Answer, Basket, Remembered, ShopAssistant
from chatbot.shopping.amounts import NUMBERS, number, quantity, size
from chatbot.shopping.references import out_of_range, resolve
from chatbot.shopping.wish import Wish, searched
from personalization.ranking.text import words
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
    r"\b(?:make (?:it|that|them)|(?:make|set|change) the \w[\w ]{1,25} (?:to )?\w+\W*$|change (?:it |that |the (?:quantity|amount|number) )?to|(?:just|only) (?:want |need )?(?:\d+|one|two|three|four|five|six|ten)\W*$|instead of \d|in total)\b",
    re.IGNORECASE,
)
_ALL = re.compile(r"\b(?:everything|all of it|all items|empty|clear|whole basket|start over|all)\b", re.IGNORECASE)
_SEVERAL = re.compile(r"\b(?:all|everything|each|these|those|(?:first|last) (?:two|three|four|five|[2-5]))\b")
_LEADING = re.compile(rf"^\W*(?P<n>\d{{1,2}}|{'|'.join(NUMBERS)})\s+(?=[a-z])", re.IGNORECASE)
_JUST_ONE = re.compile(
    r"\b(?:remove|take(?: out)?|drop|delete|minus|less|lose)\s+(?:just |only )?one(?: of)?\b", re.IGNORECASE
)
_AND = re.compile(r"\s*(?:,| and | plus |&)\s*", re.IGNORECASE)
_USUAL = re.compile(
    r"\b(?:usual|usually|regulars?|always (?:buy|get|order)|as always|every week|standard)\b", re.IGNORECASE
)


def _pending(say: Say) -> dict[str, Any]:
    """Return what the flow waits for; `reminded` outlives it, since a shopper is reminded once in a conversation."""
    pending = say.slot("basket")
    return pending if isinstance(pending, dict) else {}


def done(say: Say, *more: Any) -> Events:
    """Return the events that end the flow."""
    kept = {"reminded": True} if _pending(say).get("reminded") else None
    return [SlotSet("basket", kept), SlotSet("awaiting", None), *more]


def _wait(say: Say, pending: dict[str, Any]) -> Events:
    kept = {"reminded": True} if _pending(say).get("reminded") else {}
    return [SlotSet("basket", pending | kept), SlotSet("awaiting", FLOW)]


@on("basket_add")
def _add(assistant: ShopAssistant, say: Say) -> Any:
    count, rest = quantity(say.text)
    if count is not None and count > MOST_PIECES:
        say("basket.too_many", replies=[HUMAN], count=count, most=MOST_PIECES)
        return None
    if _EXACT.search(say.text) and count is not None:
        return _set(assistant, say, count, rest)
    shown = assistant.products(state_of(say).shown)
    pointed = _add_pointed(assistant, say, shown, count or 1, rest)
    return _add_named(assistant, say, say.text, count or 1) if pointed is NOTHING_POINTED_AT else pointed


NOTHING_POINTED_AT = object()


def _add_pointed(assistant: ShopAssistant, say: Say, shown: Sequence[Product], count: int, rest: str) -> Any:
    """Put in what the text points at of what is shown, or ask which one it is."""
    focus = state_of(say).focus
    if several := _counted(say.text, shown, focus):
        return _put_in(assistant, say, several)
    meant = _each(rest, shown) or resolve(rest, shown, focus)
    if not meant and not searched(_BASKET_WORDS.sub(" ", rest)).query:  # "add three": of what is talked of
        meant = [n for n, product in enumerate(shown) if product.product_id == focus]
    if meant and (len(meant) == 1 or _pointed_at_all(rest, shown, meant)):
        return _added(assistant, say, [shown[n] for n in meant], count)
    if meant:
        return _ask(say, [shown[n] for n in meant], count)
    place = out_of_range(rest, len(shown)) if shown else None
    if place is None:
        return NOTHING_POINTED_AT
    say("pick.out_of_range", replies=number_replies(shown, "add number"), place=place, count=len(shown))
    return None


def _counted(text: str, shown: Sequence[Product], focus: str | None) -> list[tuple[Product, int]]:
    """Return what each part of an enumeration points at, with its own number ("this one, and two of the third")."""
    parts = [(count or 1, resolve(rest, shown, focus)) for count, rest in map(quantity, _AND.split(text))]
    clear = len(parts) > 1 and all(len(meant) == 1 for _, meant in parts) and any(count > 1 for count, _ in parts)
    return [(shown[meant[0]], count) for count, meant in parts] if clear else []


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
        or bool(_SEVERAL.search(low))
        or ("both" in low and len(meant) == 2)
    )


def _add_named(assistant: ShopAssistant, say: Say, text: str, count: int) -> Any:
    """Put in what the text names, one thing or several, each with its own number; ask where a name fits several products."""
    parts = [_part(part) for part in _AND.split(text)]
    parts = [(own, rest) for own, rest in parts if searched(rest).query and out_of_range(rest, 0) is None]
    if not parts:
        shown = assistant.products(state_of(say).shown)
        say("basket.ask_which", replies=number_replies(shown, "add number") or ASK_MORE)
        return _wait(say, {"kind": "name", "quantity": count})
    found = [(own, best_named(assistant, say, rest)) for own, rest in parts]
    if len(found) > 1 and all(named for _, named in found):
        return _put_in(assistant, say, [(named[0], own or 1) for own, named in found])
    named = found[0][1]
    if not named:
        return _look_for(assistant, say, searched(parts[0][1], entities(say)))
    return _added(assistant, say, named[:1], count) if len(named) == 1 else _ask(say, named, count, assistant)


def _part(text: str) -> tuple[int | None, str]:
    """Return how many pieces a part of an enumeration names, and the words of the product ("2 milk")."""
    count, rest = quantity(text)
    rest = _BASKET_WORDS.sub(" ", rest)
    leading = _LEADING.match(rest) if count is None and size(rest) is None else None
    return (int(number(leading["n"])), rest[leading.end() :]) if leading else (count, rest)


def _look_for(assistant: ShopAssistant, say: Say, wish: Wish) -> Any:
    """Show what shares a word with what shall go in; what only comes close to it is not what somebody wants to buy."""
    found = assistant.search(say.conversation_id, wish)
    _, found = (wish, found) if found.exact else in_the_catalogues_words(assistant, say, wish, found)
    asked = set(words(wish.query))
    if any(asked & set(words(f"{product.name} {product.category}")) for product in found.products):
        return look(assistant, say, wish, state=state_of(say))
    say("search.nothing", replies=[("Recommend something", "what do you recommend"), HUMAN], query=wish.query)
    return None


def _ask(say: Say, products: Sequence[Product], count: int, assistant: ShopAssistant | None = None) -> Events:
    """Ask which of several products it is to be; what is picked next goes into the basket."""
    ids = [product.product_id for product in products]
    answer = assistant.show(say.conversation_id, ids) if assistant is not None else Answer()
    say("basket.which", answer, number_replies(list(products)), count=len(ids))
    return [*keep(state_of(say).showing(ids)), *_wait(say, {"kind": "add", "quantity": count, "ids": ids})]


def _added(assistant: ShopAssistant, say: Say, products: Sequence[Product], count: int) -> Events:
    return _put_in(assistant, say, [(product, count) for product in products])


def _put_in(assistant: ShopAssistant, say: Say, wanted: Sequence[tuple[Product, int]]) -> Events:
    for product, count in wanted:
        assistant.basket_add(say.conversation_id, product.product_id, count)
    return _say_added(assistant, say, wanted)


def _say_added(assistant: ShopAssistant, say: Say, added: Sequence[tuple[Product, int]]) -> Events:
    basket = assistant.basket(say.conversation_id)
    held = {line.product.product_id: line.quantity for line in basket.lines}
    there = [(product, count) for product, count in added if product.product_id in held]
    if not there:
        say("basket.full", answer=Answer(basket=basket.card), replies=AFTER[:1])
        return done(say)
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
    return done(say, *events)


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
    return done(say)


@on("basket_remove")
def _remove(assistant: ShopAssistant, say: Say) -> Any:
    basket = assistant.basket(say.conversation_id)
    held = [line.product for line in basket.lines]
    if not held:
        say("basket.empty", Answer(basket=basket.card), ASK_MORE[:1])
        return done(say)
    count, rest = quantity(say.text)
    if _ALL.search(say.text) and not resolve(_ALL.sub(" ", _BASKET_WORDS.sub(" ", rest)), held):
        after = assistant.basket_clear(say.conversation_id)
        say("basket.cleared", Answer(basket=after.card), ASK_MORE[:1])
        return done(say)
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
    if len(meant) == 1 and count is None and _JUST_ONE.search(say.text):
        count = 1
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
    return done(say)


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
    return [*keep(state_of(say).showing(ids[:MOST_LISTED])), *_wait(say, {"kind": "reorder", "lines": lines})]


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
    pending = _pending(say)
    if say.intent in {"deny", "never_mind"}:
        say("basket.kept", replies=ASK_MORE)
        return done(say)
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
    return _heard_which(assistant, say, pending, count, rest)


def _heard_which(assistant: ShopAssistant, say: Say, pending: dict[str, Any], count: int | None, rest: str) -> Any:
    asked_about = tuple(pending.get("ids") or ())
    if asked_about != state_of(say).shown:  # another list was shown since: a place means that one
        return NOT_AN_ANSWER
    products = assistant.products(asked_about)
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
    return _put_in(assistant, say, wanted)


@reminds(FLOW)
def _remind(assistant: ShopAssistant, say: Say) -> Events:
    """Take the question up again, once in a conversation and never with somebody in distress; who strays again has let it go."""
    pending = _pending(say)
    if pending.get("strayed"):
        return done(say)
    if not say.troubled and not pending.get("reminded"):
        kind = pending.get("kind")
        act = f"basket.reminder.{kind if kind in {'add', 'reorder', 'name'} else 'add'}"
        say(act, replies=[("Never mind", "never mind")])
        pending = {**pending, "reminded": True}
    return [SlotSet("basket", {**pending, "strayed": True})]

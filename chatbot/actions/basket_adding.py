"""Putting things into the basket: what a message points at, or names, one or several, each with its own number."""

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
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import Answer, Basket, ShopAssistant
from chatbot.shopping.amounts import quantity, size
from chatbot.shopping.numbers import WHOLE, number
from chatbot.shopping.picks import picked
from chatbot.shopping.references import excludes, out_of_range, places, resolve
from chatbot.shopping.wish import Wish, searched
from personalization.ranking.text import words
from personalization.types import Product

FLOW = "basket"
AFTER: Replies = [("Show my basket", "show my basket"), ("Anything else?", "what do you recommend")]
MOST_PIECES = 99
BASKET_WORDS = re.compile(
    r"\b(?:add|put|place|throw|pop|stick|include|take|remove|delete|drop|get rid of|to|in|into|out|out of|off|from|my|the|our|shopping|basket|cart|bag|trolley|list|please|also|i'?ll|i will|i'?d like|i want|want|need"
    r"|buy|order|get|have|give|me|can|could|would|you|just|then|now|as well|too|of|some|instead|make|it|them|that|those|these|this|one|ones|again|more|no longer|don'?t|not|anymore|any more|change|only|keep)\b",
    re.IGNORECASE,
)
_INTO = re.compile(
    r"\b(?:in|into|to|on)\s+(?:my |the |our )?(?:shopping )?(?:basket|cart|bag|trolley|shopping list)\b", re.IGNORECASE
)
_LIST = re.compile(
    r"^[^:]{3,40}:\s*(?P<list>[^.!?:]+(?:,|\band\b|\+|&)[^.!?:]+)(?:[.!?]|$)"
)  # "my list for today: 2 milk, 1 butter"
_PLACE = r"(?:[1-9]|one|two|three|four|five)"
_VERB = re.compile(r"^\W*(?:please |can you |could you |now )*(?:add|put|take|pop|get|throw in)\s+", re.IGNORECASE)
_PLACES = re.compile(  # "add 1 and 2" names two places
    rf"\W*{_PLACE}(?:\s*(?:,|and|&|\+)\s*(?:number |no\.? |#)?{_PLACE})+\W*$", re.IGNORECASE
)
_SEVERAL = re.compile(r"\b(?:all|everything|each|these|those|(?:first|last) (?:two|three|four|five|[2-5]))\b")
_AGREED = re.compile(
    r"^\W*(?:(?:fine|good|great|right|perfect|lovely|cool|all ?right|excellent)\b[\s,.!]+)+(?=\w)", re.IGNORECASE
)
_CHEERS = re.compile(
    r"[\s,.]+(?:thank you(?: (?:so|very) much)?|thanks(?: a lot)?|cheers|ta|please|pls)\W*$", re.IGNORECASE
)
_AS_MANY = re.compile(
    r"\b(?:the )?same (?:number|amount|quantity)(?: of)?\b|\b(?:just )?as many(?: of)?\b", re.IGNORECASE
)
_LEADING = re.compile(rf"^\W*(?P<n>{WHOLE})\s+(?=[a-z])", re.IGNORECASE)
_AND = re.compile(r"\s*(?:,| and | plus |&)\s*", re.IGNORECASE)
_LASTING = ("reminded", "touched", "before")


def pending(say: Say) -> dict[str, Any]:
    """Return what the flow waits for. `reminded` outlives it, since a shopper is reminded once in a conversation, and so does `touched`."""
    found = say.slot("basket")
    return found if isinstance(found, dict) else {}


def _lasting(say: Say) -> dict[str, Any]:
    return {name: value for name, value in pending(say).items() if name in _LASTING}


def done(say: Say, *more: Any, touched: Sequence[str] = (), before: Basket | None = None) -> Events:
    """Return the events that end the flow.

    `touched` are the ids of the products that "it" and "them" mean from now on, `before` is the basket that "undo that" brings back.
    """
    kept = _lasting(say) | ({"touched": list(touched)} if touched else {})
    if before is not None:
        kept["before"] = [[line.product.product_id, line.quantity] for line in before.lines]
    return [SlotSet("basket", kept or None), SlotSet("awaiting", None), *more]


def wait(say: Say, asked: dict[str, Any]) -> Events:
    """Return the events after which the flow waits for the answer to what was asked."""
    return [SlotSet("basket", asked | _lasting(say)), SlotSet("awaiting", FLOW)]


def add(assistant: ShopAssistant, say: Say, text: str) -> Any:
    """Put in what a text points at or names; ask where that is not clear."""
    text = _INTO.sub(" ", _without_chatter(text))
    text = listed["list"] if (listed := _LIST.match(text)) else text
    text = _VERB.sub("", text, count=1) if _PLACES.match(_VERB.sub("", text, count=1)) else text
    chosen = picked(text)
    count, rest = chosen or quantity(text)
    text = rest if chosen else text
    if (same := _AS_MANY.search(text)) is not None:
        count, rest = _last_count(assistant, say), " ".join((text[: same.start()], text[same.end() :]))
    if count is not None and count > MOST_PIECES:
        say("basket.too_many", replies=[HUMAN], count=count, most=MOST_PIECES)
        return None
    shown = assistant.products(state_of(say).shown)
    pointed = _add_pointed(assistant, say, shown, (text, rest), count or 1)
    return add_named(assistant, say, text, count or 1) if pointed is NOTHING_POINTED_AT else pointed


def _without_chatter(text: str) -> str:
    """Return what goes in, without the words around it: "fine, that one, in the basket, sorry for the rush"."""
    text = _CHEERS.sub("", _AGREED.sub("", text))
    into = _INTO.search(text)
    if into is None:
        return text
    head, tail = text[: into.start()], text[into.end() :]
    told = places(head) or searched(BASKET_WORDS.sub(" ", head)).query
    more = "and" in tail.split()[:2] or re.search(rf"\bquantity\b|^\W*{WHOLE}", tail, re.IGNORECASE)
    return head if told and tail.lstrip(" ").startswith(",") and not more else text


def _last_count(assistant: ShopAssistant, say: Say) -> int | None:
    """Return how many pieces there are of what was put in last: "the same number of the third"."""
    touched = pending(say).get("touched") or ()
    lines = assistant.basket(say.conversation_id).lines
    return next((line.quantity for line in lines if line.product.product_id in touched), None)


NOTHING_POINTED_AT = object()


def _add_pointed(
    assistant: ShopAssistant, say: Say, shown: Sequence[Product], told: tuple[str, str], count: int
) -> Any:
    """Put in what a text, and the same without its number, point at of what is shown; or ask which one it is."""
    focus, (text, rest) = state_of(say).focus, told
    if several := _counted(text, shown, focus):
        return put_in(assistant, say, several)
    if shown and (beside := _beside_what_is_shown(assistant, say, text, shown)):
        there, other = beside
        return [*put_in(assistant, say, there), *(add_named(assistant, say, other, 1) or [])]
    meant = _each(rest, shown) or resolve(rest, shown, focus)
    if not meant and not searched(BASKET_WORDS.sub(" ", rest)).query:  # "add three": of what is talked of
        meant = [n for n, product in enumerate(shown) if product.product_id == focus]
    if meant and (len(meant) == 1 or pointed_at_all(rest, shown, meant)):
        return added(assistant, say, [shown[n] for n in meant], count)
    if meant:
        return _ask(say, [shown[n] for n in meant], count)
    place = out_of_range(rest, len(shown)) if shown else None
    if place is None:
        return NOTHING_POINTED_AT
    say("pick.out_of_range", replies=number_replies(shown, "add number"), place=place, count=len(shown))
    return wait(say, {"kind": "add", "quantity": count, "ids": [product.product_id for product in shown]})


def _counted(text: str, shown: Sequence[Product], focus: str | None) -> list[tuple[Product, int]]:
    """Return what each part of an enumeration points at, with its own number ("this one, and two of the third")."""
    parts = [(count or 1, resolve(rest, shown, focus)) for count, rest in map(quantity, _AND.split(text))]
    clear = len(parts) > 1 and all(len(meant) == 1 for _, meant in parts) and any(count > 1 for count, _ in parts)
    return [(shown[meant[0]], count) for count, meant in parts] if clear else []


def _beside_what_is_shown(
    assistant: ShopAssistant, say: Say, text: str, shown: Sequence[Product]
) -> tuple[list[tuple[Product, int]], str] | None:
    """Return what an enumeration points at by its place, and what else it names ("the first, and some honey"); None without both."""
    parts = [part for part in _AND.split(text) if part.strip()]
    at = [part for part in parts if places(part) and len(resolve(quantity(part)[1], shown)) == 1]
    rest = [part for part in parts if part not in at]
    if not at or len(rest) != 1 or places(rest[0]) or not best_named(assistant, say, _part(rest[0])[1]):
        return None
    counted = [(count or 1, resolve(said, shown)[0]) for count, said in map(quantity, at)]
    return [(shown[place], count) for count, place in counted], rest[0]


def _each(text: str, shown: Sequence[Product]) -> list[int]:
    """Return what the parts of an enumeration point at, where each points at one thing ("the oat milk and the rice")."""
    parts = [resolve(part, shown) for part in _AND.split(text)]
    return list(dict.fromkeys(one for part in parts for one in part)) if all(len(part) == 1 for part in parts) else []


def pointed_at_all(text: str, shown: Sequence[Product], meant: Sequence[int]) -> bool:
    """Whether several were meant, rather than one that several fit: "both", "the first and the third"."""
    low = text.lower()
    if excludes(text):  # "all but the last" means the others, "not the first" one of them
        return bool(re.search(r"\b(?:all|everything|both|each|them|rest)\b", low))
    places = len(re.findall(r"\b(?:first|second|third|fourth|fifth|last|\d(?:st|nd|rd|th)|number \w+)\b", low))
    return (
        places == len(meant)
        or len(_each(text, shown)) == len(meant)
        or bool(_SEVERAL.search(low))
        or ("both" in low and len(meant) == 2)
    )


def add_named(assistant: ShopAssistant, say: Say, text: str, count: int) -> Any:
    """Put in what the text names, one thing or several, each with its own number; ask where a name fits several products."""
    parts = [_part(part) for part in _AND.split(text)]
    parts = [(own, rest) for own, rest in parts if searched(rest).query and out_of_range(rest, 0) is None]
    if not parts:
        shown = assistant.products(state_of(say).shown)
        say("basket.ask_which", replies=number_replies(shown, "add number") or ASK_MORE)
        return wait(say, {"kind": "name", "quantity": count})
    found = [(own, best_named(assistant, say, rest)) for own, rest in parts]
    if len(found) > 1 and all(named for _, named in found):
        return put_in(assistant, say, [(named[0], own or 1) for own, named in found])
    named = found[0][1]
    if not named and not assistant.names(parts[0][1]):  # "good afternoon dear, could you set some butter aside"
        named = next((one for _, one in found if one), named)
    if not named:
        return _look_for(assistant, say, searched(parts[0][1], entities(say)))
    return added(assistant, say, named[:1], count) if len(named) == 1 else _ask(say, named, count, assistant)


def _part(text: str) -> tuple[int | None, str]:
    """Return how many pieces a part of an enumeration names, and the words of the product ("2 milk")."""
    count, rest = quantity(text)
    rest = BASKET_WORDS.sub(" ", rest)
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
    return [*keep(state_of(say).showing(ids)), *wait(say, {"kind": "add", "quantity": count, "ids": ids})]


def added(assistant: ShopAssistant, say: Say, products: Sequence[Product], count: int) -> Events:
    """Put products in, all of them as many times, and tell."""
    return put_in(assistant, say, [(product, count) for product in products])


def put_in(assistant: ShopAssistant, say: Say, wanted: Sequence[tuple[Product, int]]) -> Events:
    """Put products in, each so many times, and tell."""
    before = assistant.basket(say.conversation_id)
    for product, count in wanted:
        assistant.basket_add(say.conversation_id, product.product_id, count)
    return _sayadded(assistant, say, wanted, before)


def _sayadded(assistant: ShopAssistant, say: Say, added: Sequence[tuple[Product, int]], before: Basket) -> Events:
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
    return done(say, *events, touched=[product.product_id for product, _ in there], before=before)

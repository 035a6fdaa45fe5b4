"""Looking for products: what a wish finds is shown, kept in the slot `search_state`, and never pretended to be more than it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.say import HUMAN, Replies, Say
from chatbot.ports import Found, ShopAssistant
from chatbot.shopping.kinds import kinds
from chatbot.shopping.state import SearchState
from chatbot.shopping.wish import Wish, core_words, heads, limits_in, main_clause, searched
from personalization.ranking.text import wanted, words
from personalization.types import Product

Events = list[dict[str, Any]]
AFTER_SEARCH: Replies = [("Cheaper", "cheaper"), ("More like these", "show me more"), ("Why these?", "why this?")]
NEAR = 3


def state_of(say: Say) -> SearchState:
    """Return what is kept of the last search."""
    return SearchState.from_json(say.slot("search_state"))


def keep(state: SearchState) -> Events:
    """Return the event that keeps the state."""
    return [SlotSet("search_state", state.as_json())]


def entities(say: Say) -> list[tuple[str, str]]:
    """Return (kind, value) of what was recognised in the message."""
    return [(str(one.get("entity")), str(one.get("value"))) for one in say.entities]


def look(
    assistant: ShopAssistant,
    say: Say,
    wish: Wish,
    *,
    state: SearchState | None = None,
    more: bool = False,
    act: str = "",
) -> Events:
    """Search, show and keep; with `more` go on after what was seen."""
    state = state or SearchState()
    if not wish.query:
        say("search.ask", replies=[("Recommend something", "what do you recommend"), HUMAN])
        return []
    found = assistant.search(say.conversation_id, wish, seen=state.seen if more else frozenset())
    if not more and not found.exact and _OR.search(say.text):
        wish, found = _by_its_head(assistant, say, wish, found)
    if not more and not found.exact:
        wish, found = by_its_kind(assistant, say, wish, found)
        act = act or ("search.close" if found.exact and not wish.limited else "")
    if not more and not found.exact:
        wish, found = _by_its_head(assistant, say, wish, found)
    if not more and not found.exact:
        asked = wish.query
        wish, found = in_the_catalogues_words(assistant, say, wish, found)
        if found.exact and not wish.limited and not _has_its_head(assistant, asked, wish.query):
            act = act or "search.close"
    if found.products:
        return show_found(say, found, wish, replace(state, kind="search"), more=more, act=act)
    if more and found.total:
        say(
            "search.no_more",
            replies=[
                ("Something else", "recommend something else"),
                ("The first ones again", "show me the first ones again"),
            ],
            count=found.total,
        )
        return keep(replace(state, wish=wish))
    return _none(assistant, say, wish, replace(state, kind="search"))


_OR = re.compile(r"\bor\b(?! (?:rather|maybe|better))", re.IGNORECASE)
_NOT_A_LIST = re.compile(
    r"\b(?:the|but|not|no|ones?|i|my|if|for|rather|then|this|that|it|is|are|with|without|maybe|actually|sorry|meant?)\b",
    re.IGNORECASE,
)
_EACH = re.compile(r"\s*(?:,|;|&|\+|\band\b|\bplus\b|\bas well as\b)\s*", re.IGNORECASE)
MOST_WISHED, MOST_SHOWN = 4, 6


def several(assistant: ShopAssistant, say: Say) -> Events | None:
    """Show some of each of several things that are asked for at once ("cheese and bread"); None where it is one thing."""
    whole = searched(say.text, entities(say))
    parts = [part for part in _EACH.split(wanted(main_clause(say.text))) if core_words(part)]
    if (
        not 1 < len(parts) <= MOST_WISHED
        or any(_NOT_A_LIST.search(part) for part in parts[1:])
        or assistant.search(say.conversation_id, whole).exact
    ):
        return None
    found = []
    for part in parts:
        wish = replace(whole, query=core_words(part))
        there = assistant.search(say.conversation_id, wish)
        if not there.exact:
            _, there = in_the_catalogues_words(assistant, say, wish, there)
        if not there.exact:
            return None
        found.append(there.products)
    ids = [one[at].product_id for at in range(MOST_SHOWN) for one in found if at < len(one)]
    answer = assistant.show(say.conversation_id, list(dict.fromkeys(ids))[:MOST_SHOWN])
    shown = assistant.products([str(item["product_id"]) for item in answer.items])
    if not shown:
        return None
    act = "search.careful" if whole.without else "search.found.limited" if whole.limited else "search.found"
    values = {
        "query": whole.query,
        "limits": whole.told(shown[0].price.currency),
        "excluded": " or ".join(whole.without),
    }
    say(act, answer, AFTER_SEARCH[:1], count=len(shown), total=len(shown), **values)
    return keep(state_of(say).showing([product.product_id for product in shown], whole))


_PACKED = frozenset(
    words(
        "can cans bottle bottles pack packs package packet bag bags box boxes jar jars tin carton tub tube roll rolls slice slices piece pieces size"
    )
)


_PARTICLES = frozenset(
    words("over out up off down under back away run go take put get all other others one two around through still just")
)
"""What joins other words; a name that only shares these with what was said is not meant."""
_SAYS_HOW = frozenset(
    words("dry diet crazy hot fresh whole little real big large small light plain soft wet frozen cold")
)


def _only_joins(name: str, asked: set[str]) -> bool:
    shared = set(words(name)) & asked
    return bool(shared) and shared <= _PARTICLES


def in_the_catalogues_words(assistant: ShopAssistant, say: Say, wish: Wish, found: Found) -> tuple[Wish, Found]:
    """Search again for what the catalogue's own words are in the question, where its words as they stand found nothing exact."""
    names = [(kind, value) for kind, value in assistant.names(wish.query) if kind in {"product", "category"}]
    both = " ".join(dict.fromkeys(value for _, value in names))
    alone = [value for wanted in ("category", "product") for kind, value in reversed(names) if kind == wanted]
    asked = set(words(wish.query))
    alone = [value for value in alone if not set(words(value)) <= _SAYS_HOW and not _only_joins(value, asked)]
    both = both if alone else ""
    # "tuna cans" are tuna, and what only shares the first word of its name is something else: "like crazy" is no daisy
    alone.sort(key=lambda value: (set(words(value)) <= _PACKED, set(words(value)[-1:]).isdisjoint(asked)))
    kinds = [
        one.category for one in found.products if len(words(one.category)) > 1 and set(words(one.category)) <= asked
    ]
    for query in dict.fromkeys((*kinds, both, *alone)):
        if query and query.lower() != wish.query.lower():
            other = replace(wish, query=query)
            again = assistant.search(say.conversation_id, other)
            if again.exact:
                return other, again
    return wish, found


def _has_its_head(assistant: ShopAssistant, asked: str, query: str) -> bool:
    """Whether a search that leaves words out still names what was asked for: winter goods are no winter tyres."""
    last = next((word for word in reversed(asked.split()) if words(word)), "")
    left_out = set(words(last)).isdisjoint(words(query)) and not set(words(last)) <= _PACKED
    return not left_out or assistant.knows(last) or bool(assistant.names(last))


def by_its_kind(assistant: ShopAssistant, say: Say, wish: Wish, found: Found) -> tuple[Wish, Found]:
    """Search for the kind of goods that a word is which the catalogue does not know: sausage for "kielbasa"."""
    said = say.text if core_words(say.text) == wish.query or wish.query in say.text.lower() else wish.query
    for word, kind in kinds(f"{wish.query} {said}"):
        if assistant.knows(word):
            continue
        other = replace(wish, query=kind)
        again = assistant.search(say.conversation_id, other)
        if not again.exact:
            other, again = in_the_catalogues_words(assistant, say, other, again)
        if again.products:
            return other, replace(again, exact=True)
    return wish, found


def _by_its_head(assistant: ShopAssistant, say: Say, wish: Wish, found: Found) -> tuple[Wish, Found]:
    """Search for the beginning of what was said, where all of it together is nothing that is sold."""
    if core_words(say.text) != wish.query and wish.query not in say.text.lower():
        return wish, found  # the wish is not this message's
    for head in heads(say.text):
        again = assistant.search(say.conversation_id, other := replace(wish, query=head))
        if not again.exact:
            other, again = in_the_catalogues_words(assistant, say, other, again)
        if again.exact:
            return other, again
    return wish, found


def show_found(say: Say, found: Found, wish: Wish, state: SearchState, *, more: bool = False, act: str = "") -> Events:
    """Say what was found, in the words that are true of it."""
    limits = wish.told(found.products[0].price.currency)
    if not act:
        act = _act(found, wish, more)
    values: dict[str, str | int] = {
        "count": len(found.products),
        "total": found.total,
        "query": wish.query,
        "limits": limits,
        "excluded": " or ".join(wish.without),
    }
    replies = AFTER_SEARCH[:1] if say.troubled else AFTER_SEARCH
    if found.total <= len(found.products) and not more:
        replies = [reply for reply in replies if reply[0] != "More like these"]
    say(act, found.answer, replies, **values)
    after = state.showing([product.product_id for product in found.products], wish, more=more)
    superlative = (
        wish.order and limits_in(say.text)[0].order
    )  # "the cheapest" is one; who wants that one wants the first
    return keep(after.about(after.shown[0]) if superlative else after)


def _act(found: Found, wish: Wish, more: bool) -> str:
    if found.untold:
        return f"search.found.untold_{found.untold[0]}"
    if wish.without:
        return "search.careful"
    if not found.exact and not more:
        return "search.close"
    if more:
        return "search.more"
    if wish.limited or wish.order:
        return "search.found.limited" if wish.limited else f"search.found.{wish.order}"
    return "search.found" if len(found.products) > 1 else "search.found.one"


def _none(assistant: ShopAssistant, say: Say, wish: Wish, state: SearchState) -> Events:
    """Say that nothing fits, and show what comes closest where one limit can be given up; never one about what is left out."""
    for act, freer in _freer(wish):
        found = assistant.search(say.conversation_id, freer, size=NEAR)
        if found.products and (found.exact or not wish.query):
            nearest = found.products[0]
            limits, replies = wish.told(nearest.price.currency), AFTER_SEARCH[1:2]
            say(act, found.answer, replies, limits=limits, query=wish.query, price=str(nearest.price), name=nearest.name,
                excluded=" or ".join(wish.without), features=" and ".join(wish.has))  # fmt: skip
            return keep(state.showing([product.product_id for product in found.products], freer))
    if wish.without:
        say("search.nothing.without", replies=[HUMAN], query=wish.query, excluded=" or ".join(wish.without))
        return keep(replace(state, wish=wish))
    say("search.nothing", replies=[("Recommend something", "what do you recommend"), HUMAN], query=wish.query)
    return []


def _freer(wish: Wish) -> list[tuple[str, Wish]]:
    """Return what to try instead, the smallest concession first, each with the act that owns up to it."""
    tries = []
    if wish.below is not None or wish.above is not None:
        order = "cheapest" if wish.below is not None else "dearest"
        tries.append(
            (
                f"search.none.{'below' if wish.below is not None else 'above'}",
                replace(wish, below=None, above=None, order=order),
            )
        )
    if wish.has:
        tries.append(("search.none.has", replace(wish, has=())))
    if wish.not_brands or wish.brand:
        tries.append(("search.none.brand", replace(wish, not_brands=(), brand="")))
    if wish.size or wish.bigger or wish.smaller:
        tries.append(("search.none.size", replace(wish, size="", bigger=None, smaller=None)))
    if wish.on_offer:
        tries.append(("search.none.offer", replace(wish, on_offer=False)))
    if len(tries) > 1 or wish.category:
        tries.append(("search.none.limits", Wish(query=wish.query, without=wish.without)))
    return tries


def best_named(assistant: ShopAssistant, say: Say, text: str) -> list[Product]:
    """Return the products that a text names outright, best first; none where they only come close."""
    wish = searched(text)
    if not wish.query:
        return []
    found = assistant.search(say.conversation_id, wish)
    if not found.exact:
        _, found = in_the_catalogues_words(assistant, say, wish, found)
    return list(found.products) if found.exact else []


def number_replies(products: Sequence[Product], prefix: str = "number") -> Replies:
    """Return one button per product; what it sends is what one could write."""
    return [(product.name[:40], f"{prefix} {place}") for place, product in enumerate(products[:5], 1)]

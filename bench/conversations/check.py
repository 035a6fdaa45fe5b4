"""Holds an answer against what was expected, and against what must hold of every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.conversations.heard import Heard, Memory, about, price
from bench.conversations.outcomes import Outcomes
from bench.conversations.script import Expected

Sells = Callable[[tuple[str, ...]], bool | None]
"""Whether the shop sells something that has one of these words; None where nobody knows."""
_BLANK = re.compile(r"\{[a-z_]+\}|\bNone\b|\bnull\b|\bundefined\b|\bNaN\b")
_LINK = re.compile(r"://\S+")
FOUND = ("shows_products", "careful", "maybe_products", "recommends", "tells_stock", "tells_place")
NOT_FOUND = ("finds_nothing", "maybe_products", "clarifies")
REPEATING = ("repeats",)
FAILED = ("fails",)


def failures(heard: Heard, expected: Expected, memory: Memory, outcomes: Outcomes, sells: Sells) -> list[str]:
    """Return what is wrong with an answer, each in a few words; empty when it is as expected."""
    if heard.trouble is not None:
        return [heard.trouble]
    return [
        *_always(heard, memory, outcomes),
        *_acts(heard, expected, outcomes),
        *_finds(heard, expected, outcomes, sells),
        *_items(heard, expected, memory, outcomes),
        *_shown(heard, expected, memory),
        *_words(heard, expected),
        *_state(heard, expected),
        *_basket(heard, expected, memory),
    ]


def looped(heard: Heard, memory: Memory, outcomes: Outcomes) -> bool:
    """Whether the shopper read the same answer as before, without having asked for it again."""
    before = memory.before
    return (
        before is not None
        and bool(heard.text.strip())
        and heard.text == before.text
        and not outcomes.are(heard.acts, REPEATING)
    )


def _always(heard: Heard, memory: Memory, outcomes: Outcomes) -> Iterator[str]:
    if not heard.messages and heard.handoff == "bot":
        yield "no answer"
    for message in heard.messages:
        if not str(message.get("text", "")).strip() and not message.get("items") and not message.get("coupon"):
            yield "an empty message"
    blank = _BLANK.search(_LINK.sub("", heard.text))
    if blank:
        yield f"the words have a blank in them: {blank[0]}"
    if outcomes.are(heard.acts, FAILED):
        yield "the assistant failed"
    if looped(heard, memory, outcomes):
        yield "the same answer as before"


def _acts(heard: Heard, expected: Expected, outcomes: Outcomes) -> Iterator[str]:
    silent = not heard.messages and heard.handoff != "bot"
    if expected.does and not (silent and "any" in expected.does) and not outcomes.are(heard.acts, expected.does):
        yield f"does {', '.join(heard.acts) or 'nothing'}, not {' or '.join(expected.does)}"


def _finds(heard: Heard, expected: Expected, outcomes: Outcomes, sells: Sells) -> Iterator[str]:
    if not expected.finds:
        return
    sold, asked = sells(expected.finds), " or ".join(expected.finds)
    found = [item for item in heard.items if about(item, expected.finds)]
    if found and outcomes.are(heard.acts, FOUND):
        if 2 * len(found) < len(heard.items):
            yield f"most of what is shown is not {asked}: {_names(heard)}"
    elif sold is False or sold is None:
        if not outcomes.are(heard.acts, NOT_FOUND):
            yield f"does {', '.join(heard.acts)}, though no {asked} is sold"
    else:
        yield f"no {asked}, though it is sold: {', '.join(heard.acts)} with {_names(heard)}"


def _items(heard: Heard, expected: Expected, memory: Memory, outcomes: Outcomes) -> Iterator[str]:
    wanted = expected.items
    if wanted is None:
        return
    items = heard.items
    if len(items) < wanted.get("min", 0) or len(items) > wanted.get("max", len(items)):
        yield f"{len(items)} products"
    if not items:
        return
    if "under" in wanted and any(price(item) > wanted["under"] for item in items):
        yield f"a product above {wanted['under']:.2f}: {_names(heard)}"
    for word in wanted.get("without", ()):
        if any(about(item, (word,)) for item in items):
            yield f"a product with {word}: {_names(heard)}"
    before = [item for item in memory.shown if item not in items]
    if wanted.get("new") and 2 * sum(_id(item) in map(_id, memory.shown) for item in items) > len(items):
        yield f"what was shown before: {_names(heard)}"
    if wanted.get("cheaper") and before and _mean(items) >= _mean(memory.shown):
        yield f"not cheaper: {_mean(items):.2f} on average, after {_mean(memory.shown):.2f}"


def _shown(heard: Heard, expected: Expected, memory: Memory) -> Iterator[str]:
    told = heard.everything()
    for place in expected.about_shown:
        item = memory.at(place)
        if item is not None and _id(item).casefold() not in told and str(item["name"]).casefold() not in told:
            yield f"nothing about number {place}, {item['name']}"
    if expected.tells_price_of is not None:
        item = memory.at(expected.tells_price_of)
        if item is not None and str(item["price"]["text"]).casefold() not in told:
            yield f"not the price of {item['name']}, {item['price']['text']}"


def _words(heard: Heard, expected: Expected) -> Iterator[str]:
    everything = "\n".join([heard.text, *(reply["title"] for reply in heard.replies)])
    if expected.tells and not any(re.search(pattern, heard.text) for pattern in expected.tells):
        yield f"tells nothing like {' or '.join(expected.tells)}"
    for pattern in expected.never:
        found = re.search(pattern, everything)
        if found:
            yield f"says {found[0]!r}, which it must not"


def _state(heard: Heard, expected: Expected) -> Iterator[str]:
    if expected.coupon is not None and heard.coupon != expected.coupon:
        yield "a coupon" if heard.coupon else "no coupon"
    if expected.handoff:
        called = heard.handoff != "bot"
        reached = {"queued": called, "offered": heard.offers_human, "bot": not called}
        if not any(reached[state] for state in expected.handoff):
            yield f"the hand-off is {heard.handoff}, and {'one is' if heard.offers_human else 'none is'} offered, not {' or '.join(expected.handoff)}"


def _basket(heard: Heard, expected: Expected, memory: Memory) -> Iterator[str]:
    wanted = expected.basket
    if wanted is None:
        return
    if heard.basket is None:
        yield "no basket to look into"
        return
    lines = heard.basket.get("lines", [])
    pieces = sum(int(line["quantity"]) for line in lines)
    told = ", ".join(f"{line['quantity']} x {line['name']}" for line in lines) or "nothing"
    if len(lines) != wanted.get("lines", len(lines)) or len(lines) < wanted.get("min_lines", 0):
        yield f"the basket holds {told}"
    if pieces != wanted.get("quantity", pieces) or pieces > wanted.get("at_most", pieces):
        yield f"{pieces} pieces in the basket: {told}"
    if "about" in wanted and not any(about(line, (wanted["about"],)) for line in lines):
        yield f"no {wanted['about']} in the basket: {told}"
    item = memory.at(wanted["shown"]) if "shown" in wanted else None
    if item is not None and _id(item) not in map(_id, lines):
        yield f"{item['name']} is not in the basket: {told}"


def _id(item: Mapping[str, Any]) -> str:
    return str(item["product_id"])


def _mean(items: list[Mapping[str, Any]]) -> float:
    return sum(map(price, items)) / len(items)


def _names(heard: Heard) -> str:
    return "; ".join(f"{item['name']} ({item['price']['text']})" for item in heard.items) or "no products"

"""Changing what is in the basket: less of it, more of it, another thing instead, or nothing at all."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from chatbot.actions.basket_adding import AFTER, BASKET_WORDS, MOST_PIECES, add, done, pending
from chatbot.actions.looking import Events, best_named, number_replies, state_of
from chatbot.actions.say import ASK_MORE, HUMAN, Say
from chatbot.ports import Answer, Basket, BasketLine, ShopAssistant
from chatbot.shopping.changes import Change, Deed
from chatbot.shopping.references import places, resolve
from personalization.types import Product

_EVERY = re.compile(r"\b(?:all|each|both)\b")
_NEWEST = re.compile(r"\b(?:last|latest|newest) (?:one|thing|item|product)\b")
_LISTS = ("basket.shown", "basket.not_in", "basket.remove.which", "basket.change.which", "basket.undone")
_SEVERAL = re.compile(r"\b(?:both|all|and|them|those|these|each)\b")


def change(assistant: ShopAssistant, say: Say, wanted: Sequence[Change]) -> Events:
    """Do one deed after the other, and tell of each; what is not clear is asked, and ends it."""
    events: Events = []
    start = assistant.basket(say.conversation_id)
    for one in wanted:
        if one.deed is Deed.UNDO:
            return _undone(assistant, say, start)
        basket = assistant.basket(say.conversation_id)
        if not basket.lines and one.deed is Deed.SET and state_of(say).shown:  # "I'll have that one, two of them"
            return [*events, *(add(assistant, say, say.text) or [])]
        if not basket.lines and one.deed is not Deed.ADD:
            say("basket.empty", Answer(basket=basket.card), ASK_MORE[:1])
            return [*events, *done(say)]
        found = _do(assistant, say, basket, one)
        events = [*events, *(found or [])]
        if found is None or one.deed is Deed.CLEAR:  # nothing is left for what comes after
            break
    touched = _touched(events)
    return events if touched is None else [*events, *done(say, touched=touched, before=start)]


def _touched(events: Events) -> list[str] | None:
    """Return what the deeds left to be talked of; None where the flow goes on with a question."""
    kept = [event["value"] for event in events if event.get("name") == "basket"]
    return None if not kept or (kept[-1] or {}).get("kind") else list((kept[-1] or {}).get("touched") or ())


def _undone(assistant: ShopAssistant, say: Say, now: Basket) -> Events:
    """Make the basket what it was before the last change; a second time brings the change back."""
    before = dict(pending(say).get("before") or ())
    if "before" not in pending(say):
        replies = number_replies(_held(now), "remove number")
        say("basket.not_in" if now.lines else "basket.empty", Answer(basket=now.card), replies, what=listed(now))
        return []
    for product_id in {*before, *(product.product_id for product in _held(now))}:
        assistant.basket_put(say.conversation_id, product_id, int(before.get(product_id, 0)))
    after = assistant.basket(say.conversation_id)
    act = "basket.undone" if after.lines else "basket.undone.empty"
    say(act, Answer(basket=after.card), AFTER[:1], lines=listed(after), total=str(after.total or ""))
    return done(say, touched=list(before), before=now)


def _do(assistant: ShopAssistant, say: Say, basket: Basket, wanted: Change) -> Events | None:
    """Return the events of a deed; None when something was asked instead."""
    if wanted.deed is Deed.CLEAR:
        after = assistant.basket_clear(say.conversation_id)
        say("basket.cleared", Answer(basket=after.card), ASK_MORE[:1])
        return done(say)
    if wanted.deed is Deed.ADD and (wanted.what or not _talked_of(say, basket)):
        found: Events | None = add(assistant, say, wanted.said)
        return found
    meant = _meant(assistant, say, basket, wanted)
    if not meant:
        replies = number_replies(_held(basket), "remove number")
        say("basket.not_in", Answer(basket=basket.card), replies, what=listed(basket))
        return None
    if len(meant) > 1 and wanted.deed is not Deed.KEEP and not _SEVERAL.search(wanted.said.lower()):
        _ask_which(say, meant, wanted)
        return None
    return _done_to(assistant, say, basket, meant, wanted)


def _done_to(
    assistant: ShopAssistant, say: Say, basket: Basket, lines: Sequence[BasketLine], wanted: Change
) -> Events | None:
    if wanted.deed is Deed.REMOVE:
        return _removed(assistant, say, lines, wanted.count)
    if wanted.deed is Deed.KEEP:
        return _removed(assistant, say, [line for line in basket.lines if line not in lines], None)
    if wanted.deed is Deed.SWAP:
        return _swapped(assistant, say, lines[0], wanted.new)
    return _counted(assistant, say, lines, wanted)


def _held(basket: Basket) -> list[Product]:
    return [line.product for line in basket.lines]


def _meant(assistant: ShopAssistant, say: Say, basket: Basket, wanted: Change) -> list[BasketLine]:
    """Return the lines that a change is about: those that it names or points at, else what is talked of."""
    held = _held(basket)
    named = " ".join(BASKET_WORDS.sub(" ", wanted.what).split())
    if named:
        by_list = places(named) and not say.last_act.startswith(_LISTS)  # the number on the list that they chose from
        at = (by_list and _shown_and_held(assistant, say, wanted.what, held)) or resolve(named, held)
        at = at or _shown_and_held(assistant, say, wanted.what, held)
        return [basket.lines[n] for n in at]
    talked_of = _talked_of(say, basket)
    if _EVERY.search(wanted.said.lower()):
        return talked_of if "both" in wanted.said.lower() and len(talked_of) > 1 else list(basket.lines)
    if len(talked_of) > 1 and _NEWEST.search(wanted.said.lower()):
        return talked_of[-1:]
    return talked_of or list(basket.lines[-1:])


def _talked_of(say: Say, basket: Basket) -> list[BasketLine]:
    """Return the lines that "it" or "them" means: the product that is talked of, else what was changed last."""
    focus, touched = state_of(say).focus, pending(say).get("touched") or ()
    if (
        focus is not None
        and not say.last_act.startswith("basket.")
        and focus not in {one.product_id for one in _held(basket)}
    ):
        return []  # something else is talked of
    meant = [focus] if focus is not None and (say.last_act.startswith("details.") or focus in touched) else touched
    return [line for line in basket.lines if line.product.product_id in meant]


def _shown_and_held(assistant: ShopAssistant, say: Say, text: str, held: Sequence[Product]) -> list[int]:
    """Return what the text points at of what is shown, as far as it is in the basket."""
    state = state_of(say)
    shown = assistant.products(state.shown)
    ids = {shown[n].product_id for n in resolve(text, shown, state.focus)}
    return [n for n, product in enumerate(held) if product.product_id in ids]


def _ask_which(say: Say, meant: Sequence[BasketLine], wanted: Change) -> None:
    replies = [(line.product.name[:40], f"remove {line.product.name}") for line in meant[:5]]
    if wanted.deed is Deed.REMOVE:
        say("basket.remove.which", replies=replies)
    else:
        say("basket.change.which", replies=number_replies([line.product for line in meant]))


def _removed(assistant: ShopAssistant, say: Say, lines: Sequence[BasketLine], count: float | None) -> Events:
    names, left = [], []
    for line in lines:
        stays = max(line.quantity - int(count), 0) if count is not None else 0
        assistant.basket_put(say.conversation_id, line.product.product_id, stays)
        names.append(f"{int(count)} × {line.product.name}" if count is not None and stays else line.product.name)
        left += [line.product.product_id] if stays else []
    after = assistant.basket(say.conversation_id)
    act = "basket.removed" if after.lines else "basket.removed.last"
    replies = AFTER[:1] if after.lines else ASK_MORE[:1]
    say(act, Answer(basket=after.card), replies, what=", ".join(names), total=str(after.total or ""))
    return done(say, touched=left)


def _counted(assistant: ShopAssistant, say: Say, lines: Sequence[BasketLine], wanted: Change) -> Events | None:
    """Make it so many pieces, so many more, or so many times as many."""
    asked = wanted.count if wanted.count is not None else 1
    for line in lines:
        many = math.ceil({Deed.TIMES: line.quantity * asked, Deed.ADD: line.quantity + asked}.get(wanted.deed, asked))
        if many > MOST_PIECES:
            say("basket.too_many", replies=[HUMAN], count=many, most=MOST_PIECES)
            return None
        after = assistant.basket_put(say.conversation_id, line.product.product_id, many)
        say(
            "basket.changed", Answer(basket=after.card), AFTER[:1], what=line.product.name, count=many, total=str(after.total or "nothing"),
        )  # fmt: skip
    return done(say, touched=[line.product.product_id for line in lines])


def _swapped(assistant: ShopAssistant, say: Say, line: BasketLine, new: str) -> Events | None:
    """Take a line out, and put as many pieces of something else in."""
    state = state_of(say)
    shown = assistant.products(state.shown)
    others = [product for product in shown if product.product_id != line.product.product_id]
    at = [shown[n] for n in resolve(new, shown)]
    found = [product for product in at if product in others] or best_named(assistant, say, new)
    if len(found) != 1:
        say(
            "basket.which" if found else "basket.ask_which",
            replies=number_replies(others, "add number") or ASK_MORE,
            count=len(found),
        )
        return None
    assistant.basket_put(say.conversation_id, line.product.product_id, 0)
    after = assistant.basket_add(say.conversation_id, found[0].product_id, line.quantity)
    say(
        "basket.swapped", Answer(basket=after.card), AFTER[:1], what=found[0].name, old=line.product.name, total=str(after.total or ""),
    )  # fmt: skip
    return done(say, touched=[found[0].product_id])


def listed(basket: Basket) -> str:
    """Return the lines of a basket, one below the other."""
    lines = [
        f"• {line.quantity} × {line.product.name}, {line.product.price}"
        + ("" if line.product.in_stock else " (sold out now)")
        for line in basket.lines
    ]
    more = len(lines) - 12
    return "\n".join([*lines[:12], *([f"• and {more} more"] if more > 0 else [])])

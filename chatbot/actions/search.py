"""Products: search, its follow-ups, suggestions, and why something was suggested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatbot.actions.following import ALL_OF_IT
from chatbot.actions.looking import (
    AFTER_SEARCH,
    Events,
    by_its_kind,
    entities,
    in_the_catalogues_words,
    keep,
    look,
    number_replies,
    several,
    show_found,
    state_of,
)
from chatbot.actions.registry import on
from chatbot.actions.say import AFTER_ITEMS, ASK_MORE, HUMAN, Say
from chatbot.ports import ShopAssistant
from chatbot.shopping.follow_up import FollowUp, Move, follow_up
from chatbot.shopping.references import resolve
from chatbot.shopping.state import SearchState
from chatbot.shopping.wish import Wish, core_words, has, rules_out, searched
from personalization.ranking.reasons import spoken
from personalization.types import Product

SURE = 0.8


@on("product_search")
def _search(assistant: ShopAssistant, say: Say) -> Any:
    return several(assistant, say) or look(assistant, say, searched(say.text, entities(say)), state=state_of(say))


@on("refine_search")
def _refine(assistant: ShopAssistant, say: Say) -> Any:
    state = state_of(say)
    shown = assistant.products(state.shown)
    if not shown:
        wish = searched(say.text, entities(say))
        if wish.query and (wish.has or follow_up(say.text, Wish(), ()).words):
            return look(assistant, say, wish, state=state)
        say("search.refine.nothing_shown", replies=ASK_MORE)
        return None
    anchor = _anchor(say.text, shown, state)
    step = follow_up(say.text, state.wish, anchor, entities(say))
    if step.move in {Move.BACK, Move.FIRST}:
        return _again(assistant, say, state, step.move)
    if state.kind != "search" and not state.wish.query:
        return _from_suggestions(assistant, say, state, step, anchor)
    return _refined(assistant, say, state, step)


def _anchor(text: str, shown: list[Product], state: SearchState) -> list[Product]:
    """Return what a comparison is against: the product that is named ("cheaper than the second"), that is talked of, or all."""
    named = resolve(text, shown, state.focus) if " than " in f" {text.lower()} " else []
    focus = [product for product in shown if product.product_id == state.focus]
    return [shown[n] for n in named] or focus or shown


def _refined(assistant: ShopAssistant, say: Say, state: SearchState, step: FollowUp) -> Any:
    if step.unknown == "brand" and not step.words:
        return look(assistant, say, step.wish, state=state, more=True, act="search.more.untold_brand")
    if step.unknown == "size" and not step.words:
        say("search.unknown.size", replies=AFTER_SEARCH[:2], query=state.wish.query)
        return None
    if step.words:
        return _with_words(assistant, say, state, step)
    said_again = step.move is Move.NOTHING and rules_out(say.text)  # what is left out already
    if step.move is Move.SEARCH or said_again or (step.move is Move.NOTHING and ALL_OF_IT.search(say.text)):
        return look(assistant, say, step.wish, state=state)
    sure = (
        step.move is Move.NOTHING and say.intent == "refine_search" and say.confidence >= SURE
    )  # it asks for others in words of its own
    if step.move in {Move.MORE, Move.OTHER} or sure:
        return look(assistant, say, step.wish, state=state, more=True)
    say("search.refine.unclear", replies=AFTER_SEARCH, query=state.wish.query)
    return None


def _with_words(assistant: ShopAssistant, say: Say, state: SearchState, step: FollowUp) -> Events:
    """Take further words as part of the search where that finds something, else as a search of their own."""
    both = replace(step.wish, query=f"{step.words} {step.wish.query}".strip())
    alone = replace(searched(say.text, entities(say)), query=step.words)
    for wish in (both, alone):
        found = assistant.search(say.conversation_id, wish)
        if found.products and found.exact and (wish is alone or any(has(one, wish.query) for one in found.products)):
            return show_found(say, found, wish, replace(state, kind="search"))
    return look(assistant, say, alone if step.move is not Move.SEARCH else both, state=state)


def _from_suggestions(
    assistant: ShopAssistant, say: Say, state: SearchState, step: FollowUp, anchor: list[Product]
) -> Any:
    """Follow up on suggestions, which have no words of their own: a kind of product gives them."""
    if step.words:
        return look(assistant, say, replace(searched(say.text, entities(say)), query=step.words), state=state)
    if step.move is not Move.SEARCH:
        return suggest(assistant, say, state)
    if step.unknown:
        return suggest(assistant, say, state)
    if len(anchor) == 1:
        kind = spoken(anchor[0].category) or core_words(anchor[0].name)
        return look(assistant, say, replace(step.wish, query=kind), state=state)
    replies = [(title, f"{say.text.strip().rstrip('.!?')} than {text}") for title, text in number_replies(anchor)]
    say("search.refine.which", replies=replies)
    return None


def _again(assistant: ShopAssistant, say: Say, state: SearchState, move: Move) -> Any:
    turned = state.turned(-len(state.pages) if move is Move.FIRST else -1)
    answer = assistant.show(say.conversation_id, turned.shown)
    say("search.found.again", answer, AFTER_SEARCH[1:])
    return keep(turned)


@on("recommend")
def _recommend(assistant: ShopAssistant, say: Say) -> Any:
    """Suggest; an occasion ("something sweet for a birthday") is a search by meaning."""
    wish = occasion(say.text)
    if wish.query:
        found = assistant.search(say.conversation_id, wish)
        if found.products:
            act = "search.careful" if wish.without else "recommend.given.occasion"
            return show_found(say, found, wish, SearchState(kind="search"), act=act)
    return suggest(assistant, say, SearchState(kind="recommend"))


_ASKING = frozenset(
    [
        "what",
        "would",
        "could",
        "should",
        "can",
        "you",
        "i",
        "me",
        "we",
        "us",
        "recommend",
        "recommendation",
        "recommendations",
        "suggest",
        "suggestion",
        "suggestions",
        "idea",
        "ideas",
        "inspire",
        "inspiration",
        "think",
        "good",
        "nice",
        "new",
        "try",
        "today",
        "tonight",
        "weekend",
        "week",
        "now",
        "any",
        "some",
        "something",
        "anything",
        "else",
        "different",
        "other",
        "more",
        "have",
        "got",
        "do",
        "does",
        "show",
        "give",
        "help",
        "decide",
        "choose",
        "pick",
        "please",
        "surprise",
        "favourite",
        "favorite",
        "popular",
        "best",
        "like",
        "want",
        "usually",
        "people",
        "others",
        "buying",
        "buy",
        "shop",
        "shopping",
        "there",
        "here",
        "know",
        "next",
        "few",
        "things",
        "thing",
        "items",
        "item",
        "products",
        "product",
        "stuff",
        "special",
        "tell",
        "interesting",
        "fun",
        "is",
        "are",
        "it",
        "for",
        "the",
        "a",
        "to",
        "my",
        "in",
        "of",
        "on",
        "with",
        "this",
        "that",
        "your",
    ]
)


def occasion(text: str) -> Wish:
    """Return what a wish for ideas is about; no words where it is about nothing in particular."""
    wish = searched(text)
    kept = [word for word in wish.query.split() if word.lower().strip("'.!?") not in _ASKING]
    return replace(wish, query=" ".join(kept))


def suggest(assistant: ShopAssistant, say: Say, state: SearchState) -> Any:
    """Suggest what fits the shopper."""
    answer = assistant.recommend(say.conversation_id)
    if not answer.items:
        say("recommend.nothing", replies=[HUMAN])
        return None
    say("recommend.given", answer, AFTER_ITEMS[:1] if say.troubled else AFTER_ITEMS, explanation=answer.text)
    shown = replace(state, kind="recommend").showing([str(item["product_id"]) for item in answer.items], Wish())
    return keep(shown)


@on("why")
def _why(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.why(say.conversation_id)
    replies = [("What do you know about me?", "what do you know about me"), *ASK_MORE[:1]]
    say("why.given" if answer.text else "why.nothing", answer, replies, reasons=answer.text)


def product_named(assistant: ShopAssistant, say: Say) -> Events | None:
    """Show what the message names outright; None where it names no product: "toothpaste" alone is a question, too."""
    wish = searched(say.text, entities(say))
    if not wish.query:
        return None
    found = assistant.search(say.conversation_id, wish)
    if not found.exact:
        wish, found = in_the_catalogues_words(assistant, say, wish, found)
    if not found.exact:
        wish, found = by_its_kind(assistant, say, wish, found)
        return show_found(say, found, wish, state_of(say), act="search.close") if found.exact else None
    return show_found(say, found, wish, state_of(say)) if found.products and found.exact else None


def maybe_product(assistant: ShopAssistant, say: Say) -> Events | None:
    """Show what comes close to the message, as a question; None where nothing does."""
    wish = searched(say.text, entities(say))
    found = assistant.search(say.conversation_id, wish) if wish.query else None
    if found is None or not found.products:
        return None
    act = "search.careful" if wish.without else "search.maybe"
    return show_found(say, found, wish, state_of(say), act=act)

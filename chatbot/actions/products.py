"""Single products: picked, compared, told of, in stock, and where they stand; answers come from the catalogue and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chatbot.actions.looking import Events, best_named, entities, keep, look, number_replies, state_of
from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import ShopAssistant
from chatbot.shopping import facts
from chatbot.shopping.facts import Aspect, Question
from chatbot.shopping.references import CHEAPER, out_of_range, places, points, resolve
from chatbot.shopping.state import SearchState
from chatbot.shopping.wish import Wish, core_words, searched
from personalization.types import Money, Product

MOST_COMPARED = 4
ABOUT_ONE: Replies = [
    ("Add to basket", "add it to my basket"),
    ("Where is it?", "where is it in the store"),
    ("Something cheaper", "cheaper"),
]
_ABOUT = re.compile(
    r"\b(?:price|cost|costs|how much|size|sizes|ingredients?|allergens?|contains?|vegan|vegetarian|organic|gluten|brand|made|makes?|in stock|stock|available|left|aisle|shelf|where|find|located|stand"
    r"|compare|comparison|difference|different|better|best|between|versus|vs\.?|against|with each other|tell me|more about|about|details?|information|info|does|is|are|have|has|how|many|much|any|when|which|still)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*(?:,| and | or | vs\.? | versus | with | against | to )\s*", re.IGNORECASE)


@on("pick_item")
def _pick(assistant: ShopAssistant, say: Say) -> Any:
    state = state_of(say)
    shown = assistant.products(state.shown)
    meant = resolve(say.text, shown, state.focus)
    if len(meant) == 1:
        return tell(assistant, say, shown[meant[0]], state)
    if len(meant) > 1:
        return which(say, [shown[n] for n in meant], shown, state)
    return _not_shown(assistant, say, shown, state)


def _not_shown(assistant: ShopAssistant, say: Say, shown: Sequence[Product], state: SearchState) -> Any:
    """Answer a choice that points at nothing that was shown."""
    place = out_of_range(say.text, len(shown)) if shown else None
    if place is not None:
        say("pick.out_of_range", replies=number_replies(shown), place=place, count=len(shown))
        return None
    if shown or (not points(say.text) and best_named(assistant, say, say.text)):
        wish = searched(say.text, entities(say))
        if wish.query:
            return look(assistant, say, wish, state=state)
    say("pick.unclear" if shown else "pick.which.nothing", replies=number_replies(shown) or ASK_MORE)
    return None


def which(say: Say, meant: Sequence[Product], shown: Sequence[Product], state: SearchState) -> Events:
    """Ask which of several is meant; the buttons send what one could write."""
    places = {product.product_id: place for place, product in enumerate(shown, 1)}
    say("pick.which", replies=[(product.name[:40], f"number {places[product.product_id]}") for product in meant[:5]])
    return keep(state)


def tell(assistant: ShopAssistant, say: Say, product: Product, state: SearchState) -> Events:
    """Tell of one product, and keep it as what is talked of."""
    answer = assistant.show(say.conversation_id, [product.product_id])
    promoted = {"display": " It is on display in the store now.", "mailer": " It is in this week's mailer."}
    more = promoted.get(assistant.promotion(say.conversation_id, product.product_id) or "", "")
    lines = "\n".join(f"• {line}" for line in facts.told(product))
    act = "details.all" if lines else "details.little"
    say(
        act,
        answer,
        ABOUT_ONE[:2] if say.troubled else ABOUT_ONE,
        name=product.name,
        price=str(product.price),
        facts=lines,
        more=more,
    )
    return focused(state, product)


def focused(state: SearchState, product: Product) -> Events:
    """Keep a product as what is talked of; one that was not shown becomes what is shown."""
    if product.product_id in state.shown:
        return keep(state.about(product.product_id))
    return keep(replace(state, kind="search").showing([product.product_id], Wish(query=core_words(_head(product)))))


def _head(product: Product) -> str:
    """Return the product's name without its size: what "a cheaper one" is to be of the same kind as."""
    return product.name.removesuffix(product.package_size).rstrip(" ,")


def find_one(assistant: ShopAssistant, say: Say, text: str) -> tuple[Product | None, Events | None]:
    """Return the product that a question is about; or None and the events of having asked back."""
    state = state_of(say)
    shown = assistant.products(state.shown)
    bare = _ABOUT.sub(" ", text)
    meant = resolve(bare, shown, state.focus) or (resolve(text, shown, state.focus) if not searched(bare).query else [])
    if len(meant) == 1:
        return shown[meant[0]], None
    if 1 < len(meant) < len(shown):
        return None, which(say, [shown[n] for n in meant], shown, state)
    place = out_of_range(text, len(shown)) if shown else None
    if place is not None and not meant:
        say("pick.out_of_range", replies=number_replies(shown), place=place, count=len(shown))
        return None, []
    named = best_named(assistant, say, bare)
    focus = [product for product in shown if product.product_id == state.focus] or shown[:1] * (len(shown) == 1)
    wish = searched(bare, entities(say))
    if not focus and not wish.query and say.last_act == "details.which":  # asked back once; then the first one is meant
        focus = shown[:1]
    if named or (focus and len(meant) < 2 and (_pointing(text) or not wish.query)):
        return (named or focus)[0], None
    return None, _ask_back(assistant, say, [shown[n] for n in meant], shown, wish, state)


def _ask_back(
    assistant: ShopAssistant, say: Say, meant: Sequence[Product], shown: Sequence[Product], wish: Wish, state: SearchState
) -> Events:  # fmt: skip
    if len(meant) > 1:
        return which(say, meant, shown, state)
    if wish.query and not _pointing(say.text):
        return look(assistant, say, wish, state=state)
    say("details.which", replies=number_replies(shown) or ASK_MORE)
    return []


def _pointing(text: str) -> bool:
    return bool(re.search(r"\b(?:it|this|that|them|these|those)\b", text.lower()))


_THEM_ALL = re.compile(
    r"\b(?:they|these|those|any of (?:them|these|those)|which (?:of (?:them|these|those)|ones?)|all of (?:them|these|those))\b",
    re.IGNORECASE,
)


def _of_them_all(assistant: ShopAssistant, say: Say, every: Sequence[Question]) -> Events | None:
    """Answer what is asked of several at once ("are these gluten-free?") by those that are so; None where one is meant."""
    state = state_of(say)
    shown = assistant.products(state.shown)
    if (
        every[0].aspect not in {Aspect.CONTAINS, Aspect.FEATURE}
        or len(shown) < 2
        or not state.wish.query
        or not _THEM_ALL.search(say.text)
        or state.focus
    ):
        return None
    if resolve(_THEM_ALL.sub(" ", say.text), shown):
        return None
    wish = state.wish
    for asked in every:
        if asked.aspect is Aspect.CONTAINS or asked.what.endswith("-free"):
            wish = replace(wish, without=tuple(dict.fromkeys((*wish.without, asked.what.removesuffix("-free")))))
        else:
            wish = replace(wish, has=tuple(dict.fromkeys((*wish.has, asked.what))))
    return look(assistant, say, wish, state=state)


_SAFE = re.compile(r"\b(?:safe|suitable|ok(?:ay)?|all right|alright|fine)\b", re.IGNORECASE)


@on("product_details")
def _details(assistant: ShopAssistant, say: Say) -> Any:
    every = facts.questions(say.text)
    left_out = state_of(say).wish.without
    if every[0].aspect is Aspect.ALL and left_out and _SAFE.search(say.text):  # "is the first one safe for her?"
        every = [Question(Aspect.CONTAINS, one) for one in left_out[: facts.MOST_ASKED]]
    text = say.text
    for told in filter(None, (one.what or one.said for one in every)):
        text = re.sub(rf"\b{re.escape(told).replace('-', '[ -]')}\b", " ", text, flags=re.IGNORECASE)
    if (narrowed := _of_them_all(assistant, say, every)) is not None:
        return narrowed
    product, events = find_one(assistant, say, text)
    if product is None:
        return events
    if every[0].aspect is Aspect.ALL:
        return tell(assistant, say, product, state_of(say))
    for place, asked in enumerate(every):
        act, values = _told(product, asked)
        answer = assistant.show(say.conversation_id, [product.product_id]) if place == 0 else None
        say(act, answer, [*ABOUT_ONE[:2], *([HUMAN] if act.endswith("unknown") else [])], name=product.name, **values)
    return focused(state_of(say), product)


def _told(product: Product, asked: Question) -> tuple[str, dict[str, str]]:
    """Return the act and the values that answer a question about a product."""
    what = asked.what
    if asked.aspect is Aspect.PRICE:
        unit = facts.unit_price(product)
        per = f" ({Money(round(unit[1]), product.price.currency)} {unit[0]})" if unit else ""
        before = f" It was {product.regular_price} before." if product.regular_price else ""
        return "details.price", {"price": str(product.price), "per": per, "before": before}
    if asked.aspect in {Aspect.CONTAINS, Aspect.INGREDIENTS}:
        return _ingredients(product, what)
    if asked.aspect is Aspect.FEATURE:
        found = facts.feature(product, what)
        known = {True: "yes", False: "no", None: "unknown"}[found]
        listed = sorted(product.contains) or facts.told_of_animals(product) or [product.name]
        return f"details.feature.{known}", {"what": what, "listed": ", ".join(listed)}
    plain = {
        Aspect.SIZE: product.package_size or facts.attribute(product, "size"), Aspect.BRAND: product.brand,
        Aspect.AGE: f"{product.minimum_age} years" if product.minimum_age else "",
        Aspect.OFFER: f"{product.price} instead of {product.regular_price}" if product.regular_price else "",
        Aspect.ATTRIBUTE: facts.attribute(product, what),
    }[asked.aspect]  # fmt: skip
    name = what or asked.aspect.value
    return (f"details.{asked.aspect}" if plain else f"details.{asked.aspect}.unknown"), {"value": plain, "what": name}


def _ingredients(product: Product, what: str) -> tuple[str, dict[str, str]]:
    listed = ", ".join(sorted(product.contains))
    found = facts.contains(product, what) if what else None
    if found is not None:
        return f"details.contains.{'yes' if found else 'no'}", {"what": what, "listed": listed}
    if listed:
        return ("details.contains.not_listed" if what else "details.ingredients"), {"what": what, "listed": listed}
    return "details.contains.unknown", {"what": what or "everything that is in it", "listed": ""}


@on("compare")
def _compare(assistant: ShopAssistant, say: Say) -> Any:
    state = state_of(say)
    shown = assistant.products(state.shown)
    text = say.text if places(say.text) else _ABOUT.sub(" ", say.text)
    chosen = [shown[n] for n in resolve(text, shown)]
    if len(chosen) < 2 or len(chosen) == len(shown) > MOST_COMPARED:
        chosen = _side_by_side(assistant, say, chosen) or chosen
    if len(chosen) < 2 and len(shown) > 1:
        focus = [product for product in shown if product.product_id == state.focus]
        others = [product for product in shown if product not in (chosen or focus)]
        chosen = [*(chosen or focus), *others]
    if len(chosen) < 2:
        say("compare.which", replies=number_replies(shown, "compare number") or ASK_MORE)
        return None
    chosen = chosen[:MOST_COMPARED]
    ids = [product.product_id for product in chosen]
    told = facts.compare(chosen)
    answer = replace(assistant.show(say.conversation_id, ids), table={"columns": told.columns, "rows": told.rows})
    act = "compare.given.unknown" if told.unknown else "compare.given"
    best: Replies = [("The cheaper one", "the cheaper one"), ("Add the first", "add the first one to my basket")]
    say(act, answer, best, table="\n".join(told.lines), difference=told.difference, unknown=told.unknown)
    asked = resolve(say.text, chosen) if CHEAPER.search(say.text.lower()) else []
    after = state.showing(ids)
    return keep(after.about(ids[asked[0]]) if len(asked) == 1 else after)  # "which is cheaper?", then "add that one"


def _side_by_side(assistant: ShopAssistant, say: Say, chosen: Sequence[Product]) -> list[Product]:
    """Return the products that the text sets against each other by name ("oat milk or almond milk")."""
    bare = re.sub(r"\b(?:compare|comparison|which|what|is|are|the|difference|better|cheaper|between|please|or)\b", lambda m: " or " if m.group() == "or" else " ", say.text, flags=re.IGNORECASE)  # fmt: skip
    found: list[Product] = []
    for part in _SPLIT.split(bare):
        named = best_named(assistant, say, part) if searched(part).query else []
        fresh = [product for product in named if product not in found]
        found += fresh[:1]
    return (
        found if len(found) > 1 else [*chosen, *(one for one in found if one not in chosen)] if chosen and found else []
    )


@on("stock")
def _stock(assistant: ShopAssistant, say: Say) -> Any:
    product, events = find_one(assistant, say, say.text)
    if product is None:
        return events
    answer = assistant.show(say.conversation_id, [product.product_id])
    if not product.in_stock or product.stock == 0:
        say("stock.none", answer, [("Something like it", f"something like {product.name}"), HUMAN], name=product.name)
    elif product.stock is not None:
        say(
            "stock.few" if product.stock < 5 else "stock.left",
            answer,
            ABOUT_ONE[:2],
            name=product.name,
            count=product.stock,
        )
    else:
        say("stock.unknown", answer, ABOUT_ONE[:2], name=product.name, contact=assistant.shop().contact)
    return focused(state_of(say), product)


def _side_by_side_on_the_shelf(assistant: ShopAssistant, say: Say) -> Product | None:
    """Return one of the shown products for all of them, where no single one is meant and all stand in one place."""
    state = state_of(say)
    shown = assistant.products(state.shown)
    places = {(product.aisle, product.shelf, product.category) for product in shown}
    whole = state.focus is None and len(places) == 1 and not searched(_ABOUT.sub(" ", say.text)).query
    return shown[0] if whole and not resolve(_ABOUT.sub(" ", say.text), shown) else None


def _goods(assistant: ShopAssistant, text: str) -> str:
    """Return what a longer question names of the catalogue, where it points at nothing: the rest tells how somebody looked for it."""
    named = [value for kind, value in assistant.names(text) if kind in {"product", "category"}]
    return (
        named[0]
        if named and not points(text) and len(core_words(_ABOUT.sub(" ", text)).split()) > len(named[0].split())
        else ""
    )


@on("find_in_store")
def _find(assistant: ShopAssistant, say: Say) -> Any:
    product, events = _side_by_side_on_the_shelf(assistant, say), None
    if product is None:
        product, events = find_one(assistant, say, _goods(assistant, say.text) or say.text)
    if product is None:
        return events
    answer = assistant.show(say.conversation_id, [product.product_id])
    way, shop = facts.where(product), assistant.shop()
    if way:
        say("place.known", answer, ABOUT_ONE[:1], name=product.name, where=way)
    else:
        kind = product.category or product.department
        act = "place.unknown.category" if kind else "place.unknown"
        say(act, answer, [ABOUT_ONE[0], HUMAN], name=product.name, category=kind, contact=shop.contact)
    return focused(state_of(say), product)

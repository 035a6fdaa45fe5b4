"""What a follow-up changes of the last search: "cheaper", "another brand", "more", "without nuts", "the first ones again"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from chatbot.shopping.amounts import size
from chatbot.shopping.wish import Wish, core_words, hundredths, limits_in, size_of
from personalization.ranking.text import words
from personalization.types import Product


class Move(StrEnum):
    """What is to be done with the changed wish."""

    SEARCH = "search"  # anew, from the top
    MORE = "more"  # what comes next
    OTHER = "other"  # anything but what was shown
    BACK = "back"  # what was shown before
    FIRST = "first"  # what was shown first
    NOTHING = "nothing"  # the text changes nothing that is known


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The wish after the follow-up; `words` is what the text says beside (it may name a product), `unknown` what cannot be told of what was shown."""

    move: Move
    wish: Wish
    words: str = ""
    unknown: str = ""


_CHEAPER = re.compile(
    r"\b(?:cheaper|less expensive|low(?:er)? prices?|better prices?|bargains?|(?:too |so |bit |quite |rather )?steep|not (?:so|that|too) expensive|too (?:expensive|dear|pricey|much)|more affordable|save money|less money|costs? less|(?:easier|kinder|lighter|gentler|softer) (?:on|to) (?:the|my|our) (?:wallet|purse|pocket|budget|bank)|(?:tight|small|low) budget|break(?:ing)? the bank|can'?t afford|(?:bring|get|knock) (?:it|that|the price|them) down|anything (?:less|lower)|(?:that'?s|they'?re|it'?s) (?:a bit |very |rather |quite |so )?(?:dear|pricey|steep))\b"
)
_DEARER = re.compile(
    r"\b(?:more expensive|higher[ -]end|better quality|fancier|more premium|something better|pricier)\b"
)
_BIGGER = re.compile(r"\b(?:bigger|larger|more in it|family (?:size|pack)|too small)\b")
_SMALLER = re.compile(r"\b(?:smaller|less in it|too (?:big|large)|travel size|mini)\b")
_BRAND = re.compile(
    r"\b(?:another|other|different|any other|not (?:that|this)) (?:brands?|makes?|manufacturers?|labels?)\b"
)
_FREE = re.compile(
    r"\b(?:any (?:price|brand|size)|forget (?:the|that) (?:price|limit|brand|filter)s?|(?:price|brand|size) (?:does not|doesn't) matter|all of them again|no limit)\b"
)
_NOT_THIS = re.compile(
    r"^\W*(?:(?:but|and|just|please|hm+|ok|anything|something|any|one|ones)\s+)*(?:not|no|nothing (?:from|by)|other than|except(?: for)?|not from)\s+(?P<what>[a-z][a-z' -]{2,24}?)\W*(?:please)?\W*$"
)
_NO_NAME = frozenset(
    words(
        "this that these those them it one ones what more thanks thank so too very sure really yet now idea problem way expensive cheap big small other others good bad brand brands please worries way need rush hurry matter longer chance luck"
    )
)
_BACK = re.compile(
    r"\b(?:go back|back to|previous|the ones before|what you (?:had|showed|gave)(?: me)? (?:before|earlier)|(?:earlier|previous|old) (?:ones?|list|results?))\b"
)
_FIRST = re.compile(
    r"\b(?:the )?first (?:ones?|list|results?|suggestions?|search) again\b|\bfrom the (?:start|beginning)\b|\bwhat you (?:had|showed|gave)(?: me)?(?: at)? first\b|\bshow (?:me )?(?:them|those|these|all) again\b|\bthe list again\b"
)
_MORE = re.compile(
    r"^\W*(?:and |ok |so |hm+ )*(?:got |have you |do you have |see )?(?:what|anything|any)? ?(?:else|others?)\b|^\W*(?:(?:show|give|see|any|some|are there|is there|do you have|have you got|can i see|i want|what else|go on)\b.{0,20})?\b(?:more|next|others?|else|further|continue)\b(?!\s+(?:expensive|affordable|premium|in it))"
)
_OTHER = re.compile(
    r"\b(?:besides|apart from|other than|except) (?:these|those|them|this|that|the ones)\b|\b(?:something|anything|somewhat|things?) (?:else|different|new|other)\b|\b(?:other|different|another) (?:ones?|products?|suggestions?|options?|ideas?|things?|items?|kinds?|types?|sorts?|selection)\b"
    r"|\bnot (?:these|those|this|that|what i)\b|\bnone of (?:these|those|them)\b|\bdon'?t (?:like|want) (?:these|those|them|any)\b"
)  # fmt: skip
_CHANGES = (_CHEAPER, _DEARER, _BIGGER, _SMALLER, _BRAND, _FREE, _BACK, _FIRST, _MORE, _OTHER)


def follow_up(text: str, wish: Wish, shown: Sequence[Product], entities: Sequence[tuple[str, str]] = ()) -> FollowUp:
    """Return what the text changes of `wish`, whose products `shown` were shown last."""
    low = text.lower().replace("’", "'")
    back = Move.FIRST if _FIRST.search(low) else Move.BACK if _BACK.search(low) else None
    if back is not None:
        return FollowUp(back, wish)
    said, rest = limits_in(low)
    if _FREE.search(low):
        return FollowUp(Move.SEARCH, Wish(query=wish.query, without=wish.without))
    changed, unknown = _relative(low, wish, shown)
    changed = _merged(_without_named(low, changed), said)
    named = dict(entities)
    brand = named.get("brand", "")
    if brand and not _BRAND.search(low):
        changed = replace(changed, brand=brand, not_brands=())
    wanted_size = size(low)
    if wanted_size is not None and said.below is None and said.above is None:
        changed = replace(changed, size=wanted_size.text, bigger=None, smaller=None)
    beside = _beside(rest, changed, brand, wanted_size.text if wanted_size else "")
    if changed != wish or unknown:
        return FollowUp(Move.SEARCH, changed, beside, unknown)
    move = Move.OTHER if _OTHER.search(low) else Move.MORE if _MORE.search(low) else Move.NOTHING
    return FollowUp(move, wish, beside)


def changes_search(text: str) -> bool:
    """Whether a message says in so many words how the last search is to be changed."""
    low = text.lower().replace("’", "'")
    said, _ = limits_in(low)
    priced = said.above is not None or said.below is not None
    return priced or bool(turns_down(low)) or any(rule.search(low) for rule in _CHANGES)


def turns_down(text: str) -> str:
    """Return what a message turns down by its name ("not Ariel", "nothing from Nestle"); "" where it names nothing."""
    match = _NOT_THIS.match(text.lower().replace("’", "'"))
    return match["what"] if match is not None and set(words(match["what"])) - _NO_NAME else ""


def _without_named(low: str, wish: Wish) -> Wish:
    named = turns_down(low)
    return replace(wish, without=(*wish.without, named)) if named and named not in wish.without else wish


def _relative(low: str, wish: Wish, shown: Sequence[Product]) -> tuple[Wish, str]:
    """Return the wish moved away from what was shown, and what of it is not known."""
    if not shown:
        return wish, ""
    prices = [hundredths(product.price) for product in shown]
    if _CHEAPER.search(low):
        below = min(prices) - 1 if len(prices) == 1 else _lower(prices)
        return replace(wish, below=below, above=None, order="cheapest"), ""
    if _DEARER.search(low):
        return replace(wish, above=max(prices) + 1, below=None, order=""), ""
    if _BIGGER.search(low) or _SMALLER.search(low):
        return _resized(wish, shown, "bigger" if _BIGGER.search(low) else "smaller")
    return _rebranded(wish, shown) if _BRAND.search(low) else (wish, "")


def _resized(wish: Wish, shown: Sequence[Product], name: str) -> tuple[Wish, str]:
    sizes = [own for product in shown if (own := size_of(product)) is not None]
    if not sizes:
        return wish, "size"
    same = [own.value for own in sizes if own.dimension == sizes[0].dimension]
    if name == "bigger":
        return replace(wish, bigger=(sizes[0].dimension, max(same)), smaller=None, size=""), ""
    return replace(wish, smaller=(sizes[0].dimension, min(same)), bigger=None, size=""), ""


def _rebranded(wish: Wish, shown: Sequence[Product]) -> tuple[Wish, str]:
    brands = [product.brand.lower() for product in shown if product.brand]
    if not brands:
        return wish, "brand"
    return replace(wish, brand="", not_brands=tuple(dict.fromkeys((*wish.not_brands, *brands)))), ""


def _lower(prices: Sequence[int]) -> int:
    """Return the highest price that is cheaper than the dearest of those shown, and not above their middle."""
    ordered = sorted(prices)
    return max(min(ordered[len(ordered) // 2], ordered[-1] - 1), 0)


def _merged(wish: Wish, said: Wish) -> Wish:
    changed = wish
    if said.above is not None or said.below is not None:
        changed = replace(changed, above=said.above, below=said.below)
    if said.without:
        changed = replace(changed, without=tuple(dict.fromkeys((*wish.without, *said.without))))
    if said.has:
        changed = replace(changed, has=tuple(dict.fromkeys((*wish.has, *said.has))))
    if said.order:
        changed = replace(changed, order=said.order)
    if said.on_offer:
        changed = replace(changed, on_offer=True)
    if said.brand:
        changed = replace(changed, brand=said.brand, not_brands=())
    return changed


def _beside(rest: str, wish: Wish, *consumed: str) -> str:
    """Return the words of a follow-up that say something beside its limits."""
    gone = {
        word for text in (*consumed, *wish.has, *wish.without, *wish.not_brands) for word in words(text)
    } | _SAID_BY_RULES
    return " ".join(word for word in core_words(rest).split() if not set(words(word)) <= gone)


_SAID_BY_RULES = frozenset(
    words(
        "cheaper cheapest less expensive lower price affordable money save bigger larger biggest smaller smallest size brand another other different else more next"
        " new dearer premium better quality show see list again back previous first ones results these those them they too so that much but and only just like"
        " want have from start entirely completely maybe hmm please really actually one option options suggestion suggestions kind type sort make makes label any anything something thing things not without no expensive then simply which sell each apiece"
    )
)  # fmt: skip

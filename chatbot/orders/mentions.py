"""Which products a message speaks of: whole names, their main word, with plural and typing slips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatbot.orders.text import Token, alike, key_of, keys

_VAGUE = frozenset(map(key_of, ["set", "kit", "maker", "machine", "pack", "case", "collection", "bundle"]))
_GENERAL = frozenset(
    map(key_of, ["set", "kit", "puzzle", "cleaner", "maker", "machine", "bulb", "pack", "case", "collection", "bundle"])
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in the message (positions of words) and the products that it may mean."""

    first: int
    last: int
    product_ids: frozenset[str]
    vague: bool = False  # one word that says little alone, such as "machine"


def mentions(words: Sequence[Token], products: Mapping[str, str]) -> list[Mention]:
    """Return the products that are named, in the order of the message; words that stand together name one product."""
    names = {product_id: keys(name) for product_id, name in products.items()}
    found: list[Mention] = []
    at = 0
    while at < len(words):
        best = _best(words, at, names)
        if best is None:
            at += 1
            continue
        size, product_ids = best
        vague = size == 1 and words[at].key in _VAGUE
        found.append(Mention(at, at + size - 1, product_ids, vague))
        at += size
    return _joined(found)


def _best(words: Sequence[Token], at: int, names: Mapping[str, tuple[str, ...]]) -> tuple[int, frozenset[str]] | None:
    """Return how many words from `at` on name a product, and which ones; the longest name wins."""
    scored: dict[int, set[str]] = {}
    for product_id, name in names.items():
        size = _length(words, at, name)
        if size:
            scored.setdefault(size, set()).add(product_id)
    if not scored:
        return None
    size = max(scored)
    said = tuple(word.key for word in words[at : at + size])
    exact = {product_id for product_id in scored[size] if names[product_id] == said} or {
        product_id for product_id in scored[size] if said[-1] in {names[product_id][-1], *names[product_id][-2:-1]}
    }
    return size, frozenset(exact or scored[size])


def _length(words: Sequence[Token], at: int, name: tuple[str, ...]) -> int:
    """Return how many words from `at` on stand for `name`: all of it, its end, or what sets it apart."""
    if not name:
        return 0
    for skip in range(len(name)):  # "mechanical keyboard", then "keyboard"
        part = name[skip:]
        if len(words) - at >= len(part) and all(_same(words[at + i].key, part[i]) for i in range(len(part))):
            return len(part)
    if len(name) > 1 and name[-1] in _GENERAL and _same(words[at].key, name[-2]):
        return 1
    pair = words[at].key + words[at + 1].key if at + 1 < len(words) else ""
    return 2 if pair and alike(pair, name[-1]) and len(pair) > 5 else 0


def _same(word: str, name: str) -> bool:
    return (
        alike(word, name) or (len(word) >= 5 and name.endswith(word)) or (word == "shoe" and name.endswith("sneaker"))
    )


def _joined(found: Sequence[Mention]) -> list[Mention]:
    """Join mentions that stand side by side and may be one: "coffee machine", whichever of the two the shop calls it."""
    joined: list[Mention] = []
    for mention in found:
        if joined and mention.first == joined[-1].last + 1 and mention.first == mention.last == joined[-1].last + 1:
            before = joined[-1]
            if before.first == before.last and (mention.product_ids & before.product_ids or mention.vague):
                joined[-1] = Mention(before.first, mention.last, before.product_ids | mention.product_ids)
                continue
        if not mention.vague:
            joined.append(mention)
    return joined

"""Words of a query and of a product's name, brought to one form."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9]+")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "can",
        "could",
        "do",
        "does",
        "find",
        "for",
        "get",
        "give",
        "got",
        "have",
        "i",
        "im",
        "in",
        "is",
        "it",
        "ll",
        "looking",
        "me",
        "my",
        "need",
        "of",
        "on",
        "or",
        "our",
        "please",
        "sell",
        "show",
        "some",
        "something",
        "that",
        "the",
        "there",
        "to",
        "us",
        "want",
        "we",
        "what",
        "where",
        "which",
        "with",
        "would",
        "you",
        "your",
        "buy",
        "stock",
        "product",
        "products",
        "item",
        "items",
        "good",
        "nice",
        "best",
        "cheap",
        "cheapest",
        "search",
        "shop",
        "today",
        "recommend",
    ]
)
_SAME = {
    "soda": "soft drink", "pop": "soft drink", "coke": "cola", "chips": "chip", "crisps": "chip", "diaper": "diapers", "nappies": "diapers",
    "nappy": "diapers", "yoghurt": "yogurt", "veggies": "vegetables", "veg": "vegetables", "biscuits": "cookies", "loo": "bath tissue",
    "toilet": "bath", "ketchup": "catsup", "puppy": "dog", "kitten": "cat", "oj": "orange juice", "washing": "laundry", "sweets": "candy",
    "colour": "color", "flavour": "flavor", "doughnut": "donut", "doughnuts": "donut", "aubergine": "eggplant", "courgette": "zucchini", "prawn": "shrimp",
    "prawns": "shrimp", "tin": "can", "tins": "can", "tinned": "canned", "serviettes": "napkins", "serviette": "napkin", "rubbish": "trash",
    "aluminium": "aluminum", "beetroot": "beet",
}  # fmt: skip


_SAME_PHRASES = {
    "washing powder": "laundry detergent", "washing liquid": "laundry detergent", "washing up liquid": "dish detergent", "dish soap": "dish detergent",
    "kitchen roll": "paper towel", "kitchen towel": "paper towel", "toilet roll": "bath tissue", "loo roll": "bath tissue", "loo paper": "bath tissue",
    "toilet paper": "bath tissue", "minced beef": "ground beef", "beef mince": "ground beef", "cling film": "plastic wrap", "tin foil": "aluminum foil",
    "bin bag": "trash bag", "bin bags": "trash bags", "bin liners": "trash bags", "fizzy drink": "soft drink", "fizzy drinks": "soft drinks",
}  # fmt: skip
_PHRASE = re.compile(rf"\b(?:{'|'.join(sorted(_SAME_PHRASES, key=len, reverse=True))})\b")
_ALLERGENS = {
    "nut": "nut peanut almond walnut cashew pecan pistachio hazelnut macadamia praline trail", "peanut": "peanut nut trail",
    "dairy": "dairy milk cheese yogurt butter cream creamer whey", "gluten": "gluten wheat bread bun roll pasta noodle flour cracker cookie cake cereal barley rye",
    "egg": "egg mayonnaise", "fish": "fish tuna salmon seafood sardine anchovy", "soy": "soy tofu edamame",
    "shellfish": "shellfish seafood shrimp crab lobster clam oyster", "seafood": "seafood fish tuna salmon shrimp crab lobster clam oyster",
}  # fmt: skip
_ALLERGENS |= {"milk": _ALLERGENS["dairy"], "lactose": _ALLERGENS["dairy"], "wheat": _ALLERGENS["gluten"]}
_NOT = re.compile(
    r"\b(?:(?:is |am |'m |are )?(?:allergic|intolerant) (?:to|against)|(?:allergy|intolerance) (?:to|against)|(?:without|nothing with|not with|w/o|minus|leav(?:e|ing) out|must ?n[o']?t contain)(?: any(?:thing)? (?:with|containing)| the ones (?:with|containing)| any| the)?|free (?:of|from)"
    r"|no(?! i\b| longer\b)|avoid(?:ing)?|(?:can ?not|can'?t|do not|don'?t|does not|doesn'?t|must ?n[o']?t) (?:eat|have|drink|like|want|stand|tolerate)"
    r"|(?:i|he|she|they|we|kids?|wife|husband|son|daughter|mum|mom|dad) (?:really |absolutely )?(?:hates?|dislikes?|detests?)(?! (?:you|your|that|this|it|how|when|to|\w+ing)\b))\s+"
    r"(?P<what>[a-z][a-z ]*?(?:,? (?:and|or|nor) (?!i\b)[a-z]+)?)"
    r"(?=\s*(?:$|[.,;:!?]|\b(?:what|which|but|so|can|could|do|is|are|in|for|please|i|and i|any|thanks|right|either|though)\b))"
)
_ALLERGY = re.compile(r"\b(?P<what>[a-z]+)[ -](?:allergy|intolerance|intolerant)\b")
_FREE = re.compile(r"\b(?:(?P<what>[a-z]+)[ -]free|non[ -](?P<non>[a-z]+))\b")


def wanted(query: str) -> str:
    """Return the query without what it rules out: "snacks without nuts" asks for "snacks"."""
    return " ".join(_ALLERGY.sub(" ", _NOT.sub(" ", query.lower().replace("’", "'"))).split())


def ruled_out_by(query: str) -> list[str]:
    """Return what the query rules out, as it says it: "nuts", "milk or eggs"."""
    low = query.lower().replace("’", "'")
    found = (match for rule in (_NOT, _ALLERGY, _FREE) for match in rule.finditer(low))
    return list(dict.fromkeys(next(filter(None, match.groups()), "") for match in found))


@lru_cache(maxsize=1024)
def unwanted(query: str) -> frozenset[str]:
    """Return the words that the query rules out ("allergic to nuts", "gluten-free"), as `words` has them, and their kin."""
    ruled_out = {word for text in ruled_out_by(query) for word in words(text)} - {"free", "of", "no"}
    kin = {other for word in ruled_out for other in _ALLERGENS.get(word, "").split()}
    return frozenset(ruled_out | kin.difference(words(wanted(query))))  # gluten-free bread is bread


def names(text: str, ruled_out: frozenset[str]) -> bool:
    """Whether a product's text names something that is ruled out; "sugar free gum" does not name sugar."""
    return not (set(words(text)) - unwanted(text)).isdisjoint(ruled_out)


def words(text: str) -> list[str]:
    """Return the meaningful words of `text`, lower-cased, synonyms resolved, plurals cut."""
    return list(_words(text))


@lru_cache(maxsize=8192)  # a catalogue's texts are compared with every question
def _words(text: str) -> tuple[str, ...]:
    found: list[str] = []
    low = _PHRASE.sub(lambda match: _SAME_PHRASES[match[0]], text.lower().replace("-", " "))
    for word in _WORD.findall(low):
        if word not in _STOP:
            found += [_stem(part) for part in _SAME.get(word, word).split()]
    return tuple(found)


def terms(text: str) -> list[str]:
    """Return what is indexed of a text: its words, and their letter trigrams so that a typo still finds something."""
    found = []
    for word in words(text):
        found.append(word)
        padded = f"^{word}$"
        found += [f"#{padded[i : i + 3]}" for i in range(len(padded) - 2)]
    return found


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("shes", "ches", "xes", "oes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word

"""What a language model is shown, and what of its answer is let through.

Nothing that a shopper or a product text says is an instruction: control signs and sentences that speak to the model are taken out,
and the rest stands between marks as data. Of an answer every number, price, code and name must stand in the facts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

CUT = "[…]"
_CONTROL = re.compile(
    r"<\|[^|>]{0,40}\|>|</?s>|\[/?INST\]|<<?/?SYS>?>|```|#{3,}|[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_ROLE = re.compile(r"(?im)^\s*(system|assistant|user|developer|tool)\s*:")
_SPEAKS_TO_MODEL = re.compile(
    r"(ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(instruction|prompt|rule|above|previous|earlier|everything)s?|"
    r"you are now\b|from now on\b|act as\b|pretend (to be|that)\b|new instructions?\b|system prompt|developer mode|jailbreak|"
    r"(say|tell|answer|respond|reply|write|repeat|print|reveal|output)\b[^.!?\n]{0,30}\b(that|with|exactly|the prompt|your instructions)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_CALLED = r"[A-ZÄÖÜÀ-Þ][\w'’-]+(?:\s+(?:(?:van|von|de|der|da|di|el|al|la|le)\s+){0,2}[A-ZÄÖÜÀ-Þ][\w'’-]+){0,2}"
_PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|[\w.+-]+\s?[(\[{]\s?at\s?[)\]}]\s?[\w-]+(?:(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)[\w-]+)+|[\w.+-]+ at [\w-]+(?:\.| dot )(?:com|org|net|de|co|io|eu|fr|es|it|uk|me|info)\b", re.IGNORECASE), "[e-mail]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "[account]"),
    (re.compile(r"\b(?:\d[ .-]?){12,18}\d\b"), "[card]"),
    (re.compile(r"(?<![\w$€£.,])\+?\(?\d[\d ()/-]{6,}\d\b|(?<![\w$€£.,])\+?\(?\d{2,4}\)?(?:[. /-]\d{2,5}){2,5}\b"), "[phone]"),
    (re.compile(r"#[A-Z]{0,3}-?\d{4,}\b|\b[A-Z]{0,2}\d{6,}\b"), "[number]"),
    (re.compile(r"\b((?:orders?|parcels?|customers?|accounts?|invoices?|members?|bestellung|kundennummer|rechnung)(?:\s+(?:number|no\.?|nr\.?|id|is|was|nummer))*:?\s+)#?[A-Z]{0,3}-?\d{3,}\b", re.IGNORECASE), r"\1[number]"),
    (re.compile(r"\b[A-ZÄÖÜ][\wäöüß-]*(?:str(?:aße|asse|\.)|weg|platz|allee|gasse|damm|ufer)\s+\d{1,4}\s?[a-z]?\b(?:,?\s*\d{4,5}\s+[A-ZÄÖÜ][\wäöüß-]+)?"), "[address]"),
    (re.compile(r"\b\d{1,5}\s+(?:[A-Z][\w']+\s){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|way|court|ct)\b\.?", re.IGNORECASE), "[address]"),
    (re.compile(rf"\b((?i:my name is|my name['’]s|i am called|i['’]m called|call me|this is|i['’]m|i am|it['’]s|here is|ich bin|ich hei(?:ß|ss)e|mein name ist))\s+{_CALLED}"), r"\1 [name]"),
    (re.compile(r"\b(my name is|my name['’]s|i am called|mein name ist)\s+(?!\[)[^\W\d_][\w'’-]*(?:\s+(?!and\b|i\b|is\b|my\b|but\b|or\b|und\b)[^\W\d_][\w'’-]+)?", re.IGNORECASE), r"\1 [name]"),
    (re.compile(rf"(?:(?<=^)|(?<=[,.!;]\s)|(?<=\b[Hh]i\s)|(?<=\b[Hh]ello\s)|(?<=\b[Hh]ey\s)){_CALLED}(?=\s+(?:here|speaking)\b)"), "[name]"),
    (re.compile(rf"\b((?i:yours|regards|thanks|cheers|greetings|sincerely|gru(?:ß|ss)),?\s+){_CALLED}(?=[.!]?\s*$)"), r"\1[name]"),
)  # fmt: skip
_MARK = re.compile(r"\[(?:e-mail|account|card|phone|number|address|name)\]")

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MONEY = re.compile(
    r"[$€£¥]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?(?:[$€£¥]|USD|EUR|GBP|dollars?|euros?|pounds?|cents?)\b", re.IGNORECASE
)
_NAME = re.compile(r"(?<![.!?:\n“\"]\s)(?<!^)\b[A-Z][\w'’&-]+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LINK = re.compile(r"https?://|www\.|\b[\w-]+\.(com|org|net|io|shop)\b", re.IGNORECASE)
_PROMISE = re.compile(
    r"\b(guarantee\w*|promise\w*|refund\w*|discount\w*|coupon\w*|free of charge|for free|for sale|on sale|% off|percent off|medical\w*|cures?|heals?|"
    r"allergen.free|safe for)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(no|not|none|never|without|unknown|nothing|neither|cannot|unclear|\w+n['’]t)\b", re.IGNORECASE
)
_SELF = re.compile(
    r"\b(as an ai|language model|system prompt|my instructions|the facts (say|above)|i was told)\b", re.IGNORECASE
)
_SMALL = frozenset(
    ["the", "and", "for", "are", "was", "were", "you", "your", "our", "its", "this", "that", "these", "those", "with", "from", "have", "has", "had", "not", "but", "can", "could", "would", "will", "may", "might", "there", "here", "what", "which", "who", "when", "where", "how", "than", "then", "them", "they", "their", "about", "into", "over", "also", "both", "each", "more", "most", "some", "any", "all", "one", "two", "yes", "well", "very", "just", "only", "like", "here's", "it's", "that's", "i'm", "does", "did", "been", "being", "because", "while", "such", "same", "other", "another", "between", "per", "than", "product", "products", "item", "items", "price", "prices", "costs", "cost", "size", "brand", "shop", "store", "comes", "made", "called", "named"]
)  # fmt: skip


def masked(text: str) -> str:
    """Return the text without what names a person: addresses of any kind, numbers of phones, cards, accounts and orders."""
    for pattern, instead in _PERSONAL:
        text = pattern.sub(instead, text)
    return text


def neutral(text: str, *, most: int = 400) -> str:
    """Return text as data: no control signs, no roles, no sentence that speaks to the model; at most `most` signs."""
    text = _ROLE.sub(" ", _CONTROL.sub(" ", text))
    kept = [CUT if _SPEAKS_TO_MODEL.search(sentence) else sentence for sentence in _SENTENCES.split(text)]
    return " ".join(" ".join(kept).split())[:most].replace("<", "‹").replace(">", "›")


def faults(answer: str, facts: Sequence[str], question: str = "") -> list[str]:
    """Return why an answer must not be said; nothing when each of its claims stands in the facts.

    The question lends the answer its words, but no number, price or name: what a shopper claims is no fact.
    """
    known = "\n".join(facts)
    low, numbers = known.lower(), set(_NUMBER.findall(known))
    found = [f"number {number}" for number in _NUMBER.findall(answer) if number not in numbers]
    money = {_plain(amount) for amount in _MONEY.findall(known)}
    found += [f"price {amount}" for amount in _MONEY.findall(answer) if _plain(amount) not in money]
    found += [
        f"name {name}" for name in _NAME.findall(answer) if name.lower() not in low and name.lower() not in _SMALL
    ]
    for pattern, about in ((_LINK, "a link"), (_SELF, "talk of itself")):
        found += [about] if pattern.search(answer) else []
    found += [f"promise {match[0]}" for match in _PROMISE.finditer(answer) if match[0].lower() not in low]
    found += [f"a negation lost: {said}" for said in _SENTENCES.split(answer) if _denied(said, facts)]
    heard_of = {word.lower() for word in _WORD.findall(known)}
    found += [f"not of the facts: {said}" for said in _SENTENCES.split(answer) if _elsewhere(said, heard_of)]
    if CUT in answer or "‹" in answer or _MARK.search(answer):
        found.append("marks of data")
    said = {word.lower() for word in _WORD.findall(answer)} - _SMALL
    heard = {word.lower() for word in _WORD.findall(known + " " + question)}
    unknown = {word for word in said if not _kin(word, heard)}
    if len(unknown) > max(1, 0.25 * len(said)):
        found.append(f"words of its own: {', '.join(sorted(unknown)[:5])}")
    return found


def _denied(said: str, facts: Sequence[str]) -> bool:
    """Whether a sentence claims plainly what the fact that is nearest to it denies, or does not know."""
    if _NEGATION.search(said):
        return False
    words, nearest = _content(said), (0.0, False)
    for fact in (one for text in facts for one in _SENTENCES.split(text)):
        own = _content(fact)
        shared = len(words & own) / len(words | own) if words & own else 0.0
        nearest = max(nearest, (shared, _NEGATION.search(fact) is not None))
    return nearest[0] > 0 and nearest[1]


def _elsewhere(said: str, heard: set[str]) -> bool:
    """Whether a sentence claims something and shares no word with the facts: the question alone proves nothing."""
    words = _content(said)
    return bool(words) and not _NEGATION.search(said) and not any(_kin(word, heard) for word in words)


def _content(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)} - _SMALL


def _kin(word: str, heard: set[str]) -> bool:
    """Whether the word, or one with the same beginning, was heard: "vegan", "vegans"."""
    return word in heard or any(word[:5] == other[:5] for other in heard if len(word) > 4 and len(other) > 4)


def _plain(amount: str) -> str:
    return re.sub(r"\s", "", amount).lower()

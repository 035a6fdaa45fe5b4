"""A choice among what is shown that says how many: "take the first, 5", "three packs, the first kind", "two of whatever's second"."""

from __future__ import annotations

import re

from chatbot.shopping.numbers import WHOLE, number
from chatbot.shopping.references import places

_PIECES = r"(?:\s+(?:packs?|packets?|pieces?|bottles?|cans?|bags?|boxes|box|jars?|cartons?|tins?|rolls?))?"
_COURTESY = r"(?:\W+(?:please|pls|plz|thanks?|thank you|then|now|will do|is enough|should do))*"
_AT_THE_END = re.compile(
    rf"[,.;:]\s*(?:(?:just|only|and)\s+)*(?P<n>{WHOLE}|an? single|a couple|a pair)(?:\s+(?:ones?|of (?:it|them|those|that)))?{_PIECES}{_COURTESY}\W*$",
    re.IGNORECASE,
)
_AT_THE_START = re.compile(
    rf"^\W*(?:(?:ok(?:ay)?|now|and|then|yes|just|only|i(?:'ll| will)? (?:take|have|want)|grab me|get me|give me|gimme|lemme get)\s+)*(?P<n>{WHOLE}|a couple|a pair){_PIECES}\s*(?:,|\bof\b)\s*(?=(?:the|what|whatever|number|those)\b)",
    re.IGNORECASE,
)
_CHOOSES = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|alright|all right|right|so|then|well|yes|yeah|fine|good|great|bet|cool|now|just|i think|i'?ll|we'?ll|i'?m|we'?re|let'?s|lemme|let me|please)\b\W*)*(?:take|grab|going with|go with|get me|gimme|give me|pick)\b|\bgoes? in(?:to)?\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?|^\W*(?:and |but |so )?(?:is|are|was|does|do|did|has|have|can|could|would|should|what|which|who|when|where|why|how|tell|compare|show)\b|\b(?:or (?:no|not|what)|instead of|than|versus|vs|difference|how (?:much|many|long|do|does|is))\b|^\W*(?:whats|what's)\b",
    re.IGNORECASE,
)
_AND_ANOTHER = re.compile(rf"(?:\b(?:and|plus)\b|&)\s*(?:{WHOLE}|an?)\b", re.IGNORECASE)  # each with its own number
_REFUSES = re.compile(
    r"\b(?:not|no|never|without|except|leave|skip|remove|drop|lose|back|out|off|away|return|cancel|scratch|forget|instead|dont|won'?t|\w+n't)\b",
    re.IGNORECASE,
)


def picked(text: str) -> tuple[int, str] | None:
    """Return how many are chosen and the words that point at what; None where no number stands beside a place."""
    text = text.replace("\u2019", "'")
    for rule in (_AT_THE_END, _AT_THE_START):
        if (match := rule.search(text)) is None:
            continue
        rest = f"{text[: match.start()]} {text[match.end() :]}".strip()
        said = match["n"].lower()
        count = 1 if "single" in said else 2 if said in {"a couple", "a pair"} else int(number(said))
        if count > 0 and places(rest) and not _AND_ANOTHER.search(rest):
            return count, rest
    return None


def picks(text: str) -> bool:
    """Whether a message chooses one of what is shown, rather than asks about it or turns it down."""
    if not places(text) or _ASKS.search(text) or _REFUSES.search(text):
        return False
    return picked(text) is not None or _CHOOSES.search(text) is not None

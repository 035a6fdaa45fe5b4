"""Whether a message that says "in my basket" puts something there, forbids that, or tells of what is in it."""

from __future__ import annotations

import re
from enum import StrEnum


class Putting(StrEnum):
    """What a message with "into my basket" does."""

    PUTS = "puts"
    NAMES = "names"  # it has no verb: "the third into my bag"
    DENIES = "denies"
    TELLS = "tells"
    NONE = ""


_INTO = re.compile(
    r"\b(?:in|into|to|on|inside)\s+(?:my |the |our )?(?:shopping )?(?:basket|cart|bag|trolley|shopping list)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?]+\s+|\n")
_CLAUSE = re.compile(r"\s*(?:,|;|\b(?:but|so|then)\b|\s-\s)\s*", re.IGNORECASE)
_PUT = r"(?:add|put|pop|throw|toss|chuck|stick|bung|include|slip|place|drop|take|move|load|bring|get)"
_POLITE = re.compile(  # a request, however it begins
    r"\b(?:can'?t|couldn'?t|won'?t|wouldn'?t|why don'?t|why not) (?:you|we)\b|\b(?:don'?t|do not|never) (?:forget|hesitate|wait) to\b|\b(?:do|would) you mind\b|\b(?:don'?t mind|if it'?s not too much trouble)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|never|no longer|unable|cannot|without|nothing|nobody|stop(?:ped)?|refuses?|fail(?:s|ed)?|impossible|avoid|\w+n't)(?!\w)|\b(?:dont|didnt|cant|wont|doesnt|isnt|wasnt|couldnt)\b",
    re.IGNORECASE,
)
_FORBIDS = re.compile(
    rf"(?:^|\b(?:please|pls|no|and|but|you)\s+)\W*(?:(?:please|pls|just|ok(?:ay)?|hey|no|well|so|you (?:should|must|can|need))\W+)*(?:do not|don'?t|dont|never|not|should not|shouldn'?t|mustn'?t|stop)\s+(?:you dare |ever |just |even |yet )?(?:to )?(?:{_PUT}|put+ing|adding|want (?:it|that|this|them|any|the|to)\b)",
    re.IGNORECASE,
)
_PUTS = re.compile(
    rf"\b{_PUT}\b|\b(?:can|could|may|might|let) (?:i|we|me|us)(?: please)? have\b|\b(?:i|we)(?:'d| would| will|'ll)?(?: really| also| just)* (?:want|need)\b(?! (?:to\b|help\b|it to|you to))|\b(?:i|we)(?:'d| would)(?: really| also)* (?:like|love)\b|\bgive (?:me|us)\b",
    re.IGNORECASE,
)
_WISHES_TO = re.compile(r"\b(?:want|need|like|love|let me|going|trying) to (?!be\b)(?P<verb>\w+)", re.IGNORECASE)
_TOLD = re.compile(
    rf"(?<!can )(?<!could )(?<!would )(?<!will )(?<!should )(?<!did )(?<!please )\b(?:i|you|we|he|she|they|it|that|somebody|someone|who|system|app|site|shop|website|kids?|son|daughter|wife|husband)(?:'ve|'s| have| has| had)?(?: (?:just|already|also|only|accidentally|never|always|even))* {_PUT}\b"
    r"(?!.*\b(?:please|pls)\b)|\b(?:buttons?|links?|options?|functions?|errors?|problems?|trouble|issues?|able) (?:to|with|that)\b|\b(?:added|placed|dropped|thrown|threw|took|taken|got|moved|adding|putting|having)\b|\b(?:when|whenever|if|after|before|every ?time|each time|how (?:do|can|to|would|should)|where (?:do|can)) (?:i|you|we|to|do|can)\b",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\b(?:is|are|was|were|be|been|\w+'s|they're|has|have|had|shows?|showing|says?|keeps?|stays?|leave|see|saw|find|found|notice[ds]?|disappear\w*|vanish\w*|missing|went|gone|goes|wrong|broken|doubled|sold out|costs?|looks?|seems?|like|love|hate|pay|check ?out|order|buy|only|still|already)\b"
    r"|\bhow\b|\bwhy\b",
    re.IGNORECASE,
)


def requested(text: str) -> str:
    """Return a text whose questions that only ask politely are requests: "why don't you add it" as "please add it"."""
    return _POLITE.sub("please", text)


def putting(text: str) -> Putting:
    """Return what the sentence that names the basket does."""
    text = text.replace("’", "'")
    sentence = next((one for one in _SENTENCE.split(text) if _INTO.search(one)), None)
    if sentence is None:
        return Putting.NONE
    into = _INTO.search(sentence)
    head = requested(sentence[: into.start() if into else 0])
    last = _CLAUSE.split(head)[-1]
    if _NOT.search(last):
        return Putting.DENIES if _FORBIDS.search(last) else Putting.TELLS
    wish = _WISHES_TO.search(last)
    if wish and not re.fullmatch(_PUT, wish["verb"].lower()):
        return Putting.TELLS
    if _TOLD.search(last):
        return Putting.TELLS
    if _PUTS.search(head):
        return Putting.PUTS
    tail = sentence[into.end() :] if into else ""
    return Putting.TELLS if _IS.search(f"{last} {tail}") or _NOT.search(tail) else Putting.NAMES


_WITHOUT_BASKET = re.compile(
    r"^\W*(?:(?:no|please|pls|oh|hey|well|wait|ok(?:ay)?|and|but|just)\W+)*(?:do not|don'?t|dont|never)\s+(?:you dare |ever |just |even |yet )?(?:to )?(?:add|put|pop|include|throw|stick|place)\b(?!.*\b(?:out|off|away|back)\b)",
    re.IGNORECASE,
)


def forbids(text: str) -> bool:
    """Whether a message only says that something shall not be put in: "don't add it", "please don't put that in my cart"."""
    parts = [part for part in _CLAUSE.split(text.replace("’", "'")) if part.strip()]
    denied = [bool(_WITHOUT_BASKET.search(part)) for part in parts]
    return any(denied) and not any(_PUTS.search(part) for part, no in zip(parts, denied, strict=True) if not no)

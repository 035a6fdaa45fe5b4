"""What people say before they say what they want ("ok, and", "thanks, but", "hi"): the wish behind it is what counts."""

from __future__ import annotations

import re

from chatbot.handoff import wants_person
from chatbot.spelling import spelled

_ALWAYS = r"ok(?:ay)?|kk?|alright|all right|thanks?(?: you)?|thx|(?:hi|hello|hey|good (?:morning|day|afternoon|evening))(?: there| again| everyone| all)?|oh|ah|uh|um+|hm+|er+|then|and|but|also|plus"
_PAUSED = r"so|great|good|nice|cool|perfect|fine|lovely|super|awesome|wonderful|sorry|well|wait|please|right|yes|yeah|yep|sure|no|nope|nah|actually|listen|look|now"
_WISHING = (
    r"i(?:'d| would)? (?:like|want|need)|i(?:'ll| will)? take|can|could|would you|please|give|show|get|let|put|add|take|remove"
    r"|cancel|return|exchange|change|what|where|when|how|which|do you|is there|are there|and|but"
)
_OPENING = re.compile(
    rf"\W*(?:(?:{_ALWAYS})\b(?=\W+\w)(?!['’])|(?:{_PAUSED})\b(?:\s*[,.;:!…–-]+\s*(?=\w)|\s+(?=(?:{_WISHING})\b)))[\s,.;:!…–-]*",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\W*(?:for\b|so (?:much|very)|very much|a (?:lot|bunch|million)|again\b|anyway\b|everyone\b|every(?:body|thing)\b|there\b|guys?\b|folks\b|mate\b"
    r"|i (?:don'?t|do not|didn'?t|did not|meant?|said)\b|i'?m (?:not|good|fine|ok)\b|not\b|no (?:need|more)\b|never\b|that'?s? |that was\b|it'?s\b|wrong\b|actually\b|my god\b|god\b|dear\b|boy\b|no\b)",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_EMPTY = re.compile(
    r"\W*(?:(?:ok(?:ay)?|alright|yes|yeah|yep|sure|no|nope|thanks?|thank you|thx|please|pls|cool|great|fine|good|nice|perfect|then|now|a lot|so much|very much"
    r"|dear|there|again|you|it|that|this|is|are|all|right)\b\W*)*",
    re.IGNORECASE,
)


def wish_of(text: str) -> str:
    """Return the message without the words that only open it; the whole message where nothing of weight is left.

    "ok and cheese" is about cheese, "hi, when are you open?" is a question; "thanks a lot" and "no thanks" stay as they are.
    """
    rest = text = _UNSEEN.sub("", text)
    while (match := _OPENING.match(rest)) is not None:
        left = rest[match.end() :]
        if _WHOLE.match(left) or _EMPTY.fullmatch(left):
            break
        rest = left
    return rest.strip() if rest is not text else text


_BEGINS = (
    r"(?:do (?:you|u|ya)|are (?:you|u)|is there|are there|can (?:i|you|u)|could you|where|when|how much is the|how do|what time|which|what"
    r"|i(?:'d like| want| need| would like|'m looking)|add|put|show|find)\b"
)
_NEXT = re.compile(
    rf"(?:\s*[?!.;]+\s+(?:and |also |oh |ok |then )*|\s*,?\s+and (?:also )?)(?={_BEGINS})", re.IGNORECASE
)
_ASKING = re.compile(_BEGINS, re.IGNORECASE)
_POINTS = re.compile(r"\b(?:it|its|they|them|that|those|these|this|one|ones|there)\b", re.IGNORECASE)
_ONE_MATTER = re.compile(
    r"\b(?:orders?|parcel|package|cancel|return|exchange|refund|address|complain\w*|because|since|coupons?|vouchers?|codes?)\b|@|#",
    re.IGNORECASE,
)
MOST_WISHES, LEAST_WORDS = 2, 3


def wishes_of(text: str) -> list[str]:
    """Return the wishes of a message that asks for two unlike things ("are you open on Sunday, and do you have ice?").

    What hangs together stays together: a pronoun points back, and an order is one matter.
    """
    wish = wish_of(spelled(text))
    parts = [part.strip() for part in _NEXT.split(wish, maxsplit=MOST_WISHES - 1)]
    alone = len(parts) > 1 and all(len(part.split()) >= LEAST_WORDS for part in parts)
    if (
        not alone
        or not _ASKING.match(parts[0])
        or _POINTS.search(parts[1])
        or _ONE_MATTER.search(wish)
        or wants_person(text)
    ):
        return [wish]
    return parts

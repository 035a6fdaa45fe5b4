"""What people say before they say what they want ("ok, and", "thanks, but", "hi"): the wish behind it is what counts."""

from __future__ import annotations

import re

from chatbot.asides import without_asides
from chatbot.people import wants_person
from chatbot.shopping.references import places
from chatbot.spelling import spelled

_ALWAYS = r"ok(?:ay)?|kk?|alright|all right|thanks?(?: you)?|thx|(?:hi|hello|hey|good (?:morning|day|afternoon|evening)|(?:morning|evening|afternoon)(?=\W*[!,.]))(?: there| again| everyone| all)?|oh|ah|uh|um+|hm+|er+|then|now|and|but|also|plus"
_PAUSED = r"so|great|good|nice|cool|perfect|fine|lovely|super|awesome|wonderful|sorry|well|wait|please|right|yes|yeah|yep|sure|no|nope|nah|actually|listen|look"
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
    r"|i (?:don'?t|do not|didn'?t|did not|meant?|said)\b|i'?m (?:not|good|fine|ok)\b|not\b|no (?:need|more)\b|never\b|that'?s? |that was\b|it'?s\b|wrong\b|actually\b|good ?night\b|good ?bye\b|bye\b|my god\b|god\b|dear\b|boy\b|no\b)",
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
    r"(?:do (?:you|u|ya)|are (?:you|u)|is there|are there|can (?:i|you|u)|could you|where|where's|when|(?:un)?till? when|how (?:much is the|do|late|early|long|far)|what time|which|what"
    r"|i(?:'d like| want| need| would like|'m looking)|add|put|show|find|let me see|tell me)\b"
)
_NEXT = re.compile(
    rf"(?:\s*[?!.;]+\s+(?:and |also |oh |ok |then )*|\s*,\s*(?!i\b)|\s*,?\s+(?:and|then) (?:also |then )?)(?={_BEGINS})",
    re.IGNORECASE,
)
_ASKING = re.compile(_BEGINS, re.IGNORECASE)
_DROPS = re.compile(r"\W*(?:never ?mind|forget (?:it|that|about it)|cancel that|no need)\b", re.IGNORECASE)
_TELLS = re.compile(
    r"\b(?:i|i'm|im|i've|my|we|we're|our|he|she|you|your|is|are|was|were|has|have|had|am|be|been|got|not|no|n't|because|who|dear|please)\b|n't\b|[:@#]",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:it|its|they|them|that|those|these|this|one|ones|there)\b|^\W*(?:which|what) (?:kinds?|sorts?|types?|sizes?|brands?)\b|\b(?:any|some|more|left)\W*$",
    re.IGNORECASE,
)
_ONE_MATTER = re.compile(
    r"\b(?:orders?|parcel|package|cancel|return|exchange|refund|address|complain\w*|because|since|coupons?|vouchers?|codes?)\b|@|#",
    re.IGNORECASE,
)
_AMONG = re.compile(
    r"\W*(?:i(?:'d| would| want| plan| hope|'m going| am going)* ?(?:like )?to (?:make|cook|bake|prepare|host)|out of|of|between|among|from|with|for|as for|regarding|about)\b",
    re.IGNORECASE,
)
MOST_WISHES, LEAST_WORDS, MOST_NAMING = 2, 3, 4


def wishes_of(text: str) -> list[str]:
    """Return the wishes of a message that asks for two unlike things ("are you open on Sunday, and do you have ice?").

    What hangs together stays together: a pronoun points back, an order is one matter, and what only tells how things are is no wish.
    """
    wish = wish_of(without_asides(spelled(_one_line(text))))
    parts = [part.strip() for part in _NEXT.split(wish, maxsplit=MOST_WISHES - 1)]
    alone = len(parts) > 1 and all(len(part.split()) >= LEAST_WORDS for part in parts)
    if not alone or not _wishes(parts[0]) or _POINTS.search(parts[1]) or _ONE_MATTER.search(wish) or wants_person(text):
        return [wish]
    return parts


def _one_line(text: str) -> str:
    """Return a message's lines as one, a list as a list; runs of blanks, which expressions would try from each place, are gone."""
    lines = [line for one in text.splitlines() if (line := " ".join(one.split()))]
    return (
        " ".join(line if line[-1] in ".!?,;:" else f"{line}," for line in lines).rstrip(",")
        if len(lines) > 1
        else "".join(lines)
    )


def _wishes(part: str) -> bool:
    """Whether the first part is a wish by itself: it asks, points at what is shown, drops something, or only names goods."""
    if _AMONG.match(part):  # "of the first two, which is better?"
        return False
    named = len(part.split()) <= MOST_NAMING and not _TELLS.search(part)
    return named or any((_ASKING.match(part), places(part), _DROPS.match(part)))


def beside_dropping(text: str) -> str:
    """Return the wish that follows one that is dropped ("never mind, where is the bread?"); "" where none does."""
    parts = wishes_of(text)
    return parts[1] if len(parts) > 1 and not _DROPS.match(parts[1]) else ""

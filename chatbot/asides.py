"""What people say beside the matter ("you know", "lol", "let me guess, you have no soup?"): it steers nothing, and hides what does."""

from __future__ import annotations

import re

from chatbot.people import SOMEBODY

_DICTATED = (
    (re.compile(r"\s*\bquestion mark\b", re.IGNORECASE), "?"),
    (re.compile(r"(?<![\d&/+] )(?<![\d&/+])\bw(?=\s+[a-z])"), "with"),
    (re.compile(r"\s*\b(?:full stop|exclamation mark)\b", re.IGNORECASE), "."),
)
_SOUNDS = re.compile(
    r"(?:^|(?<=[\s,.!?]))(?:u+m+|u+h+|erm+|e+r+|h+m+|lmao|rofl|omg|omfg|bruh|dude|tbh|ngl|ha(?:ha)+|he(?:he)+)\b[\s,]*",
    re.IGNORECASE,
)
_LAUGHS = re.compile(
    r"^\W*lo+l\b[\s,.!]*(?=\w)|[\s,.!]*\blo+l\W*$|(?<=[,.!?])\s*lo+l\b[\s,]*|\s+lo+l\b(?=\s*,)|\s+lo+l\b(?=\s+(?:everyones?|everybody|my|we|i|it'?s|he|she|they)\b)",
    re.IGNORECASE,
)
_YOU_KNOW = re.compile(
    r"(?<!\bdo)(?<!\bdid)(?<!\bn't)(?<!\bwould)(?<!\bif)(?<!\bas)(?<!\bwhat)(?<!\bthat)(?<!\bthings)\s\byou know(?: what)?(?: like)?\b(?!\s+(?:where|how|when|who|which|if|about|any|the|a|me|my|that|it|of|why)\b),?",
    re.IGNORECASE,
)
_POLITE = (
    (re.compile(r"\b(?:(?:would|could|can|will) you )?(?:be so (?:kind|good|very kind) (?:as to|and)|be kind enough to)\b", re.IGNORECASE), "please"),
    (re.compile(r"\bkindly\b(?=\s+\w)", re.IGNORECASE), "please"),
    (re.compile(r",?\s*\bif (?:it|that)(?:'s| is| isn'?t| would be) (?:no|not|not too much|too much) ?(?:of a )?(?:trouble|bother|problem)\b", re.IGNORECASE), ""),
    (re.compile(r",?\s*\bif (?:you (?:don'?t mind|would be so kind|please)|(?:at all )?possible|i may(?: ask)?)\b", re.IGNORECASE), ""),
    (re.compile(r"(?:(?<=morning)|(?<=afternoon)|(?<=evening)|(?<=day)|(?<=hello)|(?<=\bhi)|(?<=bye)|(?<=thanks)|(?<=you)|^)[\s,]*\b(?:my )?(?:dear|love|darling|friend|good (?:sir|man))\b(?=\s*[,.!?]|\s*$|\s+(?:would|could|can|do|have|i))", re.IGNORECASE), ""),
    (re.compile(r"^\W*(?:excuse me|pardon me|let me guess|quick question|real quick)\b[\s,.:!]*(?=\w)", re.IGNORECASE), ""),
    (re.compile(r",\s*(?:my )?(?:love|dear|darling|mate|chief|boss|pal|buddy|bro|sir|madam|ma'?am|friend|hun|hon|sweetheart)(?=\s*[?.!]*\s*$)", re.IGNORECASE), ""),
    (re.compile(r"\byou lot\b", re.IGNORECASE), "you"),
    (re.compile(r"\s+or (?:not|what)(?=\W*$)", re.IGNORECASE), ""),
    (re.compile(r"\b(?:wrap|pack|bag) (?:me|us) up\b", re.IGNORECASE), "give me"),
    (re.compile(r"[\s,]+surprise me\W*$", re.IGNORECASE), ""),
)  # fmt: skip
_TWICE = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty)\s*\(\d{1,3}\)", re.IGNORECASE
)
_PUTS_RIGHT = re.compile(r"^\W*(?:correction|edit|typo)\s*[:;,-]\s*(?=\w)", re.IGNORECASE)
_NO_SUCH = re.compile(
    r"^(\W*(?:(?:so|and|let me guess|i guess|i suppose|i bet|well|ok(?:ay)?|oh)\W+)*(?:(?:is|are)\s+there|(?:you|u)(?:'ve|'re)?(?:\s+(?:have|got|sell|stock|keep))?))\s+no\s+(?=(?!(?:idea|clue|need|way|one|problem|right|reason|shame|heart|longer|more)\b)\w)",
    re.IGNORECASE,
)
_ASKS_AGAINST_HOPE = re.compile(r"\?\s*$|\beither\W*$|\bright\W*$", re.IGNORECASE)
_EITHER = re.compile(r"[\s,]+(?:either|right)(?=\W*$)", re.IGNORECASE)
_DECLINES_PERSON = re.compile(
    rf"^\W*(?:(?:no|nope|nah|please)\W+)*(?:no|not|don'?t (?:want|need)(?: to (?:talk|speak) (?:to|with))?)\s+(?:a\s+|any\s+)?{SOMEBODY}\b\s*(?:[,.;:!-]+|\bplease\b|\bthanks?\b|\bthank you\b|\bbut\b|\band\b)+\s*(?=\w+\W+\w)",
    re.IGNORECASE,
)
_DROPS_THEN = re.compile(
    r"^\W*(?:(?:no|oh|ok(?:ay)?|actually|you know what)\W+)*never ?mind(?: (?:that|it|this))?\W+(?=(?:(?:just|actually|then|please|instead)\W+)*(?:make|show|give|add|put|take|find|get|remove|ditch|delete|do you|have you|is there|where|what(?:'s| is| are| do)|how|which|(?:can|could) (?:i have|i get|you)|i (?:want|need)|i'll (?:take|have) (?:the|an?|number)|i'd like)\b)",
    re.IGNORECASE,
)


def _pause(sound: re.Match[str]) -> str:
    return ", " if sound.start() and sound.string[sound.end() :].strip() else ""


def without_asides(text: str) -> str:
    """Return a message without what only accompanies it; the message itself where nothing else is left.

    "you have no soup either?" asks for soup; "no human. just show me eggs" is about eggs; "never mind, make it one" is about one.
    """
    if text.startswith("/"):
        return text
    rest = " ".join(text.split())
    for rule, by in (*_DICTATED, *_POLITE):
        rest = rule.sub(by, rest)
    rest = _PUTS_RIGHT.sub(
        "no, ", _TWICE.sub(r"\1", _YOU_KNOW.sub(",", _LAUGHS.sub(_pause, _SOUNDS.sub(_pause, rest))))
    )
    if _ASKS_AGAINST_HOPE.search(rest) and _NO_SUCH.search(rest):
        rest = _EITHER.sub("", _NO_SUCH.sub(r"\1 any ", rest))
    rest = _DROPS_THEN.sub("", _DECLINES_PERSON.sub("", rest))
    rest = " ".join(rest.split()).strip(" ,;")
    return rest if any(letter.isalnum() for letter in rest) else text

"""What a message changes of a basket: "double it", "swap the milk for the second", "just two", "take the eggs out again".

A small grammar: a message is cut into clauses, a clause does one deed, and its words that are no verb say to what. Words alone
tell little ("drop it", "I don't need that"), so who calls decides by what the basket holds whether it is meant at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from chatbot.shopping.amounts import NUMBERS, number
from chatbot.shopping.references import places


class Deed(StrEnum):
    """What is done to a basket."""

    ADD = "add"
    REMOVE = "remove"
    SET = "set"
    TIMES = "times"
    SWAP = "swap"
    KEEP = "keep"  # this, and nothing else
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Change:
    """One deed: `what` points at, or names, what it is done to ("" for what is talked of).

    `count` is how many pieces go in or out, or are to be there; with TIMES, by how much they are multiplied. `new` is what comes
    instead with SWAP. `said` is the clause; `anew` tells that a later one took it back.
    """

    deed: Deed
    what: str = ""
    count: float | None = None
    new: str = ""
    said: str = ""
    anew: bool = False


_N = rf"(?:\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
_PIECES = r"(?:\s+(?:packs?|packets?|pieces?|bottles?|cans?|bags?|boxes|box|jars?|cartons?|tins?|pints?|of (?:them|those|these|that|it)))?"
_PRONOUN = r"(?:it|that|this|them|those|these)"
_BASKET = r"(?:my |the |our )?(?:shopping )?(?:basket|cart|bag|trolley|list)"
_OPENS = re.compile(
    r"^\W*(?:(?:please|pls|can|could|would|will|you|we|i|i'd|i'll|like|want|to|let'?s|let|me|us|just|then|now|also|maybe|better|actually|and|but|so|ok(?:ay)?|hm+|oh"
    r"|no|nah|nope|yes|yeah|sorry|wait|rather|go ahead and|hey|well|in fact|after all|on second thoughts?|i think|that'?s|far|too (?:many|much))\b\W*)*",
    re.IGNORECASE,
)
_ASKED = re.compile(r"(?:\W+(?:please|pls|thanks?|thank you|now|again))*\W*$", re.IGNORECASE)
_ENDS = re.compile(
    rf"(?:\W+(?:please|pls|again|then|now|too|also|as well|instead|after all|any ?more|any longer|for now|in total|in all|altogether|actually|thanks?|thank you|(?:out|off|away|back|in)"
    rf"|(?:in|into|to|from|of|out of|off|on|inside) (?:there|{_BASKET})))*\W*$",
    re.IGNORECASE,
)
_ALL = r"(?:all|everything|it all|them all|the (?:whole )?(?:lot|thing|stuff|basket|cart|bag|trolley)|all of (?:it|that|this|them|those)|all (?:the )?(?:items|things|stuff))"
_OUT = r"(?:out|away|off|back)"
_DROPS = r"(?:remove|delete|drop|ditch|scrap|bin|lose|discard|cancel|strike|get rid of|take|throw|chuck|kick|pull|put|leave|toss)"


def _of(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})$", re.IGNORECASE)


_CLEARS = (
    _of(rf"(?:make|do)\s+{_BASKET}\s+empty"),
    _of(rf"(?:empty|clear)(?:\s+(?:it|that|this|everything|all|out|the (?:lot|whole thing)|all of (?:it|that)|{_BASKET}))*"),
    _of(rf"{_DROPS}\s+(?:out\s+)?{_ALL}(?:\s+{_OUT})?"),
    _of(r"(?:start|begin)(?:ing)? (?:over|again|afresh|from scratch|new)"),
)  # fmt: skip
_KEEPS = (
    _of(r"keep\s+(?:only |just )?(?P<what>(?:the|those|these|number)\s+(?!rest\b|others?\b|order\b|change\b).+?)"),
    _of(r"(?:only|just)?\s*(?:keep|leave)\s+(?:only|just)\s+(?P<what>.+?)"),
    _of(rf"(?:{_DROPS}\s+)?(?:out\s+)?(?:all|everything)(?:\s+{_OUT})?\s+(?:but|except(?: for)?|apart from|other than)\s+(?P<what>.+?)"),
)  # fmt: skip
_SWAPS = (
    _of(r"(?:have|let|make)\s+(?P<new>.+?)\s+replace\s+(?P<what>.+?)"),
    _of(r"(?:wanted|meant|mean|asked for|should (?:be|have been)|was supposed to be)\s+(?P<new>.+?)(?P<what>)"),
    _of(r"(?:swap|replace|exchange|switch|trade|change)\s+(?:out\s+)?(?P<what>.+?)\s+(?:for|with|by|to|into|against)\s+(?P<new>.+?)"),
    _of(r"(?:(?:take|have|put|use|give me|add|get me|get|make it)\s+)?(?P<new>.+?)\s+(?:in\s+)?(?:instead of|in place of|rather than|not)\s+(?P<what>.+?)"),
    _of(r"(?:(?:take|have|put|use|give me|add|get me|get|make it)\s+)?(?P<new>.+?)\s+instead(?P<what>)"),
)  # fmt: skip
_TIMES = (
    _of(rf"(?:make\s+(?:{_PRONOUN}\s+)?)?(?P<times>double|twice|triple|treble|quadruple|half|halve)(?:\s+(?:of\s+)?(?:as many|as much|the (?:amount|number|quantity)))?(?:\s+(?:of\s+|for\s+)?(?P<what>(?:the|my|it|that|this|them|those|these|what)\b.*?))?"),
)  # fmt: skip
_BY = {"double": 2.0, "twice": 2.0, "triple": 3.0, "treble": 3.0, "quadruple": 4.0, "half": 0.5, "halve": 0.5}
_SETS = (
    _of(rf"\w+\s+(?P<what>{_PRONOUN})\s+(?:(?:up|down)\s+)?to\s+(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:make|change|set|put|turn|bring|reduce|lower|raise|increase|cut|up|get)\s+(?:(?:the )?(?:number|amount|quantity)(?:\s+of)?\s*)?(?P<what>.*?)\s*(?:\b(?:up|down)\s+)?\b(?:to|at)\s+(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:make|do)\s+(?:of\s+)?(?P<what>{_PRONOUN})\s+(?:a\s+|into\s+)?(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:make|do)\s+(?:(?P<what>(?:the|my|those|these) .+?)\s+)?(?:a\s+|into\s+)?(?!one\b)(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:leave|keep)\s+(?:only\s+|just\s+)?(?P<n>{_N}){_PIECES}(?:\s+of\s+(?P<what>.+?))?"),
    _of(rf"(?:(?:want|need|meant?|said)\s+)?(?:only|just)\s+(?:(?:want|need|meant?|said)\s+)?(?P<n>{_N}){_PIECES}(?:\s+of\s+(?P<what>.+?))?"),
    _of(rf"(?P<n>{_N}){_PIECES}(?:\s+of\s+(?P<what>.+?))?\s+(?:is|are|will be|would be|'?s)?\s*(?:enough|plenty|fine|will do)"),
    _of(rf"(?P<n>{_N}){_PIECES}\s+(?:in total|in all|altogether|instead)(?P<what>)"),
)  # fmt: skip
_SO_MANY = rf"(?:(?P<n>{_N}|some|a few|a couple(?: of)?)\s+(?:of\s+)?)?"
_REMOVES = (
    _of(rf"(?P<n>{_N})\s+(?:less|fewer)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(rf"(?:take|pull|throw|chuck|kick|put|leave|get|toss|fish)\s+(?:{_OUT}\s+)?{_SO_MANY}(?P<what>.*?)\s*\b{_OUT}(?:\s+again)?(?:\s+(?:of|from)\s+{_BASKET})?"),
    _of(rf"(?:take|throw|chuck|kick|pull|put|leave|toss)\s+{_OUT}\s+{_SO_MANY}(?P<what>.+?)"),
    _of(rf"(?:remove|delete|drop|ditch|scrap|bin|lose|discard|strike|get rid of|minus)\s+{_SO_MANY}(?P<what>.*?)"),
    _of(r"(?:(?:do|does|will|shall|would)(?:n'?t| not)|won'?t|no longer|not)\s+(?:really\s+)?(?:be\s+)?(?:need(?:ing)?|want(?:ing)?|tak(?:e|ing)|buy(?:ing)?|hav(?:e|ing))\s+(?P<what>.+?)"),
    _of(r"(?:forget|forget about|never mind|skip|leave)\s+(?P<what>(?:the|that|those|these|this)\s+.+?)"),
    _of(rf"(?P<what>(?:the |those |these )?\w+(?: \w+)?)(?<!sold)(?<!run)(?<!ran)(?<!are)(?<!is)\s+{_OUT}"),
    _of(r"(?:changed my mind (?:about|on))\s+(?P<what>.+?)"),
)  # fmt: skip
_ADDS = (
    _of(rf"(?P<n>{_N})\s+(?:more|extra)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(rf"(?:add|put|pop|throw|toss|chuck|stick|bung|include|slip|place|get|give me|take|have|grab)\s+(?:in\s+|on\s+)?(?P<n>{_N})\s+(?:more|extra)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(r"(?:(?:add|put|pop|throw|stick|take|have)\s+(?:in\s+)?)?(?:an?other|one more|1 more)(?:\s+(?:one|of)\b)*(?:\s*(?P<what>.+?))?"),
    _of(r"(?:the )?same(?: (?:one|thing))?\s+(?:again|once more)(?P<what>)"),
    _of(rf"(?:add|put|pop|throw|toss|chuck|stick|bung|include|slip|place|drop)\s+(?P<what>.+?)\s+(?:in|into|to|on)(?:\s+(?:there|{_BASKET}))?"),
    _of(r"(?:add|pop|bung|include|throw in|toss in|put in|stick in)\s+(?P<what>.+?)"),
    _of(rf"(?P<what>.+?)\s+(?:goes|go|should go|can go|comes|shall go)\s+(?:in|into {_BASKET}|in there)"),
)  # fmt: skip
_GRAMMAR: tuple[tuple[Deed, tuple[re.Pattern[str], ...]], ...] = (
    (Deed.CLEAR, _CLEARS), (Deed.TIMES, _TIMES), (Deed.SET, _SETS), (Deed.KEEP, _KEEPS), (Deed.SWAP, _SWAPS), (Deed.REMOVE, _REMOVES), (Deed.ADD, _ADDS),
)  # fmt: skip
_CUT = re.compile(
    r"\s*(?:[.;!?]+|,|\b(?:and|but)?\s*then\b|\bbut\b|\band\b(?=\s+(?:also\s+)?(?:add|put|pop|throw|take|remove|drop|delete|swap|replace|change|make|double|get rid|keep|leave|forget)\b))\s*",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"(?:all )?(?:the )?(?:others?|rest|other (?:one|thing|stuff)s?)|everything else", re.IGNORECASE)
_MENDS = re.compile(
    r"^\W*(?:oh |ah |uh |um |eh )*(?:no|nope|wait|sorry|i mean|i meant|rather|or rather|actually|make that|scratch that)\b",
    re.IGNORECASE,
)


def changes(text: str) -> list[Change]:
    """Return what a message changes, in its order; nothing where it has none of the verbs.

    A clause that takes the one before back ("oh no, the first") says anew what that was done to; one that only points says it at last
    ("same again, but the cheaper one").
    """
    found: list[Change] = []
    mending = False
    for clause in _clauses(text):
        change, what = _change(clause), _bare(clause)
        mending = mending or bool(found and _MENDS.match(clause))
        if change is not None and found and found[-1].deed is Deed.KEEP and _OTHERS.fullmatch(change.what):
            continue  # "keep the second, remove the others" is one deed
        if change is not None:
            found.append(change)
        elif what and found and (mending or (not found[-1].what and places(what))):
            found[-1] = replace(found[-1], what=what, said=what, anew=True)
        mending = mending and not what  # "oh no sorry" alone: what follows says it anew
    return found


def _clauses(text: str) -> list[str]:
    return [clause for part in _CUT.split(text.replace("’", "'")) if (clause := part.strip())]


def _bare(clause: str) -> str:
    """Return a clause without the words that open and end it."""
    return _ENDS.sub("", _OPENS.sub("", clause.lower(), count=1)).strip()


def _change(clause: str) -> Change | None:
    low = clause.lower()
    opened = _OPENS.sub("", low, count=1)
    forms = list(dict.fromkeys((opened.strip(" !?.,"), _ASKED.sub("", opened).strip(), _ENDS.sub("", opened).strip())))
    for deed, rules in _GRAMMAR:
        for form in forms:
            match = next((match for rule in rules if (match := rule.match(form))), None)
            if match is not None:
                return _read(deed, match, clause)
    return None


def _read(deed: Deed, match: re.Match[str], clause: str) -> Change:
    said = match.groupdict()
    what, new = (_ENDS.sub("", said.get(name) or "").strip() for name in ("what", "new"))
    count = _BY[said["times"]] if said.get("times") else _count(said.get("n"))
    if re.fullmatch(_N, what):  # "five instead of two"
        what = ""
    if deed is Deed.SWAP and re.fullmatch(_N + _PIECES, new):
        return Change(Deed.SET, what, number(new.split()[0]), said=clause)
    return Change(deed, "" if re.fullmatch(rf"(?:of\s+)?(?:{_PRONOUN}|the)", what) else what, count, new, clause)


def _count(said: str | None) -> float | None:
    if not said:
        return None
    few = {"some": None, "a few": 2.0, "a couple": 2.0, "a couple of": 2.0}
    return few[said] if said in few else number(said)

"""What a message changes of a basket: "double it", "swap the milk for the second", "just two", "take the eggs out again".

A small grammar: a message is cut into clauses, a clause does one deed, and its words that are no verb say to what. Words alone
tell little ("drop it", "I don't need that"), so who calls decides by what the basket holds whether it is meant at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chatbot.shopping.numbers import WORD, number
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
    UNDO = "undo"  # what was done last


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


_N = rf"(?:\d{{1,3}}|zero|{WORD})"
_PIECES = r"(?:\s+(?:packs?|packets?|pieces?|bottles?|cans?|bags?|boxes|box|jars?|cartons?|tins?|pints?|of (?:them|those|these|that|it)))?"
_PRONOUN = r"(?:it|that|this|them|those|these)"
_BASKET = r"(?:my |the |our )?(?:whole |entire |full )?(?:shopping )?(?:basket|cart|bag|trolley|list)"
_OPENS = re.compile(
    r"^\W*(?:(?:please|pls|can|could|would|will|you|we|i'd|i'll|i|like|want|to|let'?s|let|me|us|just|then|now|also|maybe|better|actually|and|but|so|ok(?:ay)?|hm+|oh"
    r"|no|nah|nope|yes|yeah|sorry|wait|rather|go ahead and|hey|well|oops|ups|whoops|in fact|after all|on (?:second thoughts?|reflection)|come to think of it|thinking about it|i think|that'?s|far|too (?:many|much)|n)\b\W*)*",
    re.IGNORECASE,
)
_ASKED = re.compile(r"(?:\W+(?:please|pls|thanks?|thank you|now|again))*\W*$", re.IGNORECASE)
_ENDS = re.compile(
    rf"(?:\W+(?:please|pls|again|then|now|too|also|as well|instead|after all|any ?more|any longer|for now|in total|in all|altogether|actually|thanks?|thank you|tho|though|(?:out|off|away|back|in)"
    r"|on top(?: of (?:that|it|this|those|them))?|just (?:to be (?:safe|sure)|in case)|to be (?:safe|sure)"
    rf"|(?:in|into|to|from|of|out of|off|on|inside) (?:there|{_BASKET})))*\W*$",
    re.IGNORECASE,
)
_ALL = r"(?:all|everything|it all|them all|the (?:whole )?(?:lot|thing|stuff|basket|cart|bag|trolley)|all of (?:it|that|this|them|those)|all (?:the )?(?:items|things|stuff))"
_OUT = r"(?:out|away|off|back)"
_DROPS = r"(?:remove|delete|drop|dump|scratch|ditch|scrap|bin|lose|discard|cancel|strike|get rid of)"
_MOVES = r"(?:take|throw|chuck|kick|pull|put|leave|toss)"  # alone they may put in as well


def _of(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})$", re.IGNORECASE)


_UNDOES = (
    _of(r"(?:undo|revert|reverse|take back|roll back)(?:\s+(?:that|it|this|the last (?:one|thing|step|change)|what (?:you|i) (?:just )?did))?"),
    _of(r"(?:put|change|set|turn)\s+(?:it|that|everything|things)\s+back(?:\s+(?:to )?(?:how|as|what|the way) (?:it|they) (?:was|were)(?: before)?)?"),
)  # fmt: skip
_CLEARS = (
    _of(rf"(?:make|do)\s+{_BASKET}\s+empty"),
    _of(rf"(?:empty|clear)(?:\s+(?:it|that|this|everything|all|out|the (?:lot|whole thing)|all of (?:it|that)|{_BASKET}))+"),
    _of(rf"(?:{_DROPS}|toss|trash|wipe)\s+(?:out\s+)?(?:{_ALL}|{_BASKET})(?:\s+{_OUT})?"),
    _of(rf"{_MOVES}\s+(?:{_OUT}\s+{_ALL}|{_ALL}\s+{_OUT})"),
    _of(rf"{_ALL}\s+{_OUT}"),
    _of(r"(?:start|begin)(?:ing)? (?:over|again|afresh|from scratch|new)"),
)  # fmt: skip
_KEEPS = (
    _of(r"keep\s+(?:only |just )?(?P<what>(?:the|those|these|number)\s+(?!rest\b|others?\b|order\b|change\b).+?)"),
    _of(r"(?:only|just)?\s*(?:keep|leave)\s+(?:only|just)\s+(?P<what>.+?)"),
    _of(r"(?:only|just)\s+(?P<what>(?:the|this|that|number)\s+(?:(?!is\b|are\b|was\b|were\b|has\b|had\b|have\b|arrived\b|came\b)\S+(?:\s+|$)){1,3}?)(?:\s*\b(?:is|are|will be|would be|'?s)?\s*(?:enough|plenty|fine|ok(?:ay)?|will do|stays?))?"),
    _of(r"(?P<what>(?:the|this|that|number)\s+.+?)\s+(?:alone\s+)?(?:is|are|will be|would be|'?s)\s+(?:enough|plenty)"),
    _of(rf"(?:{_DROPS}\s+(?:out\s+)?(?:all|everything)(?:\s+{_OUT})?|(?:{_MOVES}\s+)?(?:{_OUT}\s+(?:all|everything)|(?:all|everything)\s+{_OUT}))\s+(?:but|except(?: for)?|apart from|other than)\s+(?P<what>.+?)"),
)  # fmt: skip
_SWAPS = (
    _of(r"(?:have|let|make)\s+(?P<new>.+?)\s+replace\s+(?P<what>.+?)"),
    _of(r"(?:swap|exchange|switch|change|trade)(?:\s+(?:it|that|this))?\s+(?:for|to|with|against)\s+(?P<new>.+?)(?P<what>)"),
    _of(r"(?:wanted|meant|mean|said|asked for|should (?:be|have been)|was supposed to be)\s+(?P<new>.+?)(?P<what>)"),
    _of(r"(?:swap|replace|exchange|switch|trade|change)\s+(?:out\s+)?(?P<what>.+?)\s+(?:for|with|by|to|into|against)\s+(?P<new>.+?)"),
    _of(r"(?:(?:take|have|put|use|give me|add|get me|get|make it)\s+)?(?P<new>.+?)\s+(?:in\s+)?(?:instead of|in place of|rather than|not)\s+(?P<what>.+?)"),
    _of(r"(?:(?:take|have|put|use|give me|add|get me|get|make it)\s+)?(?P<new>.+?)\s+instead(?P<what>)"),
)  # fmt: skip
_TIMES = (
    _of(rf"(?:cut|split|chop)\s+(?P<what>{_PRONOUN}|the .+?)\s+(?:in|into|by)\s+(?P<times>half)"),
    _of(rf"(?:make\s+(?:{_PRONOUN}\s+)?)?(?P<times>double|twice|triple|treble|quadruple|half|halve)(?:\s+(?:of\s+)?(?:as many|as much|the (?:amount|number|quantity)))?(?:\s+(?:of\s+|for\s+)?(?P<what>(?:the|my|it|that|this|them|those|these|what(?:'?s)?)\b.*?))?"),
)  # fmt: skip
_BY = {"double": 2.0, "twice": 2.0, "triple": 3.0, "treble": 3.0, "quadruple": 4.0, "half": 0.5, "halve": 0.5}
_SETS = (
    _of(rf"(?:(?:make|do|want|need|have|take|say|said|meant?|get|put)\s+)?(?:(?:(?P<what>(?:the|my|those|these) .+?)|{_PRONOUN})\s+)?(?P<n>{_N}){_PIECES}\s+(?:and\s+)?(?:not|instead of|rather than)\s+(?:just\s+)?{_N}{_PIECES}"),
    _of(rf"(?:go |and )?(?:back\s+)?(?:back|down|up)\s+to\s+(?P<n>{_N}){_PIECES}(?P<what>)"),
    _of(rf"\w+\s+(?P<what>{_PRONOUN})\s+(?:(?:up|down)\s+)?to\s+(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:make|change|set|put|turn|bring|reduce|lower|raise|increase|cut|up|get)\s+(?:(?:the |that |this |its |their |said )?(?:number|amount|quantity)(?:\s+of)?\s*)?(?P<what>.*?)\s*(?:\b(?:up|down)\s+)?\b(?:to|at)\s+(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:make|do)\s+(?:of\s+)?(?P<what>{_PRONOUN})\s+(?:a\s+|into\s+)?(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:make|do)\s+(?:(?P<what>(?:the|my|those|these) .+?)\s+)?(?:a\s+|into\s+)?(?!one\b)(?P<n>{_N}){_PIECES}"),
    _of(rf"(?:leave|keep)\s+(?:only\s+|just\s+)?(?P<n>{_N}){_PIECES}(?:\s+of\s+(?P<what>.+?))?"),
    _of(rf"(?:(?:want|need|meant?|said)\s+)?(?:only|just)\s+(?:(?:want|need|meant?|said)\s+)?(?P<n>{_N}){_PIECES}(?:\s+of\s+(?P<what>.+?))?"),
    _of(rf"(?:make|do)\s+{_PRONOUN}\s+(?P<n>a pair|a couple|a dozen|half a dozen)(?P<what>)"),
    _of(rf"(?P<n>{_N})\s+(?P<what>[a-z]+(?: [a-z]+)?)\s+(?:is|are|will be|would be)\s+(?:enough|plenty)(?:\s+for (?:us|me|now|him|her|them))?"),
    _of(rf"(?P<n>{_N}){_PIECES}(?:\s+only)?(?:\s+of\s+(?P<what>.+?))?\s+(?:is|are|will be|would be|'?s)?\s*(?:enough|plenty|fine|will do)(?:\s+for (?:us|me|now|him|her|them))?"),
    _of(rf"(?:say|call it|make that)\s+(?P<n>{_N}){_PIECES}(?P<what>)"),
    _of(rf"(?P<n>{_N}){_PIECES}\s+(?:in total|in all|altogether|instead)(?P<what>)"),
)  # fmt: skip
_SO_MANY = rf"(?:(?P<n>{_N}|some|a few|a couple(?: of)?)\s+(?:of\s+)?)?"
_REMOVES = (
    _of(r"(?:put|take|bring)\s+(?P<what>it|that|this|them|those|these|the .+?)\s+back\s+(?:on|to|onto|in) (?:the|your|its|their) (?:shel(?:f|ves)|racks?|stores?|shop)"),
    _of(rf"(?:(?:that|it|this|those|they|there)\s*(?:is|are|'s|'re)?\s*)?(?P<n>{_N})\s+too\s+(?:many|much)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(rf"(?:reduce|lower|cut|decrease|bring|take)\s+(?P<what>.*?)\s*(?:\bdown\s+)?\bby\s+(?P<n>{_N})"),
    _of(rf"(?P<n>{_N})\s+(?:less|fewer)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(rf"(?:take|pull|throw|chuck|kick|put|leave|get|toss|fish)\s+(?:{_OUT}\s+)?{_SO_MANY}(?P<what>.*?)\s*\b{_OUT}(?:\s+again)?(?:\s+(?:of|from)\s+{_BASKET})?"),
    _of(rf"(?:take|throw|chuck|kick|pull|put|leave|toss)\s+{_OUT}\s+{_SO_MANY}(?P<what>.+?)"),
    _of(rf"(?:remove|delete|drop|dump|scratch|ditch|scrap|bin|lose|discard|strike|get rid of|minus)\s+{_SO_MANY}(?P<what>.*?)"),
    _of(r"(?:(?:do|does|will|shall|would)(?:n'?t| not)|won'?t|no longer|not)\s+(?:really\s+)?(?:be\s+)?(?:need(?:ing)?|want(?:ing)?|tak(?:e|ing)|buy(?:ing)?|hav(?:e|ing))\s+(?!.*\b(?:out|off|away)\W*$)(?P<what>.+?)"),
    _of(r"(?:forget|forget about|never mind|skip|leave)\s+(?!.*\b(?:in|be|alone|there|as)\W*$)(?P<what>(?:the|that|those|these|this)\s+.+?)"),
    _of(rf"(?P<what>(?:the |those |these )?\w+(?: \w+)?)(?<!sold)(?<!run)(?<!ran)(?<!are)(?<!is)\s+{_OUT}"),
    _of(r"(?:changed my mind (?:about|on))\s+(?P<what>.+?)"),
)  # fmt: skip
_ADDS = (
    _of(rf"(?:increase|raise|up|bump|bring)\s+(?P<what>.*?)\s*(?:\bup\s+)?\bby\s+(?P<n>{_N})"),
    _of(rf"(?P<n>{_N})\s+(?:more|extra)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(rf"(?:add|put|pop|throw|toss|chuck|stick|bung|include|slip|place|get|give me|take|have|grab)\s+(?:in\s+|on\s+)?(?P<n>{_N})\s+(?:more|extra)(?:\s+(?:of\s+)?(?P<what>.+?))?"),
    _of(r"(?:(?:add|put|pop|throw|stick|take|have)\s+(?:in\s+)?)?(?:an?other|one more|1 more)(?:\s+(?:one|of)\b)*(?:\s*(?P<what>.+?))?"),
    _of(r"(?:the )?same(?: (?:one|thing))?\s+(?:again|once more)(?P<what>)"),
    _of(rf"(?:add|put|pop|throw|toss|chuck|stick|bung|include|slip|place|drop)\s+(?P<what>.+?)\s+(?:in|into|to|on)(?:\s+(?:there|{_BASKET}))?"),
    _of(r"(?:add|pop|bung|include|throw in|toss in|put in|stick in)\s+(?P<what>.+?)"),
    _of(rf"(?:in|into|to)\s+(?:there|{_BASKET})\s+{_PRONOUN}\s+goe?s?(?P<what>)"),
    _of(rf"(?P<what>.+?)\s+(?:goes|go|should go|can go|comes|shall go)\s+(?:in|into {_BASKET}|in there)"),
)  # fmt: skip
_GRAMMAR: tuple[tuple[Deed, tuple[re.Pattern[str], ...]], ...] = (
    (Deed.UNDO, _UNDOES), (Deed.CLEAR, _CLEARS), (Deed.TIMES, _TIMES), (Deed.SET, _SETS), (Deed.KEEP, _KEEPS), (Deed.SWAP, _SWAPS), (Deed.REMOVE, _REMOVES), (Deed.ADD, _ADDS),
)  # fmt: skip
_JUST_NOW = re.compile(
    r"(?:of\s+)?(?:the\s+(?:last|latest|newest|same)\s+(?:one|thing|item|product)|the\s+ones?|what)\s+(?:that\s+)?(?:i|we|you)(?:'ve|'d| have| had)?\s+(?:just\s+|last\s+)?"
    r"(?:add(?:ed)?|put|took|taken|chose|picked|got)(?:\s+(?:in|there|last|before|just now|just|a moment ago|earlier))*|what(?:'?s| is)\s+(?:left|in there|there)",
    re.IGNORECASE,
)
_RUNS = re.compile(r"([^\w\s])\1{3,}")
_CUT = re.compile(
    r"\s*(?:[.;!?]+|,|\b(?:lol|lmao|haha+|tbh|ngl)\b|\b(?:and|but)?\s*then\b|(?<!\ball )(?<!\beverything )\bbut\b|\bso\b(?=\s+(?:make|just|only|one more|an?other|(?:\d{1,2}|two|three|four|five|six)\W*$))|\band\b(?=\s+(?:also\s+)?(?:add|put|pop|throw|take|remove|drop|delete|swap|replace|change|make|double|get rid|keep|leave|forget)\b))\s*",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"(?:all )?(?:the )?(?:others?|rest|other (?:one|thing|stuff)s?)|everything else", re.IGNORECASE)
_MENDS = re.compile(
    r"^\W*(?:oh |ah |uh |um |eh )*(?:no|nope|wait|sorry(?! (?:about|for|to|if|i|i'm|im|my|but|dear|love|mate)\b)|i mean|i meant|rather|or rather|actually|make that|scratch that)\b",
    re.IGNORECASE,
)


_TAKEN_BACK = re.compile(
    r"^\W*(?:\w+\W+)?(?:scrap|scratch|forget|cancel|drop|leave|skip)\s+(?:that|it|this)\W*$", re.IGNORECASE
)
_SO_MANY_NOW = re.compile(rf"\bso\s+(?P<n>{_N}){_PIECES}\W*$", re.IGNORECASE)
_STAYS = re.compile(
    r"^\W*(?:please\s+)?(?:(?:don'?t|do not|never)\s+(?:take|throw|put|pull|leave)\b.*\b(?:out|off|away)|(?:\w+\s+)?leave\b.*\bin)\W*$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\?|^\W*(?:why|how|what|when|is|are|was|were|do|does|did)\b|\b(?:was|were|had)\b", re.IGNORECASE
)
_NOT_THIS = re.compile(r"(?:no )?not (?:this|that|it|these|those|the \w+)(?: ones?)?", re.IGNORECASE)
_A_PIECE = re.compile(
    r"(?:packs?|packets?|pieces?|bottles?|cans?|bags?|boxes|box|jars?|cartons?|tins?|pints?)", re.IGNORECASE
)
_NAMED_SO = re.compile(  # goods whose name begins like a deed
    r"(?:bin (?:bags?|liners?|lids?|sacks?)|drop(?:ped)? (?:scones?|biscuits?|cookies?|cakes?)|(?:lose|losing) weight|minus (?:the )?sugar|cut (?:flowers?|fruits?|melons?)|pop ?(?:tarts?|corn|rocks?)|stick (?:blenders?|deodorants?|insects?)"
    r"|slip (?:ons?|pers?)|scrap ?(?:books?|booking|paper)|skip (?:hop|rope)|strike (?:any|matches)|double (?:cream|gloucester|chocolate)|make ?up)\b",
    re.IGNORECASE,
)
_SLIGHT = re.compile(  # verbs that may as well begin a name: without an article it is the catalogue that tells
    r"(?:remove|delete|drop|ditch|scrap|bin|lose|discard|strike|minus|add|pop|bung|include|cut|take|throw|toss|put|stick|slip|another|make|double|half)\s+(?!(?:the|a|an|my|that|this|it|those|these|them|all|number|some)\b)[a-z]",
    re.IGNORECASE,
)
_NO_GOODS = re.compile(
    r"(?:(?:an?|the|my|your|our|another|any|this|that|more|one|some|new|personal|discount|promo(?:tion(?:al)?)?|quick|last|other|paper|printed|further|follow-?up|silly|delivery)\s+)*"
    r"(?:questions?|receipts?|invoices?|bill|newsletters?|coupons?|vouchers?|codes?|discounts?|notes?|comments?|messages?|reminders?|reviews?|feedback|address|e-?mails?|(?:phone )?numbers?|account|password|points|membership|help|advice|assistance|reply|answer"
    r"|person|human|agent|someone|somebody|day|time|moment|minute|way|reason|problem|issue|complaint|request|idea|suggestions?|recommendations?|(?:credit|bank|payment|debit|loyalty|club) card|payment method|faces?|photos?|pictures?|data|history|chats?|conversations?|profile|consent|birthday)"
    r"(?:\s+(?:code|to|for|about|from|with|on|number|please|now|at|in|and|myself|yet|right|tho|though|any ?more|anyway)\b.*)?",
    re.IGNORECASE,
)
_NOT_INTO = re.compile(
    r"(?:me|us|him|her|you|myself|yourself)\b.*|.*\b(?:to|on|in|into|for|from)\s+(?:my |the |your |our |this )?(?:newsletter|mailing list|account|profile|wallet|favou?rites?|wish ?list|club|loyalty \w+|membership|calendar|conversation|chat)",
    re.IGNORECASE,
)
_GOES_OUT = re.compile(  # what stands before "out", "off" and "back" without being taken from anywhere
    rf".*\b(?:check|find|come|came|coming|be|go|going|me|us|call|right|straight|far|money|cash|half|percent|work|eat|run|ran|running|sell|sells|give|log|sign|opt|figure|turn|day|days|year|week|weeks|time|euros?|dollars?|pounds?|bucks?|cents?|pence|way|get|got|hand|carry|baby|all|anything|something|much|cheque|buy|date|year|years|from|it's|works?|{_N})",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"(?:.*\b)?(?:\w+'s|do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|must|might|may|i|you|we|they|he|she|please|or|and|if|of|course|why|rather|but|probably|definitely|certainly|absolutely|surely|thanks|d|ll|for|to|hope|think|best|better|really|just|maybe|perhaps)",
    re.IGNORECASE,
)
_NOT_SO = re.compile(  # "let it not pass 5 dollars", "oat milk thats not like a million"
    r"\b(?:thats|its|whats|isnt|(?:let|it|that|this|they|which|who)) not\b(?! (?:the|this|that|it|these|those|my|an?|number)\b)|\bnot (?:like|too|so|very|as|really|even|yet|pass|exceed|cost|go|be|get|only|just|that (?:much|expensive))\b"
)
_POINTED = re.compile(r"\b(?:the|this|that|these|those|them|it|my|number|an?|other|\d+)\b", re.IGNORECASE)
_PUTS_INTO = re.compile(rf"\bdrop\b.+\b(?:in|into)\s+{_BASKET}\b", re.IGNORECASE)
_SIGNED = _of(rf"(?P<sign>[-−–+])\s*(?:(?P<n>{_N})(?:\s+(?:of\s+)?(?P<last>it|them|that))?|(?P<what>[a-z].+?))")
_COUNT_ONLY = _of(rf"(?P<n>{_N}){_PIECES}")


Names = Callable[[str], Sequence[object]]
"""Returns what a text names of the catalogue, as (kind, name)."""


def changes(text: str, names: Names = lambda _: ()) -> list[Change]:
    """Return what a message changes, in its order; nothing where it has none of the verbs, or where goods are called so ("bin bags").

    A clause that takes the one before back ("oh no, the first") says anew what that was done to; one that only points says it at last
    ("same again, but the cheaper one").
    """
    heard = _Heard(names)
    clauses = _clauses(text)
    for clause in clauses:
        heard.hear(clause)
    found = heard.found
    if (
        not found and not _QUESTION.search(text) and (so := _SO_MANY_NOW.search(text)) is not None
    ):  # "the lads want some too, so 4"
        return [Change(Deed.SET, "", number(so["n"]), said=so.group().strip())]
    last = (
        _bare(clauses[-1]) if len(clauses) > 1 and not found and not places(text) and not _QUESTION.search(text) else ""
    )
    if (counted := _COUNT_ONLY.match(last)) is not None:  # "hmm, six is a lot. four"
        return [Change(Deed.SET, "", number(counted["n"]), said=clauses[-1])]
    back = len(found) > 1 and found[0].deed is Deed.REMOVE and _TAKEN_BACK.match(found[0].said)
    return found[1:] if back else found  # "scrap that, back to three"


@dataclass(slots=True)
class _Heard:
    """What the clauses so far change, and what a later one may still go back to."""

    names: Names
    found: list[Change] = field(default_factory=list)
    mending: bool = False
    opened: bool = False
    before: str = ""
    refused: str = ""

    def hear(self, clause: str) -> None:
        change, what = _change(clause), _bare(clause)
        if change is not None and not _is_meant(change, what, self.names):
            change = None
        if _NOT_THIS.fullmatch(what):  # "not this, number 2"
            self.refused = clause
            return
        change = change or self._answers(clause, what)
        self.mending = self.mending or bool(self.found and _MENDS.match(clause))
        if change is not None:
            self._does(change)
        elif what:
            self._says_to_what(what)
        else:
            self.opened = self.opened or _MENDS.match(clause) is not None
        self.mending = self.mending and not what  # "oh no sorry" alone: what follows says it anew

    def _answers(self, clause: str, what: str) -> Change | None:
        """Return what a clause without a verb changes after one that turned something down: "no, three jars", "not this, number 2"."""
        if self.found:
            return None
        if self.refused and places(what):
            return Change(Deed.SWAP, "", None, what, f"{self.refused} {clause}")
        counted = _COUNT_ONLY.match(what) if self.opened else None
        return Change(Deed.SET, "", number(counted["n"]), said=clause) if counted else None

    def _does(self, change: Change) -> None:
        others = change.deed in {Deed.REMOVE, Deed.KEEP} and _OTHERS.fullmatch(change.what)
        if others and self.found and self.found[-1].deed is Deed.KEEP:
            return  # "keep the second, remove the others" is one deed
        if others and self.before and change.deed is Deed.REMOVE:  # "just the first, take the other one out"
            change = Change(Deed.KEEP, self.before, said=change.said)
        elif self.before and not change.what:
            change = replace(change, what=self.before, said=f"{change.said} {self.before}")
        self.found.append(change)
        self.before = ""

    def _says_to_what(self, what: str) -> None:
        if self.found and (self.mending or (not self.found[-1].what and places(what))):
            self.found[-1] = replace(self.found[-1], what=what, said=what, anew=True)
        elif not self.found and places(what):
            self.before = what  # "the first, add it"


def _clauses(text: str) -> list[str]:
    plain = _RUNS.sub(
        r"\1\1\1", " ".join(text.replace("’", "'").split())
    )  # a run of signs would be tried from each place
    return [clause for part in _CUT.split(plain) if (clause := part.strip())]


def _bare(clause: str) -> str:
    """Return a clause without the words that open and end it."""
    return _ENDS.sub("", _OPENS.sub("", clause.lower(), count=1)).strip()


def _change(clause: str) -> Change | None:
    low = clause.lower()
    if _STAYS.match(low):
        return None
    if (signed := _SIGNED.match(low.strip())) is not None:  # "+1", "- 2", "+ the first"
        deed = Deed.ADD if signed["sign"] == "+" else Deed.REMOVE
        return Change(deed, signed["what"] or "", _count(signed["n"]), said=clause)
    opened = _OPENS.sub("", low, count=1)
    if (
        _MENDS.match(clause)
        and low != "no one"
        and (count := _COUNT_ONLY.match(_ENDS.sub("", opened).strip())) is not None
    ):
        return Change(Deed.SET, "", number(count["n"]), said=clause)  # "actually two of it"
    forms = list(dict.fromkeys((opened.strip(" !?.,"), _ASKED.sub("", opened).strip(), _ENDS.sub("", opened).strip())))
    for deed, rules in _GRAMMAR:
        for form in forms:
            match = next((match for rule in rules if (match := rule.match(form))), None)
            if match is not None and not (deed is Deed.REMOVE and _PUTS_INTO.search(low)):
                return _read(deed, match, clause)
    return None


def _is_meant(change: Change, bare: str, names: Names) -> bool:
    """Whether something of the basket can be meant: no receipt, no question, and nothing that only is called like a deed."""
    if change.deed is Deed.KEEP and re.search(r"\b(?:take|throw|put|leave)\b.*\bout\b", bare):
        return True  # "take everything out except the cookies" is no coffee to take out
    if change.deed in {Deed.ADD, Deed.REMOVE} and change.what:
        if _NO_GOODS.fullmatch(change.what) or _NOT_INTO.fullmatch(change.what):
            return False
        if change.deed is Deed.REMOVE and change.what == bare and _GOES_OUT.fullmatch(bare):  # no verb but "out"
            return False
    if change.deed is Deed.TIMES and re.search(r"\boff\b", change.said):
        return False
    denied = change.deed is Deed.SWAP and re.search(r"\bnot\b", bare)
    if denied and (
        _AUXILIARY.fullmatch(change.new)
        or _NOT_SO.search(f"{change.new} not {change.what}")
        or not _POINTED.search(f"{change.new} {change.what} {_verb(bare)}")
    ):
        return False  # "does not work"; "sugar not salt" asks for sugar
    return not called_so(bare, names)


def called_so(text: str, names: Names = lambda _: ()) -> bool:
    """Whether a text that begins like a deed is what goods are called: "bin bags" anywhere, "drop scones" where they are sold."""
    bare = _bare(text)
    if _NAMED_SO.match(bare):
        return True
    return _SLIGHT.match(bare) is not None and any(_begins(bare, one) for one in names(bare))


def _verb(bare: str) -> str:
    """Return a word that points, where a swap has a verb of putting in."""
    return "it" if re.match(r"(?:take|have|put|use|give|add|get|make|swap|want)\b", bare) else ""


def _begins(bare: str, named: object) -> bool:
    """Whether what is named has the word that a clause begins with: "drop scones" are no deed where they are sold."""
    name = named[1] if isinstance(named, tuple) and len(named) > 1 else named
    return bare.partition(" ")[0] in str(name).lower().split()


def _read(deed: Deed, match: re.Match[str], clause: str) -> Change:
    said = match.groupdict()
    what, new = (_ENDS.sub("", _JUST_NOW.sub("it", said.get(name) or "")).strip() for name in ("what", "new"))
    what = re.sub(r"^(?:this|that|these|those|them) it$|^on top(?: of \w+)?$", "it", what)
    count = _BY[said["times"]] if said.get("times") else _count(said.get("n"))
    if deed is Deed.KEEP and re.fullmatch(_N, what):  # "drop all but one"
        return Change(Deed.SET, "", number(what), said=clause)
    if re.fullmatch(_N, what):  # "five instead of two", "remove one"
        count = number(what) if deed is Deed.REMOVE and count is None and not what.isdigit() else count
        what = ""
    what = re.sub(r"\s*\bonly$", "", what)
    if _A_PIECE.fullmatch(what) and deed in {Deed.ADD, Deed.SET}:  # "one more pack", "one box is enough"
        what = ""
    if deed is Deed.SWAP and re.fullmatch(_N + _PIECES, new):
        return Change(Deed.SET, what, number(new.split()[0]), said=clause)
    return Change(deed, "" if re.fullmatch(rf"(?:of\s+)?(?:{_PRONOUN}|the)", what) else what, count, new, clause)


def _count(said: str | None) -> float | None:
    if not said:
        return None
    few = {
        "some": None,
        "a few": 2.0,
        "a couple": 2.0,
        "a couple of": 2.0,
        "a pair": 2.0,
        "a dozen": 12.0,
        "half a dozen": 6.0,
    }
    return few[said] if said in few else number(said)

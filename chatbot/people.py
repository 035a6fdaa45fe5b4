"""What a message says of people: that one is wanted, that none is needed any more, or something so grave that one has to be told."""

from __future__ import annotations

import re

_END = r"(?=\s*(?:$|[.,;!?:)…-]))"
_KIND = r"(?:(?:real|live|actual|proper|living|breathing|human|different|service|support|sales|shop|store|customer(?: service| care| support)?)\s+)*"
_WHOSE = r"(?:(?:a|an|the|any|some|your|one of your|another|my)\s+)?"
_NAMED = (
    r"human(?: being)?s?|persons?|people|someone|somebody|agents?|representatives?|reps?|managers?|supervisors?|advis[eo]rs?|assistants?|operators?|employees?|colleagues?"
    r"|staff(?: members?)?|members? of (?:your |the )?(?:staff|team)|boss|customer (?:service|care|support)"
)
SOMEBODY = rf"(?:{_WHOSE}{_KIND}(?:{_NAMED}|team|man|woman|support))\b(?!['’]s)"
"""A person, where the words before leave no doubt: "talk to …"."""
_GOES_ON = (
    r"(?:\s+(?:human|real|else|competent|responsible|in charge))?(?=\s*(?:$|[.,;!?:)…]|\s(?:please|pls|plz|now|who|here|on|to|from|right|immediately|asap|instead|then|today|quick(?:ly)?"
    r"|soon|straight|again|back|urgently|already|and|or|so|as|if|not|rather|but|because|cause|since|about|at|over|real|involved|for (?:this|that|it|help))\b))"
)
_SENT = rf"(?:{_WHOSE}{_KIND}(?:{_NAMED}|(?:support|service|customer|your) team|(?<=your )team|support(?=\W*(?:please|now)?\W*$)))\b(?!['’]s){_GOES_ON}"
"""A person, where goods could stand as well: "get me …"."""

_WANTS_PERSON = re.compile(
    rf"\b(?:(?:a (?:quick )?(?:word|chat)|in touch|hear from|talk|speak|spoke|chat|talking|speaking|chatting|write|connect(?: me)?|transfer(?: me)?|put me through|pass(?: me)?(?: on)?|hand(?: me)?(?: over)?|refer(?: me)?|escalate(?: me| this)?)\s+(?:(?:directly|now|please|this|it)\s+)*(?:to|with|2)\s+{SOMEBODY}"
    rf"|(?:who(?:ever)?|someone|somebody|anyone|anybody|a person|people)\s+(?:that |who )?(?:is |are )?(?:really |actually )?(?:in charge|responsible)"
    r"|(?:someone|somebody|anyone|anybody|a person|one of the people)\s+(?:that |who )?(?:really |actually )?works? (?:there|here|with you|for you|at your)"
    r"|(?:want|need|would like|'d like)\s+(?:someone|somebody|a person|one of you)\s+to\s+(?:deal|look|help|sort|fix|handle|call|ring|take|answer|explain|see|come|do)\b"
    r"|(?:can|could|will|would) (?:someone|somebody|anyone|anybody|one of (?:you|your \w+)|(?:your|the) staff|an employee) (?:please |there |maybe )*(?:help|assist|carry|lift|meet|phone|ring|bring|look|check|see|come|have a look|deal|sort|fix|solve|answer me|repair|do something)\b(?! (?:me|us) (?:find|choose|pick|decide))"
    r"|put me (?:right )?through\b|(?:call|ring|phone) me back"
    rf"|(?:get|give|fetch|call|bring|send|find|pass)\s+(?:me|us|over|in)\s+(?:over\s+)?(?:to\s+)?{_SENT}|(?:i\s+)?(?:want|need|would like|'d like|prefer|wanna|demand|require)\s+(?:to (?:have|get|see|reach)\s+)?"
    rf"(?:(?:a|an|your|the|another)\s+)?(?:(?:real|live|actual|proper|human|different)\s+)*(?:human(?: being)?|person|agent|representative|manager|supervisor|operator|employee|colleague|staff member|someone real|somebody real|real people)\b(?!['’]s)(?:\s+(?:that|which|able|with)\b|{_GOES_ON})"
    rf"|(?:can|could|may|will)\s+(?:i|we)\s+(?:please\s+)?(?:have|get|see|reach)\s+{_SENT}|is (?:there )?(?:someone|somebody|anyone|anybody|a (?:real )?(?:human|person))\b.{{0,20}}\b(?:i can|to) (?:talk|speak)"
    rf"|with\s+(?:one |{_WHOSE}){_KIND}(?:human|person|agent|manager|employee|colleague|someone|somebody)\s+(?:please\s+)?(?:talk|speak|chat)"
    rf"|(?:real|live|actual) (?:human|person|agent)(?: being)?\s*(?:please|now|pls)?\W*$|(?:^|[.,;!?:])\W*(?:human|agent|representative|operator|a person|a human|person)(?:\s+(?:please|now|pls))?\W*$)",
    re.IGNORECASE,
)
_NO_PERSON = re.compile(
    r"\b(?:don'?t|do not|no need|needn'?t|not|without|never|rather than|instead of|didn'?t|are you|is this|am i|was i|if i'?m|whether i'?m)\b[^.,;!?]{0,25}$",
    re.IGNORECASE,
)
_ONLY_A_PERSON = re.compile(
    rf"\W*(?:(?:please|i|we|want|need|would like|'d like)\s+)*(?:to\s+)?{_WHOSE}{_KIND}(?:human|person|agent|representative|employee|somebody|someone|staff|operator)(?:\s+(?:please|now|pls|talk|speak))*\W*",
    re.IGNORECASE,
)


def wants_person(text: str) -> bool:
    """Whether a message asks for a person in so many words, whatever else it says."""
    low = text.replace("’", "'")
    match = _WANTS_PERSON.search(low)
    return match is not None and not _NO_PERSON.search(low[: match.start()])


def asks_for_person(text: str) -> bool:
    """Whether a message asks for a person or names nothing else: how one is still reached while the dialogue engine is away."""
    return wants_person(text) or _ONLY_A_PERSON.fullmatch(text.replace("’", "'")) is not None


_NOBODY = (
    rf"(?:any(?:one|body)|{SOMEBODY}|(?:the |a |any )?(?:call(?:back)?|queue|wait|transfer|hand-?off|chat with \w+))"
)
_ANY_MORE = r"(?:\s+(?:any ?more|any ?longer|now|then|after all|for (?:this|that|it)|today|to (?:call|ring|phone|help|come|talk)(?: (?:me|us))?))*"
_UNWANTED = re.compile(
    rf"(?<!can't )(?:\bno need (?:for|to (?:send|call|get|fetch|bother|wait for|talk to|speak to|involve)) (?:the |a )?{_NOBODY}"
    rf"|\b(?:i|we) (?:really |actually )?(?:don'?t|do not|no longer|needn'?t) (?:really |actually )?(?:need|want|have)(?: to (?:talk|speak|wait|chat)(?: (?:to|with|for))?)? {_NOBODY}"
    rf"|(?:^|[.,;!])\s*(?:please |so |then |ok(?:ay)? |no |just |and )*(?:(?:don'?t|do not|needn'?t) (?:send|call|get|fetch|bother|involve)|forget(?: about)?|cancel|skip)(?: the)? {_NOBODY}"
    rf"|\b(?:i |we )?need no {_NOBODY}(?: more)?|\bno (?:human|person|agent|people)(?: is| are)? needed|\bwithout (?:a|an|any) (?:human|person|agent)){_ANY_MORE}(?:\s+(?:please|thanks|thank you|because|since|as|i|it|we)\b|{_END})"
    r"|\bnever ?mind\W+(?:it |this |that )?(?:takes|is taking|taking|took) (?:too|so) long|\bcall (?:them|him|her|everyone|the \w+) off\b",
    re.IGNORECASE,
)
_NEEDS = re.compile(r"\b(?:can'?t|cannot|can not|won'?t|couldn'?t|why)\b[^.,;!?]*$", re.IGNORECASE)
_SETTLED = re.compile(
    r"never ?mind|forget (?:it|that)|(?:i(?:'ve| have)? )?changed my mind|(?:it'?s |it is )?no(?:t| longer) (?:needed|necessary)(?: any ?more| any ?longer)?|(?:it'?s |that'?s )?(?:all )?(?:fine|good|ok(?:ay)?) now"
    r"|(?:i|we)?(?:'ve| have)? ?(?:just |already |now |finally )*(?:found|sorted|solved|fixed|worked|figured) (?:it|that|this)(?: (?:out|myself|ourselves|already|now|in the end|at last|after all))*"
    r"|(?:it|that|this|everything|the problem|problem)(?:'s| is| has| was)?(?: been| got| all| now| already)* (?:solved|sorted|settled|fixed|resolved|done)(?: itself| now| already)*"
    r"|(?:it|that|everything)(?: all)? works(?: fine)?(?: (?:now|again))+|(?:i|we) (?:can )?(?:do|manage|handle) (?:it|that|this)? ?(?:myself|ourselves|alone)|(?:i|we) don'?t need (?:any )?(?:help|it) any ?more|no need(?: any ?more| any ?longer)?"
    r"|(?:i|we)(?:'ll| will) (?:do|manage|look) (?:it|that)? ?(?:myself|ourselves|on my own)|(?:i|we)(?:'ll| will) manage|all good"
    r"|(?:i |we )?(?:don'?t|do not|no longer) need (?:them|him|her|anyone|help)(?: any ?more| after all| now)*",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"\b(?:oh|ah|ok(?:ay)?|no(?=[,.!;])|wait|sorry|well|thanks?(?: you)?(?: (?:so|very) much| a lot| anyway)?|please|actually|hey|hi|so|and|then|but|now|h[ao]ng on|hold on|great|cheers|bye|goodbye)\b",
    re.IGNORECASE,
)


def withdraws(text: str) -> bool:
    """Whether who waits for a person needs none any more: the words name the person or the wait, or say nothing else."""
    low = text.replace("’", "'")
    if wants_person(low):
        return False
    named = _UNWANTED.search(low)
    if named is not None and not _NEEDS.search(low[: named.start()]):
        return True
    beside = re.compile(rf"{_POLITE.pattern}|\bcancel (?:it|that)\b(?=.*[,.!]\s*\w)", re.IGNORECASE)
    rest = " ".join(re.sub(r"[^\w']+", " ", beside.sub(" ", low)).split())
    return bool(rest) and re.fullmatch(rf"(?:(?:{_SETTLED.pattern})(?: |$))+", rest, re.IGNORECASE) is not None


_QUESTION = re.compile(
    r"^\W*(?:(?:hi|hello|ok(?:ay)?|and|so|oh|wait|sorry|actually|by the way)\W+)*(?:what|where|when|which|who|whose|how|why|is|are|do|does|did|have you|has|can i|could i|may i|can you show|do you)\b|\?\s*$",
    re.IGNORECASE,
)
_FOR_PEOPLE = re.compile(
    r"\b(?:call|ring|phone|contact|reach|e-?mail|write|get back|let me know|tell (?:him|her|them|your|me when)|reply|answer me|my (?:order|parcel|refund|complaint|delivery|number))\b",
    re.IGNORECASE,
)


def asks_assistant(text: str) -> bool:
    """Whether words that may be a message for people are rather a question that the assistant can answer."""
    return _QUESTION.search(text) is not None and _FOR_PEOPLE.search(text) is None


_THING = r"(?:glass|shards?|splinters?|metal|screws?|nails?|needles?|blades?|razor(?: blades?)?|wires?|staples?|bolts?|plastic|mouse|mice|rats?|droppings|cockroach(?:es)?|maggots?|worms?|tooth|teeth|syringes?|plasters?|band-?aids?|bandages?)"
_NOT_EATEN = r"(?:shops?|stores?|baskets?|carts?|sections?|aisles?|departments?|catalog\w*|lists?|apps?|websites?|search|offers?|sales?|windows?|range|collections?|shel\w+|colou?rs?|sizes?|sets?|descriptions?|pictures?|photos?|brochures?|flyers?)"
_WHOM = r"(?:me|us|him|her|them|(?:my|our) \w+(?: \w+)?)"
_MINE = r"(?:(?:credit|debit|bank|customer|shop|loyalty|store)[ -])?(?:cards?|accounts?|identity|data|details|money|bank|password|wallet)"
_GRAVE = re.compile(
    r"\b(?:allergic (?:reaction|shock)|anaphyla\w*|(?:had|having|has|got|get) an? (?:\w+ )?reaction (?:to|from|after)|broke out in (?:hives|a rash)|(?:can'?t|cannot|couldn'?t) breathe|food poisoning|poisoned"
    rf"|choked(?! up)|chok(?:es|ing) (?:on|to)|(?:is|are|was|'s) choking|bleeding(?! heart)|bled|made {_WHOM} (?:feel )?(?:\w+ )?(?:sick|ill|unwell|throw up|vomit)"
    r"|(?:got|gotten|became|fell|been|is|are|am|was|were) (?:\w+ )?(?:sick|ill) (?:from|after|because of) (?:eating |drinking |using )?(?:your|the|this|that|it)|(?:threw up|vomit\w*) (?:from|after)"
    r"|hospitali[sz]ed|(?:went|go|going|rushed|taken|took \w+|brought|sent|admitted|drove|landed|ended up) (?:\w+ ){0,3}(?:to|in) (?:the |an? )?(?:hospital|emergency room|intensive care)|in (?:the )?(?:hospital|intensive care) (?:because|after|from|since|due)"
    r"|(?:call\w*|need\w*|came|sent|took|by|get|fetch) (?:\w+ ){0,2}(?:an|the) ambulance|injur(?:y|ed|ies)\b(?! (?:tape|cream|gel|kit|bandages?|support|spray|prevention))"
    rf"|(?:piece|shard|bit|splinter)s? of (?:glass|metal|plastic) in|(?:found|find|there (?:was|were|is|are)|there's|bit (?:on|into)|swallowed|got) (?:(?:a|an|some|the|two|three|several|bits of|pieces of) )?(?:(?!is\b|are\b)\w+ )?{_THING}(?: (?:shards?|pieces?|bits?|splinters?|fragments?))? (?:in|inside) (?:my|the|your|our|his|her|this|that|a|an|one)\b(?! (?:\w+ )?{_NOT_EATEN}\b)"
    rf"|(?:had|has|contained|full of) (?:a |some )?(?:\w+ )?{_THING}(?: pieces?| bits?| shards?)? in (?:it|them)|swallowed (?:a |some )?(?:\w+ )?{_THING}"
    r"|lawyer|attorney|lawsuit|sue you|suing|(?:call\w*|tell\w*|contact\w*|inform\w*|inform|go\w*|went|report\w*|get|getting|involve\w*|from|with|at) (?:\w+ ){0,4}?(?:to )?the police\b(?! (?:station|academy|car|costume|museum|headquarters))|police report|fraud(?:ulent|ster)?|scammed"
    rf"|identity theft|stolen (?:\w+ )?(?:card|identity|account|data)|my {_MINE} (?:\w+ )?(?:was|is|were|has been|have been|got|been) (?:\w+ )?(?:stolen|hacked|cloned|skimmed|misused|abused|emptied|compromised|used by)"
    rf"|(?:used|uses|using|charged|stole|steal\w*|hacked|got into|broke into|took over|logged into|emptied|misused) my {_MINE}\b(?=.{{0,40}}\b(?:without|someone|somebody|stranger|permission|stolen)\b)|(?:someone|somebody|a stranger|a thief|they|he|she) (?:else )?(?:has |is |have )?(?:used|uses|using|stole|stolen|hacked|got into|broke into|took over|logged into|emptied|misused) my {_MINE}"
    r"|unauthori[sz]ed (?:charge|payment|transaction|purchase|access|log-?in)s?|hacked|data breach|harass(?:ed|ment|ing)|discriminat(?:ed|es|ion|ory)|racist|sexually|threaten(?:ed|ing)"
    r"|kill myself|(?:want\w*|going|tried|trying|gonna|threat\w*) (?:to )?kill (?:me|us|him|her)|(?:please|just|you to) kill me(?! now| already)|suicid\w+(?! squad)|self.harm|(?:hurt|harm) myself|(?:want|wanna) to die|wanna die|end my life|no reason to live"
    r"|(?:don.?t|do not|no longer) (?:want|wanna) (?:to )?(?:live|be alive)|passed away|funeral)\b",
    re.IGNORECASE,
)
_IN_HOSPITAL = re.compile(r"\b(?:is|was|are|am|'s|'m|were|been|lies|lying|stay(?:s|ed|ing)?) in (?:the )?hospital\b", re.IGNORECASE)  # fmt: skip
_PRESENT = re.compile(r"\b(?:flowers?|bouquets?|gifts?|presents?|cards?|snacks?|books?|hampers?|get.well|treats?)\b", re.IGNORECASE)  # fmt: skip
_HARMLESS = re.compile(
    r"\bmy (?:\w+ )?card (?:was|is|got|has been) stolen\b(?=.{0,40}\b(?:another|different|other|new)\b)|\bfor (?:a|an|my|our|the)(?: \w+)? (?:lawyer|attorney)\b|\b(?:lawyer|attorney)(?:'s)? (?:costume|gift|mug|joke|book|outfit)s?\b|\bsports? injur(?:y|ies)\b|\b(?:fraud|theft|injury) protection\b",
    re.IGNORECASE,
)


def sensitive(text: str) -> bool:
    """Whether a message touches what a machine must not settle: health, law, money in danger, grief, harm."""
    said = _HARMLESS.sub(" ", text.replace("’", "'"))
    return _GRAVE.search(said) is not None or (_IN_HOSPITAL.search(said) is not None and not _PRESENT.search(said))

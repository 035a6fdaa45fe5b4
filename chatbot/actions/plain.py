"""What a message says in so many words, whatever it was taken for: what the assistant is made of, opening hours asked in anger, thanks."""

from __future__ import annotations

import re
from collections.abc import Callable

from chatbot.actions.say import Say
from chatbot.orders.wishes import names_order

MOST_THANKING = 8
QUESTION = re.compile(
    r"\b(?:who|what|whats|what's|when|where|why|how|which|should i|can you|could you|do you|are you|is there|tell me|write|explain|solve|translate|calculate|sing|play)\b",
    re.IGNORECASE,
)
_PROBES = re.compile(
    r"\b(?:system prompt|your (?:(?:hidden|secret|internal|initial) )?(?:prompt|instructions|source code|training data|api keys?)|(?:hidden|secret|internal|initial) (?:prompt|instructions)|secret keys?"
    r"|ignore (?:all |any )?(?:of )?(?:previous|prior|earlier|your|the) (?:\w+ )?(?:instructions|rules|prompts?)|jailbreak|developer mode)\b",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"\b(?:when|what time|until when|how late|are|is|do|were)\b.{0,20}\b(?:you|shop|store|they|it|place)\b.{0,12}\b(?:open|close|closed|closing)\b(?! (?:bottles?|pack|jar|bag|my|the|a)\b)"
    r"|\b(?:opening|closing) (?:hours?|times?)\b",
    re.IGNORECASE,
)
_THANKS = re.compile(r"\b(?:thanks?|thank you|thx|ty|cheers|much appreciated)\b", re.IGNORECASE)
NOT_ABOUT_GOODS = frozenset(("out_of_scope", "chitchat", "clarify", "inform", "greet"))
SELDOM_ABOUT_GOODS = NOT_ABOUT_GOODS | {"feedback", "correction", "repeat", "ask_language", "help", "thanks"}
COUPON_WORD = re.compile(r"\b(?:coupons?|vouchers?|promo(?:tion)? codes?|discount codes?)\b", re.IGNORECASE)
_WHERE = re.compile(
    r"\b(?:which|what) (?:aisle|shelf)\b|\b(?:can ?not|can'?t|could ?n[o']t|unable to) find (?!.*\b(?:orders?|parcels?|coupons?|vouchers?|codes?|labels?|receipts?|invoices?|links?|accounts?|e-?mails?|apps?)\b)(?:the |any |your |my )?[\w ]{2,30}\b(?:anywhere|in (?:the|your) (?:shop|store)|on (?:the|your) shelf|on (?:the|your) shelves)",
    re.IGNORECASE,
)
_GREETS = re.compile(
    r"\W*(?:good (?:morning|day|afternoon|evening)|hello|hi|hey|greetings|howdy|salaa?m|hola|bonjour|namaste|ciao)\b\W*(?:there|all|everyone|to you(?: all)?|sir|madam|hello|hi)?\W*",
    re.IGNORECASE,
)
_LEAVES = re.compile(
    r"\W*(?:(?:good ?night|good ?bye|bye(?: bye)?|see you(?: later| soon)?|farewell|cheerio|ta-?ta)\b\W*(?:then|now|for now|everyone|all)?\W*)+",
    re.IGNORECASE,
)
_OFTEN_MISTAKEN = SELDOM_ABOUT_GOODS | {"product_search", "product_details", "refine_search"}
_SEES = re.compile(
    r"\bwho (?:all |else )?(?:gets to |can |will |would |may )?(?:see|sees|read|reads|access|look at) (?:it|that|this|all|my|our|what)\b"
    r"|\b(?:is|are|was|do you|will) (?:this|that|my|our|the|all of this) (?:chat|conversation|messages?|data)\b.{0,12}\b(?:saved?|stored?|kept|recorded?|logged)\b",
    re.IGNORECASE,
)
_BRINGS_BACK = re.compile(
    r"\b(?:can|could|may|do) i (?:still )?(?:bring|take|give|send) (?:it|that|this|them|these|those|the \w+) back\b",
    re.IGNORECASE,
)
_COSTS = re.compile(
    r"\bwhat(?:'?s| is| does| do)? (?:an?|the|your) [\w ]{2,25}\bcosts?\b|\bhow much (?:is|are|for) (?:an?|the|your)\b",
    re.IGNORECASE,
)
_BYE = re.compile(
    r"(?:^|[.,!;]\s*|\b(?:thx|thanks|ok(?:ay)?) )(?:bye(?:[ -]?bye)?(?: now| then)?|good ?bye|(?:i(?:'ve)? )?(?:gotta|got to|have to|must) (?:run|go|dash)(?: now)?|see (?:you|ya)(?: later| soon)?)\W*$",
    re.IGNORECASE,
)
_PLAIN: tuple[tuple[frozenset[str], Callable[[str], object], str], ...] = (
    (frozenset(("complaint", "clarify", "feedback")), _OPENS.search, "store_hours"),
    (SELDOM_ABOUT_GOODS, COUPON_WORD.search, "coupon"),
    (_OFTEN_MISTAKEN, _WHERE.search, "find_in_store"),
    (
        frozenset(("clarify", "inform", "chitchat", "product_search", "thanks", "goodbye", "feedback")),
        _GREETS.fullmatch,
        "greet",
    ),
    (frozenset(("clarify", "inform", "chitchat", "product_search")), _LEAVES.fullmatch, "goodbye"),
    (frozenset(("clarify", "inform", "chitchat", "product_search", "out_of_scope", "repeat")), _BYE.search, "goodbye"),
    (
        frozenset(("why", "forget_chat", "clarify", "out_of_scope", "inform", "chitchat", "consent_status")),
        _SEES.search,
        "what_do_you_know",
    ),
    (
        frozenset(("product_search", "clarify", "inform", "stock", "product_details", "refine_search", "order_return")),
        _BRINGS_BACK.search,
        "return_policy",
    ),
    (frozenset(("complaint", "clarify", "chitchat", "feedback")), _COSTS.search, "product_search"),
)
"""What a message says in so many words, whichever of these intents it was taken for."""


def by_its_words(text: str, say: Say) -> str:
    """Hear what is plain however it is said: what the assistant is made of, opening hours asked in anger, thanks."""
    if (
        _PROBES.search(text)
        and not say.slot("awaiting")
        and not names_order(text)
        and say.intent not in {"bot_challenge", "what_do_you_know", "forget_me"}
    ):
        return "out_of_scope"
    said = say.said.replace("’", "'")
    told = next((meaning for taken, rule, meaning in _PLAIN if say.intent in taken and (rule(text) or rule(said))), "")
    if told:
        return told
    short = len(text.split()) <= MOST_THANKING and not QUESTION.search(text) and "?" not in text
    return "thanks" if say.intent == "clarify" and short and _THANKS.search(text) else ""

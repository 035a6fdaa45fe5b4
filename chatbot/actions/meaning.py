"""A second reading: what a message says in so many words wins over what it was taken for.

The intents are learnt, and a learnt model errs where a message mixes feelings, politeness and wishes. A few wishes are too dear to
miss: a person, an end to what is going on, an order that is named, something that goes into the basket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from chatbot.actions.following import follows
from chatbot.actions.say import Say
from chatbot.handoff import wants_person
from chatbot.orders.entities import read_proof
from chatbot.orders.wishes import kind_of_wish, names_order
from chatbot.shopping.amounts import quantity
from chatbot.shopping.changes import Change, Deed, changes
from chatbot.shopping.references import named, places, points
from chatbot.shopping.wish import rules_out
from personalization.types import Product

_GIVES_UP = re.compile(
    r"\W*(?:oh |ah |well |please |ok(?:ay)? |no |just |sorry |look )*"
    r"(?:never ?mind|forget (?:it|about it|that|this|about that|about this|the whole thing)|leave (?:it|that|this|everything)(?: be| alone| then| there| as (?:it|they) (?:is|are))?|drop (?:it|that|this)"
    r"|skip (?:it|that|this)|don'?t bother|doesn'?t matter|i(?:'ve|'m| have| am)? (?:changed my mind|give up|giving up)|let'?s (?:leave|drop|forget|skip) (?:it|that|this)"
    r"|(?:it'?s )?not (?:that )?important|stop (?:it|this|that)|scrap that)"
    r"(?:[ ,]+(?:then|please|now|thanks?|thank you|ok(?:ay)?|i'?ll (?:do|try) (?:it )?(?:later|myself|another time|some other time)|for now|anyway|it'?s fine|it'?s ok(?:ay)?"
    r"|never ?mind|forget (?:it|that)|leave (?:it|that|everything)(?: as it is)?|i (?:changed my mind|don'?t (?:care|need it|want it)(?: any ?more)?)|too (?:hard|complicated|much(?: trouble| hassle)?)|not important|i(?:'ll| will|'d rather)? keep (?:it|that|this|them|everything|the \w+|my \w+)(?: as (?:it|they) (?:is|are))?))*\W*",
    re.IGNORECASE,
)
_BASKET = r"(?:my |the |our )?(?:shopping )?(?:basket|cart|bag|trolley|shopping list)"
_BASKET_WORD = re.compile(r"\b(?:basket|cart|trolley)\b", re.IGNORECASE)
_INTO = re.compile(rf"\b(?:in|into|to|on)\s+{_BASKET}\b", re.IGNORECASE)
_ASKS = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|have i|has|why|when|where|who)\b|\b(?:what|how (?:much|many)|which|is there|are there|anything|total|see|show|view|look|check)\b",
    re.IGNORECASE,
)
_OUT = re.compile(rf"\b(?:out of|off|from)\s+{_BASKET}\b", re.IGNORECASE)
_TOTAL = re.compile(
    r"\b(?:total|in all|all in all|altogether|all together|add up|adds up|(?:do|will) i owe)\b", re.IGNORECASE
)
_SO_FAR = re.compile(
    r"\b(?:come to|comes to|sum|(?:what|how much) .{0,20}\bto pay|how much (?:is (?:it|that|this|everything)|now|so far|for (?:all|everything)))\b",
    re.IGNORECASE,
)
_TOO = re.compile(r"\b(?:too|also|as well)\b(?:,? (?:please|pls|thanks))?\W*$", re.IGNORECASE)
_POINTING = re.compile(r"(?:it|that|this|them|those|these)\b", re.IGNORECASE)
_HAVE_I = re.compile(
    r"\b(?:did|have|do|has) i (?:already |just |really )*(?:put|add|added|have|got|get|take|taken|in)\b(?! to\b)|\b(?:is|are)\b.{2,30}\bin (?:there|it)\b|\bdid (?:that|it|this|they|those) (?:go|get|make it) in\b|\bwhat(?:'s| is| do i| have i)\b.{0,12}\b(?:have|got|in there|in it|so far)\b",
    re.IGNORECASE,
)
_WEAK = frozenset(
    ("inform", "clarify", "out_of_scope", "affirm", "deny", "greet", "thanks", "goodbye", "chitchat", "correction", "feedback", "repeat", "help")
)  # fmt: skip
_QUESTION = re.compile(
    r"\b(?:who|what|whats|what's|when|where|why|how|which|should i|can you|could you|do you|are you|is there|tell me|write|explain|solve|translate|calculate|sing|play)\b",
    re.IGNORECASE,
)
_MISREAD_AS_ORDERS = _WEAK | {
    "product_search", "refine_search", "pick_item", "product_details", "recommend", "compare", "stock", "find_in_store", "basket_add", "basket_remove",
    "basket_show", "coupon", "coupon_status", "delivery_info", "payment_info", "membership", "reorder", "never_mind",
}  # fmt: skip
_NOT_OF_BASKETS = frozenset(("human", "never_mind", "bot_challenge", "complaint", "coupon_problem", "goodbye"))
_MAY_PUT_IN = _WEAK | {"pick_item", "product_search", "refine_search", "product_details", "basket_show"}
_SAFE = re.compile(
    r"\b(?:which|what|any|something|anything|some)\b.*\b(?:can|could|may|should|might|would) (?:i|we|he|she|they|you|my \w+) (?:\w+ly |still )?(?:eat|have|drink|use|take|buy|get)\b"
    r"|\bcan (?:i|we|he|she|they|my \w+) (?:\w+ly |still )?(?:eat|have|drink)\b"
    r"|\b(?:i|we|he|she|they|my \w+) (?:can|could|may|should) (?:\w+ly |still )?(?:eat|have|drink)\b",
    re.IGNORECASE,
)
_SMALL_TALK = frozenset(
    (
        "inform",
        "goodbye",
        "chitchat",
        "greet",
        "thanks",
        "help",
        "feedback",
        "complaint",
        "repeat",
        "membership",
        "never_mind",
        "ask_language",
    )
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
IN_DOUBT, MOST_NAMING, MOST_THANKING, LEAST_COMPLAINT = 0.8, 2, 8, 5
_ORDER_INTENTS = {
    "cancel": "order_cancel", "return": "order_return", "swap": "order_exchange", "address": "order_change_address", "payment": "order_change_payment",
    "undo": "order_cancel", "status": "order_status",
}  # fmt: skip


def gives_up(text: str) -> bool:
    """Whether a message drops what is going on, and says nothing else."""
    return _GIVES_UP.fullmatch(text.replace("’", "'")) is not None


Held = Callable[[], Sequence[Product]]
"""Returns what the basket holds; asked for only where that decides."""


Names = Callable[[str], Sequence[object]]
"""Returns what a text names of the catalogue, typos mended."""


def meant(
    say: Say, held: Held = tuple, names: Names = lambda _: (), known: Callable[[str], bool] = lambda _: True
) -> str:
    """Return the intent that the message has by its very words, else the one that it was taken for.

    `known` tells whether the catalogue itself has a word.
    """
    if say.said.startswith("/"):
        return say.intent
    if wants_person(say.said):
        return "human"
    text = say.text.replace("’", "'")
    if gives_up(text) or gives_up(say.said):
        return "never_mind"
    found = (
        _by_its_words(text, say)
        or _about_an_order(text, say.intent)
        or _about_the_basket(text, say, held)
        or follows(text, say)
    )
    found = found or _what_is_safe(text, say) or _only_a_name(text, say, names, known)
    return found or _unlike_anything(text, say) or say.intent


def _by_its_words(text: str, say: Say) -> str:
    """Hear what is plain however it is said: what the assistant is made of, opening hours asked in anger, thanks."""
    if (
        _PROBES.search(text)
        and not say.slot("awaiting")
        and not names_order(text)
        and say.intent not in {"bot_challenge", "what_do_you_know", "forget_me"}
    ):
        return "out_of_scope"
    if say.intent in {"complaint", "clarify", "feedback"} and _OPENS.search(text):
        return "store_hours"
    short = len(text.split()) <= MOST_THANKING and not _QUESTION.search(text) and "?" not in text
    return "thanks" if say.intent == "clarify" and short and _THANKS.search(text) else ""


def _what_is_safe(text: str, say: Say) -> str:
    """Hear "which pasta can I eat? I am allergic to gluten": not a question about one product, but for some that are safe."""
    asks = _SAFE.search(text) and rules_out(text)
    return "product_search" if asks and say.intent in _WEAK | {"product_details", "recommend"} else ""


def _only_a_name(text: str, say: Say, names: Names, known: Callable[[str], bool]) -> str:
    """Hear a word or two that name goods, where the model was in doubt what kind of message that is, or they are mistyped ("chese").

    Letters of a word that nobody trained on are like those of some intent or other; a name that is all but right says more.
    """
    words = text.split()
    if say.intent not in _SMALL_TALK or say.slot("awaiting") or len(words) > MOST_NAMING:
        return ""
    if not names(text):
        return ""
    doubt = say.confidence < IN_DOUBT or say.intent == "inform"  # of what, if nothing was asked?
    return "product_search" if doubt or not all(map(known, words)) else ""


def _unlike_anything(text: str, say: Say) -> str:
    """Return what a message is that is like nothing that is trained: a question about the world, or another script."""
    if say.intent not in {"clarify", "out_of_scope"}:
        return ""
    letters = [letter for letter in text if letter.isalpha()]
    if letters and 2 * sum("LATIN" in unicodedata.name(letter, "") for letter in letters) < len(letters):
        return "ask_language"
    if say.intent == "clarify" and say.likeliest == "complaint" and len(text.split()) >= LEAST_COMPLAINT:
        return "complaint"  # whom a person is offered in vain loses less than who complains and reads of goods
    return "out_of_scope" if say.likeliest == "out_of_scope" and _QUESTION.search(text) else ""


def _about_the_basket(text: str, say: Say, held: Held) -> str:
    """Return the intent of a message that says "basket", or that speaks of what is in it."""
    taken = say.intent
    out = _OUT.search(text)
    if out and taken in _WEAK | {"product_search", "refine_search", "pick_item", "basket_add"}:
        return "basket_remove"
    into = None if out else _INTO.search(text)
    if into and not _ASKS.search(text[: into.start()] or text) and not taken.startswith(("coupon", "order")):
        return _deed(changes(text)) or "basket_add"
    if taken in _NOT_OF_BASKETS or names_order(text) or say.slot("awaiting") == "order":
        return ""
    return _asks_what_is_in(text, say, held) or _changes_it(text, say, held) or _asks_the_total(text, say, held)


def _changes_it(text: str, say: Say, held: Held) -> str:
    """Hear a deed that is done to what the basket holds, or to what was just put in; and what else goes in."""
    just_now, shown = say.last_act.startswith("basket."), isinstance(say.slot("search_state"), dict)
    wanted = changes(text)
    if wanted:
        first = wanted[0]
        bare = first.deed in {Deed.CLEAR, Deed.TIMES, Deed.SET} or not first.what or bool(_POINTING.match(first.what))
        if first.deed is Deed.SWAP:  # "I meant coffee" may be said of anything, "I meant the first" of what was put in
            bare = bare and places(first.new)
        if (just_now and bare) or (first.what and named(first.what, held())):
            return _deed(wanted)
        return "basket_add" if shown and first.deed is Deed.ADD and points(first.what) else ""
    if not shown or say.intent not in _MAY_PUT_IN or _ASKS.search(text):
        return ""
    count, rest = quantity(text)
    counted = count is not None and places(rest)  # "two of the second"
    more = places(text) and _TOO.search(say.said) and (just_now or bool(held()))
    named_so = say.confidence < IN_DOUBT and places(text) and _BASKET_WORD.search(text)  # "second. basket."
    return "basket_add" if counted or more or named_so else ""


def _deed(wanted: Sequence[Change]) -> str:
    if not wanted:
        return ""
    return "basket_remove" if wanted[0].deed in {Deed.REMOVE, Deed.KEEP, Deed.CLEAR} else "basket_add"


def _asks_what_is_in(text: str, say: Say, held: Held) -> str:
    asks = _HAVE_I.search(text) and (say.last_act.startswith("basket.") or named(text, held()))
    return "basket_show" if asks else ""


def _asks_the_total(text: str, say: Say, held: Held) -> str:
    so_far = say.last_act.startswith("basket.") and _SO_FAR.search(text)
    return "basket_show" if so_far or (_TOTAL.search(text) and held()) else ""


def _about_an_order(text: str, taken: str) -> str:
    """Return the intent of a wish about an order that is named; "" where there is none, or it was understood."""
    if taken.startswith("order_") or taken not in _MISREAD_AS_ORDERS | {"complaint"}:
        return ""
    named, kind = names_order(text), kind_of_wish(text)
    named = named or ("word" if "email" in read_proof(text, asked=False) else "")
    if not kind or not named or (taken == "complaint" and named != "number"):
        return ""
    return _ORDER_INTENTS[kind]

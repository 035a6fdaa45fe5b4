"""A second reading: what a message says in so many words wins over what it was taken for.

The intents are learnt, and a learnt model errs where a message mixes feelings, politeness and wishes. A few wishes are too dear to
miss: a person, an end to what is going on, an order that is named, something that goes into the basket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from chatbot.actions.following import follows
from chatbot.actions.plain import COUPON_WORD, NOT_ABOUT_GOODS, QUESTION, SELDOM_ABOUT_GOODS, by_its_words
from chatbot.actions.say import Say
from chatbot.orders.entities import read_proof
from chatbot.orders.wishes import kind_of_wish, names_order
from chatbot.people import wants_person, withdraws
from chatbot.shopping.amounts import quantity
from chatbot.shopping.changes import Change, Deed, called_so, changes
from chatbot.shopping.facts import Aspect, question
from chatbot.shopping.numbers import WORD
from chatbot.shopping.picks import picks
from chatbot.shopping.putting import Putting, forbids, putting, requested
from chatbot.shopping.references import named, places, points
from chatbot.shopping.wish import main_clause, rules_out
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
_SENTENCE_END = re.compile(r"[.!?]\s+")
_OUT = re.compile(rf"\b(?:out of|off|from)\s+{_BASKET}\b", re.IGNORECASE)
_TOTAL = re.compile(
    r"\btotals?\b(?=\W*$|\W*[.,;!?]|\s+(?:cost|price|amount|sum|bill|so far|now|please|pls|for|is|to|then|at|come|today|due|right|and|incl\w*|i|do|thanks?|thank|of (?:my|the|that|this|it|all|everything))\b)(?!.*\b(?:of|for|in) (?:the )?(?:fat|sugars?|carbs?|carbohydrates?|calories|protein|fib(?:er|re)|salt|sodium|energy)\b)"
    r"|\b(?:the damage|in all(?! (?:the|your|my|honesty|of|stores|shops|sizes|colou?rs)\b)|all in all|altogether|all together|add up|adds up|(?:do|will) i owe)\b",
    re.IGNORECASE,
)
_SO_FAR = re.compile(
    r"\b(?:come to|comes to|sum|(?:what|how much) .{0,20}\bto pay|how much (?:is (?:it|that|this|everything)|now|so far|for (?:all|everything)))\b",
    re.IGNORECASE,
)
_TOO = re.compile(r"\b(?:too|also|as well)\b(?:,? (?:please|pls|thanks))?\W*$", re.IGNORECASE)
_POINTING = re.compile(
    r"(?:it|that|this|them|those|these)(?: (?:ones?|two|three|four|all|both|stuff|things?|products?|\d))?",
    re.IGNORECASE,
)
_HAVE_I = re.compile(
    r"\b(?:did|have|do|has) i (?:already |just |really )*(?:put|add|added|have|got|get|take|taken|in)\b(?! to\b)|\b(?:is|are)\b.{2,30}\bin (?:there|it)\b|\b(?:is|are)\b.{2,40}\bin (?:my|the) (?:basket|cart)\b\W*$|^\W*(?:so )?is it (?:all )?empty\b|\bdid (?:that|it|this|they|those) (?:go|get|make it) in\b|\bwhat(?:'s| is| do i| have i)\b.{0,12}\b(?:have|got|in there|in it|so far)\b|\bwhat\b.{0,20}\bi (?:just |already )?(?:put|added|took|picked|chose|threw)\b",
    re.IGNORECASE,
)
_WEAK = frozenset(
    ("inform", "clarify", "out_of_scope", "affirm", "deny", "greet", "thanks", "goodbye", "chitchat", "correction", "feedback", "repeat", "help")
)  # fmt: skip
_MISREAD_AS_ORDERS = _WEAK | {
    "product_search", "refine_search", "pick_item", "product_details", "recommend", "compare", "stock", "find_in_store", "basket_add", "basket_remove",
    "basket_show", "coupon", "coupon_status", "delivery_info", "payment_info", "membership", "reorder", "never_mind",
}  # fmt: skip
_NOT_OF_BASKETS = frozenset(("human", "never_mind", "bot_challenge", "complaint", "coupon_problem", "goodbye"))
_MAY_CHANGE = frozenset(("never_mind", "human", "complaint"))  # of those, what a counted deed is mistaken for
_MAY_PUT_IN = _WEAK | {"pick_item", "product_search", "refine_search", "product_details", "basket_show"}
_SAFE = re.compile(
    r"\b(?:which|what|any|something|anything|some)\b.*\b(?:can|could|may|should|might|would) (?:i|we|he|she|they|you|my \w+) (?:\w+ly |still )?(?:eat|have|drink|use|take|buy|get)\b"
    r"|\bcan (?:i|we|he|she|they|my \w+) (?:\w+ly |still )?(?:eat|have|drink)\b"
    r"|\b(?:i|we|he|she|they|my \w+) (?:can|could|may|should) (?:\w+ly |still )?(?:eat|have|drink)\b",
    re.IGNORECASE,
)
_ALLERGIC = re.compile(r"\ballerg(?:y|ic|ies)\b|\bintoleran(?:t|ce)\b|\bco?eliac\b", re.IGNORECASE)
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
        "basket_show",
    )
)
_AGREES = re.compile(
    r"\W*(?:(?:yes|yeah|yep|yup|sure|ok(?:ay)?|oh|please|pls|definitely|absolutely|of course|go ahead|do (?:it|that|so)|make it so|go on(?: then)?|do that|get (?:them|someone|somebody|one)|i (?:do|would)|(?:i|we)(?:'d| would)? (?:want|like|need|love|appreciate) (?:that|it|this|one)"
    r"|that would be (?:good|great|nice|lovely|helpful|best)|if you (?:can|could|would)|thanks?|thank you|now)\b\W*)+",
    re.IGNORECASE,
)
_ASKS_FOR = re.compile(
    r"\b(?:(?:show|give|find|get|list|bring) (?:me |us )?(?:\w+ )?(?:your|the|some|any|all)?\b|(?:do|have) you (?:also |still |even |perhaps |maybe )*(?:got|have|sell|carry|stock|keep|do)\b(?! (?:you|this|that|it)\b)|(?:advise|recommend|suggest) (?:me |us )?(?:on )?(?:an?|some|the)\b"
    r"|(?:i|we)(?:'d| should| would|'m| am| are| also| really| just)* (?:want|need|like|looking for|after)\b(?! to (?:know|talk|speak|say))|^\W*(?:need|want|looking for|got)\b|got any|is there any|are there any)",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"\b(?:\d{{1,3}}|{WORD})\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:add|put|take|get|give|have|want|need|order|buy|throw|pop|grab|more|another|too|also)\b", re.IGNORECASE
)
_FOR_IT = re.compile(r"\s*\b(?:for|with|to go with|on) (?:it|that|this|them)\b\W*$", re.IGNORECASE)
_RANGE = re.compile(r"\b(?:between|under|below|over|up to|less than|at most)\b.{0,12}\d", re.IGNORECASE)
_SOMEBODY = re.compile(
    r"\b(?:some(?:one|body)|any(?:one|body)|person|people|human|agent|staff|manager|operator|talk|speak|call|chat)\b",
    re.IGNORECASE,
)
_NEEDS_ONE = re.compile(
    r"(?:^|[.,!;]\s*)(?:(?:i|we)(?:'d| would)? )?(?:really |just )?(?:need|want|looking for) (?:an?|some)\b",
    re.IGNORECASE,
)
_LISTS = re.compile(r"^\W*(?:please |now |very well\W+|ok(?:ay)?\W+)*list\b|\b(?:a|the) list of\b", re.IGNORECASE)
_LOOKS_AT = re.compile(
    r"\b(?:look at|see|show me) (?:the|your|some|those|these) (?!basket|cart|total|list)[a-z]", re.IGNORECASE
)
_HAVE = re.compile(r"\s*\b(?:(?:do )?(?:you|u|y'?all) )?(?:have|got|sell)\b\W*$", re.IGNORECASE)
_IS_SAFE = re.compile(
    r"\b(?:safe|suitable|ok(?:ay)?|all right|alright|fine) (?:for|to (?:eat|give|have|drink))\b", re.IGNORECASE
)
_WANTS = re.compile(
    r"\b(?:(?:i|we|he|she|they|my \w+)(?:'d|'m| am| are| would| also| really)* (?:want|wants|wanna|need|needs|like|likes to|looking for|running out of|run out of|out of|going to (?:bake|cook|make|eat|drink)|planning|making|cooking|baking)"
    r"|let'?s (?:start|begin|go) with|(?:start|begin)(?:ing)? with|looking for|got any|have you got|do you (?:have|sell|carry))\b",
    re.IGNORECASE,
)
IN_DOUBT, MOST_NAMING, LEAST_COMPLAINT = 0.8, 2, 5
_ORDER_INTENTS = {
    "cancel": "order_cancel", "return": "order_return", "swap": "order_exchange", "address": "order_change_address", "payment": "order_change_payment",
    "undo": "order_cancel", "status": "order_status",
}  # fmt: skip


_EMPTY = re.compile(r"\b(?:nothing|anything) (?:is |are )?(?:left|inside|in there|in it)\b|\ball gone\b", re.IGNORECASE)
_COMES_TO = re.compile(
    r"\bwhat(?:'?s| is| would| does| will| did)? (?:that|it|this|all (?:that|this|of it)|everything|the (?:lot|whole thing|bill|damage))\b.{0,12}\b(?:come|comes|came|coming|add|adds|run)\b|\bmoney[ -]?wise\b"
    r"|\bhow (?:much|many) (?:money|cash)\b.{0,12}\b(?:bring|pay|need|cost|spend|owe|all)\b|\bwhat (?:am i|do i) (?:paying|spending|up to|owe|pay)\b|\bam i (?:still )?(?:under|over|below|above|within)\b",
    re.IGNORECASE,
)


_WITH_A_REASON = re.compile(  # "never mind, I'll have my daughter do it"
    r"\W*(?:(?:actually|oh|ok(?:ay)?|well|you know what|ah|no)\W+)*(?:never ?mind|nvm|forget it)\b\W+(?!(?:i|we) (?:need|want|meant?)\b|let(?:'?s| me) (?:see|have|look)\b)"
    r"(?:i(?:'?ll|'?ve|'?m|'?d| will| have| am| found| got)?|my|we(?:'?ll|'?ve)?|she(?:'?s)?|he(?:'?s)?|they|it(?:'?s)?|let it)\b(?!.*\b(?:instead|show|find me|add|have you|do you|can you|please)\b)[^?]{0,80}",
    re.IGNORECASE,
)


def gives_up(text: str) -> bool:
    """Whether a message drops what is going on, and says nothing else but why."""
    plain = text.replace("’", "'")
    return _GIVES_UP.fullmatch(plain) is not None or _WITH_A_REASON.fullmatch(plain) is not None


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
    if say.intent == "human" and withdraws(text):
        return "deny"
    if gives_up(text) or gives_up(say.said):
        return "never_mind"
    found = (
        by_its_words(text, say)
        or _about_an_order(text, say.intent)
        or _about_the_basket(text, say, held, names)
        or follows(text, say)
    )
    found = found or _to_what_was_asked(say) or _what_is_safe(text, say) or _only_a_name(text, say, names, known)
    found = found or _wants_goods(text, say, held, names) or _unlike_anything(text, say) or say.intent
    return "deny" if found == "basket_add" and forbids(text) else found


def _to_what_was_asked(say: Say) -> str:
    """Hear "yes, I want that" as a yes, where a person was offered and nothing else is meant."""
    offered = say.slot("asked") == "human" and say.last_act.startswith(("people.", "handoff.", "conversation."))
    return "affirm" if offered and say.intent not in {"affirm", "deny"} and _AGREES.fullmatch(say.said) else ""


def _asks_after_all(text: str, say: Say, names: Names) -> bool:
    """Whether goods are asked for, though a person, a basket or a deed was heard: "conditoner to go wit it", "need a cake mix"."""
    if say.intent == "coupon":  # "coffee between 4 and 6 dollars?"
        return bool(_RANGE.search(text)) and not COUPON_WORD.search(text) and bool(names(text))
    if say.intent not in {"human", "basket_add", "basket_show"} or _BASKET_WORD.search(text) or not names(text):
        return False
    if say.intent == "human":
        return say.confidence < IN_DOUBT and not _SOMEBODY.search(text)
    if say.intent == "basket_add":
        return bool(_NEEDS_ONE.search(text) or _LISTS.search(text)) and not changes(text) and not points(text)
    return say.intent == "basket_show" and _LOOKS_AT.search(text) is not None


def _wants_goods(text: str, say: Say, held: Held, names: Names) -> str:
    """Hear a wish for goods in what was taken for chatter, or for something about a basket that is empty."""
    if say.slot("awaiting"):
        return ""
    around = say.intent == "reorder" and main_clause(text) != text  # "doing the weekly shop. Let's start with milk"
    deed = say.intent in {"basket_add", "basket_remove"} and called_so(text, names)  # "bin bags"
    if (
        deed
        or _asks_after_all(text, say, names)
        or ((say.intent in NOT_ABOUT_GOODS or around) and _WANTS.search(text) and names(text))
    ):
        return "product_search"
    if say.intent in SELDOM_ABOUT_GOODS and _ASKS_FOR.search(text) and names(text) and not names_order(text):
        return "product_search"
    asks_nothing = say.intent == "product_details" and question(text).aspect in {Aspect.ATTRIBUTE, Aspect.ALL}
    plain = _HAVE.sub("", _FOR_IT.sub("", text))  # "and drinks for it?", "green tea have?"
    if (
        asks_nothing and len(plain.split()) <= MOST_NAMING and not points(plain) and names(plain)
    ):  # "and fabric softener?"
        return "product_search"
    only_named = say.intent == "basket_add" and len(text.split()) <= MOST_NAMING and not _BASKET_WORD.search(text)
    if (
        only_named
        and not changes(text)
        and not points(text)
        and not _COUNTED.search(text)
        and not _VERB.search(text)
        and names(text)
    ):
        return "product_search"  # "yoghurt pls" looks first
    about_nothing = say.intent in {"basket_remove", "basket_show"} and not _BASKET_WORD.search(text)
    return "product_search" if about_nothing and not changes(text) and not held() and names(text) else ""


def _what_is_safe(text: str, say: Say) -> str:
    """Hear "which pasta can I eat? I am allergic to gluten": not a question about one product, but for some that are safe."""
    if not rules_out(text):
        safe = _IS_SAFE.search(text) and say.intent in _WEAK | {"compare", "pick_item", "product_search"}
        return "product_details" if safe and places(text) else ""
    asks = _SAFE.search(text) or (_ALLERGIC.search(text) and QUESTION.search(text) and not places(text))
    return "product_search" if asks and say.intent in _WEAK | {"product_details", "recommend", "compare"} else ""


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
    return "out_of_scope" if say.likeliest == "out_of_scope" and QUESTION.search(text) else ""


def _about_the_basket(text: str, say: Say, held: Held, names: Names) -> str:
    """Return the intent of a message that says "basket", or that speaks of what is in it."""
    taken = say.intent
    out = _OUT.search(text)
    if out and taken in _WEAK | {"product_search", "refine_search", "pick_item", "basket_add"}:
        return "basket_remove"
    into = None if out else _INTO.search(text)
    asked = into and _SENTENCE_END.split(text[: into.start()])[-1]
    if into and not _ASKS.search(requested(asked or text)) and not taken.startswith(("coupon", "order")):
        return _into_the_basket(text, say, held)
    just_now = say.last_act.startswith("basket.")
    counted = (just_now and any(map(_is_plain, changes(text, names)))) or any(map(_clears, changes(text)))
    if taken == "basket_remove" and rules_out(text) and isinstance(say.slot("search_state"), dict) and not held():
        return "refine_search"
    if (
        (taken in _NOT_OF_BASKETS and not (counted and taken in _MAY_CHANGE))
        or names_order(text)
        or say.slot("awaiting") == "order"
    ):
        return ""
    if taken.startswith("coupon"):
        return ""
    return _asks_what_is_in(text, say, held) or _changes_it(text, say, held, names) or _asks_the_total(text, say, held)


def _into_the_basket(text: str, say: Say, held: Held) -> str:
    """Return what a message with "in my basket" means: that something goes in, must not, or that all is not well with what is there."""
    taken, done, wanted = say.intent, putting(text), changes(text)
    if picks(text) and taken != "human":  # "second one goes in the cart"
        return "basket_add"
    if taken in _NOT_OF_BASKETS:
        return taken
    if done is Putting.DENIES:
        return "deny"
    if done is Putting.TELLS:
        gone = bool(wanted) and _deed(wanted) == "basket_remove"
        told = "complaint" if taken == "basket_add" else taken
        return "basket_remove" if gone else _asks_what_is_in(text, say, held) or told
    named_only = done is Putting.NAMES and not wanted and not places(text) and quantity(text)[0] is None
    return (
        taken if named_only and taken in {"deny", "basket_show", "product_details"} else _deed(wanted) or "basket_add"
    )


def _changes_it(text: str, say: Say, held: Held, names: Names) -> str:
    """Hear a deed that is done to what the basket holds, or to what was just put in; and what else goes in."""
    just_now, shown = say.last_act.startswith("basket."), isinstance(say.slot("search_state"), dict)
    wanted = changes(text, names)
    if wanted:
        first = wanted[0]
        bare = (
            first.deed in {Deed.CLEAR, Deed.TIMES, Deed.SET, Deed.UNDO}
            or not first.what
            or bool(_POINTING.fullmatch(first.what))
        )
        if first.deed is Deed.SWAP:  # "I meant coffee" may be said of anything, "I meant the first" of what was put in
            bare = bare and places(first.new)
        if first.deed is Deed.KEEP and just_now:
            bare = places(first.what)
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


_TAKES_OUT = re.compile(r"\b(?:remove|delete|ditch|take (?:it|that|them) out|get rid of|bin)\b", re.IGNORECASE)


def _is_plain(change: Change) -> bool:
    """Whether a change can hardly mean anything but a basket: it counts, empties, or takes something out."""
    keeps = change.deed is Deed.KEEP and places(change.what) and "?" not in change.said
    counted = change.count is not None or change.deed in {Deed.CLEAR, Deed.TIMES, Deed.UNDO}
    return counted or keeps or bool(_TAKES_OUT.search(change.said))


def _clears(change: Change) -> bool:
    return change.deed is Deed.CLEAR and _BASKET_WORD.search(change.said) is not None


def _deed(wanted: Sequence[Change]) -> str:
    if not wanted:
        return ""
    return "basket_remove" if wanted[0].deed in {Deed.REMOVE, Deed.KEEP, Deed.CLEAR} else "basket_add"


def _asks_what_is_in(text: str, say: Say, held: Held) -> str:
    empty = _EMPTY.search(text) and say.last_act.startswith("basket.")
    asks = (empty or _HAVE_I.search(text)) and (say.last_act.startswith("basket.") or named(text, held()))
    return "basket_show" if asks else ""


def _asks_the_total(text: str, say: Say, held: Held) -> str:
    just_now = say.last_act.startswith("basket.") and ".reminder" not in say.last_act
    so_far = just_now and not places(text) and _SO_FAR.search(text)
    asked = _TOTAL.search(text) or (_COMES_TO.search(text) and not places(text))
    return "basket_show" if so_far or (asked and held()) else ""


def _about_an_order(text: str, taken: str) -> str:
    """Return the intent of a wish about an order that is named; "" where there is none, or it was understood."""
    if taken.startswith("order_") or taken not in _MISREAD_AS_ORDERS | {"complaint"}:
        return ""
    named, kind = names_order(text), kind_of_wish(text)
    named = named or ("word" if "email" in read_proof(text, asked=False) else "")
    if not kind or not named or (taken == "complaint" and named != "number"):
        return ""
    return _ORDER_INTENTS[kind]

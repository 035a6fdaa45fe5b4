"""What only makes sense after the last answer: "and on Monday?", "until when?", "how much is the first?", "I'll take it"."""

from __future__ import annotations

import re

from chatbot.actions.say import Say
from chatbot.shopping.facts import Aspect, question
from chatbot.shopping.follow_up import changes_search, turns_down
from chatbot.shopping.picks import picks
from chatbot.shopping.references import one_place, places, points
from chatbot.shopping.wish import limits_in, rules_out

UNSURE = 0.6
_ANEW = frozenset(("human", "never_mind", "bot_challenge"))
_ABOUT_ANSWER = frozenset(
    ("inform", "clarify", "out_of_scope", "affirm", "deny", "thanks", "chitchat", "correction", "feedback", "repeat", "help", "why", "product_details", "pick_item")
)  # fmt: skip
_LOST = frozenset(("inform", "clarify", "out_of_scope", "correction", "chitchat", "repeat", "help", "reorder"))
_COUPON = re.compile(
    r"\b(?:what (?:is|'s) it|what for|for what|valid|expir\w*|runs? out|ends?|until when|how long|use it|where|mean|minimum|get it|which products?)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:code|number) (?:is|was|says)\b|\b(?:doesn'?t|does not|didn'?t|won'?t) (?:work|go through|apply)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"^\W*(?:and|what about|how about|or|also)\b", re.IGNORECASE)
_DAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|week-?ends?|holidays?|today|tomorrow|tonight|now|christmas|easter|new year'?s?|thanksgiving|mornings?|evenings?|late|early|noon)\b",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    r"^\W*(?:and )?(?:(?:un)?till? (?:when|what time|how late)|how late|when (?:do|does|till))\b", re.IGNORECASE
)
_GAINS = re.compile(
    r"\b(?:what(?:'s| is| do| does| would)? (?:i|it|we|in it|the (?:point|use|good|benefits?|advantages?|perks?))\b.{0,20}|benefits?|advantages?|perks?|worth it)",
    re.IGNORECASE,
)
_HOW_COME = re.compile(
    r"\b(?:how come|why)\b.{0,40}\b(?:show|showing|recommend|suggest|offer|pick|picked|chose|see|get)\b", re.IGNORECASE
)
_PRICE = re.compile(r"\b(?:how much|what (?:does|do|is|are)|price|cost)\b", re.IGNORECASE)
_SHOP = {
    "shop.hours": "store_hours", "shop.location": "store_location", "shop.delivery": "delivery_info", "shop.payment": "payment_info", "shop.returns": "return_policy",
}  # fmt: skip
_TAKES = re.compile(
    r"(?:^|[,.;!]\s*(?:so |and |then |well )*)\W*(?:(?:ok(?:ay)?|yes|yeah|yep|sure|great|good|fine|perfect|lovely|alright|so|then|well)\b\W*)*"
    r"(?:i(?:'ll| will| shall|'d| would) (?:like to )?(?:take|have|buy|get|choose)|i (?:take|buy|choose)|i(?:'ll| will| shall|'d| would|'m| am)? go(?:ing)? (?:for|with)|give me|let me have|(?:can|could|may) i (?:please )?(?:have|get)|i want|i(?:'d| would) like(?! to\b)|we'?ll (?:take|have))\b",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    r"\b(?:later|tomorrow|elsewhere|another (?:time|day)|some other (?:time|day)|next (?:time|week)|not (?:now|yet|today)|(?:on|by|until|before) (?:\w+day|the weekend))\b",
    re.IGNORECASE,
)
_THAT = r"(?:(?:it|that|this|them|those|these)(?: (?:ones?|two|three|both|all))?|(?:both|all|one|two|three|four|\d{1,2}) of (?:it|that|this|them|those|these))"
_TAKES_THAT = re.compile(  # a pronoun that is taken, and no more said of it: "I'll take it back" takes nothing
    rf"^\s*(?:just |only |also |then |please )*{_THAT}\s*(?:$|[.,;:!?](?!\s*(?:are|is|do|does|so)\b)|(?:please|pls|plz|then|thanks?|thank|too|also|as well|now|and|instead|twice|x ?\d|cheers|ta|for (?!free|less|later)|if you (?:have|got)|in my|in the|for now|after all|anyway|my friend|mate|love)\b)",
    re.IGNORECASE,
)
_SPOKEN_OF_OTHERWISE = re.compile(
    r"\b(?:back|deliver\w*|ship(?:ped|ping)?|sent|posted|in writing|by (?:e-?mail|post|mail|phone)|explain\w*|refund\w*|repair\w*|fix(?:ed)?|wrapped|replac\w*|return\w*|check(?:ed)?|cancel\w*|for free|for less|cheaper if|to (?:be|stop|go|come|work|call|know)|at home|already|out|away|off|removed|gone)\b",
    re.IGNORECASE,
)
_TAKES_NO_WORD = re.compile(
    r"\W*(?:(?:ok(?:ay)?|yes|good|fine|then|so)\b\W*)*(?:i|we)(?:'ll| will|'d)? (?:take|buy|want)(?: please| then| now)*\W*",
    re.IGNORECASE,
)
_SAME_AGAIN = {"place.": "find_in_store", "stock.": "stock"}
_SO_MANY = re.compile(
    r"^\W*(?:no |wait |just |only |make (?:it|that) |i(?:'ll)? (?:need|want|take) )*(?:\d{1,2}|one|two|three|four|five|six|ten)\s*(?:packs?|pieces?|bottles?|cans?|bags?|boxes|of (?:them|those|it|these))?(?: please)?\W*$",
    re.IGNORECASE,
)
_NUMBER_OF = re.compile(
    r"^\W*(?:and |also )*(?:\d{1,2}|an?|one|two|three|four|five|six|ten|some)\s+(?:of\s+)?[a-z]{3,}", re.IGNORECASE
)
_ASKS = re.compile(
    r"\?|^\W*(?:and |but )?(?:is|are|do|does|did|has|have|can|could|which|what|how|any|some|i(?:'d| would)? (?:want|need|like))\b",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:compar\w*|versus|vs|better|best|difference|differ\w*|or|than|cheaper|bigger|which|between|against|with|same|other|others|rest)\b",
    re.IGNORECASE,
)
_IS_ONE = re.compile(
    r"^\W*(?:and |but |so )?(?:is|does|has|would|will|can) (?:the )?(?:first|second|third|fourth|fifth|last|number \w+|no\.? ?\d|nr\.? ?\d)\b(?!.*\b(?:or|than|and|vs|versus|better|cheaper|between|bigger|compare|different|same)\b)",
    re.IGNORECASE,
)
_DELETES = re.compile(r"\b(?:delete|erase|forget|remove|wipe)\s+(?:that|it|this|all|everything|them)\b", re.IGNORECASE)
ALL_OF_IT = re.compile(
    r"\b(?:show|tell|list) (?:me |us )?(?:just |simply )?(?:which|what|all|the) (?:ones?|kinds?|sorts?|types?|you)\b.{0,20}\b(?:have|sell|carry|got|stock|there (?:is|are))\b|\bwhich ones? do you (?:have|sell|carry)\b",
    re.IGNORECASE,
)
_HOW_LONG = re.compile(r"\b(?:how long|until when|how many days|deadline|too late|time limit)\b", re.IGNORECASE)
_OTHER_KIND = re.compile(
    r"\b(?:bigger|larger|smaller|cheaper|in (?:another|a different|other)|(?:other|different|another) (?:sizes?|colou?rs?|brands?|flavou?rs?))\b",
    re.IGNORECASE,
)


_CHOICES = _ABOUT_ANSWER | {
    "product_search", "refine_search", "recommend", "compare", "stock", "complaint", "reorder", "goodbye", "greet", "basket_show", "basket_remove", "order_exchange", "find_in_store",
}  # fmt: skip
_OTHERS = re.compile(
    r"\b(?:what else|any(?:thing)? else|(?:some|any|the|see|show) others?|other ones|more of (?:them|those|these))\b",
    re.IGNORECASE,
)
_IS_FREE = re.compile(r"\b(?:is|are|there'?s|theres) (?:there )?(?:no|any|really no) \w+ in\b", re.IGNORECASE)
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
MOST_FOLLOWING = 8


def follows(text: str, say: Say) -> str:
    """Return the intent that a message has after the last answer; "" where that changes nothing."""
    if say.intent in _ANEW:
        return ""
    readers = (_after_coupon, _after_shop, _after_account, _after_refund, _after_basket, _after_products)
    return next((found for read in readers if (found := read(text, say))), "")


def _after_coupon(text: str, say: Say) -> str:
    if not say.last_act.startswith("coupon.") or say.intent.startswith("coupon"):
        return ""
    if _CODE.search(text):
        return "coupon_problem"
    told_of_it = say.intent in _ABOUT_ANSWER or (
        points(text) and say.intent in {"stock", "store_hours", "find_in_store"}
    )
    return "coupon_status" if told_of_it and _COUPON.search(text) else ""


def _after_shop(text: str, say: Say) -> str:
    """Hear "and on Sunday?" after the hours, "how much is that?" after the delivery."""
    same = next((intent for act, intent in _SHOP.items() if say.last_act.startswith(act)), "")
    short = len(text.split()) <= 6
    if not same or not short or say.intent.startswith(("store", "delivery", "payment", "return")):
        return ""
    if same == "store_hours" and (_DAY.search(text) or _UNTIL.search(text)):
        return same
    if same == "store_hours" and _WHERE.search(text) and not say.intent.startswith("find"):
        return "store_location"
    asks = _AND.match(say.said) and say.confidence < UNSURE
    return same if asks or (_PRICE.search(text) and points(text) and same == "delivery_info") else ""


def _after_account(text: str, say: Say) -> str:
    if (
        say.last_act.startswith("account.membership")
        and not say.intent.startswith(("membership", "forget", "consent"))
        and _GAINS.search(text)
    ):
        return "membership"
    told = say.last_act.startswith(("account.knowledge", "account.membership"))
    return (
        "forget_me" if told and _DELETES.search(text) and not say.intent.startswith(("forget", "erase", "keep")) else ""
    )


def _after_refund(text: str, say: Say) -> str:
    asked = say.last_act.startswith(("order.unmanaged", "people.complaint", "shop.returns", "order.return"))
    return "return_policy" if asked and _HOW_LONG.search(text) and say.intent != "order_status" else ""


def _after_basket(text: str, say: Say) -> str:
    filled = say.last_act.startswith(("basket.added", "basket.changed"))
    more = _AND.match(say.said)
    counted = _NUMBER_OF.match(text) or places(text)
    plain = say.intent in _ABOUT_ANSWER | {"product_search", "refine_search"}
    return "basket_add" if filled and more and counted and plain else ""


def _after_products(text: str, say: Say) -> str:
    """Hear what is said about the products that are shown."""
    if not isinstance(say.slot("search_state"), dict):
        return ""
    if _HOW_COME.search(text) and say.intent not in {"why", "complaint"} and (places(text) or points(text)):
        return "why"
    spoken_of = _NOT_NOW.search(text) or _SPOKEN_OF_OTHERWISE.search(text)
    if picks(text) and say.intent in _CHOICES and not spoken_of:
        return "basket_add"
    readers = (_changes_the_list, _tells_of_one)
    found = next((found for read in readers if (found := read(text, say))), "")
    return found or _asked_again(say) or _so_many(text, say) or _of_the_shown(text, say)


def _changes_the_list(text: str, say: Say) -> str:
    """Hear what turns something down, leaves something out, or asks for others of what is shown."""
    weak = say.intent in _ABOUT_ANSWER - {"product_details", "pick_item", "why"}
    told = say.intent in {"pick_item", "product_details", "product_search"} and not _ASKS.search(text)
    unsure = say.confidence < UNSURE and say.intent in {"product_details", "product_search", "pick_item", *_LOST}
    words = len(text.split())
    price, _ = limits_in(text)
    new_limit = (price.above, price.below) != (None, None) and not say.intent.startswith(("basket", "order", "human"))
    more = (
        say.intent in {"recommend", "product_search", *_LOST}
        and say.last_act.startswith("search.")
        and words <= MOST_FOLLOWING
    )
    changes = (
        (new_limit and words <= MOST_FOLLOWING and not places(text) and say.intent.startswith("coupon")),
        (more and _OTHERS.search(text)),
        (weak and (turns_down(text) or ALL_OF_IT.search(text))),
        (rules_out(text) and (weak or told or say.intent == "complaint")),
        (say.intent in _LOST and changes_search(text)),
        (
            unsure and len(text.split()) <= 2 and not points(text)
        ),  # "vanilla?": of what is shown, if there is such a thing
    )
    return "refine_search" if any(changes) and not (say.intent == "affirm" and places(text)) else ""


def _tells_of_one(text: str, say: Say) -> str:
    """Hear a question about one of the shown, or the choice of it ("yeah, the first")."""
    if say.intent == "affirm" and places(text):
        return "pick_item"
    promised = say.intent in {"product_search", "refine_search", *_LOST} and _IS_FREE.search(text) and places(text)
    if promised:
        return "product_details"  # "can you promise there's no milk in the first"
    asked = say.intent in _LOST | {"product_search"} and places(text) and question(text).aspect is not Aspect.ALL
    of_one = say.intent == "compare" and (_IS_ONE.search(text) or (one_place(text) and not _COMPARES.search(text)))
    return "product_details" if asked or of_one else ""


def _asked_again(say: Say) -> str:
    """Hear "and the rice?" after the way to the salt."""
    again = next((intent for act, intent in _SAME_AGAIN.items() if say.last_act.startswith(act)), "")
    plain = say.confidence < UNSURE or say.intent in {"product_search", "inform", "pick_item"}
    return again if plain and _AND.match(say.said) and len(say.text.split()) <= 5 else ""


def _so_many(text: str, say: Say) -> str:
    about_one = say.last_act.startswith(("details.", "place.", "stock.", "basket.added", "basket.changed"))
    takes = _SO_MANY.match(text) or (say.last_act.startswith("details.") and _TAKES_NO_WORD.fullmatch(text))
    return "basket_add" if about_one and takes else ""


def _of_the_shown(text: str, say: Say) -> str:
    if not points(text):
        return ""
    other = say.intent in {"stock", "product_search", "order_exchange"} and say.slot("awaiting") != "order"
    if other and _OTHER_KIND.search(text):
        return "refine_search"
    if say.intent == "basket_show" and _PRICE.search(text) and not say.last_act.startswith("basket."):
        return "product_details"
    taken = say.intent in {"pick_item", "affirm", "inform", "compare", "stock"} and takes(text)
    return "basket_add" if taken else ""


def takes(text: str) -> bool:
    """Whether a message takes what it points at: "I'll take it", not "I'll take it back" and not "tomorrow"."""
    match = _TAKES.search(text)
    if match is None or _NOT_NOW.search(text):
        return False
    rest = text[match.end() :]
    if re.match(
        rf"\W*(?:(?:just|only|also|please) )*{_THAT}\b(?! (?:first|second|third|last|other))", rest, re.IGNORECASE
    ):
        return _TAKES_THAT.match(rest) is not None
    return _SPOKEN_OF_OTHERWISE.search(rest) is None

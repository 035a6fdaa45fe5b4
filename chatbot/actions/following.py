"""What only makes sense after the last answer: "and on Monday?", "until when?", "how much is the first?", "I'll take it"."""

from __future__ import annotations

import re

from chatbot.actions.say import Say
from chatbot.shopping.facts import Aspect, question
from chatbot.shopping.follow_up import changes_search, turns_down
from chatbot.shopping.references import places, points
from chatbot.shopping.wish import rules_out

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
_PRICE = re.compile(r"\b(?:how much|what (?:does|do|is|are)|price|cost)\b", re.IGNORECASE)
_SHOP = {
    "shop.hours": "store_hours", "shop.location": "store_location", "shop.delivery": "delivery_info", "shop.payment": "payment_info", "shop.returns": "return_policy",
}  # fmt: skip
_TAKES = re.compile(
    r"^\W*(?:i(?:'ll| will|'d| would)? (?:like to )?(?:take|have|buy|get|go (?:for|with)|choose)|give me|let me have|(?:can|could) i (?:have|get)|i want|i(?:'d| would) like(?! to\b)|we'?ll (?:take|have))\b",
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
_DELETES = re.compile(r"\b(?:delete|erase|forget|remove|wipe)\s+(?:that|it|this|all|everything|them)\b", re.IGNORECASE)
_HOW_LONG = re.compile(r"\b(?:how long|until when|how many days|deadline|too late|time limit)\b", re.IGNORECASE)
_OTHER_KIND = re.compile(
    r"\b(?:bigger|larger|smaller|cheaper|in (?:another|a different|other)|(?:other|different|another) (?:sizes?|colou?rs?|brands?|flavou?rs?))\b",
    re.IGNORECASE,
)


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
    short = len(text.split()) <= 5
    if not same or not short or say.intent.startswith(("store", "delivery", "payment", "return")):
        return ""
    if same == "store_hours" and _DAY.search(text):
        return same
    asks = _AND.match(say.said) and say.confidence < UNSURE
    return same if asks or (_PRICE.search(text) and points(text) and same == "delivery_info") else ""


def _after_account(text: str, say: Say) -> str:
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
    weak = say.intent in _ABOUT_ANSWER - {"product_details", "pick_item", "why"}
    if (weak and turns_down(text)) or (rules_out(text) and (weak or say.intent == "complaint")):
        return "refine_search"
    if say.intent in _LOST and changes_search(text):
        return "refine_search"
    if say.intent in _LOST and places(text) and question(text).aspect is not Aspect.ALL:
        return "product_details"
    unsure = say.confidence < UNSURE and say.intent in {"product_details", "product_search", "pick_item", *_LOST}
    if unsure and len(text.split()) <= 2 and not points(text):  # "vanilla?": of what is shown, if there is such a thing
        return "refine_search"
    return _asked_again(say) or _so_many(text, say) or _of_the_shown(text, say)


def _asked_again(say: Say) -> str:
    """Hear "and the rice?" after the way to the salt."""
    again = next((intent for act, intent in _SAME_AGAIN.items() if say.last_act.startswith(act)), "")
    plain = say.confidence < UNSURE or say.intent in {"product_search", "inform", "pick_item"}
    return again if plain and _AND.match(say.said) and len(say.text.split()) <= 5 else ""


def _so_many(text: str, say: Say) -> str:
    about_one = say.last_act.startswith(("details.", "place.", "stock.", "basket.added", "basket.changed"))
    return "basket_add" if about_one and _SO_MANY.match(text) else ""


def _of_the_shown(text: str, say: Say) -> str:
    if not points(text):
        return ""
    other = say.intent in {"stock", "product_search", "order_exchange"} and say.slot("awaiting") != "order"
    if other and _OTHER_KIND.search(text):
        return "refine_search"
    if say.intent == "basket_show" and _PRICE.search(text) and not say.last_act.startswith("basket."):
        return "product_details"
    return "basket_add" if say.intent in {"pick_item", "affirm", "inform"} and _TAKES.search(text) else ""

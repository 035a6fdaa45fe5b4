"""Coupons: asked for, held, and why one does not work."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.looking import Events, keep, state_of
from chatbot.actions.registry import NOT_AN_ANSWER, awaits, on
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import Answer, CouponCheck, HeldCoupon, ShopAssistant
from personalization.types import Money

FLOW = "coupon"
_CODE = re.compile(r"(?<![A-Za-z0-9])((?=[A-Za-z0-9 -]*\d)[A-Za-z0-9](?:[ -]?[A-Za-z0-9]){6,15})(?![A-Za-z0-9])")
_WORDS = re.compile(r"[A-Za-z]{2,}")
CONSENT: tuple[str, str] = ("Yes, make me offers", "you may send me personal offers")


_OTHER_NUMBER = re.compile(  # what a number is of that stands behind it
    r"(?:#|\+|\b(?:orders?|ordered|parcels?|packages?|shipments?|tracking|invoices?|receipts?|call(?:ed|ing)?|phone|telephone|tel|mobile|cell|ring|reach|text|sms|whatsapp|contact|fax|accounts?|member(?:ship)?|loyalty|(?<!gift )card|iban|zip|postcode|e-?mail)\b"
    r"(?:\W+(?:me|us|my|the|is|was|on|at|under|with|by|number|no|nr|num|id|code|of|from|card|back|later))*\W*)$",
    re.IGNORECASE,
)
_CODE_IS = re.compile(r"\b(?:code|coupon|voucher)\b[^.\d]*\border (?:is|was)\W*$", re.IGNORECASE)
_PART = re.compile(r"[A-Za-z0-9]+")
_BESIDE = frozenset(
    [
        "my",
        "the",
        "code",
        "coupon",
        "voucher",
        "is",
        "was",
        "it",
        "its",
        "says",
        "here",
        "ok",
        "try",
        "this",
        "that",
        "a",
        "an",
        "for",
        "please",
        "promo",
        "discount",
        "number",
        "no",
        "order",
        "not",
        "work",
        "i",
        "have",
        "got",
        "with",
        "but",
        "doesn",
        "t",
    ]
)
_PHONE = re.compile(
    r"(?<!\w)(?:\+|00|\(0?)?\d{1,4}\)?[ .-]\d{3}[ .-]?\d{4}(?!\w)|(?<!\w)(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)|(?<!\w)\+\d[\d ()-]{7,}"
)


def code_in(text: str) -> str | None:
    """Return what looks like a coupon's code in the text: capitals and digits, in one piece or in groups; no number of an order or a phone."""
    text = _PHONE.sub(lambda match: "." * len(match[0]), text)
    for match in _CODE.finditer(text):
        parts = [one for one in _PART.finditer(match[1]) if re.search(r"\d", one[0]) or one[0].isupper()]
        parts = [one for one in parts if one[0].lower() not in _BESIDE]
        while parts and _is_of_other(text[: match.start() + parts[0].start()]):
            del parts[0]
        joined = "".join(part[0] for part in parts)
        if 7 <= len(joined) <= 16 and re.search(r"\d", joined):
            return joined.upper()
    return None


def _is_of_other(before: str) -> bool:
    return _OTHER_NUMBER.search(before) is not None and not _CODE_IS.search(before)


@on("coupon")
def _coupon(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.recommend(say.conversation_id, wants_coupon=True)
    if answer.coupon:
        shown = Answer(coupon=answer.coupon, decision_id=answer.decision_id)
        say("coupon.given", shown, [("Why this one?", "why this?"), ("What is it for?", "what is my coupon for")])
    elif assistant.is_member(say.conversation_id) and "marketing" not in assistant.granted(say.conversation_id):
        say("coupon.no_consent", replies=[CONSENT, *ASK_MORE[:1]])
    else:
        say("coupon.none", replies=ASK_MORE[:1])


@on("coupon_status")
def _status(assistant: ShopAssistant, say: Say) -> Any:
    code = code_in(say.text)
    if code is not None:
        return _checked(assistant, say, assistant.check_coupon(say.conversation_id, code))
    held = assistant.coupons(say.conversation_id)
    open_ = [one for one in held if one.status == "open"]
    if len(open_) == 1:
        return _told(say, open_[0])
    if open_:
        lines = "\n".join(f"• {_title(one)}, until {_day(one)}: {one.coupon.code}" for one in open_)
        say("coupon.status.several", Answer(coupon=open_[0].card), ASK_MORE[:1], lines=lines, count=len(open_))
        return None
    if held:
        say(
            f"coupon.status.{held[0].status}",
            replies=[("Any new coupon?", "any coupons for me"), HUMAN],
            title=_title(held[0]),
            day=_day(held[0]),
        )
        return None
    say(
        "coupon.none.held",
        replies=[("Any coupons?", "any coupons for me"), ("I have a code", "my coupon does not work")],
    )
    return None


def _told(say: Say, held: HeldCoupon) -> Any:
    names = ", ".join(product.name for product in held.products[:3])
    more = " and others" if len(held.coupon.product_ids) > 3 else ""
    terms = held.coupon.terms
    on_what = (
        f"on {names}{more}"
        if names
        else "on any product"
        if not terms.categories
        else f"on {', '.join(sorted(terms.categories))}"
    )
    least = (
        f", from a basket of {Money(terms.minimum_basket, held.coupon.discount.currency)}"
        if terms.minimum_basket
        else ""
    )
    replies: Replies = [("What can I use it on?", "show me what my coupon is for")] if held.products else []
    say(
        "coupon.status.one",
        Answer(coupon=held.card),
        [*replies, *ASK_MORE[:1]],
        title=_title(held),
        what=on_what,
        least=least,
        day=_day(held),
    )
    if not held.products:
        return None
    return keep(state_of(say).showing([product.product_id for product in held.products]))


@on("coupon_problem")
def _problem(assistant: ShopAssistant, say: Say) -> Any:
    code = code_in(say.text)
    if code is None:
        held = assistant.coupons(say.conversation_id)
        usable = [one for one in held if one.status == "open"] or held[:1]
        if not usable:
            say("coupon.ask_code", replies=[("I have no code", "any coupons for me"), HUMAN])
            return [SlotSet("awaiting", FLOW)]
        code = usable[0].coupon.code
    return _checked(assistant, say, assistant.check_coupon(say.conversation_id, code))


@awaits(FLOW, also=("coupon_problem", "coupon_status"))
def _heard(assistant: ShopAssistant, say: Say) -> Any:
    code = code_in(say.text.upper()) if say.intent not in {"deny", "never_mind"} else None
    if say.intent in {"deny", "never_mind"}:
        say("coupon.dropped", replies=ASK_MORE[:2])
        return [SlotSet("awaiting", None)]
    if code is None:
        return NOT_AN_ANSWER
    return [
        *(_checked(assistant, say, assistant.check_coupon(say.conversation_id, code)) or []),
        SlotSet("awaiting", None),
    ]


def _checked(assistant: ShopAssistant, say: Say, check: CouponCheck) -> Any:
    """Tell the exact reason, and what to do about it."""
    held = check.held
    values: dict[str, str | int] = {"code": check.code, "basket": str(check.basket or "empty")}
    if held is not None:
        values |= {
            "title": _title(held),
            "day": _day(held),
            "products": ", ".join(product.name for product in held.products[:3]),
        }
    if check.reason is None:
        say(
            "coupon.problem.works",
            Answer(coupon=held.card if held else None),
            ASK_MORE[:1],
            **(values | {"off": str(check.off or "")}),
        )
        return [SlotSet("awaiting", None)]
    act, replies = _advice(check)
    if check.reason.code == "minimum_basket" and held is not None:
        currency = held.coupon.discount.currency
        values |= {name: str(Money(int(check.reason.facts[name] or 0), currency)) for name in ("minimum", "missing")}
    events: Events = [
        SlotSet("awaiting", FLOW if act in {"coupon.problem.unknown_code", "coupon.problem.mistyped_code"} else None)
    ]
    if act == "coupon.problem.not_in_basket" and held is not None and held.products:
        ids = [product.product_id for product in held.products]
        say(act, assistant.show(say.conversation_id, ids), replies, **values)
        return [*events, *keep(state_of(say).showing(ids))]
    shown = (
        Answer(coupon=held.card)
        if held is not None and act in {"coupon.problem.basket_empty", "coupon.problem.minimum_basket"}
        else None
    )
    say(act, shown, replies, **({"reason": check.reason.sentence} | values))
    return events


def _advice(check: CouponCheck) -> tuple[str, Replies]:
    """Return the act for a refusal, and what one can do then."""
    reason = check.reason.code if check.reason is not None else ""
    new: Replies = [("Any new coupon?", "any coupons for me")]
    known: dict[str, Replies] = {
        "expired": [*new, HUMAN], "redeemed": [*new, HUMAN], "of_another": [*new, HUMAN], "unknown_code": [HUMAN], "mistyped_code": [HUMAN],
        "minimum_basket": [("Show my basket", "show my basket"), *ASK_MORE[:1]], "not_in_basket": [("Add the first", "add the first one to my basket"), ("Show my basket", "show my basket")],
        "basket_empty": [("What is it for?", "what is my coupon for"), *ASK_MORE[:1]],
    }  # fmt: skip
    if reason in known:
        bare = reason == "not_in_basket" and (check.held is None or not check.held.products)
        return f"coupon.problem.{reason}{'.plain' if bare else ''}", known[reason]
    return "coupon.problem.other", [HUMAN]


def _title(held: HeldCoupon) -> str:
    terms = held.coupon.terms
    if terms.percent_bp:
        return f"{terms.percent_bp / 100:g} % off, up to {held.coupon.discount}"
    return f"{held.coupon.discount} off"


def _day(held: HeldCoupon) -> str:
    return f"{held.coupon.expires_at:%d %B %Y}"

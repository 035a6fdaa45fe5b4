"""What a person reads before they take a conversation over: why, how the shopper feels, what they want, and what was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.people import wants_person

MOST_TRIED = 4


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message of the shopper and the acts of its answer."""

    said: str
    acts: tuple[str, ...] = ()


_WHY = {
    "asked": "asked for a person", "misunderstood": "was not understood twice running", "falling_affect": "is getting more and more upset",
    "sensitive": "a sensitive topic", "value_at_risk": "a very good customer who is upset", "unavailable": "the assistant is away",
}  # fmt: skip
_TOPICS = (
    (("order.cancel",), "to cancel an order"), (("order.return",), "to return something"), (("order.exchange",), "to exchange something"),
    (("order.change_account_address", "account.address"), "a new address in the account"), (("order.change",), "to change an order"),
    (("order.",), "help with an order"), (("coupon.",), "a coupon"), (("basket.", "reorder."), "help with the basket"),
    (("search.", "recommend.", "pick.", "details.", "compare.", "stock.", "place.", "why."), "a product"),
    (("account.", "forget_chat."), "something about their account or their data"), (("shop.",), "something about the shop"),
    (("people.complaint",), "to complain"), (("people.feedback",), "to tell their opinion"), (("file.",), "somebody to look at a file"),
)  # fmt: skip
_DID = (
    ("order.identify.blocked", "could not confirm who they are"), ("order.identify.unknown", "found no account with what they gave"),
    ("order.identified", "found their account"), ("order.identify", "asked who they are"), ("order.which", "asked which order or item it is"),
    ("order.unknown_order", "found no such order in their account"), ("order.no_such_item", "found no such item in their orders"),
    ("order.cancel.done", "cancelled an order"), ("order.return.done", "requested a return"), ("order.exchange.done", "requested an exchange"),
    ("order.change_items.done", "changed the items of an order"), ("order.change_address.done", "changed the address of an order"),
    ("order.change_payment.done", "changed how an order is paid"), ("order.change_account_address.done", "changed the address of the account"),
    ("order.forbidden", "refused, as the order policy does not allow it"), ("order.nothing_possible", "found no order with which it is possible"),
    ("order.told", "told about their orders"), ("order.history", "told what they bought"), ("order.unclear", "did not understand an answer about an order"),
    ("order.dropped", "left an order as it is, as they wished"), ("order.instead", "offered another way, since the policy does not allow it"),
    ("order.unmanaged", "could not change orders, which are not connected here"), ("order.undo", "could not undo what is done"), ("order.", "asked for what an order change needs"),
    ("coupon.given", "gave a coupon"), ("coupon.none", "had no coupon for them"), ("coupon.no_consent", "had no coupon without their consent"),
    ("coupon.problem", "looked at why a coupon does not work"), ("coupon.", "told about their coupons"),
    ("search.nothing", "found no such product"), ("search.none", "found nothing within their limits"), ("search.no_more", "had no more to show"),
    ("search.unknown", "could not tell what the catalogue leaves out"), ("search.refine", "asked what to look for"), ("search.ask", "asked what to look for"),
    ("search.", "showed products"), ("recommend.nothing", "had nothing to suggest"), ("recommend.", "suggested products"),
    ("pick.", "asked which product is meant"), ("details.which", "asked which product is meant"), ("details.", "told about a product"), ("compare.", "compared products"),
    ("stock.", "told whether it is in stock"), ("place.", "told where it stands"), ("why.", "told why it was suggested"),
    ("basket.added", "put things into the basket"), ("basket.removed", "took things out of the basket"), ("basket.cleared", "emptied the basket"),
    ("basket.shown", "showed the basket"), ("basket.", "asked or told about the basket"), ("reorder.", "could not repeat an earlier order"),
    ("account.", "told about their account or their data"), ("forget_chat.", "asked whether to forget the conversation"), ("shop.", "told about the shop"),
    ("people.complaint", "heard a complaint"), ("file.", "took a file"), ("people.feedback", "asked for or took a rating"), ("handoff.offer", "offered a person"),
    ("conversation.clarify", "did not understand"), ("conversation.inform", "did not know what to do with a detail"),
    ("conversation.out_of_scope", "could not help with that"), ("conversation.failed", "failed for a technical reason"), ("conversation.fallback", "could only show popular products"),
    ("conversation.not_yet", "cannot do that yet"), ("conversation.correction", "asked what was meant"),
)  # fmt: skip
_SMALL_TALK = ("conversation.", "handoff.", "tone.")


def did(act: str) -> str:
    """Return in words what an act of the assistant did; "" for small talk and the hand-off itself."""
    return next((words for beginning, words in _DID if act.startswith(beginning)), "")


def topic(acts: Sequence[str]) -> str:
    """Return what a shopper wants who is answered with these acts; "" where they tell nothing of it."""
    return next((words for beginnings, words in _TOPICS for act in acts if act.startswith(beginnings)), "")


def briefing(
    *, reason: str, states: Sequence[str], cause: str | None, exchanges: Sequence[Exchange], language: str = ""
) -> list[str]:
    """Return the lines: why, the language where it is not the usual one, the mood, the wish in the shopper's own words, what was tried, and what they wrote last."""
    lines = [f"Why: {_WHY.get(reason, reason.replace('_', ' '))}."]
    if language:
        lines.append(f"Language: {language}.")
    if states:
        lines.append(f"Mood: {states[-1]}{f'; {cause}' if cause else ''}.")
    if wish := _wish(exchanges):
        lines.append(wish)
    tried = [words for one in exchanges for act in one.acts if (words := did(act))]
    tried = [words for at, words in enumerate(tried) if at == 0 or words != tried[at - 1]][-MOST_TRIED:]
    if tried:
        lines.append(f"The assistant: {'; '.join(tried)}.")
    if exchanges:
        lines.append(f"Wrote last: “{exchanges[-1].said}”")
    return lines


def _wish(exchanges: Sequence[Exchange]) -> str:
    """Return the wish that was talked of last, with the words that began it."""
    began, about = "", ""
    for one in reversed(exchanges):
        found = topic(one.acts)
        if about and found and not _same(found, about):
            break
        if found and not wants_person(one.said):
            began, about = one.said, _nearer(found, about)
    return f"Wants {about}: “{began}”" if about else ""


def _same(one: str, other: str) -> bool:
    return one == other or {one, other} & {"help with an order"} != set()


def _nearer(found: str, known: str) -> str:
    return found if not known or known == "help with an order" else known

"""The shopper's own data: membership, orders, what is stored, what is concluded, consent, and being forgotten."""

from __future__ import annotations

import json
import re
from typing import Any

from rasa_sdk.events import Restarted, SlotSet

from chatbot.actions.registry import NOT_AN_ANSWER, awaits, on
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import ShopAssistant

NOT_ME: tuple[str, str] = ("That is not me", "that is not me")


_PURPOSES = (
    (re.compile(r"\b(?:face|camera|recogni[sz]e)"), ("face_recognition", "expression")),
    (re.compile(r"\b(?:offers?|coupons?|marketing|advert\w*|ads|promotions?|newsletters?|mail(?:s|ings?)?)\b"), ("marketing",)),
    (re.compile(r"\b(?:purchases?|history|what i b(?:uy|ought)|profil\w*|personal suggestions|recommendations?|track\w*|analy\w*)\b"), ("profiling",)),
    (re.compile(r"\b(?:location|where i am)\b"), ("location",)),
)  # fmt: skip
_SAID = {
    "profiling": "using what you bought", "marketing": "personal offers", "location": "which shop you are in", "face_recognition": "recognising your face at displays",
    "expression": "reading your facial expression", "research": "research", "sensors": "readings of your devices",
}  # fmt: skip


@on("membership")
def _membership(assistant: ShopAssistant, say: Say) -> None:
    shop = assistant.shop()
    if assistant.is_member(say.conversation_id):
        agreed = [_SAID.get(purpose, purpose) for purpose in sorted(assistant.granted(say.conversation_id))]
        act = "account.membership.member" if agreed else "account.membership.member.nothing_agreed"
        replies: Replies = [
            ("What do you know about me?", "what do you know about me"),
            ("Any coupons?", "any coupons for me"),
        ]
        say(act, replies=replies, agreed=", ".join(agreed))
    elif shop.membership:
        say("account.membership.join", replies=ASK_MORE[:2], membership=shop.membership)
    else:
        say("account.membership.unknown", replies=[HUMAN, *ASK_MORE[:1]], contact=shop.contact)


@on("consent_withdraw")
def _withdraw(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.consent.unknown", replies=ASK_MORE[:1])
        return
    granted = assistant.granted(say.conversation_id)
    asked = {purpose for rule, purposes in _PURPOSES if rule.search(say.text.lower()) for purpose in purposes}
    if re.search(r"\b(?:everything|all|any of)\b", say.text.lower()):
        asked = set(granted)
    taken = sorted((asked or {"profiling", "marketing"}) & granted)
    if not taken:
        say(
            "account.consent.none", replies=[("What do you know about me?", "what do you know about me"), *ASK_MORE[:1]]
        )
        return
    assistant.withdraw(say.conversation_id, taken)
    named = " and ".join(_SAID.get(purpose, purpose) for purpose in taken)
    say(
        "account.consent.withdrawn",
        replies=[
            ("Agree again", "you may use my purchases"),
            ("What do you know about me?", "what do you know about me"),
        ],
        what=named,
    )


@on("forget_chat")
def _forget_chat(assistant: ShopAssistant, say: Say) -> Any:
    say("account.forget_chat.confirm", replies=[("Yes, forget this chat", "yes"), ("No, keep it", "no")])
    return [SlotSet("awaiting", "forget_chat")]


@awaits("forget_chat", also=("forget_chat", "keep_data"))
def _forget_chat_heard(assistant: ShopAssistant, say: Say) -> Any:
    if say.intent in {"affirm", "forget_chat"}:
        say("account.forget.chat", receipt=assistant.forget_chat(say.conversation_id))
        return [Restarted()]
    if say.intent in {"deny", "never_mind", "keep_data"}:
        say("account.kept")
        return [SlotSet("awaiting", None)]
    return NOT_AN_ANSWER


@on("forget_me")
def _forget_me(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.forget.unknown", replies=[HUMAN])
        return
    say(
        "account.forget",
        replies=[
            ("Forget my face", "forget my face only"),
            ("Forget everything", "forget everything"),
            ("Keep my data", "keep my data"),
        ],
    )


@on("forget_face_only")
def _forget_face(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.unknown", replies=ASK_MORE[:1])
        return
    say("account.forget.face", outcome=assistant.forget_face(say.conversation_id).text)


@on("forget_everything")
def _confirm_erase(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.erase.unknown")
        return
    replies = [("Yes, erase everything", "/erase_now"), ("No, keep my data", "keep my data")]
    say("account.erase.confirm", replies=replies)


@on("erase_now")
def _erase(assistant: ShopAssistant, say: Say) -> None:
    say("account.erased", outcome=assistant.erase(say.conversation_id).text)


@on("keep_data")
def _keep(assistant: ShopAssistant, say: Say) -> None:
    say("account.kept")


@on("what_do_you_know")
def _know(assistant: ShopAssistant, say: Say) -> None:
    wrong: Replies = [NOT_ME] if assistant.conclusions(say.conversation_id) else []
    replies = [*wrong, ("Forget me", "forget me"), ("Keep my data", "keep my data")]
    say("account.knowledge", replies=replies, summary=assistant.knowledge(say.conversation_id).text)


@on("not_me")
def _not_me(assistant: ShopAssistant, say: Say) -> None:
    found = assistant.conclusions(say.conversation_id)
    if not found:
        say("account.not_me.nothing", replies=ASK_MORE[:1])
        return
    wrong = [(title, f"/veto_label{json.dumps({'label': name})}") for name, title in found]
    say("account.not_me", replies=[*wrong, ("All of it is right", "keep my data")])


@on("veto_label")
def _veto_label(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.unknown", replies=ASK_MORE[:1])
        return
    again: Replies = [NOT_ME] if len(assistant.conclusions(say.conversation_id)) > 1 else []
    answer = assistant.veto(say.conversation_id, say.entity("label") or "")
    say("account.label.rejected", replies=[*again, *ASK_MORE[:1]], outcome=answer.text)


@on("kiosk_link")
def _link(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.unknown", replies=ASK_MORE[:1])
        return
    say("account.kiosk_code", outcome=assistant.link_code(say.conversation_id).text)


@on("consent_grant")
def _grant(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("account.unknown", replies=ASK_MORE[:1])
        return
    outcome = assistant.grant_profiling(say.conversation_id).text
    say("account.consent.granted", replies=ASK_MORE[:1], outcome=outcome)

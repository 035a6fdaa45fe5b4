"""The shopper's own data: orders, what is stored, what is concluded, consent, and being forgotten."""

from __future__ import annotations

import json

from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, HUMAN, Replies, Say
from chatbot.ports import ShopAssistant

NOT_ME: tuple[str, str] = ("That is not me", "that is not me")


@on("order_history")
def _orders(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.orders(say.conversation_id)
    say("order.history", answer, ASK_MORE[:1], orders=answer.text)


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
    again: Replies = [NOT_ME] if len(assistant.conclusions(say.conversation_id)) > 1 else []
    answer = assistant.veto(say.conversation_id, say.entity("label") or "")
    say("account.label.rejected", replies=[*again, *ASK_MORE[:1]], outcome=answer.text)


@on("kiosk_link")
def _link(assistant: ShopAssistant, say: Say) -> None:
    say("account.kiosk_code", outcome=assistant.link_code(say.conversation_id).text)


@on("consent_grant")
def _grant(assistant: ShopAssistant, say: Say) -> None:
    outcome = assistant.grant_profiling(say.conversation_id).text
    say("account.consent.granted", replies=ASK_MORE[:1], outcome=outcome)

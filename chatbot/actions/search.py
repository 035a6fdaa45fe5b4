"""Products: search, recommendation, and why something was suggested."""

from __future__ import annotations

from typing import Any

from chatbot.actions.registry import on
from chatbot.actions.say import AFTER_ITEMS, ASK_MORE, HUMAN, Say
from chatbot.ports import ShopAssistant
from personalization.ranking.text import ruled_out_by, unwanted, wanted, words


@on("product_search")
def _search(assistant: ShopAssistant, say: Say) -> None:
    if careful(assistant, say):
        return
    answer = assistant.recommend(say.conversation_id, query=say.text)
    if answer.items and all(item.get("matched") for item in answer.items):
        found = "search.found" if len(answer.items) > 1 else "search.found.one"
        say(found if named(say.text, answer.items) else "search.close", answer, AFTER_ITEMS)
    else:
        say("search.nothing", answer, [ASK_MORE[0], HUMAN])


def careful(assistant: ShopAssistant, say: Say) -> bool:
    """Answer a question that rules something out, an allergy say; False when it does not."""
    if not unwanted(say.text):
        return False
    answer = assistant.recommend(say.conversation_id, query=say.text)
    say("search.careful", answer, [*AFTER_ITEMS[:1], HUMAN], excluded=" and ".join(ruled_out_by(say.text)))
    return True


def named(query: str, items: list[dict[str, Any]]) -> bool:
    """Whether every word of the query stands on some item: who asks for oat milk is not told that milk is it."""
    shown = {word for item in items for word in words(f"{item.get('name', '')} {item.get('category', '')}")}
    return set(words(wanted(query))) <= shown


@on("recommend")
def _recommend(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.recommend(say.conversation_id)
    if not answer.items:
        say("recommend.nothing", replies=[HUMAN])
    else:
        replies = AFTER_ITEMS[:1] if say.troubled else AFTER_ITEMS
        say("recommend.given", answer, replies, explanation=answer.text)


@on("why")
def _why(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.why(say.conversation_id)
    replies = [("What do you know about me?", "what do you know about me"), *ASK_MORE[:1]]
    say("why.given" if answer.text else "why.nothing", answer, replies, reasons=answer.text)

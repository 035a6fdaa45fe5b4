"""Dialogue engines: Rasa's answers, the switch to the fallback and back, order within a conversation."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from chatbot.affect import AffectState
from chatbot.engines import AT_ONCE, FallbackEngine, RasaEngine, ResilientEngine
from chatbot.ports import MEMORY, BotMessage, EmptyAnswerError, EngineUnavailableError, Reply, Turn

CALM = AffectState(0.0, 0.1, "neutral", "2026-05-01T00:00:00+00:00")


def turn(text: str = "hi", conversation: str = "c") -> Turn:
    return Turn(conversation, text, CALM)


async def no_items(_: str) -> tuple[list[dict[str, Any]], str | None]:
    return [], None


class Flaky:
    """Fails while `broken`; counts how often it was asked."""

    def __init__(self) -> None:
        self.broken, self.asked = False, 0

    async def respond(self, asked: Turn) -> Reply:
        self.asked += 1
        if self.broken:
            raise EngineUnavailableError("down")
        return Reply([BotMessage("fine")], "rasa")


def test_rasas_answer_keeps_cards_coupon_and_quick_replies() -> None:
    custom: dict[str, Any] = {
        "act": "search.found",
        "text": "Here",
        "items": [{"product_id": "p"}],
        "coupon": {"code": "X"},
        "decision_id": "d",
        "basket": {"lines": []},
        "table": None,
        "quick_replies": [{"title": "A", "text": "b"}],
        MEMORY: {"slots": {"awaiting": "order"}},
    }
    sent: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=[{"recipient_id": "c", "custom": custom}])

    async def ask() -> Reply:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await RasaEngine(client, ["http://rasa"], 1.0).respond(turn("hello"))

    reply = asyncio.run(ask())
    assert reply.messages[0].as_json() == {name: value for name, value in custom.items() if name != MEMORY}
    assert reply.memory == {"slots": {"awaiting": "order"}}
    assert sent[0]["metadata"]["state"] == "neutral"
    assert sent[0]["metadata"][MEMORY] is None


@pytest.mark.parametrize(
    "answer", [httpx.Response(500), httpx.Response(200, text="<html>"), httpx.Response(200, json=[])]
)
def test_an_error_nonsense_or_silence_counts_as_unavailable(answer: httpx.Response) -> None:
    async def ask() -> Reply:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
            return await RasaEngine(client, ["http://rasa"], 1.0).respond(turn())

    with pytest.raises(EngineUnavailableError):
        asyncio.run(ask())


def test_while_one_rasa_is_away_the_next_answers_and_the_first_is_asked_again_when_it_is_back() -> None:
    away, asked = {"one"}, list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host in away:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path == "/status":
            return httpx.Response(200)
        asked.append(request.url.host)
        return httpx.Response(200, json=[{"custom": {"text": "fine"}}])

    async def story() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            engine = RasaEngine(client, ["http://one", "http://two"], 1.0)
            await engine.respond(turn())
            await engine.respond(turn())
            assert asked == ["two", "two"]
            away.clear()
            await asyncio.gather(*engine._away.values())  # until it has shown that it is back
            await engine.respond(turn())
            assert asked[-1] == "one"
            away.update({"one", "two"})
            with pytest.raises(EngineUnavailableError):
                await engine.respond(turn())
            away.clear()  # and the very next message finds it, whether or not its return was noticed
            await engine.respond(turn())
            assert asked[-1] == "one"

    asyncio.run(story())


def test_after_two_failures_the_engine_is_left_alone_and_tried_again_later() -> None:
    clock, flaky = [0.0], Flaky()
    engine = ResilientEngine(flaky, FallbackEngine(no_items, "the desk"), clock=lambda: clock[0])

    async def story() -> list[str]:
        seen: list[str] = []
        flaky.broken = True
        seen += [(await engine.respond(turn())).engine for _ in range(5)]
        assert flaky.asked == 2
        flaky.broken = False
        seen.append((await engine.respond(turn())).engine)
        clock[0] = 2.5
        seen.append((await engine.respond(turn())).engine)
        return seen

    assert asyncio.run(story()) == ["fallback"] * 6 + ["rasa"]


def test_the_fallback_says_what_is_going_on_and_offers_a_human() -> None:
    reply = asyncio.run(FallbackEngine(no_items, "the desk").respond(turn("milk?")))
    assert "coming back" in reply.messages[0].text
    assert [(r.title, r.text) for r in reply.messages[0].quick_replies] == [
        ("Talk to a human", "talk to a human"),
        ("Try again", "milk?"),
    ]


def test_who_is_in_distress_or_sold_nothing_is_shown_nothing_by_the_fallback() -> None:
    asked: list[str] = []

    async def popular(conversation_id: str) -> tuple[list[dict[str, Any]], str | None]:
        asked.append(conversation_id)
        return [{"product_id": "p"}], "d"

    engine = FallbackEngine(popular, "the desk")
    upset = replace(CALM, valence=-0.9, label="anger")

    def answer(one: Turn) -> BotMessage:
        return asyncio.run(engine.respond(one)).messages[0]

    for one in (replace(turn(), affect=upset), replace(turn(), sells=False)):
        message = answer(one)
        assert (message.items, message.decision_id) == ([], None)
        assert "something" not in message.text, "nothing is announced that is not there"
    assert asked == [], "nothing is decided for nobody"
    assert answer(turn()).items


def test_the_fallback_says_the_next_thing_in_other_words() -> None:
    engine = FallbackEngine(no_items, "the desk")
    first = asyncio.run(engine.respond(turn())).messages[0].text
    assert asyncio.run(engine.respond(replace(turn(), already_said=[first]))).messages[0].text != first


def test_messages_of_one_conversation_are_answered_in_order_and_others_meanwhile() -> None:
    finished: list[str] = []

    class Slow:
        async def respond(self, asked: Turn) -> Reply:
            for _ in range(3 if asked.text == "first" else 1):
                await asyncio.sleep(0)
            finished.append(f"{asked.conversation_id} {asked.text}")
            return Reply([BotMessage("x")], "rasa")

    async def story() -> None:
        engine = ResilientEngine(Slow(), FallbackEngine(no_items, "d"))
        await asyncio.gather(
            engine.respond(turn("first", "a")), engine.respond(turn("second", "a")), engine.respond(turn("other", "b"))
        )

    asyncio.run(story())
    assert finished.index("a first") < finished.index("a second")
    assert finished[0] == "b other"


def test_beside_a_crowd_messages_are_let_in_few_at_a_time_and_in_order() -> None:
    inside, most, let_in = 0, 0, list[str]()

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal inside, most
        let_in.append(json.loads(request.content)["message"])
        inside, most = inside + 1, max(most, inside + 1)
        for _ in range(3):  # others may come in while this one is answered
            await asyncio.sleep(0)
        inside -= 1
        return httpx.Response(200, json=[{"custom": {"text": "fine"}}])

    async def ask() -> list[Reply]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            engine = RasaEngine(client, ["http://rasa"], 60.0)
            return await asyncio.gather(*(engine.respond(turn(f"m{at}", f"c{at}")) for at in range(5 * AT_ONCE)))

    replies = asyncio.run(ask())
    assert [reply.messages[0].text for reply in replies] == ["fine"] * 5 * AT_ONCE
    assert most == AT_ONCE
    assert let_in == [f"m{at}" for at in range(5 * AT_ONCE)]


def test_who_waits_longer_than_an_answer_may_take_gets_the_fallback_and_room_is_made_again() -> None:
    async def ask() -> tuple[list[Any], Reply]:
        hangs = asyncio.Event()

        async def answer(_: httpx.Request) -> httpx.Response:
            await hangs.wait()
            return httpx.Response(200, json=[{"custom": {"text": "fine"}}])

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            engine = RasaEngine(client, ["http://rasa"], 0.2)
            served = [asyncio.create_task(engine.respond(turn("first", f"c{at}"))) for at in range(AT_ONCE)]
            late = await asyncio.gather(engine.respond(turn("late", "d")), return_exceptions=True)
            hangs.set()
            await asyncio.gather(*served)
            return late, await engine.respond(turn("later", "e"))

    late, later = asyncio.run(ask())
    assert isinstance(late[0], EngineUnavailableError)
    assert later.messages[0].text == "fine"


def test_a_second_wish_that_rasa_does_not_get_to_is_named() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "opening" in json.loads(request.content)["message"] or "open" in json.loads(request.content)["message"]:
            raise httpx.ReadTimeout("slow", request=request)
        return httpx.Response(200, json=[{"custom": {"text": "milk is in aisle 3"}}])

    async def ask() -> Reply:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await RasaEngine(client, ["http://rasa"], 1.0).respond(turn("where is the milk? when do you open?"))

    first, second = asyncio.run(ask()).messages
    assert first.text == "milk is in aisle 3"
    assert second.act == "conversation.left_out"
    assert "when do you open" in second.text


def test_empty_answers_to_one_shopper_close_the_way_to_nobody() -> None:
    class Mute(Flaky):
        async def respond(self, asked: Turn) -> Reply:
            self.asked += 1
            raise EmptyAnswerError("an empty answer")

    mute = Mute()
    engine = ResilientEngine(mute, FallbackEngine(no_items, "the desk"), clock=lambda: 0.0)

    async def story() -> list[str]:
        return [(await engine.respond(turn())).engine for _ in range(5)]

    assert asyncio.run(story()) == ["fallback"] * 5
    assert mute.asked == 5


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("/restart", "restart"), ("/session_start", "session_start"), ("//back", "back"), ("/", "?"), ("/erase_now", "/erase_now"), ('/veto_label{"label": "x"}', '/veto_label{"label": "x"}'), ("milk 1/2", "milk 1/2")],
)  # fmt: skip
def test_only_intents_of_ours_reach_rasa_as_such(typed: str, sent: str) -> None:
    heard: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(json.loads(request.content)["message"])
        return httpx.Response(200, json=[{"custom": {"text": "fine"}}])

    async def ask() -> Reply:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await RasaEngine(client, ["http://rasa"], 1.0).respond(turn(typed))

    asyncio.run(ask())
    assert heard == [sent]

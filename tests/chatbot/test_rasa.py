"""Real Rasa with the real project: phrasings that it was not trained on reach the right action."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from chatbot.actions import build_executor
from chatbot.affect import AffectState
from chatbot.engines import RasaEngine
from chatbot.intents import INTENTS
from chatbot.ports import Answer, Basket, Found, Reply, ShopFacts, Turn
from chatbot.rasa_project import PROJECT, serve_command, train
from chatbot.shopping.wish import Wish
from personalization.types import Money, Product, ProductId

pytestmark = pytest.mark.rasa

HELD_OUT = {
    "recommend": ["could you suggest a few items for me?", "what would you recommend this weekend", "any recommendation today", "please recommend me some things"],
    "search": ["do you have sparkling water?", "do you sell maple syrup", "I'm looking for cat treats", "show me some crackers please", "have you got lemons"],
    "why": ["why are you suggesting this", "why did you pick these", "why am I shown that"],
    "coupon": ["is there any coupon I can use", "got a discount for me?", "any voucher available"],
    "orders": ["show me my last orders", "what did I buy the last time I was here", "can I see my order history"],
    "hours": ["what time are you open until", "when do you close on saturday", "are you open today"],
    "sorry": ["the yogurt I bought was mouldy", "this is really unacceptable", "I was charged twice yesterday"],
    "human": ["can I talk to a real person please", "I want to speak with a human", "get me somebody from staff"],
    "forget": ["please just forget me", "please erase my personal data", "I want you to erase my data"],
    "knowledge": ["what do you know about me exactly", "which information do you have about me", "show me the data you store about me"],
    "code": ["I need the code for the kiosk", "how can I pair with that kiosk", "I want to be recognised by the kiosk"],
    "ai": ["are you a real human?", "am I chatting with a robot"],
    "wrong": ["no, this is really not me", "you got the wrong idea about me", "what it says about me is not true"],
    "welcome": ["thank you very much", "thanks for all your help"],
    "bye": ["bye for now", "goodbye then"],
}  # fmt: skip
SAYS = {
    "recommend": "RECOMMENDED", "search": "found", "why": "WHY", "coupon": "Here is a coupon", "orders": "ORDERS", "hours": "We are open",
    "sorry": "I am sorry", "human": "HANDOFF", "forget": "What should I forget", "knowledge": "KNOWLEDGE", "code": "CODE",
    "ai": "I am an AI", "wrong": "Which of these is not you?", "welcome": "You're welcome", "bye": "Goodbye",
}  # fmt: skip


class FakeShop:
    """Answers with what was asked of it; it has everything but oats and elections, and no orders that can be changed."""

    def is_member(self, _: str) -> bool:
        return True

    def recommend(self, _: str, *, query: str | None = None, wants_coupon: bool = False) -> Answer:
        items = [{"product_id": "p", "name": (query or "").replace("oat ", ""), "matched": query is not None}]
        return Answer("RECOMMENDED", items, {"code": "X"} if wants_coupon else None, "d")

    def search(self, _: str, wish: Wish, *, seen: frozenset[str] = frozenset(), size: int = 5) -> Found:
        if "election" in wish.query:
            return Found(Answer(), (), 0, False)
        name = wish.query.replace("oat ", "")
        product = Product(ProductId("p"), name, "Grocery", "", "", Money(100, "USD"))
        return Found(Answer("", [{"product_id": "p", "name": name}], None, "d"), (product,), 1, name == wish.query)

    def names(self, _: str) -> list[tuple[str, str]]:
        return []

    def products(self, _: Any) -> list[Product]:
        return []

    def granted(self, _: str) -> frozenset[str]:
        return frozenset({"marketing", "profiling"})

    def order_service(self, _: str) -> None:
        return None

    def customer(self, _: str) -> str:
        return ""

    def shop(self) -> ShopFacts:
        return ShopFacts(hours="always")

    def store_hours(self) -> str:
        return "always"

    def basket(self, _: str) -> Basket:
        return Basket()

    def conclusions(self, _: str) -> list[tuple[str, str]]:
        return [("mood", "Mood: unhappy"), ("early_shopper", "Early shopper")]

    def veto(self, _: str, label: str) -> Answer:
        return Answer(f"VETOED {label}")

    def __getattr__(self, name: str) -> Any:
        said = {
            "why": "WHY",
            "orders": "ORDERS",
            "knowledge": "KNOWLEDGE",
            "link_code": "CODE",
            "handoff": "HANDOFF",
            "erase": "ERASED",
            "forget_face": "FACE",
        }
        return lambda *_: Answer(said.get(name, name))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def actions_url() -> Iterator[str]:
    app, executor, port = FastAPI(), build_executor(FakeShop()), free_port()

    @app.post("/actions")
    async def run(request: Request) -> Any:
        return await executor.run(await request.json())

    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/actions"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def rasa_url(actions_url: str) -> Iterator[str]:
    model = train(Path(os.environ.get("AISLE_STATE_DIR", PROJECT.parent.parent / "var")) / "rasa")
    port = free_port()
    command, extra = serve_command(model, host="127.0.0.1", port=port, action_url=actions_url, action_token="t")
    process = subprocess.Popen(
        command, env={**os.environ, **extra}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 150
    while not _ready(url):
        assert process.poll() is None, "Rasa ended"
        assert time.monotonic() < deadline, "Rasa did not become ready"
    yield url
    process.terminate()
    process.wait(timeout=20)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/status", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def say(url: str, *texts: str, mood: float = 0.0, conversation: str | None = None) -> list[Reply]:
    state = AffectState(mood, 0.5, "x", "2026-05-01T00:00:00+00:00")

    async def talk() -> list[Reply]:
        async with httpx.AsyncClient() as client:
            engine = RasaEngine(client, [url], 20.0)
            return [
                await engine.respond(Turn(conversation or f"t-{time.monotonic_ns()}", text, state)) for text in texts
            ]

    return asyncio.run(talk())


def test_held_out_phrasings_reach_the_right_action(rasa_url: str) -> None:
    trained = "".join(file.read_text().lower() for file in (PROJECT / "data" / "nlu").glob("*.yml"))
    asked = [(topic, text) for topic, texts in HELD_OUT.items() for text in texts]
    assert [text for _, text in asked if f"- {text.lower()}\n" in trained] == [], "held-out means not trained on"
    answers = say(rasa_url, *(text for _, text in asked))
    missed = [
        f"{text!r} -> {reply.messages[0].text[:50]!r}"
        for (topic, text), reply in zip(asked, answers, strict=True)
        if SAYS[topic] not in reply.messages[0].text
    ]
    assert len(missed) <= 0.15 * len(asked), "\n".join(missed)


def test_rasas_slot_says_how_the_shopper_feels_now(rasa_url: str) -> None:
    name = f"mood-{time.monotonic_ns()}"
    for mood, state in ((-0.8, "frustrated"), (0.0, "neutral")):
        say(rasa_url, "when are you open", mood=mood, conversation=name)
        tracker = httpx.get(f"{rasa_url}/conversations/{name}/tracker", timeout=20).json()
        assert tracker["slots"]["mood"] == state


def test_who_asks_for_oat_milk_is_not_told_that_milk_is_it(rasa_url: str) -> None:
    exact, near = say(rasa_url, "do you have almond milk", "do you have oat milk")
    assert exact.messages[0].text == "I found this one."
    assert near.messages[0].text == "These come closest to what you asked for."


def test_nobody_in_trouble_is_shouted_at_and_everybody_is_offered_a_human(rasa_url: str) -> None:
    for text in ("hi", "thanks", "what do you recommend", "my order is wrong again"):
        [reply] = say(rasa_url, text, mood=-0.8)
        assert "!" not in reply.messages[0].text
        assert "Talk to a human" in [button.title for button in reply.messages[0].quick_replies]


def test_everything_is_erased_only_after_a_second_yes(rasa_url: str) -> None:
    first, second, third = say(rasa_url, "forget me", "forget everything", "/erase_now", conversation="erase")
    assert "ERASED" not in first.messages[0].text + second.messages[0].text
    assert [button.title for button in second.messages[0].quick_replies] == [
        "Yes, erase everything",
        "No, keep my data",
    ]
    assert third.messages[0].text == "ERASED"


def test_who_says_that_is_not_me_chooses_what_and_is_believed(rasa_url: str) -> None:
    known, asked = say(rasa_url, "what do you know about me", "that is not me", conversation="wrong")
    assert "That is not me" in [button.title for button in known.messages[0].quick_replies]
    offered = {button.title: button.text for button in asked.messages[0].quick_replies}
    assert list(offered) == ["Mood: unhappy", "Early shopper", "All of it is right"]
    [done] = say(rasa_url, offered["Early shopper"], conversation="wrong")
    assert done.messages[0].text == "VETOED early_shopper"


def test_after_two_misunderstandings_a_human_is_offered(rasa_url: str) -> None:
    _, second = say(rasa_url, "what's the weather like", "who won the election", conversation="lost")
    assert "shall I get a human" in second.messages[0].text
    [third] = say(rasa_url, "yes please", conversation="lost")
    assert third.messages[0].text == "HANDOFF"


def test_a_shop_without_order_management_says_so(rasa_url: str) -> None:
    [answer] = say(rasa_url, "/order_exchange")
    assert answer.messages[0].act == "order.unmanaged"
    assert "Talk to a human" in [button.title for button in answer.messages[0].quick_replies]


def test_every_intent_has_an_answer() -> None:
    answered = set(build_executor(FakeShop()).actions)
    assert {f"action_{intent}" for intent in INTENTS} <= answered


def test_what_was_asked_is_remembered_however_long_one_talks_of_other_things(rasa_url: str) -> None:
    say(rasa_url, "I have a complaint", *["when are you open"] * 6, conversation="digression")
    [answer] = say(rasa_url, "yes please", conversation="digression")
    assert answer.messages[0].text == "HANDOFF"


def test_a_long_conversation_is_not_carried_along_whole(rasa_url: str) -> None:
    answers = say(rasa_url, *["when are you open"] * 15, conversation="long")
    assert answers[-1].messages[0].text == answers[0].messages[0].text
    tracker = httpx.get(f"{rasa_url}/conversations/long/tracker", params={"include_events": "ALL"}, timeout=20).json()
    assert len(tracker["events"]) <= 20

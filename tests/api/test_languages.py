"""A conversation's language: from the browser, then from what is written; answered in it, and told to the person who takes over."""

from __future__ import annotations

from typing import Any

from chatbot.ports import BotMessage, Reply
from tests.api.conftest import Api
from tests.api.dialogue import Dialogue
from tests.api.test_chat import Engine, echo, use


def begin(api: Api, accepted: str = "") -> tuple[str, dict[str, str], dict[str, Any]]:
    headers = api.headers(api.token("pets-6")["token"])
    answer = api.client.post("/v1/conversations", headers={**headers, "Accept-Language": accepted}).json()
    return f"/v1/conversations/{answer['conversation_id']}/messages", headers, answer["messages"][0]


def test_the_greeting_is_in_the_browsers_language_and_the_conversation_in_the_shoppers(api: Api) -> None:
    engine = Engine(echo)
    use(api, engine)
    url, headers, greeting = begin(api, "de-DE,de;q=0.9,en;q=0.5")
    assert greeting["text"].startswith("Guten Tag")
    assert greeting["quick_replies"][0] == {"title": "Etwas empfehlen", "text": "what do you recommend"}
    for text in ("ok", "do you have any oat milk", "und gibt es auch Käse?", "cheddar"):
        api.client.post(url, json={"text": text}, headers=headers)
    assert [turn.language for turn in engine.turns] == ["de", "en", "de", "de"]


def test_a_button_is_read_as_english_and_changes_nothing(api: Api) -> None:
    engine = Engine(echo)
    use(api, engine)
    url, headers, _ = begin(api, "de")
    api.client.post(url, json={"text": "show me something different", "title": "Etwas anderes"}, headers=headers)
    assert [(turn.language, turn.reads) for turn in engine.turns] == [("de", "en")]


def test_a_language_that_is_not_served_is_told_so_once_and_a_person_is_offered(api: Api) -> None:
    engine = Engine(lambda turn: Reply([BotMessage("?", act="conversation.clarify")], "rasa"))
    use(api, engine)
    url, headers, _ = begin(api)
    first, second = (
        api.client.post(url, json={"text": text}, headers=headers).json()["messages"]
        for text in ("où est ma commande s'il vous plaît ?", "je voudrais annuler ma commande")
    )
    assert first[0]["text"] == "Je comprends seulement English, Deutsch ici. Voulez-vous parler à une personne ?"
    assert first[0]["quick_replies"][0]["text"] == "talk to a human"
    assert [message["act"] for message in second] == ["conversation.clarify", "handoff.offer"]
    assert len(engine.turns) == 1


def test_who_takes_over_reads_which_language_it_is_and_danger_is_heard_in_german(api: Api) -> None:
    use(api, Engine(echo))
    url, headers, _ = begin(api)
    answer = api.client.post(
        url, json={"text": "ich glaube, ich habe eine Lebensmittelvergiftung"}, headers=headers
    ).json()
    assert answer["messages"][-1]["act"].startswith("handoff.sensitive")
    conversation_id = url.split("/")[3]
    handoff = api.services.handoffs.of(conversation_id)
    assert handoff is not None
    assert "Language: German." in handoff.told["summary"]


def test_a_german_shopper_searches_an_english_catalogue(api: Api) -> None:
    talk = Dialogue(api, "pets-6")
    talk.metadata = {"language": "de", "reads": "de"}
    found = talk.say("product_search", "Haben Sie Käse unter 50 Euro?")
    assert all("cheese" in name.lower() for name in talk.names(found))
    assert talk.names(found)
    assert found["quick_replies"][0] == {"title": "Günstiger", "text": "cheaper"}
    added = talk.say("basket_add", "leg das erste in den Warenkorb")
    assert added["act"] == "basket.added"
    assert "Warenkorb" in added["text"]

"""What a message says of people: fetch one, none is needed, or something grave; and what only sounds like it."""

from __future__ import annotations

import pytest

from chatbot.languages import read
from chatbot.people import asks_for_person, sensitive, wants_person, withdraws

GOODS = [
    "give me some mangoes", "get me mandarins", "get me a manchego", "get me manuka honey", "give me a mandoline slicer", "pass me the manual",
    "could we have man size tissues", "can I have team shirts", "find me a woman's deodorant", "get me support tights", "bring me repellent",
    "get me a man's razor", "give me people magazine", "can I have staff discount", "i want agent provocateur perfume", "i need a human hair wig",
    "get me a personal organiser", "find me a person-shaped cake tin", "could we see support bandages", "can i get a manager's desk",
    "get me a woman's coat", "bring me a mango", "find me a team mug", "can I get an assistant's stool", "give me representative samples",
    "get me someone special's gift", "can i have some manicure scissors", "send me operator gloves",
]  # fmt: skip
PEOPLE = [
    "get me a manager", "give me a human", "can I have a person please", "could we see a manager about this", "get me someone",
    "get me someone else", "find me somebody who knows", "I want a human", "i need a person who can help", "i need to see a manager now",
    "bring me your manager", "give me customer service", "can I get someone on the phone", "get me support", "get me your team",
    "the bread was mouldy, put me through to somebody", "I want a real person", "can I speak with your manager?",
    "i want a person that understands me", "get me a real human being now", "can we have somebody from the shop",
    "give me an agent, this is useless", "I need a human for this", "talk to a human", "can I talk to a woman", "pass me on to your support team",
    "i want the manager", "can you get me an advisor",
]  # fmt: skip
WAITS_ON = [
    "cancel that, I want my money back", "ok cancel it please",
    "I opened the box and found it smashed", "nobody fixed it", "you have not fixed it", "they won't send it", "I won't get it before Monday",
    "I don't want this, it is broken", "I don't want it anymore, I want a refund", "please cancel it", "can you cancel that order",
    "I can't cook dinner without it", "how long does it take", "I found a beetle in the rice", "no, I still want to talk to a person",
    "it is about my order", "you don't call anyone back", "why don't you send somebody", "it is not fixed",
    "the order was cancelled without a person telling me", "I found it broken", "has it been fixed", "it was fixed and broke again",
    "they never sorted it", "I can't do this without a person", "don't cancel the order", "cancel the order", "forget the milk", "skip the olives",
    "I don't need the jacket any more", "it works now but only half", "never mind the price, where is it",
    "I do not want to wait any longer, my order is late", "i changed my mind about the jacket", "is it sorted yet", "found it cheaper elsewhere",
    "don't send it", "I solved it? no, it is still broken",
]  # fmt: skip
NOBODY = [
    "all good, don't need them after all", "never mind takes too long, where's the bread", "hang on, cancel that, i'll manage",
    "no need for anybody any more", "I found it myself", "it works again, call them off", "never mind", "I don't need a person any more",
    "no need to call anyone, thanks", "ok never mind, I found it", "forget it", "I don't need an agent now", "cancel the call", "it's solved",
    "problem solved, thanks", "I've sorted it out myself", "please don't send anyone", "no longer needed", "we figured it out",
    "I don't want to talk to a human any more", "no human needed",
]  # fmt: skip
GRAVE = [
    "I found glass in my yoghurt", "there was glass in my baby food", "I found a metal screw in the bread", "my son is choking on your candy",
    "I had a reaction to the nuts", "your chicken made my son sick", "someone used my card without permission", "my account was stolen",
    "I bled from the broken jar", "found a mouse in the cereal", "there was a piece of glass in the jam", "I will sue you",
    "somebody hacked my account", "she is in hospital", "i dont want to live anymore", "I want to end my life", "I will call the police",
    "my card got stolen", "we got ill after eating your salad", "my daughter ended up in hospital", "I found maggots in the rice",
    "they rushed him to the hospital", "an unauthorised payment was made", "the jar had glass in it", "there were worms in my flour",
    "I'm calling the police", "my wife was hospitalised", "my lawyer will hear about this", "she had an allergic reaction",
    "my credit card was used by someone", "I called an ambulance", "he choked on a bone", "I was injured by the shelf",
    "there's a dead rat in the cereal",
]  # fmt: skip
HARMLESS = [
    "my card was stolen, use another one for my order",
    "is the shop near the hospital open?", "do you have a toy police car?", "hospital bag snacks", "kill me now, is the shop open",
    "flowers for my mum in hospital", "do you have a glass", "the cheese is bad", "is this gluten free", "my phone died",
    "is there plastic in the packaging?", "I found a nice glass in the catalogue", "next to the hospital", "a toy ambulance", "police costume",
    "gift for a lawyer", "is it a choking hazard", "my mum is in hospital, which flowers do you have", "a wireless mouse in the colour red",
    "where is the police station", "sports injury tape", "can you deliver to the hospital", "is there a screw in the set",
    "I found a mouse in the electronics section", "a glass in the box set", "do you sell mouse traps", "screws and nails", "suicide squad dvd",
    "does the lamp have metal in it?", "pick up at the shop by the hospital", "I need the card I used yesterday",
]  # fmt: skip


@pytest.mark.parametrize("text", GOODS)
def test_goods_whose_name_begins_like_a_person_are_goods(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_a_person_is_asked_for_in_many_words(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", WAITS_ON)
def test_who_waits_and_tells_of_their_trouble_keeps_the_place(text: str) -> None:
    assert not withdraws(text)


@pytest.mark.parametrize("text", NOBODY)
def test_who_waits_may_say_that_nobody_is_needed(text: str) -> None:
    assert withdraws(text)


@pytest.mark.parametrize("text", GRAVE)
def test_what_a_machine_must_not_settle_is_heard_in_many_words(text: str) -> None:
    assert sensitive(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_grave_word_in_an_everyday_wish_is_nothing_grave(text: str) -> None:
    assert not sensitive(text)


@pytest.mark.parametrize("text", ["human", "real person please", "a human agent", "operator", "I want somebody"])
def test_a_bare_name_of_a_person_fetches_one_while_the_dialogue_is_away(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize("text", ["snacks for ten people", "a gift for someone special", "cleaning agent", "people", "something for a person with allergies"])  # fmt: skip
def test_people_for_whom_something_is_bought_are_not_asked_for(text: str) -> None:
    assert not asks_for_person(text)


@pytest.mark.parametrize("text", ["Ich möchte mit einem Mitarbeiter sprechen", "kann ich mit einem Menschen reden", "Hol mir einen Kollegen"])  # fmt: skip
def test_german_asks_for_a_person_too(text: str) -> None:
    assert asks_for_person(read(text, "de"))


def test_german_needs_nobody_any_more_and_finds_glass() -> None:
    assert withdraws(read("Ich brauche keinen Mitarbeiter mehr", "de"))
    assert sensitive(read("Da war Glas im Joghurt", "de"))

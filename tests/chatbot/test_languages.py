"""A second language: what shoppers write is read, what is said is said in it, and what is not served is told apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from chatbot.emotion.model_ import EmotionModel
from chatbot.languages import available, load_language, read
from chatbot.languages.detect import Heard, hear, preferred, settled
from chatbot.orders.assent import says_no, says_yes
from chatbot.orders.entities import read_proof, read_reason
from chatbot.rasa.components.neighbours import Neighbours
from chatbot.shopping.amounts import quantity
from chatbot.shopping.follow_up import Move, follow_up
from chatbot.shopping.references import resolve
from chatbot.shopping.wish import Wish, searched
from chatbot.voice import default_voice
from chatbot.voice.brand import BRAND, load_brand
from chatbot.voice.lint import lint_acts
from chatbot.voice.responses import Line
from personalization.trust.gate import trimmed
from personalization.types import (
    FACE,
    Affect,
    Channel,
    Context,
    MemberId,
    Money,
    Product,
    ProductId,
    StoreId,
    Subject,
)
from tests.chatbot.orders.shop import Talk
from tests.chatbot.test_intents_held_out import HELD_OUT, guessable

SERVED = ("en", "de")
NLU = Path(__file__).parents[2] / "chatbot" / "rasa" / "data" / "nlu"
SHOWN = [
    Product(ProductId(str(n)), name, "Milk", "Dairy", "", Money(price, "EUR"))
    for n, (name, price) in enumerate([("Oat milk", 199), ("Whole milk", 129), ("Almond milk", 249)])
]


def test_a_german_search_is_read_with_its_limits() -> None:
    wish = searched(read("Haben Sie Hafermilch unter 5 Euro ohne Nüsse?", "de"))
    assert (wish.query, wish.below, wish.without) == ("oat milk", 500, ("nuts",))


@pytest.mark.parametrize(("said", "product"), [("die zweite", "oat milk"), ("das Günstigste bitte", "whole milk")])
def test_a_product_can_be_pointed_at(said: str, product: str) -> None:
    [at] = resolve(read(said, "de"), SHOWN)
    assert SHOWN[at].name.lower() == ("whole milk" if said == "die zweite" else product)


def test_follow_ups_and_amounts_are_read() -> None:
    step = follow_up(read("geht das auch günstiger?", "de"), Wish(query="milk"), SHOWN)
    assert (step.move, step.wish.order) == (Move.SEARCH, "cheapest")
    assert follow_up(read("zeig mir mehr davon", "de"), Wish(query="milk"), SHOWN).move is Move.MORE
    assert quantity(read("leg drei davon in den Warenkorb", "de"))[0] == 3


def test_a_cancellation_is_read_and_names_are_left_alone() -> None:
    reasons = ["no longer needed", "ordered by mistake"]
    assert read_reason(read("ich brauche sie nicht mehr", "de"), reasons) == "no longer needed"
    assert read_reason(read("aus Versehen bestellt", "de"), reasons) == "ordered by mistake"
    assert says_yes(read("Ja, bitte", "de"))
    assert says_no(read("Nein, danke", "de"))
    proof = read_proof(read("Mein Name ist Yusuf Rossi, PLZ 19122", "de"), asked=True)
    assert proof == {"first_name": "Yusuf", "last_name": "Rossi", "postcode": "19122"}


def test_a_word_that_the_catalogue_itself_has_is_not_translated() -> None:
    assert read("Vollmilch", "de") == "whole milk"
    assert read("Vollmilch", "de", known=lambda word: word == "Vollmilch") == "Vollmilch"


@pytest.mark.parametrize("written", ["grösser", "groesser", "größer"])
def test_umlauts_may_be_written_out(written: str) -> None:
    assert read(written, "de") == "bigger"


def test_what_code_and_policies_word_is_said_in_german() -> None:
    say = default_voice("de").phrases.say
    assert say("without nuts") == "ohne Nüsse"
    assert say("Order #W1 is delivered, and only an order that is still pending can be cancelled.") == (
        "Bestellung #W1 ist geliefert, und nur eine offene Bestellung kann storniert werden."
    )
    assert say("• 2 × Oat milk, $1,204.50 (sold out now)") == "• 2 × Oat milk, 1.204,50 $ (gerade ausverkauft)"
    assert say("3 May 2026") == "3. Mai 2026"
    assert say("Milk comes first: You buy this about every 12 days, last 3 weeks ago. Had you not bought Milk before, it would stand in about place 9 of 120.") == (
        "Milk steht an erster Stelle: Das kaufen Sie etwa alle 12 Tage, zuletzt vor 3 Wochen. Hätten Sie Milk noch nicht gekauft, stünde es etwa auf Platz 9 von 120."
    )  # fmt: skip
    assert say("Crunchy Nut and Honey") == "Crunchy Nut and Honey", "a name stays a name"


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_whatever_was_left_aside_is_said_in_german_throughout(count: int) -> None:
    member = Subject(MemberId("m"))
    face = Context(Channel.WIDGET, datetime(2026, 5, 3, tzinfo=UTC), StoreId("s"), affect=Affect(0.1, 0.1, source=FACE))
    withheld = trimmed(member, face, frozenset())[0].withheld
    german = (
        "Einkäufe (keine Zustimmung zu Profilen)", "persönliche Angebote (keine Zustimmung zu Werbung)",
        "Gesichtsausdruck (keine Zustimmung dazu)", "Laden (keine Zustimmung zum Ort)",
    )  # fmt: skip
    assert len(withheld) == len(german)
    said = default_voice("de").phrases.say(f"Not used: {'; '.join(withheld[:count])}. With your consent it would be.")
    assert said == f"Nicht genutzt: {'; '.join(german[:count])}. Mit Ihrer Zustimmung würde es genutzt."


def test_the_same_act_is_worded_in_the_conversations_language() -> None:
    voice = default_voice()
    assert voice.speaking("de").word("basket.empty") == "Ihr Warenkorb ist leer."
    assert voice.speaking("xx") is voice
    assert voice.languages == "English, Deutsch"


def test_the_linter_holds_german_to_its_way_of_address() -> None:
    brand = load_brand(BRAND, language="de")
    assert (brand.address, load_brand(BRAND).address) == ("Sie", "")
    told = [
        str(one) for one in lint_acts("de", {"a.b": (Line("Was suchst du? Leider nichts."), Line("Nichts."))}, brand)
    ]
    assert any("“du” does not address people as Sie" in one for one in told)
    assert any("“leider” is to be avoided" in one for one in told)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Haben Sie Hafermilch?", Heard("de", "", 3)), ("do you have oat milk", Heard("en", "", 5)), ("ok", Heard("", "", 1)),
        ("Milch", Heard("de", "", 1)), ("#W123456", Heard()), ("siparişimi iptal etmek istiyorum", Heard("", "tr", 4)),
        ("où est ma commande ?", Heard("", "fr", 4)), ("Yusuf Rossi 19122", Heard("", "", 2)),
    ],
)  # fmt: skip
def test_languages_are_told_apart_or_not_guessed(text: str, heard: Heard) -> None:
    assert hear(text, SERVED) == heard


@pytest.mark.parametrize(
    "text",
    [
        "prosciutto mozzarella burrata", "gnocchi di patate", "pinot grigio delle venezie", "aceto balsamico di modena", "café au lait", "bratwurst sauerkraut senf", "crème brûlée à la vanille", "stroopwafels hagelslag gouda",
        "spaghetti alla carbonara", "sauvignon blanc de loire", "do you have prosciutto di parma", "pain au chocolat", "dulce de leche", "queso manchego curado",
    ],
)  # fmt: skip
def test_goods_alone_are_in_no_other_language(text: str) -> None:
    assert hear(text, SERVED).other == ""
    assert settled("en", hear(text, SERVED), first=True) == "en"


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("avete latte di avena?", "it"), ("je cherche du pain sans gluten", "fr"), ("quiero una leche de avena", "es"), ("waar is mijn bestelling", "nl"), ("vorrei restituire questo prodotto", "it"), ("mon colis n'est pas arrivé", "fr"),
        ("não recebi a minha encomenda", "pt"), ("dove è il mio ordine", "it"),
    ],
)  # fmt: skip
def test_a_sentence_of_another_language_is_told_whatever_goods_it_names(text: str, other: str) -> None:
    assert hear(text, SERVED, known=lambda _: True).other == other


def test_what_the_catalogue_has_turns_no_conversation_german() -> None:
    named = "frische Weisswurst Sauerkraut"
    assert hear(named, SERVED).language == "de"
    assert hear(named, SERVED, known=lambda word: word in {"weisswurst", "sauerkraut"}).language == ""
    assert hear("ich suche Weisswurst", SERVED, known=lambda _: True).language == "de"


def test_short_messages_are_hardly_ever_taken_for_another_language() -> None:
    english = [
        text for file in HELD_OUT.glob("*.yml") for texts in yaml.safe_load(file.read_text()).values() for text in texts
    ]
    german = [text for texts in german_held_out().values() for text in texts]
    for language, texts, least in (("en", english, 0.8), ("de", german, 0.9)):
        found = [hear(text, SERVED) for text in texts]
        assert sum(one.language == language for one in found) >= least * len(texts)
        assert sum(one.language not in {"", language} or bool(one.other) for one in found) <= 0.01 * len(texts)


def test_a_conversation_keeps_its_language_until_a_clear_message_is_in_another() -> None:
    assert settled("en", hear("Milch", SERVED), first=True) == "de"
    assert settled("de", hear("oat milk", SERVED), first=False) == "de"
    assert settled("de", hear("show me something cheaper please", SERVED), first=False) == "en"
    assert settled("de", hear("ok", SERVED), first=False) == "de"


@pytest.mark.parametrize(
    ("header", "language"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("fr-FR,en;q=0.5,de;q=0.7", "de"), ("fr", "en"), ("", "en"), ("de;q=x", "en"), ("de;q=0", "en")],
)  # fmt: skip
def test_the_browsers_wish_comes_first(header: str, language: str) -> None:
    assert preferred(header, SERVED) == language


def german_held_out() -> dict[str, list[str]]:
    """The German held-out messages by intent."""
    found: dict[str, list[str]] = yaml.safe_load((HELD_OUT / "de" / "messages.yml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("language", [code for code in available() if code != "en"])
def test_a_language_has_examples_of_every_intent_and_none_that_are_held_out(language: str) -> None:
    blocks = [
        block for file in sorted((NLU / language).glob("*.yml")) for block in yaml.safe_load(file.read_text())["nlu"]
    ]
    assert all(block["metadata"] == {"language": language} for block in blocks)
    examples = {block["intent"]: [line[2:].casefold() for line in block["examples"].splitlines()] for block in blocks}
    held = german_held_out()
    assert sorted(examples) == sorted(held) == sorted(guessable())
    assert min(map(len, examples.values())) >= 12
    assert min(map(len, held.values())) >= 5
    both = {text for texts in examples.values() for text in texts} & {
        text.casefold().rstrip("!?") for texts in held.values() for text in texts
    }
    assert both == set()
    assert load_language(language).own_name


def test_examples_of_a_language_have_a_say_and_come_back_from_a_file(tmp_path: Path) -> None:
    names, likely = ("greet", "thanks"), np.array([[0.55, 0.45]], np.float32)
    made = Neighbours(["servus miteinander", "vergelts gott"], np.zeros((2, 0), np.float32), ["greet", "thanks"])
    made.save(tmp_path / "de")
    assert json.loads((tmp_path / "de" / "neighbours.json").read_text())["labels"] == ["greet", "thanks"]
    for one in (made, Neighbours.load(tmp_path / "de")):
        found, _ = one.beside(names, likely, np.zeros(1, np.float32), "vergelts gott", np.zeros((1, 0), np.float32))
        assert names[found[0].argmax()] == "thanks"


def test_who_is_upset_in_german_is_told_from_who_is_not() -> None:
    told = yaml.safe_load(Path(__file__).with_name("emotion_german.yaml").read_text(encoding="utf-8"))
    model = EmotionModel()
    upset, calm = (
        [model.read(read(text, "de")).state.distress for text in told[side]] for side in ("upset", "not_upset")
    )
    apart = np.mean([above > below for above in upset for below in calm])
    assert apart > 0.9
    assert sum(one > 0.5 for one in calm) == 0


def test_an_order_is_cancelled_in_german_with_proof_reason_and_a_yes() -> None:
    talk = Talk()

    def say(text: str) -> list[str]:
        return talk.say(read(text, "de"))

    assert say("Ich möchte meine Bestellung #A100001 stornieren") == ["order.identify.ask"]
    assert say("Mein Name ist Nora Fields, PLZ 97201") == ["order.identified", "order.reason"]
    assert say("ich brauche sie nicht mehr") == ["order.cancel.confirm"]
    assert say("ja, bitte") == ["order.cancel.done", "order.anything_else"]
    assert talk.book.by_id["#A100001"].status == "cancelled"

"""Words that somebody approved are those that are shown, or the plain ones; never others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from personalization.creative.brand import BrandKit
from personalization.creative.errors import CreativeError
from personalization.creative.picture import drawing
from personalization.creative.poster import Material
from personalization.creative.space import MOVING, PLAIN, TEXTS, CreativeSpec
from personalization.creative.studio import Design, Studio, asked, creative_of, designs, facts_of
from personalization.creative.words import _COPY, Message, approved, languages
from personalization.offers import Coupon
from personalization.ports import Showing
from personalization.types import (
    Affect,
    CampaignId,
    Channel,
    Context,
    CouponId,
    DecisionId,
    Money,
    Product,
    ProductId,
    Reason,
    SlateItem,
    Subject,
    VisitorId,
)
from tests.personalization.creative.conftest import BRAND, FACTS

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MILK = Product(ProductId("milk"), "Whole milk", "GROCERY", "Milk", "", Money(199, "USD"))
SHOWING = Showing(Subject(visitor_id=VisitorId("v")), DecisionId("d"))
COUPON = Coupon(
    CouponId("c"), "C", CampaignId("c"), "o", Money(100, "USD"), frozenset({MILK.product_id}), NOW, NOW + timedelta(days=9)
)  # fmt: skip


def shown(key: str, *, product: Product = MILK, brand: BrandKit = BRAND, mood: float = 0.0, coupon: Coupon | None = None) -> Mapping[str, str]:  # fmt: skip
    """Return the words of a poster of a variant whose text has this key."""
    placed = {"message": key, "campaign_id": "spring", "variant_id": "v"}
    studio = Studio(lambda _: brand, place=lambda *_: placed)
    context = Context(Channel.WIDGET, NOW, affect=Affect(mood, 0.2) if mood else None)
    made = studio.make(context, SlateItem(product, 1, 1.0, Reason("popular", ""), ()), coupon, SHOWING)
    found: Mapping[str, str] = json.loads(made.spec["recipe"])["message"]
    assert made.spec["message"] == found["key"]
    return found


def test_every_text_has_a_key_and_the_same_key_says_the_same_in_every_language() -> None:
    told = {name: yaml.safe_load((_COPY / f"{name}.yml").read_text(encoding="utf-8"))["texts"] for name in languages()}
    english = {text["key"]: text for text in told["en"]}
    assert set(english) == set(TEXTS)
    for texts in told.values():
        assert len({text["key"] for text in texts}) == len(texts)
        for text in texts:
            like = english[text["key"]]
            assert (text["goal"], text["tone"], text.get("needs")) == (like["goal"], like["tone"], like.get("needs"))


@pytest.mark.parametrize("changes", [
    {}, {"mood": -0.8}, {"product": replace(MILK, in_stock=False)}, {"brand": replace(BRAND, tones=("warm",))},
    {"product": replace(MILK, regular_price=Money(299, "USD"), brand="Miller")},
], ids=["as approved", "distress", "out of stock", "another brand kit", "a price that fell"])  # fmt: skip
def test_an_approved_text_is_the_one_that_is_shown_whatever_else_fits(changes: dict[str, object]) -> None:
    said = shown("good_to_see_you", **changes)  # type: ignore[arg-type]
    assert (said["kicker"], said["headline"]) == ("Good to see you", "Whole milk")


@pytest.mark.parametrize(("key", "changes"), [
    ("say_hello", {"mood": -0.8}), ("in_store_now", {"product": replace(MILK, in_stock=False)}), ("now_price", {}),
    ("say_hello", {"brand": replace(BRAND, tones=("warm",))}), ("m7", {}), ("written_1", {}),
], ids=["distress", "out of stock", "no old price", "another brand kit", "a place in a list", "a model's text"])  # fmt: skip
def test_where_it_does_not_fit_the_name_stands_alone(key: str, changes: dict[str, object]) -> None:
    said = shown(key, **changes)  # type: ignore[arg-type]
    assert (said["key"], said["kicker"], said["headline"], said["line"]) == (PLAIN, "", "Whole milk", "")


def test_with_a_coupon_what_it_gives_is_said_in_the_plain_words_or_the_approved_ones() -> None:
    assert shown("good_to_see_you", coupon=COUPON)["headline"] == "$1.00 off"
    assert shown("thank_you", coupon=COUPON)["kicker"] == "A little thank-you"


def test_the_plain_text_keeps_the_brand_s_words() -> None:
    quiet = replace(BRAND, forbidden_words=("see", "look", "find"))
    assert approved("say_hello", (), FACTS, quiet).action == ""
    with pytest.raises(CreativeError, match="croissants"):
        approved("say_hello", (), FACTS, replace(BRAND, forbidden_words=("croissants",)))


def test_a_text_that_is_given_is_the_only_one_that_designs_say() -> None:
    found = designs(FACTS, drawing("croissant"), BRAND, aspect="1:1", count=3, given={"message": "simply_good"})
    assert {design.material.message.kicker for design, _ in found} == {"Simply good"}
    gone = designs(
        FACTS, drawing("croissant"), BRAND, aspect="1:1", count=1, language="ar", given={"message": "anyone"}
    )
    assert [design.material.message.key for design, _ in gone] == [PLAIN]  # Arabic has no such text


@pytest.mark.parametrize(
    ("told", "rating"), [("4.6", "4.6"), ("4,6", "4,6"), ("5", "5"), ("5.1", ""), ("0", ""), ("great", ""), ("", "")]
)
def test_a_rating_is_what_the_catalogue_says_and_speaks_for_the_product(told: str, rating: str) -> None:
    rated = replace(MILK, attributes=(("vegan", ""), ("rating", told)))
    assert facts_of(rated, None).rating == rating
    said = shown("rated", product=rated)
    assert said["kicker"] == (f"Rated {rating} of 5" if rating else "")


def test_a_poster_speaks_the_shopper_s_language_or_the_shop_s() -> None:
    item = SlateItem(MILK, 1, 1.0, Reason("popular", ""), ())
    spoken = {}
    for shop, shopper in (("ar", ""), ("de", "ar"), ("de", "xx"), ("xx", "")):
        made = Studio(lambda _: BRAND, language=shop).make(Context(Channel.KIOSK, NOW, language=shopper), item, COUPON)
        recipe = json.loads(made.spec["recipe"])
        spoken[shop, shopper] = recipe["language"]
        assert (
            recipe["message"]["action"]
            in {
                "ar": ["استخدم القسيمة", "خذ القسيمة"],
                "de": ["Gutschein nutzen", "Gutschein nehmen"],
                "en": ["Use the coupon", "Take the coupon"],
            }[recipe["language"]]
        )
    assert spoken == {("ar", ""): "ar", ("de", "ar"): "ar", ("de", "xx"): "de", ("xx", ""): "en"}


def test_what_leaves_the_words_open_asks_for_none() -> None:
    assert asked({"layout": "arc", "motion": "rise"}) == (("layout", "arc"),)


def test_a_creative_from_before_texts_had_keys_opens_with_its_id() -> None:
    text = Message(
        "Corner Market presents", "Butter croissants", "Chosen with care.", "See it here", "introduce", "refined"
    )
    choices = {
        "aspect": "1:1", "layout": "arc", "grid": "airy", "align": "start", "focal": "disc", "crop": "whole", "scheme": "tint", "anchor": "brand",
        "type": "lora", "scale": "loud", "texture": "none", "price": "pill", "message": "m3", "action": "pill",
    } | dict.fromkeys(MOVING, "still")  # fmt: skip
    design = Design(CreativeSpec(choices, "1"), Material(FACTS, text, drawing("croissant"), BRAND))
    stored = creative_of(design, "croissant")
    recipe = json.loads(stored.spec["recipe"])
    del recipe["message"]["key"]
    before = replace(stored, spec={**stored.spec, "recipe": json.dumps(recipe)})
    assert Studio(lambda _: BRAND).design_of(before).creative_id == "fe45916c-b534-5531-a670-6f3ddebb2414"

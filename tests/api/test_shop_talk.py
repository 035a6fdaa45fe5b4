"""Whole conversations about products, baskets, coupons, the shop and the account, through the real actions and stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from stores.coupon_tables import coupons, offers
from stores.tables import products
from tests.api.conftest import Api
from tests.api.dialogue import Dialogue

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def shop(api: Api) -> Api:
    """The small shop, where some products tell more of themselves than others."""
    facts = {
        "milk-1": {"name": "Oat milk", "brand": "Oatly", "package_size": "1 l", "aisle": "7", "shelf": "left", "stock": 3, "attributes": "vegan;origin: Sweden", "contains": "gluten"},
        "milk-2": {"name": "Almond milk", "brand": "Alpro", "package_size": "500 ml", "contains": "nuts", "stock": 40},
        "milk-3": {"name": "Whole milk", "package_size": "2 l", "in_stock": True},
    }  # fmt: skip
    with api.services.db.write() as connection:
        for product_id, values in facts.items():
            connection.execute(update(products).where(products.c.product_id == product_id).values(**values))
    return api


def test_a_search_is_narrowed_step_by_step_and_never_has_to_be_said_again(shop: Api) -> None:
    talk = Dialogue(shop)
    first = talk.say("product_search", "do you have milk?")
    assert first["act"] == "search.found"
    assert sorted(talk.names(first)) == ["Almond milk", "Oat milk", "Whole milk"]
    without = talk.say("refine_search", "without nuts please")
    assert without["act"] == "search.careful"
    assert sorted(talk.names(without)) == ["Oat milk", "Whole milk"]
    cheap = talk.say("refine_search", "under $4")
    assert (cheap["act"], talk.names(cheap)) == ("search.careful", ["Oat milk"])
    none = talk.say("refine_search", "under $1")
    assert none["act"] == "search.none.below"
    assert "$3.49" in none["text"]
    assert talk.names(none)[0] == "Oat milk"
    assert "Almond milk" not in talk.names(none)


def test_cheaper_another_brand_more_and_the_first_again(shop: Api) -> None:
    talk = Dialogue(shop)
    talk.say("product_search", "milk")
    assert "Whole milk" not in talk.names(talk.say("refine_search", "cheaper"))
    talk.say("product_search", "oat milk")
    other = talk.say("refine_search", "another brand")
    assert other["act"] in {"search.none.brand", "search.close", "search.found.limited"}
    talk = Dialogue(shop)
    coffee = talk.say("product_search", "coffee")
    assert talk.say("refine_search", "more")["act"] == "search.no_more"
    talk.say("product_search", "rice")
    assert talk.names(talk.say("refine_search", "the first ones again")) == talk.names(coffee)


def test_a_follow_up_without_anything_before_is_answered_helpfully(shop: Api) -> None:
    assert Dialogue(shop).say("refine_search", "cheaper")["act"] == "search.refine.nothing_shown"
    assert Dialogue(shop).say("pick_item", "the second one")["act"] == "pick.which.nothing"
    assert Dialogue(shop).say("compare", "compare them")["act"] == "compare.which"
    assert Dialogue(shop).say("product_details", "how much is it")["act"] == "details.which"
    assert Dialogue(shop).say("basket_add", "add it")["act"] == "basket.ask_which"
    found = Dialogue(shop).say("refine_search", "rather oat milk")
    assert (found["act"], Dialogue.names(found)) == ("search.found.one", ["Oat milk"])


def test_one_is_picked_by_place_or_by_button_and_asked_about(shop: Api) -> None:
    talk = Dialogue(shop)
    order = talk.names(talk.say("product_search", "milk"))
    place = order.index("Oat milk") + 1
    picked = talk.say("pick_item", f"number {place}")
    assert picked["act"] == "details.all"
    assert "vegan" in picked["text"].lower()
    assert "Sweden" in picked["text"]
    assert talk.say("product_details", "does it contain gluten?")["act"] == "details.contains.yes"
    assert talk.say("product_details", "are there nuts in it?")["act"] == "details.contains.not_listed"
    assert talk.say("product_details", "is it vegan")["act"] == "details.feature.yes"
    assert talk.say("product_details", "is it organic")["act"] == "details.feature.unknown"
    assert "Sweden" in talk.say("product_details", "where does it come from? the origin")["text"]
    assert "aisle 7, left" in talk.say("find_in_store", "where is it")["text"]
    few = talk.say("stock", "is it in stock?")
    assert (few["act"], "3" in few["text"]) == ("stock.few", True)
    other = talk.say("product_details", "and the whole milk, is it lactose free?")
    assert other["act"] in {"details.feature.no", "details.feature.unknown"}
    assert "Whole milk" in other["text"]
    assert talk.say("find_in_store", "where do I find it")["act"] == "place.unknown.category"
    assert talk.say("stock", "how many are left")["act"] == "stock.unknown"
    assert talk.say("pick_item", "the ninth one")["act"] in {"pick.out_of_range", "pick.unclear"}


def test_products_are_set_against_each_other_honestly(shop: Api) -> None:
    talk = Dialogue(shop)
    compared = talk.say("compare", "compare oat milk and whole milk")
    assert compared["table"]["columns"] == ["Oat milk", "Whole milk"]
    rows = {row[0]: row[1:] for row in compared["table"]["rows"]}
    assert rows["Price"] == ["$3.49", "$5.49"]
    assert rows["Size"] == ["1 l", "2 l"]
    assert "Oat milk costs $2.00 less" in compared["text"]
    assert "Whole milk is the best value" in compared["text"]
    assert compared["act"] == "compare.given.unknown"
    assert "brand of Whole milk" in compared["text"]
    talk.say("product_search", "milk")
    assert len(talk.say("compare", "which of them is better?")["table"]["columns"]) == 3


def test_what_goes_into_the_basket_is_named_counted_and_added_up(shop: Api) -> None:
    talk = Dialogue(shop, "pets-1")
    which = talk.say("basket_add", "put two milk in my basket")
    assert which["act"] == "basket.which"
    hours = talk.all("store_hours", "when are you open")
    assert [message["act"] for message in hours] == ["shop.hours", "basket.reminder.add"]
    added = talk.say("pick_item", "the oat milk")
    assert added["act"] == "basket.added"
    assert (added["basket"]["pieces"], added["basket"]["total"]["text"]) == (2, "$6.98")
    talk.say("product_search", "almond milk")
    assert talk.say("basket_add", "add it to my basket")["basket"]["pieces"] == 3
    changed = talk.say("basket_add", "make it 4")
    assert [(line["name"], line["quantity"]) for line in changed["basket"]["lines"]] == [
        ("Oat milk", 2),
        ("Almond milk", 4),
    ]
    assert "$24.94" in talk.say("basket_show", "what is in my basket")["text"]
    removed = talk.say("basket_remove", "remove one of the oat milk")
    assert next((line["name"], line["quantity"]) for line in removed["basket"]["lines"]) == ("Oat milk", 1)
    assert talk.say("basket_remove", "take the caviar out")["act"] == "basket.not_in"
    assert talk.say("basket_remove", "empty my basket")["basket"]["lines"] == []
    assert talk.say("basket_show", "show my basket")["act"] == "basket.empty"


def test_several_things_are_added_at_once(shop: Api) -> None:
    talk = Dialogue(shop)
    talk.say("product_search", "milk")
    both = talk.say("basket_add", "add the first and the third")
    assert both["basket"]["pieces"] == 2
    named = talk.say("basket_add", "add oat milk and almond milk to my cart")
    assert {line["name"] for line in named["basket"]["lines"]} >= {"Oat milk", "Almond milk"}


def test_the_usual_and_the_last_order_are_offered_by_consent_and_added_after_a_yes(shop: Api) -> None:
    assert Dialogue(shop).say("reorder", "my usual please")["act"] == "reorder.unknown"
    talk = Dialogue(shop, "pets-1")
    usual = talk.say("reorder", "the usual please")
    assert usual["act"] == "basket.reorder.usual"
    assert "Dog food no. 2" in usual["text"]
    assert talk.assistant.basket(talk.id).lines == ()
    assert talk.say("affirm", "yes")["act"] == "basket.added"
    assert talk.assistant.basket(talk.id).lines
    assert talk.say("reorder", "same as last time")["act"] == "basket.reorder.last"
    assert talk.say("deny", "no")["act"] == "basket.kept"
    assert talk.say("consent_withdraw", "stop using my purchases")["act"] == "account.consent.withdrawn"
    assert talk.say("reorder", "the usual")["act"] == "reorder.no_consent"


def test_a_coupon_that_fails_is_explained_to_the_point(shop: Api) -> None:
    talk = Dialogue(shop, "pets-1")
    assert talk.say("coupon_status", "do I have a coupon?")["act"] == "coupon.none.held"
    assert talk.say("coupon_problem", "my coupon does not work")["act"] == "coupon.ask_code"
    assert talk.say("inform", "ABCD 1234 ZZZZ 9")["act"] == "coupon.problem.mistyped_code"
    with shop.services.db.write() as connection:
        connection.execute(update(offers).values(minimum_basket_minor=2000))
    code = talk.say("coupon", "any coupons for me")["coupon"]["code"]
    held = talk.say("coupon_status", "until when is my coupon valid?")
    assert held["act"] == "coupon.status.one"
    assert "$20.00" in held["text"]
    assert talk.say("coupon_problem", "the coupon was refused")["act"] == "coupon.problem.basket_empty"
    product = next(iter(talk.assistant.coupons(talk.id)[0].coupon.product_ids), "milk-1")
    talk.assistant.basket_add(talk.id, product, 2)
    small = talk.say("coupon_problem", f"{code} does not work")
    assert small["act"] == "coupon.problem.minimum_basket"
    assert "$20.00" in small["text"]
    talk.assistant.basket_put(talk.id, product, 9)
    works = talk.say("coupon_problem", "still does not work")
    assert (works["act"], "$1.00" in works["text"]) == ("coupon.problem.works", True)
    assert Dialogue(shop, "pets-2").say("coupon_problem", f"my code {code} fails")["act"] == "coupon.problem.of_another"
    with shop.services.db.write() as connection:
        connection.execute(update(coupons).values(expires_at=datetime.now(UTC) - timedelta(days=1)))
    assert talk.say("coupon_problem", "why does it not work")["act"] == "coupon.problem.expired"


def test_the_shop_tells_what_it_was_told_and_nothing_else(shop: Api) -> None:
    talk = Dialogue(shop)
    assert "Orchard Street" in talk.say("store_location", "where are you")["text"]
    assert "gift card" in talk.say("payment_info", "how can I pay")["text"]
    assert "30 days" in talk.say("return_policy", "can I return things")["text"]
    assert "$4.95" in talk.say("delivery_info", "do you deliver")["text"]
    (shop.services.settings.state_dir / "shop.yml").write_text("phone: '555 0142'\n")
    unknown = talk.say("delivery_info", "do you deliver")
    assert (unknown["act"], "555 0142" in unknown["text"]) == ("shop.unknown", True)


def test_the_account_is_told_of_and_consents_are_taken_back_one_by_one(shop: Api) -> None:
    assert Dialogue(shop).say("membership", "how do I join")["act"] == "account.membership.join"
    assert Dialogue(shop).say("consent_withdraw", "no more offers")["act"] == "account.consent.unknown"
    talk = Dialogue(shop, "pets-1")
    assert "personal offers" in talk.say("membership", "am I a member")["text"]
    taken = talk.say("consent_withdraw", "I want no more personal offers")
    assert (taken["act"], talk.assistant.granted(talk.id)) == ("account.consent.withdrawn", {"profiling"})
    assert talk.say("coupon", "any coupons?")["act"] == "coupon.no_consent"
    assert talk.say("consent_withdraw", "stop the marketing")["act"] == "account.consent.none"
    assert talk.say("change_address", "I moved")["act"] == "account.address"


def test_a_chat_is_forgotten_after_a_yes_and_only_then(shop: Api) -> None:
    talk = Dialogue(shop, "pets-1")
    talk.say("product_search", "milk")
    assert talk.say("forget_chat", "delete this chat")["act"] == "account.forget_chat.confirm"
    assert talk.say("deny", "no")["act"] == "account.kept"
    assert shop.services.conversations.get(talk.id) is not None
    talk.say("forget_chat", "delete this chat")
    assert talk.say("affirm", "yes")["act"] == "account.forget.chat"
    assert shop.services.conversations.get(talk.id) is None
    assert talk.slots == {} or talk.slots.get("search_state") is None


def test_the_same_words_are_never_said_twice_in_a_row(shop: Api) -> None:
    talk = Dialogue(shop, "pets-1")
    asked = [
        ("product_search", "milk"), ("recommend", "what do you recommend"), ("why", "why this"), ("coupon_status", "my coupon?"), ("basket_show", "my basket"),
        ("store_hours", "when are you open"), ("delivery_info", "delivery?"), ("payment_info", "pay?"), ("membership", "member?"), ("stock", "is the oat milk in stock"),
        ("find_in_store", "where is the oat milk"), ("compare", "compare oat milk and whole milk"), ("reorder", "the usual"), ("product_search", "unicorn dust"),
        ("change_address", "I moved"), ("product_details", "tell me about the oat milk"), ("refine_search", "more"), ("return_policy", "returns?"),
    ]  # fmt: skip
    for intent, text in asked:
        first, second, third = (talk.say(intent, text)["text"] for _ in range(3))
        assert first != second, (intent, first)
        assert second != third, (intent, second)
        talk.slots.pop("awaiting", None)


def test_a_correction_is_acted_on(shop: Api) -> None:
    talk = Dialogue(shop)
    talk.say("product_search", "oat milk")
    assert talk.names(talk.say("correction", "no, I meant almond milk")) == ["Almond milk"]
    assert talk.say("correction", "no, that is wrong")["act"] == "conversation.correction"

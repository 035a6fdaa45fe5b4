"""What the assistant finds, remembers and explains, through real stores and the small shop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.services.assistant import Assistant
from api.services.privacy import Privacy
from chatbot.shopping.wish import Wish, searched
from personalization.types import EventType, ProductId, Subject, VisitorId
from stores.coupon_tables import coupons
from stores.tables import decisions, events, products
from tests.api.conftest import Api

NOW = datetime.now(UTC)


@pytest.fixture
def assistant(api: Api) -> Assistant:
    return Assistant(api.services, Privacy(api.services, lambda _: None))


@pytest.fixture
def talk(api: Api) -> Callable[..., str]:
    def start(external_id: str | None = None, visitor: str = "device") -> str:
        member = api.member(external_id).member_id if external_id else None
        return api.services.conversations.start(visitor, member, at=NOW).conversation_id

    return start


def names(found: object) -> list[str]:
    return [product.name for product in found.products]  # type: ignore[attr-defined]


def test_a_search_works_before_anything_was_trained_and_is_a_logged_decision(
    api: Api, assistant: Assistant, talk: Callable[..., str]
) -> None:
    conversation = talk()
    found = assistant.search(conversation, searched("do you have dog food?"))
    assert sorted(names(found)) == ["Dog food no. 1", "Dog food no. 2", "Dog food no. 3"]
    assert found.exact
    assert found.total == 3
    decision = api.services.decisions.get(found.answer.decision_id or "")  # type: ignore[arg-type]
    assert decision is not None
    assert [item.product.name for item in decision.slate] == names(found)
    assert "This matches what you asked for." in assistant.why(conversation).text


def explained(api: Api, decision_id: str) -> Any:
    answer = api.client.get(f"/v1/decisions/{decision_id}/explanation", headers=api.headers())
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("who", [None, "cheese-1", "pets-2", "baby-3"])
@pytest.mark.parametrize("asked", ["ideas", "search", "coupon"])
def test_why_this_names_the_reason_that_the_explanation_names(
    api: Api, assistant: Assistant, talk: Callable[..., str], who: str | None, asked: str
) -> None:
    conversation = talk(who)
    if asked == "search":
        made = assistant.search(conversation, searched("do you have dog food?")).answer
    else:
        made = assistant.recommend(conversation, wants_coupon=asked == "coupon")
    why, found = assistant.why(conversation), api.services.conversations.get(conversation)
    assert found is not None
    if found.last_decision_id is None:  # a coupon that was not given leaves nothing to explain
        assert (asked, made.coupon, why.text) == ("coupon", None, "")
        return
    told = explained(api, found.last_decision_id)
    facts = told["facts"]
    if asked == "coupon":
        assert facts["coupon_reason"] in why.text
        assert facts["coupon_reason"].removesuffix(facts["items"][0]["reason"]).strip() in told["sentence"]
    else:
        shown = facts["items"]
        first, *more = why.text.split("\n")
        assert first == f"{shown[0]['name']} comes first: {shown[0]['reason']}"
        assert first in told["sentence"]
        others = [f"{item['name']}: {item['reason']}" for item in shown[1:]]
        assert [line for line in more if line not in told["sentence"]] == others


def test_without_consent_why_this_and_the_explanation_tell_the_same_of_what_was_left_aside(
    api: Api, assistant: Assistant, talk: Callable[..., str]
) -> None:
    conversation = talk("cheese-1")
    assert assistant.recommend(conversation).items
    member = api.member("cheese-1").member_id
    body = {"member_id": member, "purpose": "profiling", "granted": False, "text_version": "t"}
    assert api.client.post("/v1/consents", json=body, headers=api.headers()).status_code == 201
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.services.decisions, "candidates", None)  # what was compared is not even read
        trimmed = assistant.why(conversation)
    assert trimmed.text == explained(api, str(trimmed.decision_id))["sentence"]
    assistant.recommend(conversation)
    why = assistant.why(conversation)
    left = why.text.split("\n")[-1]
    assert left.startswith("Not used: purchase history (no consent to profiling)")
    assert left in explained(api, str(why.decision_id))["sentence"]


def test_limits_hold_and_more_is_what_was_not_seen(assistant: Assistant, talk: Callable[..., str]) -> None:
    conversation = talk()
    cheap = assistant.search(conversation, searched("cheese under $5"))
    assert {product.price.minor_units for product in cheap.products} == {349, 449}
    assert names(assistant.search(conversation, searched("the cheapest cheese"))) == [
        "Cheese no. 1",
        "Cheese no. 2",
        "Cheese no. 3",
    ]
    first = assistant.search(conversation, Wish(query="cheese"), size=2)
    more = assistant.search(
        conversation, Wish(query="cheese"), size=2, seen=frozenset(one.product_id for one in first.products)
    )
    assert set(names(first)).isdisjoint(names(more))
    assert (len(first.products), len(more.products), more.total) == (2, 1, 3)
    assert assistant.search(conversation, Wish(query="cheese", below=100)).products == ()
    assert assistant.search(conversation, Wish(query="cheese", not_brands=("x",))).untold == ("brand",)


def test_a_new_product_is_found_without_training(api: Api, assistant: Assistant, talk: Callable[..., str]) -> None:
    with api.services.db.write() as connection:
        connection.execute(
            update(products).where(products.c.product_id == "milk-1").values(name="Oat drink barista", brand="Oatly")
        )
    assert names(assistant.search(talk(), searched("barista")))[:1] == ["Oat drink barista"]


def test_a_basket_belongs_to_the_member_on_every_device_and_to_the_page(
    api: Api, assistant: Assistant, talk: Callable[..., str]
) -> None:
    phone = talk("pets-1", "phone")
    found = assistant.search(phone, searched("milk"))
    assistant.basket_add(phone, "milk-1", 2)
    laptop = assistant.basket_add(talk("pets-1", "laptop"), "bread-2")
    assert [(line.product.name, line.quantity) for line in laptop.lines] == [("Milk no. 1", 2), ("Bread no. 2", 1)]
    assert str(laptop.total) == "$11.47"
    token = api.headers(api.token("pets-1")["token"])
    assert api.client.get("/v1/basket", headers=token).json()["total"]["text"] == "$11.47"
    after = api.client.put("/v1/basket/lines/milk-1", json={"quantity": 0}, headers=token).json()
    assert [line["name"] for line in after["lines"]] == ["Bread no. 2"]
    assert assistant.basket(phone).pieces == 1
    assert assistant.basket(talk(None, "stranger")).lines == ()
    with api.services.db.read() as connection:
        added = connection.execute(select(events).where(events.c.type == EventType.ADDED_TO_BASKET.value)).all()
    assert [(row.product_id, row.payload, row.decision_id) for row in added] == [
        ("milk-1", {"quantity": 2}, found.answer.decision_id), ("bread-2", {"quantity": 1}, None),
    ]  # fmt: skip
    assert api.client.put("/v1/basket/lines/nothing", json={"quantity": 1}, headers=token).status_code == 404
    assert api.client.delete("/v1/basket", headers=token).json()["pieces"] == 0


def test_what_was_bought_before_is_read_by_consent_only(
    api: Api, assistant: Assistant, talk: Callable[..., str]
) -> None:
    conversation = talk("pets-1")
    last, usual = assistant.last_order(conversation), assistant.usual(conversation)
    assert last.lines
    assert last.at is not None
    assert "Dog food no. 2" in [line.product.name for line in usual.lines]
    assert assistant.usual(talk()).refused == "unknown"
    assistant.withdraw(conversation, ["profiling"])
    assert assistant.last_order(conversation).refused == assistant.usual(conversation).refused == "no_consent"
    assert "did not agree" in assistant.orders(conversation).text
    assert "profiling" not in assistant.granted(conversation)


def test_a_coupon_that_does_not_work_has_its_exact_reason(
    api: Api, assistant: Assistant, talk: Callable[..., str]
) -> None:
    conversation = talk("pets-1")
    assert assistant.coupons(conversation) == []
    code = assistant.recommend(conversation, wants_coupon=True).coupon["code"]  # type: ignore[index]
    assert [held.status for held in assistant.coupons(conversation)] == ["open"]

    def why(code: str, conversation: str = conversation) -> str:
        reason = assistant.check_coupon(conversation, code).reason
        return reason.code if reason else "works"

    covers = sorted(assistant.coupons(conversation)[0].coupon.product_ids)
    assert why(code) == "basket_empty"
    assistant.basket_add(conversation, covers[0] if covers else "milk-1")
    assert why(code.lower()) == "works"
    assert str(assistant.check_coupon(conversation, code).off) == "$1.00"
    if covers:
        assistant.basket_clear(conversation)
        assistant.basket_add(conversation, next(p for p in ("milk-1", "rice-1") if p not in covers))
        assert why(code) == "not_in_basket"
    other = talk("pets-2")
    assert why(code, other) == "of_another"
    assert assistant.check_coupon(other, code).held is None
    assert why("7KQ2M9XD4T0AX") == "mistyped_code"
    with api.services.db.write() as connection:
        connection.execute(update(coupons).values(expires_at=NOW - timedelta(days=1)))
    assert why(code) == "expired"
    assert [held.status for held in assistant.coupons(conversation)] == ["expired"]


def test_a_forgotten_chat_leaves_no_word_of_it(api: Api, assistant: Assistant, talk: Callable[..., str]) -> None:
    conversation = talk("pets-1")
    found = assistant.search(conversation, searched("zebra cheese"))
    body = {"text": "secret", "decision_id": found.answer.decision_id}
    api.services.conversations.append(conversation, [("user", {"text": "zebra cheese"}), ("bot", body)], at=NOW)
    assert len(assistant.forget_chat(conversation)) == 36
    assert api.services.conversations.get(conversation) is None
    assert api.services.conversations.messages(conversation) == []
    with api.services.db.read() as connection:
        assert "zebra" not in repr(connection.execute(select(decisions)).all())
    assert api.services.decisions.get(found.answer.decision_id or "") is not None  # type: ignore[arg-type]


def test_a_rating_is_an_event_without_words(api: Api, assistant: Assistant, talk: Callable[..., str]) -> None:
    assistant.rate(talk("pets-1"), 2, "chat")
    with api.services.db.read() as connection:
        [row] = connection.execute(select(events).where(events.c.type == "rated")).all()
    assert row.payload == {"score": 2, "about": "chat"}


def test_what_the_shop_does_not_tell_is_empty_and_a_broken_file_says_so_in_the_log(
    api: Api, assistant: Assistant
) -> None:
    assert "Orchard Street" in assistant.shop().address
    path = api.services.settings.state_dir / "shop.yml"
    path.write_text("address: 1 Main Road\npayment: [cash]\n")
    assert (assistant.shop().address, assistant.shop().payment, assistant.shop().delivery) == (
        "1 Main Road",
        ("cash",),
        "",
    )
    path.write_text("adress: typo\n")
    assert assistant.shop().address == ""


def test_a_visitors_basket_is_theirs_alone(api: Api) -> None:
    baskets, visitor = api.services.baskets, Subject(None, VisitorId("v"))
    assert baskets.add(visitor, ProductId("milk-1"), 5_000, at=NOW) == 999
    assert baskets.lines(Subject(None, VisitorId("w"))) == []
    member = Subject(api.member("pets-1").member_id)
    baskets.bring_along(visitor, member, at=NOW)
    assert [line.quantity for line in baskets.lines(member)] == [999]
    assert baskets.lines(visitor) == []

"""What tills and CRMs ask about coupons."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from personalization.coupons.codes import new_code
from personalization.coupons.fraud import RULES, Signal
from personalization.types import ProductId
from stores.coupon_tables import coupons
from stores.outcomes import tell
from stores.tables import events
from tests.api.conftest import Api
from tests.small_shop import NOW


def ask(api: Api, path: str, body: dict[str, Any], expected: int = 200) -> dict[str, Any]:
    answer = api.client.post(f"/v1/coupons{path}", json=body, headers=api.headers())
    assert answer.status_code == expected, answer.text
    return dict(answer.json())


def issue(api: Api, who: str = "pets-1", **terms: Any) -> str:
    code = str(ask(api, "", {"member_id": api.member(who).member_id}, 201)["code"])
    if terms:
        with api.services.db.write() as connection:
            connection.execute(update(coupons).where(coupons.c.code == code).values(terms=terms, product_ids=[]))
    return code


def basket(*amounts: int, product: str = "milk-1") -> list[dict[str, Any]]:
    return [{"product_id": product, "amount_minor": amount} for amount in amounts]


def outcomes(api: Api, kind: str) -> list[Any]:
    with api.services.db.read() as connection:
        return list(connection.execute(select(events).where(events.c.type == kind)).all())


def test_a_card_says_what_a_coupon_gives_for_what_and_why_now_and_later(api: Api) -> None:
    card = ask(api, "", {"member_id": api.member("pets-1").member_id}, 201)
    [product_id] = card["product_ids"]
    assert card["product_name"] == api.services.catalogue.products([ProductId(product_id)])[ProductId(product_id)].name
    assert card["reason"]
    assert card["text"] == f"{card['discount']['text']} off {card['product_name']}. {card['reason']}"
    later = api.client.get(f"/v1/coupons/{card['code']}", headers=api.headers()).json()
    assert (later["product_name"], later["reason"]) == (card["product_name"], card["reason"])


def test_a_basket_is_priced_before_anything_is_redeemed(api: Api) -> None:
    code = issue(api, minimum_basket=500, categories=["Milk"], stacking="stack", percent_bp=0)
    wrong = new_code()
    body = {"lines": [*basket(400), *basket(200, product="bread-1")], "codes": [code.lower(), wrong, wrong[:-1] + "U"]}
    told = ask(api, "/validate", body)
    assert (told["total"]["minor_units"], told["discount"]["minor_units"], told["to_pay"]["text"]) == (
        600,
        100,
        "$5.00",
    )
    assert [line["to_pay_minor"] for line in told["lines"]] == [300, 200]
    assert [one["reason"] and one["reason"]["code"] for one in told["coupons"]] == [
        None,
        "unknown_code",
        "mistyped_code",
    ]
    small = ask(api, "/validate", {"lines": basket(499), "codes": [code]})["coupons"][0]
    assert (small["applies"], small["reason"]["code"]) == (False, "minimum_basket")
    assert api.client.get(f"/v1/coupons/{code}", headers=api.headers()).json()["status"] == "open"


def test_terms_are_checked_where_the_basket_is_sent_and_asked_for_where_it_is_not(api: Api) -> None:
    code = issue(api, minimum_basket=500, categories=[], stacking="stack", percent_bp=0)
    assert ask(api, f"/{code}/redeem", {"order_id": "1"}, 422)["code"] == "basket-needed"
    refused = ask(api, f"/{code}/redeem", {"order_id": "1", "basket": {"lines": basket(499)}}, 409)
    assert (refused["code"], refused["reason"]["code"]) == ("not-applicable", "minimum_basket")
    body = {"order_id": "1", "basket": {"lines": basket(600)}}
    assert ask(api, f"/{code}/redeem", body)["redeemed"]["minor_units"] == 100
    assert ask(api, f"/{code}/redeem", body)["repeated"] is True
    assert (
        ask(api, f"/{code}/redeem", {"order_id": "1", "basket": {"lines": basket(700)}}, 409)["code"]
        == "request-mismatch"
    )


def test_a_small_basket_takes_a_part_and_a_return_brings_the_coupon_back(api: Api) -> None:
    code = issue(api)
    mine = api.services.ledger.get(code)[0]
    line = basket(60, product=next(iter(mine.product_ids)))
    done = ask(api, f"/{code}/redeem", {"order_id": "78", "basket": {"lines": line}})
    assert done["redeemed"]["minor_units"] == 60
    state = api.services.ledger.state(mine.campaign_id)
    assert state is not None
    assert (state.reserved.minor_units, state.spent.minor_units) == (0, 60)
    back = ask(api, f"/{code}/rollback", {"order_id": "78"})
    assert (back["status"], back["discount"]["minor_units"], back["repeated"]) == ("open", 100, False)
    assert ask(api, f"/{code}/rollback", {"redemption_id": back["redemption_id"]})["repeated"] is True
    late = ask(api, f"/{code}/redeem", {"order_id": "78", "basket": {"lines": line}}, 409)
    assert late["code"] == "redemption-rolled-back"
    assert ask(api, f"/{code}/redeem", {"order_id": "78", "request_id": "again"})["redeemed"]["minor_units"] == 100
    told = api.client.get(f"/v1/coupons/{code}", headers=api.headers()).json()["redemptions"]
    assert [(one["redeemed"]["minor_units"], one["rolled_back_at"] is None) for one in told] == [
        (60, False),
        (100, True),
    ]
    assert ask(api, f"/{code}/rollback", {"order_id": "99"}, 404)["code"] == "not-redeemed"
    assert ask(api, f"/{code}/rollback", {}, 422)["code"] == "invalid"
    assert (
        ask(api, f"/{code}/redeem", {"order_id": "1", "amount_minor": 1, "basket": {"lines": line}}, 422)["code"]
        == "invalid"
    )


def test_what_happened_at_the_till_is_an_outcome_of_the_decision_each_once(api: Api) -> None:
    code = issue(api)
    ask(api, f"/{code}/redeem", {"order_id": "1", "amount_minor": 40})
    ask(api, f"/{code}/redeem", {"order_id": "1", "amount_minor": 40})
    ask(api, f"/{code}/rollback", {"order_id": "1"})
    (redeemed,), (back,) = outcomes(api, "redeemed"), outcomes(api, "rolled_back")
    assert redeemed.payload["discount_minor"] == back.payload["discount_minor"] == 40
    assert redeemed.decision_id is not None
    assert redeemed.decision_id == back.decision_id


def test_a_redemption_whose_event_was_lost_is_told_later(api: Api) -> None:
    code = issue(api)
    api.services.ledger.redeem(code, at=NOW, order_id="1")
    assert outcomes(api, "redeemed") == []
    assert tell(api.services.db, now=NOW) == 1
    assert tell(api.services.db, now=NOW) == 0
    assert len(outcomes(api, "redeemed")) == 1


def test_another_members_coupon_is_refused_with_a_reason(api: Api) -> None:
    code, other = issue(api), api.member("pets-2").member_id
    assert ask(api, f"/{code}/redeem", {"order_id": "1", "member_id": other}, 409)["code"] == "coupon-of-another"
    told = ask(api, "/validate", {"lines": basket(500), "codes": [code], "member_id": other})
    assert told["coupons"][0]["reason"]["code"] == "of_another"
    ask(api, f"/{code}/redeem", {"order_id": "1", "member_id": api.member("pets-1").member_id})


def test_an_order_redeems_its_coupons_one_by_one_as_they_were_priced_together(api: Api) -> None:
    codes = [
        issue(api, who, percent_bp=5000, minimum_basket=0, categories=[], stacking="stack")
        for who in ("pets-1", "pets-2")
    ]
    body = {"lines": basket(150), "codes": codes}
    priced = [one["discount_minor"] for one in ask(api, "/validate", body)["coupons"]]
    assert sorted(priced) == [38, 75]
    redeemed = [
        ask(api, f"/{code}/redeem", {"order_id": "o", "basket": body})["redeemed"]["minor_units"] for code in codes
    ]
    assert redeemed == priced


def test_whoever_guesses_codes_has_to_wait_and_others_do_not(api: Api) -> None:
    source = {"lines": basket(100), "codes": [new_code()], "till_id": "t1"}
    for _ in range(RULES[Signal.GUESSING].most // 3):
        ask(api, "/validate", source)
    answer = api.client.post("/v1/coupons/validate", json=source, headers=api.headers())
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (429, "code-guessing", "1")
    ask(api, "/validate", {**source, "till_id": "t2"})
    assert 'aisle_coupon_refusals_total{reason="code-guessing"} 1.0' in api.client.get("/metrics").text


def test_a_till_that_scans_faster_than_a_cashier_is_slowed(api: Api) -> None:
    code = issue(api)
    till = f"{api.services.keys.find(api.key).key_id} t1"  # type: ignore[union-attr]
    for _ in range(RULES[Signal.TILL].most):
        api.services.fraud.add(Signal.TILL, till)
    assert ask(api, f"/{code}/redeem", {"order_id": "1", "till_id": "t1"}, 429)["code"] == "till-velocity"
    ask(api, f"/{code}/redeem", {"order_id": "1", "till_id": "t2"})


@pytest.mark.parametrize("kind", ["redeemed", "rolled_back"])
def test_nobody_reports_redemptions_as_events(api: Api, kind: str) -> None:
    event = {"event_id": "e", "type": kind, "at": NOW.isoformat()}
    answer = api.client.post("/v1/events", json={"events": [event]}, headers=api.headers()).json()
    assert answer["accepted"] == 0

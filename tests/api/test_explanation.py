"""Opening a decision over the API: all of it for the shop, without the budget for the shopper, nothing of another's."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.api.test_api import post


def test_the_shop_sees_all_and_the_shopper_sees_no_price_of_money(api: Api) -> None:
    token = api.token("pets-1", "their-device")["token"]
    decision = post(api, "/v1/recommendations", {"wants_coupon": True}, token).json()
    address = f"/v1/decisions/{decision['decision_id']}/explanation"
    whole = api.client.get(address, headers=api.headers()).json()
    own = api.client.get(address, headers=api.headers(token)).json()
    assert whole["facts"]["coupon"]["total"] == 2_000
    assert whole["facts"]["inputs_used"] == decision["inputs_used"]
    assert {section["title"] for section in whole["panel"]} >= {"Inputs", "Coupon", "Models"}
    assert (own["panel"], own["facts"]["coupon"], own["facts"]["fallbacks"]) == ([], None, [])
    assert own["sentence"] == whole["sentence"] != ""
    other = api.token("pets-2", "another-device")["token"]
    assert api.client.get(address, headers=api.headers(other)).status_code == 404
    assert api.client.get("/v1/decisions/none/explanation", headers=api.headers()).status_code == 404
    assert api.client.get(address, headers=api.headers(api.make_key("recommend"))).status_code == 403

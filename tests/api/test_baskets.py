"""The basket over the API: the chat's and the page's are one, and a visitor's goes along when they sign in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.api.conftest import ORIGIN, Api


class Shopper:
    """Somebody with a widget token."""

    def __init__(self, api: Api, external_id: str | None = None, visitor: str = "device") -> None:
        self._client = api.client
        self.headers = api.headers(api.token(external_id, visitor)["token"])

    def add(self, product_id: str, expect: int = 200, **more: Any) -> dict[str, int]:
        answer = self._client.post("/v1/basket/lines", json={"product_id": product_id, **more}, headers=self.headers)
        assert answer.status_code == expect, answer.text
        return held(answer.json()) if expect == 200 else {}

    def basket(self) -> dict[str, int]:
        return held(self._client.get("/v1/basket", headers=self.headers).json())


def held(basket: dict[str, Any]) -> dict[str, int]:
    return {line["product_id"]: line["quantity"] for line in basket["lines"]}


def test_what_is_put_in_adds_up_and_is_seen_by_whoever_asks_for_the_same_shopper(api: Api) -> None:
    page, chat = Shopper(api), Shopper(api)
    page.add("milk-1")
    assert chat.add("milk-1", quantity=2) == {"milk-1": 3}
    assert page.basket() == {"milk-1": 3}
    page.add("no-such-product", expect=404)
    page.add("milk-1", expect=422, quantity=0)


def test_a_visitors_basket_goes_along_when_they_sign_in_and_is_nobody_elses(api: Api) -> None:
    Shopper(api, "pets-6", visitor="another-device").add("milk-1")
    Shopper(api).add("milk-1", quantity=2)
    member = Shopper(api, "pets-6")
    assert member.basket() == {"milk-1": 3}
    assert Shopper(api).basket() == {}  # whoever uses the device next
    assert Shopper(api, "pets-6").basket() == {"milk-1": 3}  # a second sign-in brings nothing twice


def test_when_a_page_and_its_chat_sign_in_at_the_same_moment_nothing_is_there_twice(api: Api) -> None:
    Shopper(api).add("milk-1", quantity=2)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Shopper(api, "pets-6"), range(4)))
    assert Shopper(api, "pets-6").basket() == {"milk-1": 2}


def test_a_page_of_another_origin_may_change_a_line(api: Api) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
    answer = api.client.options("/v1/basket/lines/milk-1", headers=asked)
    assert "PUT" in answer.headers["access-control-allow-methods"]

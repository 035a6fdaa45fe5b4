"""The widget's way to people against the real api: a message is left and arrives, a person's help is rated and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stores.database import Database
from tests.e2e.pages import Shop as ShopPage
from tests.e2e.small_server import Shop, opened
from tests.small_shop import fill

pytestmark = pytest.mark.e2e
WORDS = "I don't need a callback, an e-mail is fine. My oats were stale."


@pytest.fixture
def shop(sqlite_database: Database, tmp_path: Path, models_dir: Path) -> Iterator[Shop]:
    fill(sqlite_database)
    with opened(sqlite_database, tmp_path / "shop", models_dir, demo=True) as running:
        yield running


class Person:
    """An agent who answers over the api."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def waiting(self) -> list[dict[str, Any]]:
        """Return what waits; who looks is there."""
        return list(self._client.get("/inbox").raise_for_status().json()["waiting"])

    def do(self, handoff: str, what: str, **body: Any) -> None:
        self._client.post(f"/handoffs/{handoff}/{what}", json=body or None).raise_for_status()

    def read(self, handoff: str) -> dict[str, Any]:
        return dict(self._client.get(f"/handoffs/{handoff}").raise_for_status().json()["handoff"])


@pytest.fixture
def ana(shop: Shop) -> Iterator[Person]:
    _, secret = shop.services.keys.create("api", "desk", scopes=["agents"], at=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {secret}", "X-Agent-Name": "Ana"}
    with httpx.Client(base_url=f"{shop.url}/v1/agents", headers=headers, timeout=30) as client:
        yield Person(client)


@pytest.fixture
def page(open_browser: Callable[..., Browser], shop: Shop) -> Page:
    page = open_browser().new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    ShopPage(page, shop.url).open_chat()
    return page


def ask_for_a_person(page: Page) -> None:
    page.get_by_test_id("chat-input").fill("talk to a human")
    page.get_by_test_id("chat-input").press("Enter")


def test_a_message_that_is_called_sent_lies_with_the_staff_as_it_was_written(page: Page, ana: Person) -> None:
    ask_for_a_person(page)
    form = page.get_by_test_id("leave-form")
    form.get_by_label("Your message").fill(WORDS)
    form.get_by_label("E-mail or phone").fill("maya@shop.example")
    form.get_by_role("button").click()
    expect(page.get_by_test_id("leave-sent")).to_be_visible()
    [waiting] = ana.waiting()
    assert waiting["left"] == [f"{WORDS}\n\nE-mail or phone for the answer: maya@shop.example"]
    own = page.get_by_test_id("own-message").last
    expect(own).to_contain_text(WORDS)
    expect(own).not_to_contain_text("/leave_message")
    page.reload()
    expect(page.get_by_test_id("own-message").last).to_contain_text("maya@shop.example")


def test_a_persons_help_is_rated_once_they_have_handed_back(page: Page, ana: Person) -> None:
    assert ana.waiting() == []
    ask_for_a_person(page)
    expect(page.get_by_test_id("queue-state")).to_be_visible()
    handoff = ana.waiting()[0]["handoff_id"]
    ana.do(handoff, "claim")
    expect(page.get_by_role("heading", name="Ana", exact=True)).to_be_visible()
    ana.do(handoff, "messages", text="I will see to it.")
    expect(page.get_by_test_id("bot-message").last).to_contain_text("I will see to it.")
    ana.do(handoff, "hand-back")
    form = page.get_by_test_id("rating-form")
    form.get_by_role("radio", name="Very good").check(force=True)
    form.get_by_role("textbox").fill("Ana was kind")
    form.get_by_role("button", name="Send rating").click()
    expect(page.get_by_test_id("rating-sent")).to_be_visible()
    told = ana.read(handoff)
    assert (told["score"], told["comment"]) == (5, "Ana was kind")

"""A shopper's day: ask in the chat, enrol at the kiosk, come back and be greeted, end it, be a stranger."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bench.stack import Stack
from tests.e2e.pages import Display, Shop
from tests.vision.fake_camera import astronaut, visit, write_mjpeg

pytestmark = [pytest.mark.e2e, pytest.mark.rasa]
PATIENCE_MS = 45_000
THERE_S, GONE_S = 25, 6  # long enough to enrol before they leave the first time


def demo_members(stack: Stack) -> list[dict[str, str]]:
    found: list[dict[str, str]] = httpx.get(f"{stack.url}/demo/members", timeout=30).json()["members"]
    return found


def test_a_shopper_asks_for_a_recommendation_and_why_and_gets_a_coupon(stack: Stack, page: Page) -> None:
    shop = Shop(page, stack.url)
    shop.sign_in(demo_members(stack)[0])
    shop.open_chat()
    expect(page.get_by_test_id("bot-message").first).to_contain_text("AI assistant")
    shop.say("What do you recommend?")
    cards = page.get_by_test_id("chat-panel").get_by_test_id("product-card")
    expect(cards.first).to_be_visible()
    first = cards.first.inner_text().splitlines()[0]
    shop.press("Why these?")
    expect(page.get_by_test_id("chat-panel")).to_contain_text(
        re.compile(f"{re.escape(first.split(',')[0])}.*: You (buy|bought) this")
    )
    shop.say("Do you have a coupon for me?")
    code = page.get_by_test_id("coupon-code").last.inner_text().replace(" ", "")
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{13}", code)
    page.reload()  # the chat is open again, and goes on where it was
    expect(page.get_by_test_id("coupon-code").last).to_contain_text(code[:4])


def test_the_chat_works_by_keyboard_alone_and_gives_the_focus_back(stack: Stack, page: Page) -> None:
    Shop(page, stack.url)
    launcher = page.get_by_test_id("launcher")
    launcher.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chat-input")).to_be_visible()
    page.keyboard.type("When are you open?")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chat-panel")).to_contain_text("Monday to Saturday")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("chat-panel")).not_to_be_visible()
    expect(launcher).to_be_focused()


def sealed_templates(database: Path) -> list[bytes]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return [bytes(row[0]) for row in connection.execute("SELECT sealed FROM templates")]


def test_enrol_leave_come_back_by_name_revoke_and_be_a_stranger(
    stack: Stack, open_browser: Callable[..., Browser], tmp_path: Path
) -> None:
    member = demo_members(stack)[1]
    first_name = member["display_name"].split()[0]
    video = write_mjpeg(tmp_path / "visitor.mjpeg", visit(astronaut(), there_s=THERE_S, gone_s=GONE_S))
    shop = Shop(open_browser().new_page(), stack.url)
    shop.sign_in(member)
    shop.open_chat()
    code = re.sub(r"\D", "", shop.say("I want the kiosk to recognise me").inner_text().split("Touch")[0])
    assert len(code) == 6

    kiosk_url = httpx.get(f"{stack.url}/demo/kiosk").json()["url"]
    page = open_browser(video).new_page(viewport={"width": 1080, "height": 1920})
    display = Display(page, kiosk_url)
    expect(page.locator("#kiosk")).to_have_attribute("data-mode", "attract")
    anonymous = {slide["item"]["product_id"] for slide in display_state(stack, kiosk_url)["slides"]}
    display.enrol(code)
    expect(page.get_by_test_id("enrol-done")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("enrol-finish").click()
    database = stack.state_dir / "aisle.db"
    [sealed] = sealed_templates(database)

    expect(page.locator("#kiosk")).to_have_attribute("data-mode", "attract", timeout=PATIENCE_MS)  # they left
    expect(page.get_by_test_id("kiosk-headline").first).to_contain_text(
        first_name, timeout=PATIENCE_MS
    )  # and came back
    expect(page.get_by_test_id("privacy-state")).to_have_attribute("data-recognised", "yes")
    shown = display_state(stack, kiosk_url)["items"]
    assert all(re.search(r"\byou\b", card["reason"], re.IGNORECASE) for card in shown), shown  # from what they bought
    assert {card["product_id"] for card in shown} - anonymous  # a best seller may well be theirs too

    shop.say("Forget me")
    shop.press("Forget my face")
    expect(page.get_by_test_id("privacy-state")).to_have_attribute("data-recognised", "no", timeout=2_000)
    assert sealed_templates(database) == []
    for path in (database, database.with_name("aisle.db-wal")):
        content = path.read_bytes() if path.exists() else b""
        assert sealed not in content
        assert sealed[12:60] not in content
    expect(page.locator("#kiosk")).to_have_attribute("data-mode", "attract")
    deadline = page.evaluate("performance.now()") + 1000 * (
        THERE_S + GONE_S
    )  # a whole round of the video: they leave and come back
    while page.evaluate("performance.now()") < deadline:
        expect(page.get_by_test_id("privacy-state")).to_have_attribute("data-recognised", "no")
        expect(page.get_by_text(first_name)).to_have_count(0)


def display_state(stack: Stack, kiosk_url: str) -> dict[str, object]:
    """Return the display that a second listener is shown."""
    kiosk, key = re.findall(r"/kiosk/([^?#]+).*#key=(.+)", kiosk_url)[0]
    with httpx.stream(
        "GET", f"{stack.url}/v1/kiosks/{kiosk}/display", headers={"Authorization": f"Bearer {key}"}, timeout=10
    ) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                return dict(json.loads(line.removeprefix("data: ")))
    raise AssertionError("the display stream ended without a display")


def test_three_members_with_different_histories_see_three_different_slates(stack: Stack) -> None:
    slates = {}
    for member in demo_members(stack):
        token = httpx.get(f"{stack.url}/demo/session", params={"member": member["member_id"]}).json()["token"]
        answer = httpx.post(
            f"{stack.url}/v1/recommendations",
            json={"slate_size": 8},
            headers={"Authorization": f"Bearer {token}"},
            timeout=20,
        )
        slates[member["about"]] = [
            (item["product_id"], item["category"].lower(), item["reason_code"]) for item in answer.json()["items"]
        ]
    assert len({frozenset(product for product, _, _ in slate) for slate in slates.values()}) == 3
    assert any("dog" in category for _, category, _ in slates["often buys for pets"])
    assert any("baby" in category for _, category, _ in slates["often buys for a baby"])
    assert any("salad" in category for _, category, _ in slates["often buys for fresh salads"])
    for slate in slates.values():
        assert {reason for _, _, reason in slate} & {"due_again", "repeat_purchase"}


def test_without_rasa_the_chat_still_answers_and_recovers_by_itself(stack: Stack, page: Page) -> None:
    shop = Shop(page, stack.url)
    shop.open_chat()
    shop.say("hello")
    stack.kill_rasa()
    answer = shop.say("what do you recommend")
    expect(answer).to_contain_text("full assistant is coming back")
    expect(page.get_by_test_id("quick-reply").filter(has_text="Talk to a human").last).to_be_visible()
    stack.wait_for_rasa()
    expect(shop.say("when are you open")).to_contain_text("Monday to Saturday")

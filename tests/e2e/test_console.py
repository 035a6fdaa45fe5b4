"""The console against the real stack: each role's day, both writing directions, and what axe finds on every page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bench.axe import serious
from bench.console_tour import ROLES, THEMES, WIDTHS, console, sections, settled, views
from bench.stack import Stack
from tests.e2e.pages import Shop

pytestmark = pytest.mark.e2e
SEEN = {
    "agent": {"inbox"},
    "marketer": {"creatives", "stores"},
    "admin": {"inbox", "creatives", "stores"},
}
SHOTS = Path("build/console")
UNMARKED = """
(() => {
  const sentence = /\\b[a-z]{2,}(?:,? [a-z'’-]+){3,}/;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode())
    if (sentence.test(node.data) && !node.parentElement.closest("[lang=en], [dir=auto], code, script, style, [role=img], textarea"))
      found.push(node.data.trim());
  return found;
})()
"""
"""Text that reads like an English sentence (four words in lower case in a row), is not marked as English, and nobody of the shop wrote (`dir=auto`)."""
EVERY = [(width, theme) for width in WIDTHS for theme in THEMES]
LOOKED_AT = EVERY if os.environ.get("AISLE_TEST_EVERY_SIZE") else [(1440, "light"), (1024, "light"), (390, "dark")]
"""A walk through thirty pages takes a minute or two; `aisle bench console` does every one."""


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    return open_browser()


def _ask_for_a_person(url: str, text: str) -> tuple[str, dict[str, str]]:
    token = httpx.get(f"{url}/demo/session", timeout=30).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    conversation = httpx.post(f"{url}/v1/conversations", headers=headers, timeout=30).json()["conversation_id"]
    path = f"{url}/v1/conversations/{conversation}"
    httpx.post(f"{path}/messages", json={"text": text}, headers=headers, timeout=60).raise_for_status()
    httpx.post(f"{path}/handoff", headers=headers, timeout=30).raise_for_status()
    return path, headers


def test_an_agent_takes_over_answers_with_a_suggestion_notes_and_hands_back(stack: Stack, browser: Browser) -> None:
    path, headers = _ask_for_a_person(stack.url, "do you have oat milk")
    with console(browser, stack.url, "agent") as page:
        page.goto(f"{stack.url}/console/inbox")
        page.get_by_role("link", name=re.compile("oat milk")).first.click()
        expect(page.get_by_label("Your answer")).to_have_count(0)  # nobody answers before they have it
        page.get_by_role("button", name="Take over").click()
        expect(page.get_by_label("Your answer")).to_be_focused()
        page.get_by_role("button", name=re.compile("^Put into the answer: To begin")).click()
        expect(page.get_by_label("Your answer")).to_have_value(re.compile("Demo agent"))
        sent_before = [one for one in httpx.get(path, headers=headers).json()["messages"] if one["role"] == "agent"]
        assert sent_before == []
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("log")).to_contain_text("Demo agent")
        expect(page.get_by_label("Your answer")).to_have_value("")
        page.get_by_label("New note").fill("Likes oat milk.")
        page.get_by_role("button", name="Keep").click()
        expect(page.locator("aside")).to_contain_text("Likes oat milk.")
        page.get_by_role("button", name="Hand back to the assistant").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Hand back to the assistant").click()
        expect(page.get_by_role("status").filter(has_text="back with the assistant")).to_be_visible()
    said = httpx.get(path, headers=headers).json()
    assert [one["agent"] for one in said["messages"] if one["role"] == "agent"] == ["Demo agent"]
    assert "Likes oat milk" not in str(said)


def test_a_second_agent_sees_who_has_a_conversation_and_cannot_answer(stack: Stack, browser: Browser) -> None:
    _ask_for_a_person(stack.url, "when do you open on sundays")
    with console(browser, stack.url, "agent") as first, console(browser, stack.url, "admin") as second:
        for page in (first, second):
            page.goto(f"{stack.url}/console/inbox")
        first.get_by_role("link", name=re.compile("sundays")).first.click()
        second.get_by_role("link", name=re.compile("sundays")).first.click()
        take = second.get_by_role("button", name="Take over")
        expect(take).to_be_visible()
        first.get_by_role("button", name="Take over").click()
        expect(first.get_by_label("Your answer")).to_be_visible()
        expect(second.get_by_role("status").filter(has_text="Demo agent has this conversation")).to_be_visible()
        expect(take).to_have_count(0)
        expect(second.get_by_label("Your answer")).to_have_count(0)


def test_a_marketer_draws_approves_and_compares_creatives(stack: Stack, browser: Browser) -> None:
    with console(browser, stack.url, "marketer") as page:
        page.goto(f"{stack.url}/console/creatives")
        product = httpx.get(f"{stack.url}/demo/members", timeout=30).json()["members"][0]
        token = httpx.get(f"{stack.url}/demo/session", params={"member": product["member_id"]}).json()["token"]
        asked = httpx.post(
            f"{stack.url}/v1/recommendations",
            json={"channel": "api"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        page.get_by_role("button", name="Start a campaign").first.click()
        form = page.get_by_role("dialog")
        form.get_by_role("searchbox", name="Product").fill(asked.json()["items"][0]["product_id"])
        form.get_by_role("list", name="Products").get_by_role("button").first.click()
        form.get_by_label("Name").fill("Autumn")
        form.get_by_role("button", name="Start a campaign").click()
        page.get_by_role("button", name="Draw 12 more").click()
        tiles = page.locator(".tile")
        expect(tiles).to_have_count(12, timeout=60_000)
        page.get_by_role("button", name=re.compile("^Approve: ")).first.click()
        expect(page.get_by_role("heading", name="Running (1)")).to_be_visible()
        for place in (0, 1):
            page.get_by_label("Compare").nth(place).check(force=True)
        expect(page.locator(".compared .tile")).to_have_count(2)
        page.get_by_role("tab", name="Performance").click()
        expect(page.get_by_role("heading", name="Which variants do best for this audience?")).to_be_visible()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_sections_and_no_other(stack: Stack, browser: Browser, role: str) -> None:
    with console(browser, stack.url, role) as page:
        names = {path.rsplit("/", 1)[-1] for path in sections(page)}
        assert SEEN.get(role, set()) <= names
        if role == "agent":
            assert names.isdisjoint({"campaigns", "tuning", "creatives", "accounts"})
        if role == "auditor":
            assert names.isdisjoint({"inbox", "campaigns", "tuning", "accounts"})


@pytest.mark.parametrize(("width", "theme"), LOOKED_AT)
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_the_screen(
    stack: Stack, browser: Browser, width: int, theme: str
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[str]] = {}
    with console(browser, stack.url, "admin", width=width, theme=theme) as page:
        for view in views(page, stack.url):
            page.screenshot(
                path=SHOTS / f"{re.sub(r'[^a-z]+', '-', view.lower()).strip('-')}-{width}-{theme}.png", full_page=True
            )
            found[view] = serious(page, rest_ms=50)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found[view].append("wider than the screen")
    assert {view: faults for view, faults in found.items() if faults} == {}


def test_in_arabic_the_console_runs_from_right_to_left_and_its_own_policy_lets_every_page_work(
    stack: Stack, browser: Browser
) -> None:
    broken: list[str] = []
    with console(browser, stack.url, "admin", language="ar", bypass_csp=False) as page:
        page.on(
            "console",
            lambda said: broken.append(f"{said.text} {said.location['url']}") if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: broken.append(str(error)))
        assert page.evaluate("[document.documentElement.dir, document.documentElement.lang]") == ["rtl", "ar"]
        menu, main = page.locator("#sections").bounding_box(), page.locator("main#page").bounding_box()
        assert menu is not None
        assert main is not None
        assert menu["x"] > main["x"]
        english = set[str]()
        for view in views(page, stack.url):
            assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            english |= {f"{view}: {text}" for text in page.evaluate(UNMARKED)}
    assert broken == []
    assert not english, "\n".join(sorted(english))


def test_the_console_is_used_with_the_keyboard_alone(stack: Stack, browser: Browser) -> None:
    with console(browser, stack.url, "admin") as page:
        page.goto(f"{stack.url}/console/inbox")
        settled(page)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main#page")).to_be_focused()
        tabs = page.get_by_role("tab")
        tabs.first.focus()
        page.keyboard.press("ArrowRight")
        expect(tabs.nth(1)).to_be_focused()
        expect(page.get_by_role("tabpanel")).to_be_visible()
        page.locator("header .who").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("header .who")).to_be_focused()


def test_who_signs_out_is_out_in_every_tab(stack: Stack, browser: Browser) -> None:
    with console(browser, stack.url, "admin") as page:
        other = page.context.new_page()
        other.goto(f"{stack.url}/console/stores")
        expect(other.locator("main#page h1")).to_be_visible()
        page.locator("header .who").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        other.reload()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_kiosk_that_is_open_shows_in_the_fleet(stack: Stack, browser: Browser) -> None:
    kiosk = browser.new_page()
    kiosk.goto(str(httpx.get(f"{stack.url}/demo/kiosk", timeout=30).json()["url"]).replace("?camera=on", ""))
    with console(browser, stack.url, "marketer") as page:
        page.goto(f"{stack.url}/console/stores")
        card = page.locator("section.card").filter(has_text="entrance")
        expect(card.get_by_text("connected")).to_be_visible()
        expect(card.get_by_text("Attract")).to_be_visible()
    kiosk.close()


def test_the_inbox_hears_at_once_of_a_shopper_who_waits(stack: Stack, browser: Browser) -> None:
    with console(browser, stack.url, "agent") as page:
        page.goto(f"{stack.url}/console/inbox")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        before = page.locator(".queue li").count()
        _ask_for_a_person(stack.url, "is there a person")
        expect(page.locator(".queue li")).to_have_count(before + 1)


def test_shop_and_console_do_not_share_a_session(stack: Stack, page: Page) -> None:
    Shop(page, stack.url)
    assert page.request.get(f"{stack.url}/v1/session").status == 401

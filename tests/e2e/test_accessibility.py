"""Who uses a keyboard, a screen reader, a magnifier or less motion: axe finds nothing serious, and walks go through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from bench.axe import serious
from tests.e2e.widget_page import MockApi, Widget

pytestmark = pytest.mark.e2e
SCHEMES = ["light", "dark"]


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    return open_browser()


def widget_on(browser: Browser, mock_api: MockApi, scheme: str = "light", **settings: str) -> Widget:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = context.new_page()
    page.goto(mock_api.host_page(**settings))
    return Widget(page).open()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_in_the_widget(browser: Browser, mock_api: MockApi, scheme: str) -> None:
    widget = widget_on(browser, mock_api, scheme)
    page = widget.page
    for text in ("recommend something", "coupon", "compare", "my order", "refuse this"):
        widget.write(text)
        expect(page.get_by_test_id("typing")).to_have_count(0)
    expect(page.get_by_test_id("message-refused")).to_be_visible()
    page.get_by_test_id("why-button").first.click()
    page.get_by_test_id("chat-menu").click()
    found = {"messages, cards, menu": serious(page)}
    page.get_by_test_id("chat-forget").click()
    found["forget"] = serious(page)
    page.keyboard.press("Escape")
    mock_api.reachable(False)
    widget.write("are you there")
    expect(page.get_by_test_id("chat-error")).to_be_visible()
    found["unreachable"] = serious(page)
    assert {state: all_ for state, all_ in found.items() if all_} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_while_people_come_and_go(browser: Browser, mock_api: MockApi, scheme: str) -> None:
    widget = widget_on(browser, mock_api, scheme, page_lang="ar", page_dir="rtl")
    page = widget.page
    widget.write("closed?")
    expect(page.get_by_test_id("leave-form")).to_be_visible()
    found = {"closed": serious(page)}
    page.get_by_test_id("leave-form").get_by_role("button").click()
    widget.write("return")
    expect(page.get_by_test_id("rating-form")).to_be_visible()
    found["rating"] = serious(page)
    assert {state: all_ for state, all_ in found.items() if all_} == {}


def test_axe_finds_nothing_serious_on_a_full_screen_chat(browser: Browser, mock_api: MockApi) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, has_touch=True, bypass_csp=True)
    page = context.new_page()
    page.goto(mock_api.host_page(lang="de"))
    widget = Widget(page).open()
    widget.say("recommend something")
    assert serious(page) == []


@pytest.mark.parametrize("path", ["/", "/kiosk/entrance#key=dk_dev"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_on_the_pages(browser: Browser, mock_api: MockApi, scheme: str, path: str) -> None:
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(mock_api.url + path)
    page.wait_for_load_state("networkidle" if path == "/" else "load")
    assert serious(page) == []


def test_everything_is_reached_and_used_with_the_keyboard_alone(browser: Browser, mock_api: MockApi) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(mock_api.host_page())
    widget, press = Widget(page), page.keyboard.press
    press("Tab")  # the page's own link
    press("Tab")
    assert widget.focused() == "launcher"
    press("Enter")
    expect(widget.input).to_be_focused()
    page.keyboard.type("recommend something")
    press("Enter")
    expect(page.get_by_test_id("product-card")).to_have_count(3)
    expect(widget.input).to_be_focused()
    page.get_by_test_id("chat-menu").focus()
    walked = []
    for _ in range(16):
        press("Tab")
        walked.append(widget.focused())
    cards = ["add-button", "why-button"] * 3
    chips = ["quick-reply"] * 3
    row = ["chat-attach", "chat-input", *(["chat-speak"] if "chat-speak" in walked else []), "chat-send"]
    expected = ["chat-close", "chat-log", *cards, "more-button", *chips, *row]
    assert walked[: len(expected)] == expected[: len(walked)]
    page.get_by_test_id("why-button").first.focus()
    press("Enter")
    expect(page.get_by_test_id("why-button").first).to_have_attribute("aria-expanded", "true")
    page.get_by_test_id("more-button").focus()
    press("Enter")
    assert widget.focused() == "add-button"  # of the first card that was hidden
    page.get_by_test_id("quick-reply").first.focus()
    press("Enter")
    expect(page.get_by_test_id("own-message")).to_have_count(2)
    expect(widget.input).to_be_focused()
    press("Escape")
    expect(widget.panel).not_to_be_visible()
    expect(widget.launcher).to_be_focused()


def test_the_menu_and_its_question_take_and_give_back_the_focus(browser: Browser, mock_api: MockApi) -> None:
    widget = widget_on(browser, mock_api)
    page, press = widget.page, widget.page.keyboard.press
    page.get_by_test_id("chat-menu").focus()
    press("Enter")
    press("Escape")
    expect(page.get_by_test_id("chat-menu")).to_be_focused()
    press("Enter")
    page.get_by_test_id("chat-forget").focus()
    press("Enter")
    expect(page.get_by_test_id("forget-no")).to_be_focused()  # the harmless answer
    press("Tab")
    expect(page.get_by_test_id("forget-yes")).to_be_focused()
    press("Tab")
    assert widget.focused() not in {"chat-input", "chat-log", "chat-close"}  # what is covered is out of reach
    page.get_by_test_id("forget-no").focus()
    press("Escape")
    expect(page.get_by_test_id("chat-menu")).to_be_focused()
    expect(widget.panel).to_be_visible()


def test_what_a_screen_reader_is_told_from_the_first_word_to_the_last(browser: Browser, mock_api: MockApi) -> None:
    widget = widget_on(browser, mock_api)
    page = widget.page
    expect(page.get_by_role("dialog", name="Shop assistant")).to_be_visible()
    expect(page.get_by_role("log", name="Conversation")).to_contain_text("AI assistant")
    expect(page.get_by_role("textbox", name="Ask about products or offers")).to_be_focused()
    widget.say("recommend something")
    widget.say("coupon")
    mock_api.reachable(False)
    widget.write("hello?")
    expect(page.get_by_test_id("chat-error")).to_be_visible()
    mock_api.reachable(True)
    page.get_by_test_id("chat-retry").click()
    expect(page.locator(".pending")).to_have_count(0)
    heard = [one for one in widget.heard() if one != "The assistant is writing."]
    assert "The assistant is writing." in widget.heard()
    assert heard == [
        "These fit what you usually buy. 5 products shown.",
        "Here is one for something you often buy. Your coupon: $1.00 off Tortilla chips.",
        "We can't reach the shop right now. What you write is kept and sent as soon as we can.",
        "We are open Monday to Saturday 7:00 to 22:00, Sunday 8:00 to 20:00.",
    ]
    expect(page.get_by_role("button", name="Add Plain yogurt, 32 oz to basket")).to_be_visible()
    expect(page.get_by_role("button", name="Why this? Plain yogurt, 32 oz")).to_be_visible()
    expect(page.get_by_role("list", name="Suggested answers")).to_be_visible()


@pytest.mark.parametrize("size", [(320, 256), (320, 640), (640, 360)])
def test_at_400_percent_everything_fits_and_can_be_read(
    browser: Browser, mock_api: MockApi, size: tuple[int, int]
) -> None:
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    page.goto(mock_api.host_page(lang="de"))
    widget = Widget(page).open()
    widget.say("long words")
    log = page.get_by_test_id("chat-log")
    overflow = "one => one.scrollWidth - one.clientWidth"
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert log.evaluate(overflow) <= 0
    assert widget.panel.evaluate(overflow) <= 0
    assert log.evaluate("one => one.clientHeight") >= 100
    expect(page.get_by_test_id("chat-send")).to_be_in_viewport()
    expect(page.get_by_test_id("chat-close")).to_be_in_viewport()


def test_targets_are_large_enough_for_fingers(browser: Browser, mock_api: MockApi) -> None:
    widget = widget_on(browser, mock_api)
    widget.say("recommend something")
    sizes: list[tuple[str, float, float]] = widget.panel.evaluate(
        """one => [...one.querySelectorAll("button, select, textarea")].filter((it) => it.getClientRects().length)
             .map((it) => [it.dataset.testid ?? it.className, it.offsetWidth, it.offsetHeight])"""
    )
    assert [one for one in sizes if min(one[1:]) < 24] == []
    assert [one[0] for one in sizes if min(one[1:]) < 44] == ["why-button"] * 3


def test_nothing_moves_for_who_asked_for_that(browser: Browser, mock_api: MockApi) -> None:
    widget = widget_on(browser, mock_api)
    widget.write("slow")
    expect(widget.page.get_by_test_id("typing")).to_be_visible()
    moving = "document.querySelector('aisle-chat').shadowRoot.getAnimations({subtree: true}).length"
    assert widget.page.evaluate(f"(() => {moving})()") == 0


def test_the_full_screen_chat_makes_the_page_behind_it_inert(browser: Browser, mock_api: MockApi) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(mock_api.host_page())
    widget = Widget(page).open()
    for _ in range(14):
        page.keyboard.press("Tab")
        assert widget.focused() not in {"A", "launcher"}
    page.keyboard.press("Escape")
    expect(widget.launcher).to_be_focused()

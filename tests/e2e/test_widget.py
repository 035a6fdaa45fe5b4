"""The chat widget in a browser: quick to react, never losing a message, one conversation in all tabs, forgotten when asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.widget_page import MockApi, Widget

pytestmark = pytest.mark.e2e
AT_ONCE_MS = 200
_VOICE = """
window.listened = 0; window.spoken = [];
window.SpeechRecognition = class extends EventTarget {
  start() { window.listened++; setTimeout(() => {
    this.onresult({ results: [[{ transcript: "recommend something" }]] }); this.onend(); }, 50); }
  stop() {} abort() {}
};
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis",
  { value: { speak: (one) => window.spoken.push(one.text), cancel() {} } });
"""


@pytest.fixture
def context(open_browser: Callable[..., Browser]) -> BrowserContext:
    return open_browser().new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def opened(page: Page, mock_api: MockApi, **settings: str) -> Widget:
    page.goto(mock_api.host_page(**settings))
    return Widget(page).open()


@pytest.mark.parametrize("text", ["hello", "slow", "stream", "drop", "busy", "refuse"])
def test_every_message_shows_a_sign_of_life_at_once(page: Page, mock_api: MockApi, text: str) -> None:
    widget = opened(page, mock_api)
    widget.watch_first_look()
    widget.write(text)
    assert widget.first_look_ms() < AT_ONCE_MS


def test_a_quick_reply_and_an_unreachable_shop_show_a_sign_of_life_at_once(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    mock_api.reachable(False)
    widget.watch_first_look()
    page.get_by_test_id("quick-reply").first.click()
    assert widget.first_look_ms() < AT_ONCE_MS
    expect(page.get_by_test_id("chat-error")).to_contain_text("kept")


def test_a_streamed_answer_grows_in_one_bubble_and_is_read_out_once(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    before = widget.answers.count()
    widget.write("stream please")
    expect(page.locator(".partial")).to_contain_text("Oats keep")
    expect(widget.answers.last).to_contain_text("about a year.")
    expect(page.locator(".partial")).to_have_count(0)
    expect(widget.answers).to_have_count(before + 1)
    assert len([one for one in widget.heard() if "Oats" in one]) == 1


def test_messages_written_while_the_shop_is_away_arrive_after_a_reload_in_order_and_once(
    page: Page, mock_api: MockApi
) -> None:
    widget = opened(page, mock_api)
    already = len(mock_api.received())
    mock_api.reachable(False)
    for text in ("first", "second", "third"):
        widget.write(text)
    expect(page.locator('[data-testid="message-mark"][data-state="waiting"]')).to_have_count(3)
    page.reload()
    expect(page.get_by_test_id("chat-unreachable")).to_be_visible()
    mock_api.reachable(True)
    expect(page.get_by_test_id("own-message")).to_have_text([re.compile(one) for one in ("first", "second", "third")])
    expect(page.locator(".pending")).to_have_count(0)
    expect(page.get_by_test_id("message-mark")).to_have_attribute("data-state", "delivered")
    assert [one["text"] for one in mock_api.received()[already:]] == ["first", "second", "third"]


def test_without_a_network_nothing_is_lost_and_all_goes_by_itself_when_it_is_back(
    page: Page, context: BrowserContext, mock_api: MockApi
) -> None:
    widget = opened(page, mock_api)
    context.set_offline(True)
    widget.write("are you there")
    expect(page.get_by_test_id("chat-error")).to_contain_text("offline")
    context.set_offline(False)
    expect(page.get_by_test_id("chat-error")).to_have_count(0)
    assert [one["text"] for one in mock_api.received()].count("are you there") == 1


def test_a_message_that_is_refused_can_be_discarded(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    widget.write("refuse")
    expect(page.get_by_test_id("message-refused")).to_contain_text("cannot be taken")
    page.get_by_test_id("message-refused").get_by_role("button", name="Discard").click()
    expect(page.get_by_test_id("own-message")).to_have_count(0)


def test_two_tabs_show_one_conversation(context: BrowserContext, mock_api: MockApi) -> None:
    first = opened(context.new_page(), mock_api)
    second = opened(context.new_page(), mock_api)
    first.say("recommend something")
    cards = second.panel.get_by_test_id("product-card")
    expect(cards).to_have_count(3)
    second.say("any coupons")
    expect(first.page.get_by_test_id("coupon-code")).to_be_visible()
    assert first.page.get_by_test_id("own-message").count() == second.page.get_by_test_id("own-message").count() == 2


def test_a_forgotten_chat_is_gone_at_the_shop_in_the_browser_and_in_the_other_tab(
    context: BrowserContext, mock_api: MockApi
) -> None:
    widget, other = opened(context.new_page(), mock_api), opened(context.new_page(), mock_api)
    widget.say("my secret")
    mine = mock_api.conversations()[-1]
    widget.forget()
    expect(widget.page.get_by_test_id("chat-forgotten")).to_be_visible()
    expect(other.page.get_by_test_id("chat-forgotten")).to_be_visible()
    assert mine not in mock_api.conversations()
    assert widget.page.evaluate("Object.keys(localStorage)") == []
    widget.page.get_by_test_id("chat-restart").click()
    expect(widget.answers).to_have_count(1)
    expect(widget.panel).not_to_contain_text("my secret")


def test_a_chat_that_cannot_be_deleted_says_so_and_stays(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    mock_api.reachable(False)
    widget.forget()
    expect(page.get_by_test_id("forget-dialog")).to_contain_text("nothing was deleted")
    page.get_by_test_id("forget-no").click()
    expect(widget.answers).to_have_count(1)


def test_before_the_first_click_nothing_is_stored_and_nothing_is_asked(page: Page, mock_api: MockApi) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("?")[0].rsplit("/", 1)[-1]))
    page.goto(mock_api.host_page(greetings='[{"id": "a", "text": "Hi", "after_s": 5}]'))
    page.wait_for_timeout(300)
    assert asked[:2] == ["host", "widget.js"]
    assert set(asked[2:]) <= {"favicon.ico"}
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_strict_policy_of_another_origin_blocks_nothing(page: Page, mock_api: MockApi) -> None:
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    widget = opened(page, mock_api, api="other", lang="fr")
    widget.say("recommend something")
    widget.say("coupon")
    expect(page.locator(".qr")).to_have_js_property("complete", True)
    assert complaints == []


def test_a_person_is_waited_for_comes_by_name_goes_and_is_rated(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    widget.write("talk to a person")
    expect(page.get_by_test_id("queue-state")).to_contain_text("number 2 in the queue")
    expect(page.get_by_test_id("queue-state")).to_contain_text("about 3 min")
    expect(page.get_by_role("heading", name="Dana")).to_be_visible()
    expect(page.get_by_test_id("chat-subtitle")).to_have_text("From the shop's team")
    expect(page.get_by_test_id("message-mark")).to_have_attribute("data-state", "read")
    expect(widget.answers.last).to_contain_text("this is Dana")
    assert "You are talking with Dana." in widget.heard()
    widget.write("return to the assistant")
    form = page.get_by_test_id("rating-form")
    form.get_by_role("radio", name="Very good").check(force=True)
    form.get_by_role("textbox").fill("Dana was kind")
    form.get_by_role("button", name="Send rating").click()
    expect(page.get_by_test_id("rating-sent")).to_be_visible()
    assert {"score": 5, "comment": "Dana was kind"} in [one.get("rating") for one in mock_api.received()]


def test_while_nobody_is_there_a_message_can_be_left(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    widget.write("is it closed")
    form = page.get_by_test_id("leave-form")
    form.get_by_role("button").click()
    expect(form).to_contain_text("how we can reach you")
    form.get_by_label("Your message").fill("My oats were stale")
    form.get_by_label("E-mail or phone").fill("maya@shop.example")
    form.get_by_role("button").click()
    expect(page.get_by_test_id("leave-sent")).to_be_visible()
    expect(page.locator(".pending")).to_have_count(0)
    assert "maya@shop.example" in mock_api.received()[-1]["text"]


def test_a_picture_can_be_sent_and_is_shown(page: Page, mock_api: MockApi, tmp_path: Path) -> None:
    widget = opened(page, mock_api)
    picture = tmp_path / "jar.png"
    picture.write_bytes(page.screenshot())
    page.get_by_test_id("chat-file").set_input_files(picture)
    expect(page.get_by_test_id("chosen-file")).to_contain_text("jar.jpg")
    page.get_by_test_id("chat-send").click()
    expect(page.locator("canvas[data-drawn]")).to_be_visible()
    expect(widget.answers.last).to_contain_text("it is here")
    page.get_by_test_id("chat-file").set_input_files({"name": "a.exe", "mimeType": "application/exe", "buffer": b"MZ"})
    expect(page.get_by_test_id("chat-notice")).to_contain_text("Pictures")


def test_a_pdf_is_saved_and_never_opened(page: Page, mock_api: MockApi) -> None:
    opened(page, mock_api)
    page.get_by_test_id("chat-file").set_input_files(
        {"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 %%EOF"}
    )
    page.get_by_test_id("chat-send").click()
    expect(page.locator(".pending")).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("button", name="receipt.pdf").click()
    assert saved.value.suggested_filename == "receipt.pdf"
    assert len(page.context.pages) == 1


def test_the_chat_and_the_page_show_one_basket(page: Page, mock_api: MockApi) -> None:
    page.goto(mock_api.url)
    pieces = page.get_by_test_id("basket-button").locator(".badge")
    expect(page.get_by_test_id("shop-products")).to_be_visible()
    before = int(pieces.inner_text())
    widget = Widget(page).open()
    widget.say("recommend something").get_by_test_id("add-button").first.click()
    expect(pieces).to_have_text(str(before + 1))
    page.get_by_test_id("shop-products").get_by_test_id("add-button").first.click()
    expect(pieces).to_have_text(str(before + 2))
    page.reload()
    expect(pieces).to_have_text(str(before + 2))
    widget.say("my basket")  # what the assistant says of it is what the page shows
    expect(pieces).to_have_text("4")


def test_speech_becomes_text_after_a_notice_and_answers_are_read_aloud(page: Page, mock_api: MockApi) -> None:
    page.add_init_script(_VOICE)
    widget = opened(page, mock_api)
    page.get_by_test_id("chat-speak").click()
    expect(page.get_by_test_id("speech-notice")).to_contain_text("send the sound to their maker")
    assert page.evaluate("window.listened") == 0
    page.get_by_test_id("speech-notice").get_by_role("button").click()
    expect(widget.input).to_have_value("recommend something")
    page.get_by_test_id("chat-menu").click()
    page.get_by_test_id("chat-read-aloud").check(force=True)
    page.get_by_test_id("chat-send").click()
    expect(page.get_by_test_id("product-card")).to_have_count(3)
    assert page.evaluate("window.spoken") == ["These fit what you usually buy. 5 products shown."]


def test_what_an_answer_carries_is_shown(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    expect(widget.say("compare them").get_by_role("table")).to_contain_text("Whole grain bread")
    expect(widget.say("my basket").get_by_test_id("basket-card")).to_contain_text("$15.56")
    expect(widget.say("my order").get_by_test_id("order-card")).to_contain_text("Arrives tomorrow")
    answer = widget.say("recommend something")
    page.evaluate(
        "document.addEventListener('aisle:add-to-basket', (event) => { window.got = event.detail.item.name; })"
    )
    answer.get_by_test_id("add-button").first.click()
    assert page.evaluate("window.got") == "Tortilla chips, 11.5 oz"


def test_a_greeting_needs_consent_is_shown_once_and_stays_away_when_closed(page: Page, mock_api: MockApi) -> None:
    rules = '[{"id": "hi", "text": {"en": "Can I help?", "de": "Kann ich helfen?"}, "say": "recommend something"}]'
    page.clock.install()
    page.goto(mock_api.host_page(greetings=rules))
    page.clock.fast_forward(20_000)
    expect(page.get_by_test_id("greeting")).to_have_count(0)
    page.goto(mock_api.host_page(greetings=rules, consent="yes", lang="de"))
    page.clock.fast_forward(20_000)
    expect(page.get_by_test_id("greeting")).to_contain_text("Kann ich helfen?")
    page.get_by_test_id("greeting-close").click()
    expect(page.get_by_test_id("launcher")).to_be_focused()
    page.reload()
    page.clock.fast_forward(20_000)
    expect(page.get_by_test_id("greeting")).to_have_count(0)


def test_news_while_the_chat_is_closed_is_counted_on_the_launcher(page: Page, mock_api: MockApi) -> None:
    widget = opened(page, mock_api)
    widget.write("talk to a person")
    expect(page.get_by_test_id("queue-state")).to_be_visible()
    page.get_by_test_id("chat-close").click()
    expect(widget.launcher).to_have_attribute("aria-label", re.compile("new message"), timeout=10_000)
    widget.launcher.click()
    expect(widget.answers.last).to_contain_text("Dana")
    expect(widget.launcher).not_to_have_attribute("aria-label", re.compile("new message"))


@pytest.mark.parametrize(
    ("lang", "dir_", "word"),
    [("de", "ltr", "KI-Assistent"), ("es", "ltr", "IA"), ("fr", "ltr", "Assistant IA"), ("ar", "rtl", "مساعد")],
)
def test_the_interface_speaks_the_pages_language(
    page: Page, mock_api: MockApi, lang: str, dir_: str, word: str
) -> None:
    widget = opened(page, mock_api, page_lang=lang, page_dir=dir_)
    expect(widget.panel).to_contain_text(word)
    expect(widget.panel).to_have_attribute("lang", lang)
    expect(widget.panel).to_have_attribute("dir", dir_)
    page.get_by_test_id("chat-menu").click()
    page.get_by_test_id("chat-language").select_option("en")
    expect(widget.panel).to_contain_text("AI assistant. It can make mistakes.")
    expect(widget.panel).to_have_attribute("dir", "ltr")

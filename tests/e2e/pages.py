"""What a person does on the pages, in their words."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class Shop:
    """The demo shop with its chat."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        expect(page.get_by_test_id("shop-products")).to_be_visible()

    def sign_in(self, member: dict[str, str]) -> None:
        option = f'[data-testid="shop-member-option"][data-member="{member["member_id"]}"]'
        self.page.locator(option).check(force=True)
        expect(self.page.get_by_test_id("shop-title")).to_contain_text(member["display_name"].split()[0])

    def open_chat(self) -> None:
        self.page.get_by_test_id("launcher").click()
        expect(self.page.get_by_test_id("chat-input")).to_be_visible()

    def say(self, text: str) -> Locator:
        """Send a message and return the answer that follows."""
        answers = self.page.get_by_test_id("bot-message")
        before = answers.count()
        box = self.page.get_by_test_id("chat-input")
        box.click()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")
        expect(answers).not_to_have_count(before)
        return answers.last

    def press(self, quick_reply: str) -> Locator:
        """Press a quick reply and return the answer that follows."""
        answers = self.page.get_by_test_id("bot-message")
        before = answers.count()
        self.page.get_by_test_id("quick-reply").filter(has_text=quick_reply).last.click()
        expect(answers).not_to_have_count(before)
        return answers.last


class Display:
    """A kiosk's page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        expect(page.get_by_test_id("kiosk-headline").first).to_be_visible(timeout=20_000)

    def enrol(self, code: str) -> None:
        """Go through the enrolment, with consent."""
        self.page.get_by_test_id("kiosk-enrol").click()
        self.page.get_by_test_id("consent-yes").click()
        for digit in code:
            self.page.get_by_test_id(f"keypad-{digit}").click()
        self.page.get_by_test_id("keypad-next").click()
        self.page.get_by_test_id("expression-no").click()

    def items(self) -> list[str]:
        """Return the ids of the items on display."""
        cards = self.page.get_by_test_id("product-card")
        return [str(card.get_attribute("data-product")) for card in cards.all()]

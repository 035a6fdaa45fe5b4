"""A first campaign by somebody who has never seen the console: they read what is new on the screen, and use what it says.

The walk finds fields and buttons by their visible words alone. Its time is counted, not slept: two seconds to find one's way on each
new screen, a quarter of a second for each word that was not there before, a fifth for each character typed. What the machine took comes on
top.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from playwright.sync_api import Page, expect

FIND_S, WORDS_PER_S, TYPED_PER_S = 2.0, 4.0, 5.0
PATIENCE_MS = 60_000
NAME = "Autumn coffee"


@dataclass
class Walk:
    """How long a walk takes: human seconds, seconds waited for the machine, and what was done."""

    human_s: float = 0.0
    waited_s: float = 0.0
    words: int = 0
    done: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.human_s + self.waited_s


class Newcomer:
    """Somebody at a page."""

    def __init__(self, page: Page) -> None:
        self.page, self.walk = page, Walk()
        self._read: set[str] = set()

    def look(self) -> None:
        """Read what is new in the page's main part."""
        text = self.page.locator("main").inner_text()
        lines = {line.strip() for line in text.splitlines() if line.strip()} - self._read
        self._read |= lines
        words = sum(len(line.split()) for line in lines)
        self.walk.words += words
        self.walk.human_s += FIND_S + words / WORDS_PER_S

    def press(self, name: str, *, then: str) -> None:
        """Press a button or a link by its words, and wait for the words that follow."""
        self.look()
        main = self.page.locator("main")
        button = main.get_by_role("button", name=name, exact=True).or_(main.get_by_role("link", name=name, exact=True))
        started = time.monotonic()
        button.first.click()
        expect(self.page.locator("main").get_by_text(then).first).to_be_visible(timeout=PATIENCE_MS)
        self.walk.waited_s += time.monotonic() - started
        self.walk.done.append(name)

    def choose(self, name: str) -> None:
        """Pick one of a few by its words."""
        self.page.locator("main").get_by_text(name, exact=True).first.click()
        self.walk.human_s += FIND_S / 2
        self.walk.done.append(name)

    def write(self, label: str, text: str) -> None:
        """Type into a field, over what stands in it."""
        box = self.page.locator("main").get_by_role("textbox", name=label, exact=True)
        box.fill("")
        box.press_sequentially(text)
        box.press("Tab")
        self.walk.human_s += len(text) / TYPED_PER_S
        self.walk.done.append(f"{label}: {text}")


def first_campaign(page: Page, url: str) -> Walk:
    """Walk from the empty list of campaigns to a campaign that runs; whoever is signed in may do so alone."""
    page.goto(f"{url}/console/campaigns")
    expect(page.get_by_text("No campaign yet")).to_be_visible(timeout=PATIENCE_MS)
    somebody = Newcomer(page)
    somebody.press("Make your first campaign", then="What is it for?")
    somebody.write("Name", NAME)
    somebody.choose("More sales")
    somebody.press("Next", then="Who can get a coupon?")
    somebody.press("Next", then="What do the coupons take off?")
    somebody.press("Next", then="Which posters go with it?")
    somebody.press("Next", then="What may it cost, and when?")
    somebody.write("Budget", "150")
    somebody.press("Save and simulate", then="Expected cost")
    somebody.press("Approve", then="Launch it, and coupons are given")
    somebody.press("Launch", then="It is running.")
    somebody.look()
    return somebody.walk

"""Walk the console in a browser: sign in by role, find its pages and tabs, and measure what a person waits for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, expect

ROLES = ("marketer", "agent", "auditor", "admin")
WIDTHS = {1440: 900, 1024: 768, 390: 844}
THEMES = ("light", "dark")
NAMES = {"marketer": "Marketer", "agent": "Agent", "auditor": "Auditor", "admin": "Admin"}
WATCH = """
window.aisleSlow = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.interactionId) window.aisleSlow.push([entry.duration, entry.name, location.pathname]);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
"""Event timing (https://www.w3.org/TR/event-timing): from a key or a click to the next paint, in steps of 8 ms."""


@contextmanager
def console(
    browser: Browser, url: str, role: str, *, width: int = 1440, theme: str = "light", language: str = "en", bypass_csp: bool = True
) -> Iterator[Page]:  # fmt: skip
    """Sign in as the demo's person of a role; `bypass_csp` lets axe in, which the page's own policy keeps out."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": WIDTHS.get(width, 900)},
        bypass_csp=bypass_csp,
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    page.add_init_script(WATCH)
    page.add_init_script(
        f"localStorage.setItem('aisle:console:theme', '{theme}'); localStorage.setItem('aisle:console:language', '{language}');"
    )
    try:
        page.goto(f"{url}/console")
        sign_in(page, role, language=language)
        yield page
    finally:
        context.close()


def sign_in(page: Page, role: str, *, language: str = "en") -> None:
    """Use the button that a demo offers for each role."""
    if language == "en":
        page.get_by_role("button", name=NAMES[role], exact=True).click()
    else:
        page.locator("main.door section button").nth(ROLES.index(role)).click()
    settled(page)


def sections(page: Page) -> list[str]:
    """Return the paths of the menu, as far as this role sees them."""
    found: list[str] = page.locator("#sections nav a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    return found


def settled(page: Page) -> None:
    """Wait until the page is there and no part of it is still on its way."""
    expect(page.locator("main#page h1").first).to_be_visible()
    expect(page.locator("main .skeleton")).to_have_count(0)


def views(page: Page, url: str) -> Iterator[str]:
    """Open every section, every tab of it, and a page of each kind that it leads to; yield the name of each."""
    seen: set[str] = set()
    for path in [*sections(page), "/console/account"]:
        _open(page, url + path)
        yield path
        tabs = page.locator("main .tabs").first.get_by_role("tab")
        found = _links(page)
        for place in range(1, tabs.count()):
            tabs.nth(place).click()
            settled(page)
            found += _links(page)
            yield f"{path} {tabs.nth(place).inner_text()}"
        for link in found:
            kind = _ID.sub("…", link.split("?")[0])
            if (kind not in seen and kind != link.split("?")[0]) or (link.endswith("/new") and link not in seen):
                seen |= {kind, link}
                _open(page, url + link)
                yield kind


_ID = re.compile(r"(?<=/)(?=[^/]*[0-9])[^/]{2,}")


def _open(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)


def _links(page: Page) -> list[str]:
    found: list[str] = page.locator("main a[href^='/console/']").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    return found


def use(page: Page) -> None:
    """Do what people do on a page: sort a table, turn a chart into a table, type, open and close the menu of the account."""
    _first(page, "main th button.sort", lambda one: one.click())
    for name in ("Table", "Chart"):
        toggle = page.locator("main figure").get_by_role("radio", name=name)
        if toggle.count():
            toggle.first.click()
    _first(
        page,
        "main input[type=text], main input[type=search], main textarea",
        lambda one: one.press_sequentially("milk"),
    )
    page.locator("header .who").click()
    page.keyboard.press("Escape")


def slowest_interaction(page: Page) -> tuple[float, str]:
    """Return the longest time from an interaction to the next paint since the page was loaded, in ms, and what it was."""
    page.wait_for_timeout(200)  # entries are told when the browser is idle
    found: list[tuple[float, str, str]] = page.evaluate("window.aisleSlow")
    took, name, path = max(found, default=(0.0, "nothing took 16 ms", ""))
    return took, f"{name} {path}".strip()


def _first(page: Page, selector: str, act: Callable[..., None]) -> None:
    found = page.locator(selector).locator("visible=true")
    if found.count() and found.first.is_enabled():
        act(found.first)

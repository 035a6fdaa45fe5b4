"""An auditor's day in the console: they look at everything that people trust, change nothing, and see nobody's address or words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bench.axe import serious
from bench.console_tour import THEMES, WIDTHS, console, settled, views
from bench.stack import Stack

pytestmark = pytest.mark.e2e
SHOTS = Path("build/console")
TABS = ("Fairness", "Variety", "Audit log", "Consents", "Retention and erasure", "Models")
LOOKS = re.compile(r".*\n[↕↑↓▲▼]|.*\n▾|Run the audit now|Search|Chart|Table|Save as CSV|Show more|[0-9]+ days|[+−×?]")
"""What buttons that only look say: those that sort, choose, search, draw or save a copy. Running the audit writes its report and nothing else."""
ELSEWHERE = {
    "campaigns/new": "Campaigns", "tuning": "Tuning", "creatives": "Creatives", "inbox": "Inbox", "display": "Display policy",
    "accounts": "Staff accounts", "experiments/new": "Experiments", "stores": "Stores and kiosks",
}  # fmt: skip
OWN = {"Sec-Fetch-Site": "same-origin"}
SAID = "the milk that I bought was sour"


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    return open_browser()


def decided(url: str, *, says: str = "") -> str:
    """Let a demo's member ask the shop, and perhaps write to it; return what was decided for them."""
    member = httpx.get(f"{url}/demo/members", timeout=30).json()["members"][0]["member_id"]
    token = httpx.get(f"{url}/demo/session", params={"member": member}, timeout=30).json()["token"]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as shopper:
        if says:
            conversation = shopper.post("/v1/conversations").json()["conversation_id"]
            shopper.post(f"/v1/conversations/{conversation}/messages", json={"text": says}).raise_for_status()
        asked = shopper.post("/v1/recommendations", json={"channel": "api", "wants_coupon": True})
        return str(asked.json()["decision_id"])


def erased(page: Page, url: str) -> str:
    """Add a member and erase them, as the admin who is signed in; return the receipt's number."""

    def send(path: str, body: dict[str, str]) -> dict[str, str]:
        return dict(page.request.post(url + path, data=body, headers=OWN | {"Origin": url}).json())

    made = send("/v1/members", {"display_name": "Somebody Gone", "email": "gone@mail.example"})
    return send(f"/v1/members/{made['member_id']}/erase", {})["receipt_id"]


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    settled(page)


def shot(page: Page, name: str, width: int, theme: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"auditor-{name}-{width}-{theme}.png", full_page=True)


def test_an_auditor_checks_fairness_the_log_consents_deletions_and_a_decision(stack: Stack, browser: Browser) -> None:
    decision = decided(stack.url, says=SAID)
    with console(browser, stack.url, "admin") as page:
        receipt = erased(page, stack.url)
    with console(browser, stack.url, "auditor") as page:
        page.get_by_role("link", name="Trust").click()
        expect(page.get_by_text("No audit was run from here yet")).to_be_visible()
        page.get_by_role("button", name="Run the audit now").click()
        expect(page.get_by_text("Decisions of the last 28 days", exact=False)).to_be_visible(timeout=120_000)
        expect(page.get_by_text("by Demo auditor", exact=False)).to_be_visible()

        open_tab(page, "Audit log")
        expect(page.get_by_text("The log is whole", exact=False)).to_be_visible()
        page.get_by_role("textbox", name="What", exact=True).fill("fairness")
        page.get_by_role("button", name="Search", exact=True).click()
        lines = page.get_by_role("row").filter(has_text="fairness")
        expect(lines.first).to_contain_text("Demo auditor")
        page.get_by_role("textbox", name="What", exact=True).fill("nothing-like-it")
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page.get_by_text("No line fits")).to_be_visible()

        open_tab(page, "Consents")
        expect(page.get_by_role("cell", name="Profiling").first).to_be_visible()
        open_tab(page, "Retention and erasure")
        expect(page.get_by_role("cell", name="Conversations").first).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="A member's erasure").first).to_contain_text(receipt[:8])

        page.goto(f"{stack.url}/console/decisions/{decision}")
        settled(page)
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        expect(page.locator("main")).to_contain_text("coupon")
        assert SAID not in page.locator("main").inner_text()


def test_an_auditor_sees_no_button_that_changes_anything_and_nobodys_address_or_words(
    stack: Stack, browser: Browser
) -> None:
    decided(stack.url, says=SAID)
    found: dict[str, set[str]] = {}
    with console(browser, stack.url, "auditor") as page:
        for view in views(page, stack.url):
            if view == "/console/account":  # their own
                continue
            text = page.locator("main").inner_text()
            assert SAID not in text, view
            assert not re.search(r"\S+@\S+\.\S+", text), view
            names = {name.strip() for name in page.locator("main button:visible").all_inner_texts() if name.strip()}
            found[view] = {name for name in names if not LOOKS.fullmatch(name)}
    assert {view: names for view, names in found.items() if names} == {}


def test_other_sections_tell_an_auditor_plainly_that_they_are_closed_and_the_api_agrees(
    stack: Stack, browser: Browser
) -> None:
    now = datetime.now(UTC)
    with console(browser, stack.url, "auditor") as page:
        for path, name in ELSEWHERE.items():
            page.goto(f"{stack.url}/console/{path}")
            expect(page.get_by_role("heading", level=1)).to_have_text(name)
            expect(page.get_by_text("This page is not open to your role (Auditor)")).to_be_visible()
            assert page.locator("main").get_by_role("button").count() == 0
        page.get_by_role("link", name="Go to the start").click()
        settled(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")
        campaign = {
            "name": "Mine", "budget_minor": 100, "starts_at": now.isoformat(), "ends_at": (now + timedelta(days=1)).isoformat(),
            "ladder": [{"discount_minor": 5}],
        }  # fmt: skip
        refused = {
            path: page.request.post(
                stack.url + path, data=body, headers=OWN | {"Origin": stack.url}
            ).status
            for path, body in {
                "/v1/campaigns": campaign, "/v1/tuning/preview": {"values": {}}, "/v1/segments": {}, "/v1/accounts": {},
                "/v1/creative-campaigns": {},
            }.items()
        }  # fmt: skip
    assert set(refused.values()) == {403}, refused


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_trust_is_readable_at_every_size_and_colour(stack: Stack, browser: Browser, width: int, theme: str) -> None:
    decision, faults = decided(stack.url), dict[str, list[str]]()
    with console(browser, stack.url, "auditor", width=width, theme=theme) as page:
        page.goto(f"{stack.url}/console/trust")
        settled(page)
        for name in TABS:
            open_tab(page, name)
            shot(page, re.sub(r"[^a-z]+", "-", name.lower()), width, theme)
            faults[name] = _faults(page)
        page.goto(f"{stack.url}/console/decisions/{decision}")
        settled(page)
        shot(page, "decision", width, theme)
        faults["decision"] = _faults(page)
        page.goto(f"{stack.url}/console/campaigns")
        settled(page)
        shot(page, "closed", width, theme)
        faults["closed"] = _faults(page)
    assert {name: found for name, found in faults.items() if found} == {}


def _faults(page: Page) -> list[str]:
    found = serious(page, rest_ms=50)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*found, "wider than the screen"] if wide else found

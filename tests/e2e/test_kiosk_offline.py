"""A kiosk whose api goes away: it plays on for a day, proves what it played, and keeps nothing of who was there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect

from personalization.types import Purpose
from stores.database import Database
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.small_server import Shop, opened
from tests.small_shop import fill

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000
PORTRAIT = {"width": 1080, "height": 1920}
HOUR_MS = 3_600_000
# what a page has stored, whole: caches, databases, storages
KEPT = """async () => {
  const found = [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}), document.cookie];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const type = (await cache.match(request)).headers.get("content-type") ?? "";
      found.push(request.url, /json|html|svg/.test(type) ? await (await cache.match(request)).text() : "");
    }
  }
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => {
        const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
      found.push(JSON.stringify(all));
    }
    db.close();
  }
  return found.join("\\n");
}"""


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    fill(sqlite_database)
    return sqlite_database


@pytest.fixture
def shop(database: Database, tmp_path: Path, models_dir: Path) -> Iterator[Shop]:
    with opened(database, tmp_path / "shop", models_dir) as running:
        yield running


@pytest.fixture
def power(playwright: Playwright, tmp_path: Path) -> Iterator[Callable[[], BrowserContext]]:
    """Switch the kiosk on, as often as one likes: it is the same disk each time."""
    on: list[BrowserContext] = []

    def switch_on() -> BrowserContext:
        for context in on:
            context.close()
        on[:] = [
            playwright.chromium.launch_persistent_context(
                tmp_path / "disk",
                executable_path=CHROMIUM,
                args=FLAGS,
                viewport=PORTRAIT,  # type: ignore[arg-type]
            )
        ]
        return on[0]

    yield switch_on
    for context in on:
        context.close()


def mode(page: Page, wanted: str) -> None:
    expect(page.locator("#kiosk")).to_have_attribute("data-mode", wanted, timeout=PATIENCE_MS)


def until(page: Page, holds: str, arg: Any = None) -> None:
    """Wait for an expression; the page's own policy refuses what Playwright would evaluate for that inside of it."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(holds, arg):
        assert time.monotonic() < end, f"never: {holds}"
        page.wait_for_timeout(50)


def ready(page: Page) -> None:
    """Wait until the posters and the page itself are kept."""
    until(page, "navigator.serviceWorker.controller !== null")
    until(page, "caches.has('aisle-kiosk-playlist')")
    until(page, "caches.open('aisle-kiosk-playlist').then((c) => c.match('/kiosk/_/playlist')).then(Boolean)")


def away(page: Page) -> None:
    expect(page.get_by_test_id("kiosk-offline")).to_be_visible(timeout=PATIENCE_MS)


def back(page: Page) -> None:
    expect(page.get_by_test_id("kiosk-offline")).to_have_count(0, timeout=PATIENCE_MS)


def pictures_shown(page: Page) -> list[int]:
    """Return the widths of the pictures on the screen, as decoded; 0 is a broken one."""
    until(page, "[...document.images].every((one) => one.complete)")
    return list(page.evaluate("[...document.images].map((one) => one.naturalWidth)"))


def told(shop: Shop) -> list[dict[str, Any]]:
    kiosk = shop.services.kiosks.find("door")
    assert kiosk is not None
    return shop.services.plays.after(kiosk.kiosk_id, 0, 1000)


def plays_on(page: Page) -> None:
    """Posters with their pictures in the shop's font, and no promise that cannot be kept."""
    mode(page, "attract")
    away(page)
    widths = pictures_shown(page)
    assert widths
    assert min(widths) > 0
    expect(page.get_by_test_id("kiosk-headline")).to_be_visible()
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('32px \"Aisle Sans\"'))")
    page.get_by_test_id("kiosk-enrol").click()
    expect(page.get_by_test_id("away-text")).to_contain_text("needs a connection")
    page.get_by_test_id("sheet-close").click()


def test_it_plays_on_through_a_reload_and_a_power_cut_and_after_a_day_shows_a_plain_poster(
    shop: Shop, power: Callable[[], BrowserContext]
) -> None:
    address = shop.kiosk("door", camera=False)
    page = power().new_page()
    page.goto(address)
    mode(page, "attract")
    ready(page)
    shop.stop()
    away(page)
    page.reload()
    plays_on(page)
    page = power().new_page()  # the power was off
    page.goto(address)
    plays_on(page)
    for hours, expected in ((23, "attract"), (25, "offline")):
        later = page.evaluate("Date.now()") + hours * HOUR_MS
        page.add_init_script(f"const ahead = {later} - Date.now(), real = Date.now; Date.now = () => real() + ahead;")
        page.reload()
        mode(page, expected)
    expect(page.get_by_test_id("kiosk-plain")).to_be_visible()
    assert page.locator("img").count() == 0


def test_what_was_played_while_the_api_was_away_is_told_once_each(
    shop: Shop, power: Callable[[], BrowserContext]
) -> None:
    page = power().new_page()
    page.clock.install()
    page.goto(shop.kiosk("door", camera=False))
    mode(page, "attract")
    ready(page)
    answers = {"lost": 0}

    def lose_the_answer(route: Route) -> None:
        """The api stores the batch, and the kiosk never hears of it."""
        if answers["lost"] < 2:
            answers["lost"] += 1
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/plays", lose_the_answer)
    shop.stop()
    away(page)
    turns = 5
    for _ in range(turns):
        page.clock.run_for(8000)
    waiting = json.loads(page.evaluate(KEPT).splitlines()[-2])
    ids = [one["value"]["play_id"] for one in waiting]
    assert len(ids) > turns
    shop.start()
    for _ in range(60):  # its clock has to go on for it to try again
        page.clock.run_for(2000)
        page.wait_for_timeout(50)
        if answers["lost"] == 2 and len(told(shop)) >= len(ids):
            break
    found = told(shop)
    assert answers["lost"] == 2
    # each once, in the order in which they were shown; one before them may have been told before the api went away
    assert [one["play_id"] for one in found if one["play_id"] in ids] == ids
    assert len({one["play_id"] for one in found}) == len(found)
    offline = [one for one in found if not one["online"]]
    assert len(offline) >= turns
    lasted = [
        (datetime.fromisoformat(one["ended_at"]) - datetime.fromisoformat(one["started_at"])).total_seconds()
        for one in offline[1:-1]
    ]
    assert lasted
    assert all(7.9 <= seconds <= 8.1 for seconds in lasted)


def test_forget_me_at_a_kiosk_whose_api_has_just_gone_is_kept_and_heard_first(
    shop: Shop, power: Callable[[], BrowserContext]
) -> None:
    page = power().new_page()
    page.goto(shop.kiosk("door", camera=False))
    mode(page, "attract")
    ready(page)
    member = shop.agree("pets-1")
    shop.see("door", member.member_id)
    mode(page, "welcome")
    expect(page.get_by_test_id("kiosk-headline")).to_contain_text(member.first_name)
    shop.stop()
    away(page)
    mode(page, "attract")
    expect(page.locator("body")).not_to_contain_text(member.first_name)
    page.get_by_test_id("kiosk-forget").click()
    page.get_by_test_id("forget-yes").click()
    expect(page.get_by_test_id("forget-text")).to_contain_text("We keep your wish")
    heard: list[str] = []
    page.on("request", lambda request: heard.append(request.url.split("?")[0].rsplit("/", 1)[-1]))
    shop.start()
    back(page)
    answered = [one for one in heard if one in {"forget-me", "display", "plays"}]
    first = answered.index("display", answered.index("forget-me"))
    assert "plays" not in answered[:first]
    assert member.member_id not in shop.services.consents.members_with(Purpose.FACE_RECOGNITION)


def test_nothing_personal_is_ever_kept_and_nothing_is_left_when_the_visitor_has_gone(
    shop: Shop, power: Callable[[], BrowserContext]
) -> None:
    page = power().new_page()
    page.goto(shop.kiosk("door", camera=False))
    mode(page, "attract")
    ready(page)
    member = shop.agree("pets-1")
    shop.see("door", member.member_id)
    mode(page, "welcome")
    code = page.get_by_test_id("coupon-code").text_content() if page.get_by_test_id("coupon-code").count() else ""
    secrets = [one for one in (f"Welcome back, {member.first_name}", member.first_name, member.member_id, code) if one]
    kept = page.evaluate(KEPT)
    assert "attract" in kept
    assert [one for one in secrets if one in kept] == []
    page.get_by_test_id("kiosk-why").click()
    shop.see("door")
    shop.app.state.displays._clock = lambda clock=shop.app.state.displays._clock: (
        clock() + 60
    )  # nobody is there for a minute
    shop.see("door")
    mode(page, "attract")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [one for one in secrets if one in page.content()] == []
    assert [one for one in secrets if one in page.evaluate(KEPT)] == []
    assert [one for one in secrets if one in heap(page)] == []


def heap(page: Page) -> str:
    """Return every string in the page's memory after the garbage was collected."""
    session, chunks = page.context.new_cdp_session(page), []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    return "\n".join(json.loads("".join(chunks))["strings"])


def test_a_purge_empties_the_kiosk_at_once_and_a_revoked_key_leaves_nothing(
    shop: Shop, power: Callable[[], BrowserContext]
) -> None:
    context = power()
    page = context.new_page()
    page.goto(shop.kiosk("door", camera=False))
    mode(page, "attract")
    ready(page)
    kiosk = shop.services.kiosks.find("door")
    assert kiosk is not None
    before = json.loads(
        page.evaluate(
            "caches.open('aisle-kiosk-playlist').then((c) => c.match('/kiosk/_/playlist')).then((r) => r.text())"
        )
    )
    shop.app.state.displays.purge(kiosk)
    until(
        page,
        """async (old) => { const r = await (await caches.open("aisle-kiosk-playlist")).match("/kiosk/_/playlist");
             return Boolean(r) && (await r.json()).state.epoch > old }""",
        before["state"]["epoch"],
    )
    for key in shop.services.keys.all():
        if key.kiosk_id == kiosk.kiosk_id:
            shop.services.keys.revoke(key.key_id, at=datetime.now().astimezone())
    shop.stop()  # the stream that was open ends
    shop.start()
    expect(page.locator("#kiosk")).to_have_attribute("data-screen", "refused", timeout=PATIENCE_MS)
    until(page, "caches.keys().then((all) => all.length === 0)")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


def test_the_worker_touches_no_page_of_the_shop(shop: Shop, power: Callable[[], BrowserContext]) -> None:
    context = power()
    page = context.new_page()
    page.goto(shop.kiosk("door", camera=False))
    ready(page)
    other = context.new_page()
    other.goto(f"{shop.url}/console")
    assert other.evaluate("navigator.serviceWorker.controller") is None
    assert other.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => one.scope))") == [
        f"{shop.url}/kiosk/"
    ]
    shop.stop()
    with pytest.raises(Exception, match="ERR_CONNECTION_REFUSED"):
        other.goto(f"{shop.url}/console")

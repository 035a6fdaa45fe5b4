"""Through every screen and sheet of a kiosk, on one page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, Route, expect

from personalization.types import Purpose
from stores.switches import Use
from tests.e2e.small_server import Shop

PATIENCE_MS = 30_000
A_DAY_MS = 25 * 3_600_000
STEP_S = 5.0
"""A camera that is silent for ten seconds has lost everybody."""


class Walk:
    """Takes a kiosk's page, and the shop behind it, from screen to screen. The kiosk's clock stands still while nobody acts: nobody leaves because a machine is slow."""

    def __init__(self, page: Page, shop: Shop, *, lang: str = "en") -> None:
        self.page, self.shop, self.now = page, shop, time.monotonic()
        shop.app.state.displays._clock = lambda: self.now
        self.members = [shop.agree("pets-1"), shop.agree("baby-2")]
        page.clock.install()
        page.goto(shop.kiosk("door", *Use, camera=False).replace("#", f"?lang={lang}#"))
        self.mode("attract")

    def mode(self, wanted: str) -> None:
        """Wait for a mode."""
        expect(self.page.locator("#kiosk")).to_have_attribute("data-mode", wanted, timeout=PATIENCE_MS)

    def screen(self, wanted: str) -> None:
        """Wait for a screen."""
        expect(self.page.locator("#kiosk")).to_have_attribute("data-screen", wanted, timeout=PATIENCE_MS)

    def press(self, *test_ids: str) -> None:
        """Touch these, one after the other."""
        for test_id in test_ids:
            self.page.get_by_test_id(test_id).click()

    def see(self, *members: Any, valence: float | None = None, for_s: float = 0.0) -> None:
        """Let the camera see these members for so long, with such a face where somebody agreed that it is read."""
        look = {} if valence is None else {
            "expression": "negative" if valence < 0 else "positive", "valence": valence, "certainty": 0.9
        }  # fmt: skip
        people = [{"track_id": n, "member_id": one.member_id, **look} for n, one in enumerate(members)]
        kiosk = self.shop.services.kiosks.find("door")
        until = self.now + for_s
        while True:
            self.shop.app.state.displays.observe(kiosk, people)
            if self.now >= until:
                return
            self.now += min(STEP_S, until - self.now)

    def leave(self) -> None:
        """Let everybody go."""
        self.see(for_s=STEP_S)
        self.mode("attract")

    def screens(self) -> Iterator[str]:
        """Go on to the next screen, and say what it is."""
        yield from self._for_nobody()
        yield from self._enrolment()
        yield from self._for_members()
        yield from self._away()

    def _for_nobody(self) -> Iterator[str]:
        expect(self.page.get_by_test_id("kiosk-poster")).to_have_js_property("complete", value=True)
        yield "attract"
        self.press("kiosk-why")
        yield "why, of nobody"
        self.press("sheet-close")
        self.press("kiosk-language")
        yield "language"
        self.press("sheet-close", "privacy-state")
        yield "camera"
        self.press("camera-close")

    def _enrolment(self) -> Iterator[str]:
        answers = {
            "looks": (200, {"good": False, "advice": "closer", "code": "size"}),
            "enrolments": (422, {"title": "Enrolment", "code": "enrolment"}),
        }

        def answer(route: Route) -> None:
            status, body = answers[route.request.url.rsplit("/", 1)[-1]]
            route.fulfill(status=status, json=body)

        self.page.route("**/v1/kiosks/*/enrolments**", answer)
        self.page.route("**/v1/kiosks/*/enrolments/looks", answer)
        self.press("kiosk-enrol")
        self.screen("consent")
        yield "consent"
        self.press("consent-yes")
        yield "code"
        self.press(*[f"keypad-{digit}" for digit in "123456"])
        yield "code, complete"
        self.press("keypad-next")
        yield "expression"
        self.press("expression-no")
        self.screen("capture")
        yield "capture"
        expect(self.page.get_by_test_id("enrol-advice")).to_contain_text("closer", timeout=PATIENCE_MS)
        yield "capture, coached"
        answers["looks"] = (200, {"good": True, "advice": "", "code": ""})
        self.screen("failed")
        yield "failed"
        answers["enrolments"] = (201, {"display_name": "Pets-1 Test", "first_name": "Pets-1"})
        self.press("enrol-again")
        self.screen("done")
        yield "done"
        self.press("enrol-finish")
        self.page.unroute_all()

    def _for_members(self) -> Iterator[str]:
        one, other = self.members
        self.agree(one, Purpose.EXPRESSION)
        self.see(one)
        self.mode("welcome")
        yield "welcome"
        for sheet in ("why", "forget"):
            self.press(f"kiosk-{sheet}")
            yield sheet
            self.press("sheet-close")
        self.press("privacy-state")
        yield "camera, recognised"
        self.press("camera-close")
        self.see(one, for_s=25)
        self.mode("inspire")
        yield "inspire"
        self.see(one, valence=-0.8, for_s=5)
        self.mode("calm")
        yield "calm"
        self.see(one, valence=-0.8, for_s=20)
        self.mode("help")
        yield "help"
        self.leave()
        self.see(one, other)
        self.mode("welcome")
        yield "two members"
        self.leave()
        self.see(one)
        self.mode("welcome")
        self.press("kiosk-not-me")
        self.mode("attract")
        yield "not me"
        self.leave()
        self.see(one)
        self.mode("welcome")
        self.agree(one, Purpose.FACE_RECOGNITION, granted=False)
        self.mode("attract")
        yield "withdrawn"
        self.leave()
        self.see(other)
        self.mode("welcome")
        self.press("kiosk-forget", "forget-yes")
        expect(self.page.get_by_test_id("forget-text")).to_contain_text("Forgotten")
        yield "forgotten"
        self.press("sheet-close")
        self.leave()

    def _away(self) -> Iterator[str]:
        self.agree(self.members[0], Purpose.FACE_RECOGNITION)
        self.see(self.members[0])
        self.mode("welcome")
        self.shop.stop()
        expect(self.page.get_by_test_id("kiosk-offline")).to_be_visible(timeout=PATIENCE_MS)
        self.mode("attract")
        yield "offline, somebody was greeted"
        self.press("kiosk-forget", "forget-yes")
        expect(self.page.get_by_test_id("forget-text")).to_contain_text("keep your wish")
        yield "forgotten later"
        self.press("sheet-close", "kiosk-enrol")
        yield "away"
        self.press("sheet-close")
        self.page.clock.fast_forward(A_DAY_MS)
        self.mode("offline")
        yield "offline for a day"
        self.revoke()
        self.shop.start()
        self.screen("refused")
        yield "refused"
        self.page.goto(self.page.url.split("?")[0])
        expect(self.page.get_by_test_id("kiosk-headline")).to_contain_text("not set up", timeout=PATIENCE_MS)
        yield "not set up"

    def agree(self, member: Any, purpose: Purpose, *, granted: bool = True) -> None:
        """Record a consent, or that it was taken back."""
        self.shop.app.state.privacy.record(member.member_id, {purpose: granted}, channel="test", text_version="t")

    def revoke(self) -> None:
        """Make the kiosk's key worthless, and end what it listens to."""
        for key in self.shop.services.keys.all():
            self.shop.services.keys.revoke(key.key_id, at=datetime.now(UTC))

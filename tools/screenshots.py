"""Take the README's pictures from the running product: `make screenshots`. The member is a synthetic name of the demo data."""

import re
import shutil
import tempfile
import threading
from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect, sync_playwright

from api.settings import settings
from bench.console_tour import console
from bench.skeleton import copy_state, faces
from bench.stack import Stack

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def widget(browser: Browser, stack: Stack, member: dict[str, str]) -> None:
    """Picture the demo shop with an answered question."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(stack.url)
    page.locator(f'[data-testid="shop-member-option"][data-member="{member["member_id"]}"]').check(force=True)
    page.get_by_test_id("launcher").click()
    page.get_by_test_id("chat-input").click()
    page.keyboard.type("What do you recommend?")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chat-panel").get_by_test_id("product-card").first).to_be_visible()
    page.wait_for_timeout(1500)  # pictures of products come; the stream of the conversation never ends
    page.screenshot(path=IMAGES / "widget.png")


def kiosk(browser: Browser, stack: Stack, member: dict[str, str]) -> None:
    """Picture the kiosk while it greets a member who enrolled."""
    somebody, _ = faces()
    url = httpx.get(f"{stack.url}/demo/kiosk").json()["url"]
    name, key = re.findall(r"/kiosk/([^?#]+).*#key=(.+)", url)[0]
    token = httpx.get(f"{stack.url}/demo/session", params={"member": member["member_id"]}).json()["token"]
    code = httpx.post(f"{stack.url}/v1/me/link-codes", headers={"Authorization": f"Bearer {token}"}).json()["code"]
    files = [("frames", (f"{n}.jpg", somebody, "image/jpeg")) for n in range(3)]
    form = {"code": code, "consent_text_version": "screenshots", "consents": "face_recognition"}
    device = {"Authorization": f"Bearer {key}"}
    httpx.post(
        f"{stack.url}/v1/kiosks/{name}/enrolments", headers=device, data=form, files=files, timeout=30
    ).raise_for_status()
    page = browser.new_page(viewport={"width": 1080, "height": 1920})
    page.goto(url.replace("?camera=on", ""))
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.4):
            httpx.post(
                f"{stack.url}/v1/kiosks/{name}/frames",
                headers={**device, "Content-Type": "image/jpeg"},
                content=somebody,
                timeout=30,
            )

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    expect(page.get_by_test_id("kiosk-headline").first).to_contain_text(
        member["display_name"].split()[0], timeout=20_000
    )
    page.wait_for_timeout(800)  # the welcome glides in
    page.screenshot(path=IMAGES / "kiosk.png")
    done.set()
    watching.join()


def staff(browser: Browser, stack: Stack) -> None:
    """Picture the console: the day at a glance, and the map of segments."""
    with console(browser, stack.url, "admin") as page:
        page.wait_for_timeout(1500)  # charts are drawn when their library is there
        page.screenshot(path=IMAGES / "console.png")
        page.goto(f"{stack.url}/console/segments?tab=map")
        expect(page.locator("figure svg").first).to_be_visible()
        page.screenshot(path=IMAGES / "segments.png")


def main() -> None:
    """Start everything on a copy of the state, and take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or "/usr/bin/chromium"
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(copy_state(settings().state_dir, Path(folder))) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        members = httpx.get(f"{stack.url}/demo/members", timeout=60).json()["members"]
        widget(browser, stack, members[0])
        kiosk(browser, stack, members[2])
        staff(browser, stack)
        browser.close()
    print(f"wrote the pictures in {IMAGES}")


if __name__ == "__main__":
    main()

"""A page with the chat widget, as a person uses it, against the made-up api of `web/dev`."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any
from urllib.parse import urlencode

import httpx
from playwright.sync_api import Locator, Page, expect

from bench.report import ROOT
from bench.stack import free_port

WEB = ROOT / "web"
_WATCH = """() => {
  const panel = document.querySelector("aisle-chat").shadowRoot.querySelector(".panel");
  const measured = (window.measured = {});
  const start = (event) => { if (event.type === "click" || event.key === "Enter") measured.start ??= performance.now(); };
  for (const name of ["keydown", "click"]) panel.addEventListener(name, start, true);
  const signs = '[data-testid="typing"], .pending [data-testid="message-mark"], [data-testid="message-refused"]';
  const look = () => {
    if (panel.querySelector(signs) && measured.start !== undefined) measured.ms ??= performance.now() - measured.start;
  };
  new MutationObserver(look).observe(panel, { childList: true, subtree: true });
}"""
_LISTEN = """() => {
  const live = document.querySelector("aisle-chat").shadowRoot.querySelector('[data-testid="chat-live"]');
  const heard = (window.heard = [...live.children].map((one) => one.textContent));
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const one of addedNodes) heard.push(one.textContent);
  }).observe(live, { childList: true });
}"""
_FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one?.dataset?.testid || one?.className || one?.tagName || "";
}"""


class MockApi:
    """`web/dev/mock-server.mjs` as a process; a context manager."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MockApi:
        node = shutil.which("node") or "node"
        environment = {**os.environ, "PORT": str(self.port)}
        script = str(WEB / "dev" / "mock-server.mjs")
        self._process = subprocess.Popen([node, script], env=environment, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it says when it listens
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def host_page(self, **settings: str) -> str:
        """Return the address of a shop's page whose script tag has these settings."""
        return f"{self.url}/__mock/host?{urlencode(settings)}"

    def reachable(self, on: bool) -> None:
        """Let the api answer, or not."""
        httpx.post(f"{self.url}/__mock/down", params={"on": "no" if on else "yes"})

    def received(self) -> list[dict[str, Any]]:
        """Return what the api took, in order."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/__mock/sent").json()
        return found

    def conversations(self) -> list[str]:
        """Return the ids of the conversations that there are."""
        found: list[str] = httpx.get(f"{self.url}/__mock/talks").json()
        return found

    def says(self, text: str) -> None:
        """Let the shop say something by itself in the newest conversation."""
        httpx.post(f"{self.url}/__mock/say", params={"text": text})


class Widget:
    """The chat on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.get_by_test_id("launcher")
        self.panel = page.get_by_test_id("chat-panel")
        self.input = page.get_by_test_id("chat-input")
        self.answers = page.get_by_test_id("bot-message")
        self.live = page.get_by_test_id("chat-live")

    def open(self) -> Widget:
        self.launcher.click()
        expect(self.answers.first).to_be_visible()
        self.page.evaluate(_LISTEN)
        return self

    def heard(self) -> list[str]:
        """Return what a screen reader was told since the chat was opened."""
        found: list[str] = self.page.evaluate("window.heard")
        return found

    def write(self, text: str) -> None:
        """Type a message and send it, without waiting."""
        self.input.fill(text)
        self.input.press("Enter")

    def say(self, text: str) -> Locator:
        """Send a message and return the answer that follows."""
        before = self.answers.count()
        self.write(text)
        expect(self.answers).not_to_have_count(before)
        return self.answers.last

    def watch_first_look(self) -> None:
        """Start to measure; `first_look_ms` then says after how long something showed that the message is dealt with."""
        self.page.evaluate(_WATCH)

    def first_look_ms(self) -> float:
        """Return the milliseconds from the key to the first sign."""
        self.page.wait_for_function("window.measured.ms !== undefined")
        return float(self.page.evaluate("window.measured.ms"))

    def forget(self) -> None:
        """Use the menu to forget the chat, to the end."""
        self.page.get_by_test_id("chat-menu").click()
        self.page.get_by_test_id("chat-forget").click()
        self.page.get_by_test_id("forget-yes").click()

    def focused(self) -> str:
        """Return what has the focus, by its hook or class."""
        return str(self.page.evaluate(_FOCUSED))

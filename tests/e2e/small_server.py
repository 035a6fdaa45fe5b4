"""The app on a small shop, without Rasa, on a real socket that can go away and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from api.app import create_app
from api.settings import Settings
from api.wiring import Services
from bench.stack import free_port
from personalization.types import Purpose
from stores.database import Database
from stores.switches import Terms, Use
from tests.vision.fake_camera import person
from vision.engines.opencv import OpenCvEngine
from vision.enrol import make_template
from vision.faces import Frame


class Shop:
    """The app, its services, and a server that can be stopped and started on the same port."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.app: Any = create_app(services.settings, services)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Answer."""
        # nothing waits for the display's streams, which have no end
        config = uvicorn.Config(
            self.app, port=self.port, log_level="error", timeout_graceful_shutdown=0, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        """Be away: connections end, new ones are refused."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = None

    def kiosk(self, name: str, *uses: Use, camera: bool = True) -> str:
        """Add a kiosk to a store that has these uses switched on, recognition without any; return its page."""
        now = datetime.now(UTC)
        made = self.services.kiosks.create(name, store_id="s1", at=now)
        terms = Terms(frozenset(uses or {Use.RECOGNITION}), "Greet members.", 365, "A camera looks at who stands here.")
        self.services.switches.enable("s1", terms, by="test", at=now)
        _, secret = self.services.keys.create("device", name, at=now, kiosk_id=made.kiosk_id)
        return f"{self.url}/kiosk/{name}{'?camera=on' if camera else ''}#key={secret}"

    def agree(self, external_id: str) -> Any:
        """Let a member agree to be recognised; return them."""
        member = self.services.members.by_external_id(external_id)
        assert member is not None
        self.app.state.privacy.record(
            member.member_id, {Purpose.FACE_RECOGNITION: True}, channel="test", text_version="t"
        )
        return member

    def enrol(self, external_id: str, face: Frame, models: Path) -> str:
        """Enrol a member's face; return their first name."""
        member, engine = self.agree(external_id), OpenCvEngine(models)
        template = make_template(engine, [person(face, shift) for shift in (-12, 0, 12)])
        self.services.templates.add(member.member_id, template, model=engine.name, at=datetime.now(UTC))
        return str(member.first_name)

    def see(self, kiosk: str, *member_ids: str) -> None:
        """Let a camera of the kiosk see these members; nobody when there are none."""
        found = self.services.kiosks.find(kiosk)
        people = [{"track_id": n, "member_id": member_id} for n, member_id in enumerate(member_ids)]
        self.app.state.displays.observe(found, people)


@contextmanager
def opened(database: Database, state: Path, models: Path, **settings: Any) -> Iterator[Shop]:
    """Serve the shop in `database`."""
    state.mkdir()
    (state / "models").symlink_to(models.resolve())
    services = Services(
        Settings(state_dir=state, rasa_url="http://127.0.0.1:9", worker="external", **settings), database
    )
    shop = Shop(services)
    shop.start()
    try:
        yield shop
    finally:
        shop.stop()

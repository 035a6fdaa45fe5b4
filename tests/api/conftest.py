"""The real app on the small shop, without Rasa and without trained artifacts unless a test asks for them."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth import SCOPES
from api.settings import Settings
from api.wiring import Services
from stores.database import Database
from stores.members import Member

ORIGIN = "https://shop.example"


@dataclass
class Api:
    """A client and what a test needs beside it."""

    client: TestClient
    services: Services
    key: str

    def headers(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.key}"}

    def member(self, external_id: str) -> Member:
        found = self.services.members.by_external_id(external_id)
        assert found is not None
        return found

    def token(self, external_id: str | None = None, visitor: str | None = None) -> dict[str, Any]:
        body = {"member_id": self.member(external_id).member_id if external_id else None, "visitor_id": visitor}
        answer = self.client.post("/v1/widget-tokens", json=body, headers=self.headers())
        assert answer.status_code == 201
        return dict(answer.json())

    def make_key(self, *scopes: str) -> str:
        _, secret = self.services.keys.create("api", "test", at=datetime.now(UTC), scopes=scopes, origins=[ORIGIN])
        return secret


def as_documented(app: FastAPI, answer: httpx.Response) -> None:
    """Hold an answer against the shape that /docs promises, and every refusal against the problem document."""
    if answer.status_code >= 400 and answer.request.method != "OPTIONS" and answer.request.url.path != "/readyz":
        answer.read()
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert {"type", "title", "status", "detail", "code", "request_id"} <= answer.json().keys()
        return
    method, path = answer.request.method, answer.request.url.path
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and method in route.methods and route.path_regex.match(path):
            shape = route.responses.get(answer.status_code, {}).get("model")
            if shape is not None:
                shape.model_validate_json(answer.read())
            return


@pytest.fixture
def api(small_shop: Database, tmp_path: Path, models_dir: Path) -> Iterator[Api]:
    state = tmp_path / "state"
    state.mkdir()
    (state / "models").symlink_to(models_dir.resolve())
    settings = Settings(
        state_dir=state, rasa_url="http://127.0.0.1:9", worker="external", demo=True, coupons_explored=0
    )
    services = Services(settings, small_shop)
    app = create_app(settings, services)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.event_hooks["response"].append(lambda answer: as_documented(app, answer))
        found = Api(client, services, "")
        found.key = found.make_key(*SCOPES)
        yield found


BOTH = ("test_erasure_proof.py",)
"""What is to be shown of every database, each time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each of these tests on one of the two databases, by its name: an api test is about the api, and takes half a second to start.

    `tests/stores` runs on both. AISLE_TEST_EVERY_DATABASE=1 runs these on both, too.
    """
    if os.environ.get("AISLE_TEST_EVERY_DATABASE"):
        return
    here, kept, left = Path(__file__).parent, list[pytest.Item](), list[pytest.Item]()
    for item in items:
        drawn = getattr(item, "callspec", None)
        database = drawn.params.get("database") if drawn is not None and here in item.path.parents else None
        name = item.nodeid.replace(str(database), "")
        its = ("sqlite", "postgresql")[zlib.crc32(name.encode()) % 2]
        (kept if database in {None, its} or item.path.name in BOTH else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)

"""The counting of `aisle bench trust`: what is wrong with an app on purpose is found, and what is asked is counted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from bench.trust_requests import Caller, Effort, Tally, ask, tallied

EXAMPLES = 3
LABELS = ["GET /broken", "GET /lying", "GET /open", "GET /closed", "GET /busy"]

bearer = HTTPBearer(auto_error=False)


class Told(BaseModel):
    count: int


def app() -> FastAPI:
    """An app with one fault per route; the last two routes have none."""
    made = FastAPI()

    @made.get("/broken")
    def broken(number: int = 0) -> Told:
        raise HTTPException(500, "planted")

    @made.get("/lying", responses={200: {"model": Told}})
    def lying(number: int = 0) -> Response:
        return Response('{"count": "many"}', media_type="application/json")

    @made.get("/open", dependencies=[Depends(bearer)])
    def left_open(number: int = 0) -> Told:
        return Told(count=1)

    @made.get("/closed", responses={401: {}})
    def closed(found: Annotated[Any, Depends(bearer)], number: int = 0) -> Told:
        if found is None or found.credentials != "good":
            raise HTTPException(401, "who?", headers={"WWW-Authenticate": "Bearer"})
        return Told(count=1)

    @made.get("/busy", responses={429: {}})
    def busy(number: int = 0) -> Told:
        raise HTTPException(429, "later")

    return made


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app(), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.mark.timeout(600)  # it starts schemathesis twice, beside whatever else runs
def test_what_is_planted_is_found_and_nothing_else(url: str, tmp_path: Path) -> None:
    def found(*labels: str) -> Tally:
        caller = Caller("a key", {"Authorization": "Bearer good"}, labels)
        return ask(url, tmp_path, caller, Effort(EXAMPLES, 20, "fuzzing"))

    whole = found(*LABELS)
    assert whole.server_errors > 0, "the 500"
    assert whole.violations > 0, "the answer that is not as documented"
    assert whole.ignored_auth > 0, "the route that asks for a credential and lets in without"
    assert whole.throttled >= EXAMPLES, "what was not let in for its quota is told"
    assert whole.asked >= EXAMPLES * len(LABELS)
    clean = found("GET /closed")
    assert (clean.server_errors, clean.violations, clean.ignored_auth) == (0, 0, 0), "no false alarm"
    assert (clean.seldom, clean.operations) == (0, 1)


def test_an_operation_that_was_hardly_asked_is_told() -> None:
    rows = [["GET /a", 200, 7], ["GET /a", 429, 3], ["GET /b", 200, 2]]
    report = {"stop_reason": "max_time", "failures": [], "errors": [{"title": "Hook Error", "count": 1}]}
    total = Tally()
    total += tallied(report, rows, Caller("nobody", {}, ["GET /a", "GET /b", "GET /never"]), 10)
    assert (total.asked, total.throttled, total.operations, total.seldom) == (12, 3, 3, 2)
    assert total.violations == 1, "what the run stumbled over is nothing that it found to be right"


def test_everybody_is_asked_with_a_quota_that_is_lifted() -> None:
    from api.settings import Settings
    from bench.trust_api import OPEN_THROTTLE

    fields = {name.removeprefix("AISLE_").lower() for name in OPEN_THROTTLE}
    assert fields <= Settings.model_fields.keys()
    assert {name for name in Settings.model_fields if name.endswith(("_burst", "_per_s"))} == fields


def test_everybody_who_asks_has_a_credential_that_works_and_nothing_that_ends_it(tmp_path: Path) -> None:
    from api.wiring import build_services
    from bench.trust_api import ENDS_ITSELF, callers
    from bench.trust_erasing import Shop
    from bench.trust_shop import quiet

    services = build_services(quiet(tmp_path))
    shop = Shop(services)
    everybody = {caller.name: caller for caller in callers(shop)}
    kiosk = everybody["a kiosk"].known["kiosk_id"]
    for name, path in (
        ("a key", "/v1/members"),
        ("a member", "/v1/me/sessions"),
        ("a kiosk", f"/v1/kiosks/{kiosk}/gallery"),
        ("somebody of the staff", "/v1/session"),
    ):
        label = f"GET {path.replace(kiosk, '{kiosk_id}')}"
        assert label in everybody[name].operations
        assert shop.client.get(path, headers=everybody[name].headers).status_code not in {401, 403}, name
        assert shop.client.get(path, headers=everybody["nobody"].headers).status_code == 401
    for name in ("a member", "somebody of the staff"):
        assert ENDS_ITSELF.isdisjoint(everybody[name].operations)
    assert set(everybody["nobody"].operations) >= ENDS_ITSELF, "they are asked for without a credential"
    services.db.dispose()

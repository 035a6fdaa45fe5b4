"""What erasure and withdrawal leave behind, and how soon: every byte of every store is searched, and a kiosk is watched."""

from __future__ import annotations

import base64
import io
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import insert, select, text

from api.app import create_app
from api.auth import SCOPES
from api.services.dialogue_memory import DialogueMemory
from api.wiring import Services, build_services
from bench.postgres import fresh_postgres
from bench.report import Metric, percentile_with_ci, progress
from bench.trust_shop import quiet
from personalization.types import MemberId, Purpose
from stores.coupon_tables import budgets, campaigns, offers
from stores.database import new_id
from stores.projection import project_once
from stores.switches import Terms, Use
from stores.tables import metadata, products, templates

SEED = 7
DEVICE, WISH = "a-device-of-one-shopper", "a wish that nobody else may ever read"
PEOPLE = 3


class Shop:
    """A small shop behind the API, in process."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.app = create_app(services.settings, services)
        self.client = TestClient(self.app)
        _, self.key = services.keys.create("api", "bench", at=datetime.now(UTC), scopes=SCOPES)
        stock(services)

    def post(self, path: str, body: Any = None, token: str | None = None, **more: Any) -> Any:
        """Send a body and return the answer's JSON; an error ends the benchmark."""
        headers = {"Authorization": f"Bearer {token or self.key}"}
        answer = self.client.post(path, headers=headers, **(more or {"json": body or {}}))
        answer.raise_for_status()
        return answer.json()

    def member(self, number: int) -> str:
        """Add a member who agrees to everything."""
        body = {
            "external_id": f"person-{number}",
            "display_name": f"Person Number{number}",
            "email": f"p{number}@example.org",
        }
        made: str = self.post("/v1/members", body)["member_id"]
        for purpose in Purpose:
            told = {"member_id": made, "purpose": purpose.value, "granted": True, "text_version": "bench-1"}
            self.post("/v1/consents", told)
        return made


def stock(services: Services) -> None:
    """Put products, a campaign and its money on the shelves."""
    now = datetime.now(UTC)
    with services.db.write() as connection:
        connection.execute(
            insert(products),
            [
                {"product_id": f"thing-{n}", "name": f"Thing {n}", "department": "Grocery", "category": f"Kind {n % 4}", "brand": "",
                 "package_size": "", "price_minor": 400 + n, "currency": "USD", "recommendable": True}
                for n in range(24)
            ],
        )  # fmt: skip
        ends = now + timedelta(days=9)
        row = {
            "campaign_id": "c",
            "name": "C",
            "starts_at": now - timedelta(days=1),
            "ends_at": ends,
            "for_everybody": True,
        }
        connection.execute(insert(campaigns).values(row))
        connection.execute(insert(budgets).values(campaign_id="c", currency="USD", total=9_000, reserved=0, spent=0))
        offer = {"offer_id": "o", "campaign_id": "c", "discount_minor": 100, "currency": "USD", "for_any_product": True}
        connection.execute(insert(offers).values(offer))


def live(shop: Shop, number: int) -> tuple[str, list[bytes]]:
    """Let a member leave traces everywhere; return their id and every string of bytes that leads to them."""
    who, device, wish = shop.member(number), f"{DEVICE}-{number}", f"{WISH} {number}"
    found: list[str] = [who, device, wish, f"person-{number}", f"Number{number}"]
    for member in (None, who):  # who signs in leaves the token without a name behind, and what it did stays
        token = shop.post("/v1/widget-tokens", {"member_id": member, "visitor_id": device})["token"]
        ask = {"query": wish, "wants_coupon": True, "wants_creative": True, "slate_size": 4}
        decided = shop.post("/v1/recommendations", ask, token)["decision_id"]
        shop.post("/v1/basket/lines", {"product_id": "thing-2", "decision_id": decided}, token)
        talk = shop.post("/v1/conversations", None, token)["conversation_id"]
        shop.post(f"/v1/conversations/{talk}/messages", {"text": wish}, token)
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), (number, 90, 90)).save(picture, "PNG")
        shop.post(
            f"/v1/conversations/{talk}/attachments",
            None,
            token,
            files={"file": ("a.png", picture.getvalue(), "image/png")},
        )
        shop.post(f"/v1/conversations/{talk}/handoff", None, token)
        found += [decided, talk]
    event = {"event_id": new_id(), "type": "bought", "at": datetime.now(UTC).isoformat(), "member_id": who, "visitor_id": device,
             "payload": {"order_id": f"order-of-{number}", "lines": [{"product_id": "thing-1", "quantity": 1}]}}  # fmt: skip
    shop.post("/v1/events", {"events": [event]})
    services = shop.services
    vector = np.random.default_rng(number).normal(size=128).astype(np.float32)
    services.templates.add(MemberId(who), vector, model="bench", at=datetime.now(UTC))
    while project_once(services.db):
        pass
    while services.profiles.consume(now=datetime.now(UTC)):
        pass
    with services.db.read() as connection:
        [row] = connection.execute(select(templates).where(templates.c.member_id == who)).all()
    plain = vector.astype("<f4").tobytes()
    secret = [bytes(row.sealed), plain, plain[:64], base64.b64encode(plain)[:64], f"order-of-{number}".encode()]
    return who, [*(one.encode() for one in [*found, str(event["event_id"])]), *secret]


def every_byte(services: Services) -> bytes:
    """Return what all stores hold: the database's files, or what PostgreSQL copies out; and every file of the state folder."""
    db, parts = services.db, list[bytes]()
    if not db.is_sqlite:
        with db.engine.connect() as connection:
            for table in metadata.sorted_tables:
                for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                    parts += [one if isinstance(one, bytes) else repr(one).encode() for one in row]
    parts += [path.read_bytes() for path in sorted(services.settings.state_dir.rglob("*")) if path.is_file()]
    return b"\n".join(parts)


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield what is left after erasures, and how long a withdrawal takes to reach a screen and the next decision."""
    left, searched, places, waits = 0, 0, [], list[float]()
    with tempfile.TemporaryDirectory(prefix="aisle-erase-") as folder, fresh_postgres() as postgres:
        for name, url in (("SQLite", ""), ("PostgreSQL", postgres)):
            if url is None:
                continue
            progress(f"people live in a shop on {name}, and are erased from it")
            state = Path(folder) / name
            state.mkdir()
            shop = Shop(build_services(quiet(state, url)))
            hits, traces = erased(shop)
            left, searched = left + hits, searched + traces
            places.append(name)
            if name == "SQLite":
                progress("a kiosk greets members who withdraw their consent")
                waits = list(_withdrawn(shop, 10 if quick else 100))
            shop.services.db.dispose()
    yield Metric(
        "trust.erasure_hits", left, "hits", searched,
        f"{PEOPLE} people's ids, words, orders, pictures and templates, searched in every byte of database, log and state folder, when Rasa has confirmed, on {' and '.join(places)}",
    )  # fmt: skip
    value, interval = percentile_with_ci(waits, 95, seed=SEED)
    yield Metric(
        "trust.withdrawal_to_blank_ms", value, "ms", len(waits),
        "p95 from the consent's withdrawal over the API to the kiosk's anonymous page on the bus, the next decision without personal data",
        ci=interval, baseline={"median": round(float(np.median(waits)), 1)}, seed=SEED, samples=waits,
    )  # fmt: skip


def erased(shop: Shop) -> tuple[int, int]:
    """Let people live and be erased; return how many of their traces are left, of how many."""
    lives = [live(shop, number) for number in range(11, 11 + PEOPLE)]
    before = every_byte(shop.services)
    missing = [n for n, (_, traces) in enumerate(lives) if sum(one in before for one in traces) < 8]
    if missing:
        raise RuntimeError("the search does not find what is there before the erasure")
    receipts = [shop.post(f"/v1/members/{who}/erase") for who, _ in lives]
    rasa = httpx.MockTransport(lambda _: httpx.Response(200, json={}))  # it forgets; until then its names for them wait
    DialogueMemory(shop.services, rasa).forget(now=datetime.now(UTC))
    after = every_byte(shop.services) + repr(receipts).encode()
    return sum(one in after for _, traces in lives for one in traces), sum(len(traces) for _, traces in lives)


def _withdrawn(shop: Shop, times: int) -> Iterator[float]:
    """Yield how long until a kiosk that greets a member shows nobody; the next decision has to be without their history."""
    terms = Terms(frozenset({Use.RECOGNITION}), "Greet members.", 30, "A camera recognises members who agreed.")
    shop.services.switches.enable("s", terms, by="bench", at=datetime.now(UTC))
    kiosk = shop.post("/v1/kiosks", {"name": "door", "store_id": "s"})
    place = shop.services.kiosks.find(kiosk["kiosk_id"])
    assert place is not None
    for number in range(times):
        who = shop.member(100 + number)
        seen = {
            "observation_id": new_id(),
            "people": [{"track_id": number, "member_id": who}],
            "at": datetime.now(UTC).isoformat(),
        }
        shop.post(f"/v1/kiosks/{kiosk['kiosk_id']}/observations", seen, kiosk["device_key"])
        if who not in shop.services.bus.shows(kiosk["kiosk_id"]):
            raise RuntimeError("the kiosk did not greet the member")
        started = time.perf_counter()
        shop.post(
            "/v1/consents", {"member_id": who, "purpose": "face_recognition", "granted": False, "text_version": "w"}
        )
        if who in shop.services.bus.shows(kiosk["kiosk_id"]):
            raise RuntimeError("the kiosk still shows the member after the withdrawal was answered")
        took = (time.perf_counter() - started) * 1000
        shop.post("/v1/consents", {"member_id": who, "purpose": "profiling", "granted": False, "text_version": "w"})
        decided = shop.post("/v1/recommendations", {"member_id": who})
        if not any("purchase history" in one for one in decided["inputs_withheld"]):
            raise RuntimeError("the next decision used what was withdrawn")
        yield took

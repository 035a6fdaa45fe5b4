"""The proof of erasure: a life in the shop through the API, then every byte of every store is searched for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import select, text

from api.stream import EventStream, RedisTransport
from stores.database import Database, new_id
from stores.erasure import erase_member, replay_erasures
from stores.erasure_plan import NAMES_SOMEBODY, PLAN, Whose
from stores.projection import project_once
from stores.tables import coupons, erasures, metadata, templates
from tests.api.conftest import Api
from tests.api.test_api import enrol, jpeg, post, show
from tests.api.test_attachments import picture
from tests.conftest import MASTER_KEY
from tests.vision.fake_camera import astronaut, person

WHO, DEVICE, WISH = "cheese-13", "device-of-one-shopper", "a wish that nobody else may read"


@dataclass
class Life:
    """What a member left, and every string of bytes that leads to them."""

    member_id: str
    traces: list[bytes]


@pytest.fixture
def broker(api: Api, redis_url: str) -> Iterator[tuple[redis.Redis, str]]:
    name = f"aisle-test-{new_id()}"
    api.services.__dict__["stream"] = EventStream(RedisTransport(redis_url, name))
    with redis.Redis.from_url(redis_url) as client:
        yield client, name
        client.delete(name)


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"event_id": new_id(), "type": kind, "at": datetime.now(UTC).isoformat(), "visitor_id": DEVICE, **more}


def live(api: Api) -> Life:
    """Look around, sign in, chat, send a picture, enrol at a kiosk, get a coupon and redeem it, buy."""
    member = api.member(WHO)
    anonymous, known = api.token(visitor=DEVICE)["token"], api.token(WHO, DEVICE)["token"]
    found = [member.member_id, DEVICE, WHO, f"{WHO}@", member.display_name, WISH]
    ask = {"query": WISH, "wants_coupon": True, "wants_creative": True, "slate_size": 4}
    for token in (anonymous, known):
        decided = post(api, "/v1/recommendations", ask, token).json()
        found.append(decided["decision_id"])
        post(api, "/v1/basket/lines", {"product_id": "milk-2", "decision_id": decided["decision_id"]}, token)
        talk = post(api, "/v1/conversations", token=token).json()["conversation_id"]
        found.append(talk)
        answer = post(api, f"/v1/conversations/{talk}/messages", {"text": WISH}, token)
        found.append(answer.json()["messages"][0]["message_id"])
        file = ("jar.png", picture("PNG"), "image/png")
        sent = api.client.post(
            f"/v1/conversations/{talk}/attachments", files={"file": file}, headers=api.headers(token)
        )
        assert sent.status_code < 300
        post(api, f"/v1/conversations/{talk}/handoff", token=token)
    clicked = event("clicked", decision_id=found[-3], product_id="milk-1", member_id=member.member_id)
    bought = event(
        "bought",
        member_id=member.member_id,
        payload={"order_id": f"{WHO}-now", "lines": [{"product_id": "milk-1", "quantity": 1}]},
    )
    assert post(api, "/v1/events", {"events": [clicked, bought]}).status_code == 200
    found += [clicked["event_id"], bought["event_id"]]
    coupon = post(api, "/v1/coupons", {"member_id": member.member_id})
    if coupon.status_code == 201:
        post(api, f"/v1/coupons/{coupon.json()['code']}/redeem", {"order_id": f"{WHO}-till"})
    kiosk = post(api, "/v1/kiosks", {"name": "door", "store_id": "s1"}).json()
    face = person(astronaut())
    assert enrol(api, kiosk, post(api, "/v1/me/link-codes", token=known).json()["code"], face).status_code == 201
    for _ in range(2):
        show(api, kiosk, jpeg(face))
    display = api.services.bus.current(kiosk["kiosk_id"])
    assert display is not None
    assert display["mode"] == "welcome"
    while project_once(api.services.db):
        pass
    while api.services.profiles.consume(now=datetime.now(UTC)):
        pass
    with api.services.db.read() as connection:
        [row] = connection.execute(select(templates).where(templates.c.member_id == member.member_id)).all()
    plain = api.services.db.open("templates", bytes(row.sealed), row.template_id)
    return Life(member.member_id, [*(one.encode() for one in found), bytes(row.sealed), plain, plain[:64]])


def every_byte(api: Api) -> bytes:
    """Return what all stores hold: the database's files, or what PostgreSQL copies out; and every file of the state folder."""
    db, parts = api.services.db, list[bytes]()
    if db.is_sqlite:
        parts += [path.read_bytes() for path in sorted(Path(str(db.url.database)).parent.glob("aisle.db*"))]
    else:
        with db.engine.connect() as connection:
            for table in metadata.sorted_tables:
                for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                    parts += [one if isinstance(one, bytes) else repr(one).encode() for one in row]
    for path in sorted(api.services.settings.state_dir.rglob("*")):
        if path.is_file():
            parts.append(path.read_bytes())
    return b"\n".join(parts)


def hits(traces: list[bytes], stores: bytes) -> list[bytes]:
    return [trace for trace in traces if trace in stores]


def test_no_byte_of_any_store_leads_to_who_was_erased(api: Api, broker: tuple[redis.Redis, str]) -> None:
    life, (client, name) = live(api), broker
    told = event("viewed", member_id=life.member_id, product_id="milk-3")
    others = event("viewed", visitor_id="somebody-else", product_id="milk-1")
    assert post(api, "/v1/events", {"events": [told, others]}).status_code == 200
    before = every_byte(api)
    assert len(hits(life.traces, before)) >= 10, "the search finds what is there"
    assert life.member_id in repr(client.xrange(name))
    erased = post(api, f"/v1/members/{life.member_id}/erase")
    assert erased.status_code == 200, erased.text
    receipt = erased.json()
    assert receipt["files_scrubbed"]
    assert receipt["deleted"]["templates"] == 1
    assert hits(life.traces, every_byte(api)) == []
    assert hits(life.traces, erased.content) == [], "the receipt names nobody"
    left = repr(client.xrange(name))
    assert life.member_id not in left
    assert DEVICE not in left
    assert "somebody-else" in left, "what others did is sent on"


def test_a_restored_backup_is_erased_again_and_only_for_whom_it_was(api: Api, tmp_path: Path) -> None:
    db = api.services.db
    if not db.is_sqlite:
        pytest.skip("the backup is a copy of the file; that the journal erases again does not depend on the database")
    life = live(api)
    backup = tmp_path / "backup.db"
    db.scrub([])
    shutil.copy(str(db.url.database), backup)
    kept = Database(str(db.url), MASTER_KEY, journal=tmp_path / "erasures")
    receipt = erase_member(kept, api.member(WHO).member_id, at=datetime.now(UTC))
    assert hits(life.traces, b"".join(path.read_bytes() for path in (tmp_path / "erasures").iterdir())) == []
    restored = Database(f"sqlite:///{backup}", MASTER_KEY, journal=tmp_path / "erasures")
    assert hits(life.traces, backup.read_bytes()) != []
    [again] = replay_erasures(restored, at=datetime.now(UTC))
    assert again["receipt_id"] == receipt["receipt_id"]
    assert again["deleted"]["members"] == 1
    assert hits(life.traces, backup.read_bytes()) == []
    assert replay_erasures(restored, at=datetime.now(UTC)) == [], "once is enough"
    with restored.read() as connection:
        assert connection.scalars(select(erasures.c.scope)).all() == ["member, again"]


def test_every_table_has_a_place_in_the_plan() -> None:
    assert {table.name for table in PLAN} == {table.name for table in metadata.sorted_tables}


def test_a_table_with_a_column_that_leads_to_a_shopper_is_not_nobodys() -> None:
    unasked = {
        table.name: sorted(NAMES_SOMEBODY & set(table.columns.keys()))
        for table, whose in PLAN.items()
        if whose in {Whose.NOBODY, Whose.STAFF, Whose.CALLER} and NAMES_SOMEBODY & set(table.columns.keys())
    }
    unasked.pop("promotions")  # its placement is where in the store
    assert unasked == {}


def test_what_stays_for_the_budgets_names_nobody(api: Api) -> None:
    life = live(api)
    post(api, f"/v1/members/{life.member_id}/erase")
    with api.services.db.read() as connection:
        left = connection.execute(select(coupons)).mappings().all()
    assert left
    assert all(row[name] is None for row in left for name in ("member_id", "visitor_id", "decision_id", "reason"))

"""The proof of erasure: a life in the shop through the API, then every byte of every store is searched for it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import create_engine, select, text

from api.services.dialogue_memory import DialogueMemory
from api.settings import Settings
from api.stream import EventStream, RedisTransport
from api.wiring import build_services
from stores.coupon_tables import coupons
from stores.database import Database, new_id
from stores.dialogue_erasures import SqlDialogueErasures
from stores.erasure import erase_member, replay_erasures
from stores.erasure_plan import NAMES_SOMEBODY, PLAN, Whose
from stores.projection import project_once
from stores.tables import erasures, metadata, templates
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
    found = [member.member_id, DEVICE, WHO, f"{WHO}@", member.display_name, WISH]
    ask = {"query": WISH, "wants_coupon": True, "wants_creative": True, "slate_size": 4}
    for who in (None, WHO):
        token = api.token(who, DEVICE)["token"]
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
    assert enrol(api, kiosk, post(api, "/v1/me/link-codes", token=token).json()["code"], face).status_code == 201
    assert any(show(api, kiosk, jpeg(face)).json()["observation"]["recognised"] for _ in range(5))
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


class Backup:
    """A backup, as an operator makes one: a copy of SQLite's file, or of PostgreSQL's database by its own means."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db, self._file, self._name = db, folder / "backup.db", f"{db.url.database}_backup"

    def take(self) -> None:
        """Make it."""
        self._db.scrub([])
        self._db.dispose()  # nobody may be connected to what PostgreSQL copies
        if self._db.is_sqlite:
            shutil.copy(str(self._db.url.database), self._file)
        else:
            self._execute(f'CREATE DATABASE "{self._name}" TEMPLATE "{self._db.url.database}"')

    def restore(self) -> None:
        """Put it in the place of what is there now."""
        self._db.dispose()
        own = str(self._db.url.database)
        if self._db.is_sqlite:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{own}{suffix}").unlink(missing_ok=True)
            shutil.copy(self._file, own)
        else:
            self._execute(f'DROP DATABASE "{own}" WITH (FORCE)', f'CREATE DATABASE "{own}" TEMPLATE "{self._name}"')

    def delete(self) -> None:
        """Delete it."""
        if not self._db.is_sqlite:
            self._execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _execute(self, *statements: str) -> None:
        engine = create_engine(self._db.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


def every_byte(api: Api) -> bytes:
    """Return what all stores of the api hold."""
    return every_byte_of(api.services.db, api.services.settings.state_dir)


def every_byte_of(db: Database, folder: Path) -> bytes:
    """Return what a database's files hold, or what PostgreSQL copies out; and every file of a folder."""
    parts = list[bytes]()
    if db.is_sqlite:
        parts += [path.read_bytes() for path in sorted(Path(str(db.url.database)).parent.glob("aisle.db*"))]
    else:
        with db.engine.connect() as connection:
            for table in metadata.sorted_tables:
                for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                    parts += [one if isinstance(one, bytes) else repr(one).encode() for one in row]
    for path in sorted(folder.rglob("*")):
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
    rasa = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    assert DialogueMemory(api.services, rasa).forget(now=datetime.now(UTC)) == 2  # as the worker does
    assert receipt["files_scrubbed"]
    assert receipt["deleted"]["templates"] == 1
    assert hits(life.traces, every_byte(api)) == []
    assert hits(life.traces, erased.content) == [], "the receipt names nobody"
    left = repr(client.xrange(name))
    assert life.member_id not in left
    assert DEVICE not in left
    assert "somebody-else" in left, "what others did is sent on"


def rasa_forgot(db: Database) -> None:
    """What the worker does once every Rasa has confirmed; until then the names of the conversations are kept for it."""
    left = SqlDialogueErasures(db)
    waiting = left.due(9)
    assert waiting
    left.done(waiting, before=datetime.now(UTC) - timedelta(days=30))
    db.scrub(["dialogue_erasures"])


@pytest.fixture
def backup(api: Api, tmp_path: Path) -> Iterator[Backup]:
    """A backup of the api's database, of either kind."""
    found = Backup(api.services.db, tmp_path)
    yield found
    found.delete()


def test_a_restored_backup_is_erased_again_and_only_for_whom_it_was(api: Api, backup: Backup, tmp_path: Path) -> None:
    db, journal = api.services.db, tmp_path / "erasures"
    url, state = db.url.render_as_string(hide_password=False), api.services.settings.state_dir
    life, others = live(api), api.member("pets-1").member_id.encode()
    backup.take()
    kept = Database(url, MASTER_KEY, journal=journal)
    receipt = erase_member(kept, api.member(WHO).member_id, at=datetime.now(UTC))
    rasa_forgot(kept)
    assert hits(life.traces, every_byte_of(kept, journal)) == [], "the journal names nobody"
    kept.dispose()
    backup.restore()
    assert len(hits(life.traces, every_byte_of(db, state))) >= 10, "the backup brings them back"
    settings = Settings(
        state_dir=state, database_url=url, master_key=base64.b64encode(MASTER_KEY).decode(), erasure_journal=journal,
        worker="external",
    )  # fmt: skip
    started = build_services(settings)  # as the api and the worker start
    with started.db.read() as connection:
        [again] = connection.execute(select(erasures)).all()
    assert (again.receipt_id, again.scope) == (receipt["receipt_id"], "member, again")
    assert again.counts["members"] == 1
    rasa_forgot(started.db)
    assert hits(life.traces, every_byte_of(started.db, state)) == []
    assert others in every_byte_of(started.db, state), "nobody else was erased"
    assert replay_erasures(started.db, at=datetime.now(UTC)) == [], "once is enough"
    started.db.dispose()


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

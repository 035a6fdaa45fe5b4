"""The demo shop: sign-in without a password, a kiosk that is already set up. Only with AISLE_DEMO=true."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query
from sqlalchemy import func, select

from api import demo_talks, passwords, views
from api.auth import SCOPES
from api.errors import ProblemError
from api.routes.conversations import begin
from api.routes.deps import ChatDep, ServicesDep
from api.sessions import ROLES
from api.shoppers import Visitor
from api.wiring import Services
from personalization.types import Channel, Context, MemberId, Subject, VisitorId
from stores.database import new_id
from stores.errors import ConflictError
from stores.switches import Terms, Use
from stores.tables import members, order_lines, products

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/demo", include_in_schema=False)
KIOSK = "entrance"
NOTICE = (
    "Demo of Aisle. At this kiosk a camera sees who stands before it. Members who agreed are recognised and greeted"
    " by name; what the camera knows of their face is refreshed when they come. How people look (pleased, neutral, "
    "surprised, unhappy) is estimated, so that the screen can keep it short and offer help. No picture is stored. "
    'To be forgotten, touch "Forget me", or tell us.'
)
_TASTES = {"pets": "%dog food%", "a baby": "%baby%", "fresh salads": "%salad%"}


def keys(services: Services) -> dict[str, str]:
    """Return the demo's API key, kiosk and device key; they are made at the first start and kept beside the master key.

    The first start also switches the cameras of the demo's store on, as an operator would; whoever switches them off is obeyed.
    """
    path = services.settings.state_dir / "keys" / "demo.json"
    if path.exists():
        found: dict[str, str] = json.loads(path.read_text())
        known = services.keys.find(found["api_key"])
        if known is not None and known.scopes >= set(SCOPES):
            _switch_on(services)
            return found
    now = datetime.now(UTC)
    origins = [services.settings.resolved_public_url]
    _, api_key = services.keys.create("api", "demo", at=now, scopes=SCOPES, origins=origins)
    store = _busiest_store(services)
    kiosk = services.kiosks.find(KIOSK) or services.kiosks.create(KIOSK, store_id=store, at=now)
    _switch_on(services)
    _, device_key = services.keys.create("device", f"kiosk {KIOSK}", at=now, kiosk_id=kiosk.kiosk_id)
    found = {"api_key": api_key, "kiosk_id": kiosk.kiosk_id, "kiosk": KIOSK, "device_key": device_key}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(found))
    return found


def _staff(services: Services) -> dict[str, str]:
    """Make an account for each role. Their passwords follow from the master key: several processes that begin at once agree on them."""
    now, told = datetime.now(UTC), {}
    for role in ROLES:
        email, password = f"{role}@demo.example", services.demo_password(role)
        account = services.staff_accounts.by_email(email)
        if account is None:
            try:
                account = services.staff_accounts.add(email, f"Demo {role}", [role], at=now)
            except ConflictError:  # another process was faster
                account = services.staff_accounts.by_email(email)
        if account is not None and not passwords.fits(
            password, services.staff_accounts.password_hash(account.account_id)
        ):
            services.staff_accounts.set_password(account.account_id, passwords.accept(password), at=now)
        told[role] = password
    return told


def accounts(services: Services) -> list[dict[str, str]]:
    """Return the demo's staff accounts with their passwords, made when they are first asked for; none where this is no demo."""
    if not services.settings.demo:
        return []
    if not services.demo_staff:
        services.demo_staff.update(_staff(services))
    return [{"email": f"{role}@demo.example", "role": role, "password": services.demo_staff[role]} for role in ROLES]


def _switch_on(services: Services) -> None:
    kiosk = services.kiosks.find(KIOSK)
    if kiosk is None or kiosk.store_id is None or services.switches.latest(kiosk.store_id) is not None:
        return
    terms = Terms(frozenset(Use), "To show what Aisle does, on your own machine.", 30, NOTICE)
    services.switches.enable(kiosk.store_id, terms, by="the demo's first start", at=datetime.now(UTC))
    log.info(
        "the demo switches the cameras of its store on", store_id=kiosk.store_id, uses=" ".join(sorted(terms.uses))
    )


def _busiest_store(services: Services) -> str | None:
    lines = order_lines.c.store_id
    query = select(lines).where(lines.is_not(None)).group_by(lines).order_by(func.count().desc()).limit(1)
    with services.db.read() as connection:
        return connection.scalar(query)


def demo_members(services: Services) -> list[dict[str, str]]:
    """Return three members whose histories differ most visibly: who bought most often for pets, a baby, salads."""
    chosen: dict[str, str] = {}
    with services.db.read() as connection:
        for taste, pattern in _TASTES.items():
            liked = select(products.c.product_id).where(products.c.recommendable, products.c.category.ilike(pattern))
            orders = func.count(order_lines.c.order_id.distinct())
            spent = (
                select(order_lines.c.member_id)
                .where(order_lines.c.product_id.in_(liked))
                .group_by(order_lines.c.member_id)
                .order_by(orders.desc(), order_lines.c.member_id)
                .limit(5)
            )
            found = next(
                (row.member_id for row in connection.execute(spent) if row.member_id not in chosen.values()), None
            )
            if found:
                chosen[taste] = found
        rows = connection.execute(
            select(members.c.member_id, members.c.display_name).where(members.c.member_id.in_(chosen.values()))
        ).all()
    names = {row.member_id: row.display_name for row in rows}
    return [
        {"member_id": m, "display_name": names[m], "about": f"often buys for {taste}", "synthetic_name": "yes"}
        for taste, m in chosen.items()
        if m in names
    ]


_chosen: dict[str, list[dict[str, str]]] = {}


@router.get("/members")
def list_members(services: ServicesDep) -> dict[str, Any]:
    """Return whom the demo shop can sign in as."""
    url = str(services.db.url)
    if url not in _chosen or any(services.members.get(m["member_id"]) is None for m in _chosen[url]):
        _chosen[url] = demo_members(services)
    return {"members": _chosen[url], "retailer": services.settings.retailer}


@router.post("/conversations")
def past_conversations(services: ServicesDep, chat: ChatDep) -> dict[str, int]:
    """Tell the conversations that the demo's shop has had, the first time; return how many were added."""
    favourites = [member["member_id"] for member in demo_members(services)]
    return {"added": demo_talks.tell(services, chat, favourites, now=datetime.now(UTC))}


@router.get("/session")
def session(
    services: ServicesDep,
    member: Annotated[str | None, Query(max_length=36)] = None,
    visitor: Annotated[str | None, Query(max_length=36, pattern="^[A-Za-z0-9-]+$")] = None,
) -> dict[str, Any]:
    """Return a widget token, as a shop's server would make it for its page."""
    key = services.keys.find(keys(services)["api_key"])
    if key is None:
        raise ProblemError(503, "no-demo", "The demo is not set up; run `make demo`.")
    known = services.members.get(member) if member else None
    return begin(services, Visitor(VisitorId(visitor or new_id()), known.member_id if known else None, key.key_id))


@router.get("/kiosk")
def kiosk(services: ServicesDep) -> dict[str, str]:
    """Return the demo kiosk's page with its device key."""
    found = keys(services)
    shown = services.kiosks.find(KIOSK)
    store = shown.store_id if shown else None
    uses = " and ".join(sorted(services.switches.uses(store))) or "nothing"
    return {
        "cameras": f"{uses} switched on in store {store} (`aisle vision status {store}`)",
        "kiosk_id": found["kiosk_id"],
        "url": services.settings.kiosk_page(KIOSK, found["device_key"], camera=True),
    }


@router.get("/products")
def shop_products(services: ServicesDep, member: Annotated[str | None, Query(max_length=36)] = None) -> dict[str, Any]:
    """Return what the demo shop's front page shows."""
    known = services.members.get(member) if member else None
    subject = Subject(MemberId(known.member_id) if known else None, VisitorId(new_id()))
    decision = services.core.decide(subject, Context(Channel.API, datetime.now(UTC), slate_size=12))
    return {
        "retailer": services.settings.retailer,
        "items": [views.card(item) for item in decision.slate],
        "decision_id": decision.decision_id,
    }

"""How long one coupon decision takes: in process with a warm profile, and through HTTP at a steady rate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import select
from threadpoolctl import threadpool_limits

from bench.report import ROOT, Metric, percentile_with_ci, progress
from bench.stack import free_port
from personalization.coupons.allocator import DualAllocator
from personalization.coupons.caps import Cap
from personalization.coupons.dependence import History
from personalization.coupons.features import FEATURES, MEMBER, Record
from personalization.coupons.log import CouponLog
from personalization.coupons.response import fit
from personalization.offers import BudgetState, Offer
from personalization.types import (
    CampaignId,
    Channel,
    Context,
    MemberId,
    Money,
    OrderId,
    Product,
    ProductId,
    Profile,
    Purchase,
    Purpose,
    Reason,
    SlateItem,
    Subject,
)
from stores.consents import granted_to
from stores.coupon_tables import budgets, campaigns, coupons, offers
from stores.crypto import load_or_create_master_key
from stores.database import Database
from stores.tables import consents, products

SEED = 7
RUNGS, ROWS = 30, 4_000
RATE, WORKERS = 200, 32  # requests a second, and connections
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMPAIGN = CampaignId("c")


def metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield both waiting times."""
    del data
    yield in_process(1_000 if quick else 20_000)
    yield from over_http((RATE,), 250, 1) if quick else over_http((20, 50, 100, RATE), 1_000, 3)


class _Prices:
    def price(self, campaign_id: CampaignId, caps: Sequence[Cap], *, at: datetime) -> float:
        return 0.0005


class _Records:
    def of_subject(self, subject: Subject, *, at: datetime) -> Record:
        return Record(4, 1, 0, 100.0)

    def history(self, subject: Subject, *, at: datetime) -> History:
        day = at.timestamp() / 86_400
        bought, decided = day - np.arange(120.0, 0, -1.5), day - np.arange(40.0, 0, -2)
        return History(
            bought,
            np.full(80, 2500.0),
            np.where(np.arange(80) % 5 == 0, 50.0, 0.0),
            decided,
            np.full(20, 30.0),
            np.arange(20) % 10 == 0,
        )


def made_log(rng: np.random.Generator) -> CouponLog:
    """Return allotments drawn evenly from eleven discounts on things of five price levels; deeper ones convert more often."""
    features = rng.normal(size=(ROWS, len(FEATURES)))
    price = rng.choice([300.0, 500.0, 800.0, 1200.0, 2000.0], ROWS)
    features[:, FEATURES.index("price_minor")] = price
    discount = rng.choice(np.arange(11), ROWS) * 20.0
    chance = 1 / (1 + np.exp(-(features[:, 0] - 2 + 6 * discount / price)))
    converted = (rng.random(ROWS) < chance).astype(float)
    even = np.full(ROWS, 1 / 11)
    return CouponLog(
        rng.integers(0, 1_000, ROWS), features, discount, even, converted, converted * discount, np.full(ROWS, "s")
    )


def in_process(times: int) -> Metric:
    """Return the p99 of choosing among RUNGS discounts for a member with a profile and 300 purchases, model and features included."""
    progress("one decision, in process")
    rng = np.random.default_rng(SEED)
    model = fit(made_log(rng), seed=SEED)
    allocator = DualAllocator(model, _Prices(), _Records(), rng=rng)
    thing = Product(ProductId("p"), "Coffee", "Grocery", "Coffee", "", Money(800, "USD"))
    slate = [SlateItem(thing, 1, 1.0, Reason("popular", "Many shoppers buy this.", {}), ("popular",))]
    end = NOW + timedelta(days=20)
    offers = [
        Offer(f"o{d}", CAMPAIGN, Money(10 * d, "USD"), frozenset({thing.product_id}), NOW - timedelta(days=1), end)
        for d in range(1, RUNGS + 1)
    ]
    nothing = Money(0, "USD")
    money = {CAMPAIGN: BudgetState(CAMPAIGN, Money(1_000_000, "USD"), nothing, nothing)}
    bought = tuple(
        Purchase(OrderId(str(n)), ProductId(f"q{n % 60}"), NOW - timedelta(days=n), 1, Money(400, "USD"))
        for n in range(300)
    )
    member = MemberId("m")
    profile = Profile(member, NOW, 3.0, 40, Money(9_000, "USD"), {}, None, (), dict.fromkeys(MEMBER, 0.5))
    context = Context(Channel.WIDGET, NOW, slate_size=5, wants_coupon=True)
    took = []
    with threadpool_limits(1):
        for turn in range(times + 50):
            started = time.perf_counter()
            allocator.choose(Subject(member), context, profile, bought, slate, offers, money)
            if turn >= 50:
                took.append((time.perf_counter() - started) * 1e6)
    value, (low, high) = percentile_with_ci(took, 99, seed=SEED)  # microseconds, as it rounds to a tenth
    what = f"{RUNGS} discounts, features, trees, isotonic, price of money"
    return Metric("coupons.decide_p99_ms", round(value / 1000, 3), "ms", times, what, ci=(round(low / 1000, 3), round(high / 1000, 3)), baseline={"median": round(float(np.median(took)) / 1000, 3)}, seed=SEED)  # fmt: skip


def over_http(rates: Sequence[int], members: int, rounds: int) -> Iterator[Metric]:
    """Ask for a coupon on a named product at each of `rates`, the last of which is the bar's; a member a request.

    The members asked before, so that their histories are warm; their coupons are taken back before each round, so that every
    request is a decision.
    """
    state = Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var"))
    if not (state / "aisle.db").exists() or not (state / "artifacts").exists():
        yield Metric("coupons.http_p99_ms", None, "ms", 0, "", reason="there is no demo shop; run `make demo` first")
        return
    took: dict[int, list[float]] = {rate: [] for rate in rates}
    with tempfile.TemporaryDirectory(prefix="aisle-coupons-") as folder:
        copy = Path(folder)
        for name in ("keys", "artifacts"):
            shutil.copytree(state / name, copy / name)
        shutil.copy(state / "aisle.db", copy / "aisle.db")
        db = Database(f"sqlite:///{copy / 'aisle.db'}", load_or_create_master_key(copy / "keys" / "master.key"))
        agreed, things = _campaign(db)
        wanted = [(member, things[n % len(things)]) for n, member in enumerate(agreed[:members])]
        with _served({**os.environ, "AISLE_STATE_DIR": folder, "AISLE_COUPONS_A_WEEK": "0"}) as (url, key):
            progress(f"{len(wanted)} members' first request")
            _load(url, key, wanted, rates[0])
            for rate in rates:
                progress(f"{rate} requests a second")
                for _ in range(rounds):
                    _take_back(db)
                    found, answers = _load(url, key, wanted, rate)
                    took[rate] += found
        db.dispose()
    value, interval = percentile_with_ci(took[rates[-1]], 99, seed=SEED)
    told = {f"p99 at {rate}/s": round(float(np.percentile(each, 99)), 1) for rate, each in took.items()}
    median = round(float(np.median(took[rates[-1]])), 1)
    none = answers.count(409)
    about = (
        f"POST /v1/coupons on SQLite, {rates[-1]}/s, warm members, last round: {answers.count(201)} issued, {none} none, "
        f"{len(answers) - answers.count(201) - none} failed"
    )
    yield Metric("coupons.http_p99_ms", value, "ms", len(took[rates[-1]]), about, ci=interval, baseline={"median": median, **told})  # fmt: skip


def _take_back(db: Database) -> None:
    """Expire every coupon, so that each member can be given one."""
    with db.write() as connection:
        connection.execute(coupons.update().where(coupons.c.status == "open").values(status="expired"))
        connection.execute(budgets.update().values(reserved=0))


def _campaign(db: Database) -> tuple[list[str], list[str]]:
    """Open a campaign for everybody with RUNGS discounts on anything; return members who agree to marketing, and products."""
    db.upgrade()
    now = datetime.now(UTC)
    with db.write() as connection:
        connection.execute(campaigns.delete().where(campaigns.c.campaign_id == "bench"))
        connection.execute(
            campaigns.insert().values(
                campaign_id="bench", name="Bench", starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=20), for_everybody=True,
            )
        )  # fmt: skip
        connection.execute(
            budgets.insert().values(campaign_id="bench", currency="USD", total=10_000_000, reserved=0, spent=0)
        )
        connection.execute(
            offers.insert(),
            [
                {
                    "offer_id": f"bench-{d}",
                    "campaign_id": "bench",
                    "discount_minor": 10 * d,
                    "currency": "USD",
                    "for_any_product": True,
                }
                for d in range(1, RUNGS + 1)
            ],
        )
        agree = granted_to(connection, connection.scalars(select(consents.c.member_id)).all())
        found = connection.scalars(select(products.c.product_id).where(products.c.price_minor > 600).limit(500)).all()
    return sorted(member for member, purposes in agree.items() if Purpose.MARKETING in purposes), list(found)


@contextmanager
def _served(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Run the api alone; yield its address and a key."""
    aisle, port = str(Path(sys.executable).with_name("aisle")), free_port()
    environment = {**environment, "AISLE_PORT": str(port)}
    made = subprocess.run(
        [aisle, "keys", "create", "bench", "--scope", "coupons:issue"], env=environment, capture_output=True, text=True, check=True
    )  # fmt: skip
    process = subprocess.Popen([aisle, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"{url}/healthz", timeout=1).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield url, next(word for word in made.stdout.split() if word.startswith("ak_"))
    finally:
        process.terminate()
        process.wait(timeout=20)


def _load(url: str, key: str, wanted: Sequence[tuple[str, str]], rate: int) -> tuple[list[float], list[int]]:
    """Send request n at n / `rate` seconds; return waiting times from that moment in ms, after half a second of warming up, and statuses."""
    took, answers, lock, turn = [], [], threading.Lock(), iter(enumerate(wanted))
    begun = time.perf_counter() + 0.1

    def work() -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10) as client:
            while True:
                with lock:
                    number, (member, product) = next(turn, (-1, ("", "")))
                if number < 0:
                    return
                due = begun + number / rate
                time.sleep(max(due - time.perf_counter(), 0.0))
                answer = client.post("/v1/coupons", json={"member_id": member, "product_ids": [product]})
                with lock:
                    answers.append(answer.status_code)
                    if number >= rate // 2:
                        took.append((time.perf_counter() - due) * 1000)

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took, answers

"""One size of catalogue or membership: `python -m bench.ranking_scale items|members SIZE` prints a value and the peak memory in MiB."""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, datetime

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from bench.ranking_serving import trained
from personalization.ranking.catalogue import Catalogue, items_at
from personalization.ranking.history import History, as_day
from personalization.ranking.ranker import EnsembleRanker, merge
from personalization.ranking.requests import requests_at
from personalization.ranking.scoring import Models
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import LIMITS, shopper_sources
from personalization.types import Channel, Context, Money, OrderId, Product, ProductId, Purchase, StoreId

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LINES, MEMBERS, ASKED, TURNS = 20, 5_000, 50, 4
KIND, CATEGORY, DEPARTMENT = 10, 100, 5_000  # items in each


def catalogue_of(items: int) -> Catalogue:
    """Return a made catalogue of so many items."""
    number = np.arange(items)
    return Catalogue(
        pl.Series([f"p{n:07d}" for n in range(items)]), np.array([f"Category {n}" for n in range(items // CATEGORY + 1)]),
        (number // CATEGORY).astype(np.int32), number // KIND, number // DEPARTMENT, pl.Series(["s1"]),
    )  # fmt: skip


def history_of(members: int, items: int, lines: int) -> History:
    """Return made orders: popularity falls with the item's number, as in Zipf's law; about half of the lines are repeats."""
    rng = np.random.default_rng(7)
    n = members * lines
    member = np.repeat(np.arange(members), lines)
    item = np.minimum((items * rng.random(n) ** 3).astype(np.int64), items - 1)
    again = rng.random(n) < 0.5
    item[again] = item[(np.arange(n) // lines * lines)[again]]
    at = as_day(NOW) - rng.random(n) * 200
    by = np.lexsort((at, item, member))
    one = np.ones(n)
    return History(member[by], item[by], np.arange(n)[by], at[by], one, one * 300, one * 0, np.zeros(n, np.int64))


def over_items(size: int) -> float:
    """Return the p99 of ranking one request, sources to reasons, in ms."""
    found = trained()
    models = found.ranking if found is not None else Models()
    catalogue, history = catalogue_of(size), history_of(MEMBERS, size, LINES * 5)
    items = items_at(catalogue, history, MEMBERS, as_day(NOW), seed=7)
    shoppers = Shoppers(items)
    ranker, sources = (
        EnsembleRanker(items, shoppers, models, _Silent(), budget_ms=1e9),
        shopper_sources(items, shoppers),
    )
    goods = _Goods(catalogue)
    took = []
    with threadpool_limits(1):
        for turn in range(TURNS):
            for member in range(ASKED):
                own = history.where(history.member == member)
                bought = tuple(
                    Purchase(
                        OrderId(str(o)),
                        ProductId(f"p{i:07d}"),
                        datetime.fromtimestamp(t * 86_400, UTC),
                        1,
                        Money(300, "USD"),
                        StoreId("s1"),
                    )
                    for o, i, t in zip(own.order.tolist(), own.item.tolist(), own.at.tolist(), strict=True)
                )
                context = Context(Channel.WIDGET, NOW, StoreId("s1"))
                started = time.perf_counter()
                candidates = merge([s.candidates(context, None, bought, LIMITS[s.name]) for s in sources])
                ranker.rank(context, None, bought, candidates, goods)
                if turn:
                    took.append((time.perf_counter() - started) * 1000)
    return float(np.percentile(took, 99))


class _Silent:
    """Nobody has responded to anything."""

    def counts(self, _: object) -> dict[ProductId, tuple[int, int]]:
        return {}


class _Goods(dict[ProductId, Product]):
    """Products on demand."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self._known = catalogue

    def __missing__(self, key: ProductId) -> Product:
        return Product(key, key, "Grocery", "Things", "", Money(300, "USD"))

    def __contains__(self, key: object) -> bool:
        return True


def over_members(size: int) -> float:
    """Return how many members' requests are made per second, with the orders of `size` members in memory."""
    catalogue, history = catalogue_of(10_000), history_of(size, 10_000, LINES)
    with threadpool_limits(1):
        items = items_at(catalogue, history, size, as_day(NOW) - 28, seed=7)
        asked = np.sort(np.random.default_rng(7).permutation(size)[:1000])
        started = time.perf_counter()
        made = sum(len(part) for part in requests_at(history, items, asked, as_day(NOW) - 28, 28.0))
        return made / (time.perf_counter() - started)


if __name__ == "__main__":
    value = {"items": over_items, "members": over_members}[sys.argv[1]](int(sys.argv[2]))
    print(round(value, 2), round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))

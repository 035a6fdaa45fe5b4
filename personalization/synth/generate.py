"""Members and their order lines from a fitted shop: the same for a seed, whatever the number or order of the blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from personalization.synth.shop import Ints, ShopModel, logit
from personalization.synth.traits import Floats

BLOCK = 2_000
OWN_CATEGORIES, OWN_PRODUCTS, OTHER_STORES = 6, 2, 3
_ROUND = 48  # gaps drawn at once
_SHIFTS = np.arange(-2, 3)
_PRICE_TILT = 0.8


@dataclass(frozen=True, slots=True)
class Members:
    """A block of members: `number` (m,), their traits by name (each (m,)) and topic shares `mix` (m, k)."""

    number: Ints
    traits: dict[str, Floats]
    mix: Floats


class Generator:
    """Generates from `model`; everything follows from `seed`. The last order lies before `until`."""

    def __init__(self, model: ShopModel, *, seed: int, until: datetime, block: int = BLOCK) -> None:
        self.model, self.seed, self._size = model, seed, block
        opened = (until - timedelta(hours=model.opens_at)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.start = opened - timedelta(days=model.period_days) + timedelta(hours=model.opens_at)
        self._topic_cum = np.cumsum(model.topics, axis=1)
        self._share_cum = np.zeros(len(model.share))
        for number in range(len(model.categories)):
            mine = model.category == number
            self._share_cum[mine] = np.cumsum(model.share[mine])
        self._first = np.searchsorted(model.category, np.arange(len(model.categories) + 1))
        self._ids = pl.Series("product_id", model.product_ids)
        self._stores = pl.Series("store_id", model.stores if len(model.stores) else np.array([""]))

    @cached_property
    def _weeks(self) -> tuple[Floats, Floats]:
        """Promotion log-odds (w, c) of each week against usual, and how much of a category's demand that moves (w, c)."""
        model, rng = self.model, np.random.default_rng([self.seed, 2**31])
        odds = rng.standard_normal((model.period_days // 7 + 1, len(model.categories))) * model.swing
        usual = model.promo + float(np.median(logit(model.knots[model.traits.index("promo")])))
        moved = model.response * (_expit(usual + odds) - _expit(usual))
        return odds, np.exp(np.clip(moved, -1.0, 1.0))

    def lines(self, members: int, first: int = 0) -> Iterator[pl.DataFrame]:
        """Yield the order lines of members number `first` to `first + members`, in blocks (columns: `traits.prepare`)."""
        size, last = self._size, first + members
        for block in range(first // size, -(-last // size)):
            frame = self.block(block)
            if first > block * size or last < (block + 1) * size:
                frame = frame.filter(pl.col("number").is_between(first, last, closed="left"))
            yield frame.drop("number")

    def member_id(self, number: pl.Expr) -> pl.Expr:
        """Return the ids of members by number; shops of different seeds do not share any."""
        return pl.concat_str(pl.lit(f"s{self.seed}-"), number.cast(pl.String).str.zfill(8))

    def members(self, block: int) -> Members:
        """Return the members of one block."""
        model, rng = self.model, np.random.default_rng([self.seed, block, 0])
        group = rng.choice(len(model.weights), self._size, p=model.weights / model.weights.sum())
        noise = rng.standard_normal((self._size, len(model.traits)))
        scores = model.means[group] + np.einsum("nij,nj->ni", model.factors[group], noise)
        at = np.clip(ndtr(scores), 0, 1) * (model.knots.shape[1] - 1)
        low = np.minimum(at.astype(np.int64), model.knots.shape[1] - 2)
        column = np.arange(len(model.traits))
        values = model.knots[column, low] + (at - low) * (model.knots[column, low + 1] - model.knots[column, low])
        plain = len(model.traits) - len(model.topics)
        mix = np.exp(values[:, plain:])
        mix /= mix.sum(axis=1, keepdims=True)
        number = np.arange(block * self._size, (block + 1) * self._size, dtype=np.int64)
        return Members(number, {name: values[:, i] for i, name in enumerate(model.traits[:plain])}, mix)

    def tastes(self, people: Members) -> Floats:
        """Return how likely a line of each member is of each category, (m, c): the truth behind the orders."""
        model = self.model
        usual = people.mix @ model.topics
        own = np.zeros_like(usual)
        row = np.arange(len(own))
        for slot in range(OWN_CATEGORIES):
            topic = self._habit(people, row, np.full(len(row), slot))
            at = self._steady(people.number, slot, 13)
            own[row, (self._topic_cum[topic] < at[:, None]).sum(axis=1).clip(0, own.shape[1] - 1)] += 1 / OWN_CATEGORIES
        return (1 - model.favourites) * usual + model.favourites * own

    def block(self, block: int) -> pl.DataFrame:
        """Return the order lines of one block, with the members' `number`."""
        people, rng = self.members(block), np.random.default_rng([self.seed, block, 1])
        orders = self._orders(people, rng)
        line = np.repeat(np.arange(len(orders["who"])), orders["lines"])
        who, week = orders["who"][line], orders["day"][line] // 7
        category = self._categories(people, orders["mix"], line, who, week, rng)
        product = self._products(people, who, category, rng)
        money = self._money(people, who, category, product, week, rng)
        member = self.member_id(pl.col("number"))
        frame = pl.DataFrame({"number": people.number[who], "order": orders["order"][line], **money}).with_columns(
            member.alias("member_id"), pl.concat_str(member, pl.lit("-"), pl.col("order").cast(pl.String)).alias("order_id"),
            self._ids.gather(product), self._stores.gather(orders["store"][line]),
            pl.Series("channel", np.where(orders["online"][line], "web", "store")),
            (pl.lit(self.start) + pl.duration(seconds=pl.lit(pl.Series(orders["second"][line])))).cast(pl.Datetime("us", "UTC")).alias("at"),
        )  # fmt: skip
        return frame.select("number", "member_id", "order_id", "product_id", "store_id", "channel", "at", *money)

    def _orders(self, people: Members, rng: np.random.Generator) -> dict[str, Any]:
        """Return the block's orders, one row each: whose, which day and second, how many lines, where."""
        model, t = self.model, people.traits
        who, day = self._visits(t, rng)
        again = rng.random(len(who)) < model.second_order
        who, day = np.concatenate([who, who[again]]), np.concatenate([day, day[again]])
        hour = np.clip(t["hour"][who] + t["hour_std"][who] * rng.standard_normal(len(who)), *model.hours)
        second = np.minimum((day * 24 + hour) * 3600, model.period_days * 86_400 - 1).astype(np.int64)
        by = np.lexsort((second, who))
        who, day, second = who[by], day[by], second[by]
        first = np.searchsorted(who, np.arange(self._size))
        size = np.exp(t["lines_log_mean"][who] + t["lines_log_std"][who] * rng.standard_normal(len(who)))
        at_home = rng.random(len(who)) < t["top_store"][who]
        cum = np.cumsum(model.store_share) if len(model.stores) else np.ones(1)
        home = np.searchsorted(cum, self._steady(people.number, 0, 77) * cum[-1], side="right").clip(0, len(cum) - 1)
        slot = rng.integers(0, OTHER_STORES, len(who))
        other = np.searchsorted(cum, self._steady(people.number[who], slot, 79) * cum[-1], side="right").clip(
            0, len(cum) - 1
        )
        mix = rng.standard_gamma(np.maximum(people.mix[who] * model.spread, 1e-3))
        return {
            "who": who, "day": day, "second": second, "order": np.arange(len(who)) - first[who], "store": np.where(at_home, home[who], other),
            "lines": np.clip(np.rint(size), 1, model.most_lines).astype(np.int64), "online": rng.random(len(who)) < t["online"][who],
            "mix": mix / np.maximum(mix.sum(axis=1, keepdims=True), 1e-12),
        }  # fmt: skip

    def _visits(self, t: dict[str, Floats], rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return whose visits and on which day: gaps around the member's own, with memory and trend, until their last day."""
        model, last_day = self.model, self.model.period_days - 1
        starts = np.rint(t["starts"]).clip(0, last_day)
        ends = np.maximum(last_day - np.rint(t["ends"]), starts)
        found = [(np.arange(self._size), starts), (np.arange(self._size), ends)]
        alive, now, before = np.arange(self._size), starts.copy(), rng.standard_normal(self._size)
        middle, noise = model.period_days / 2, np.sqrt(1 - model.gap_memory**2)
        while len(alive):
            for _ in range(_ROUND):
                before = model.gap_memory * before + noise * rng.standard_normal(len(alive))
                center = t["gap_log_mean"][alive] + t["gap_trend"][alive] * (now - middle)
                gap = np.rint(np.exp(center + t["gap_log_std"][alive] * before)).clip(1, model.period_days)
                now = now + gap
                moved = now + np.where(gap > 4, self._weekday_shift(now, t["weekend"][alive], rng), 0)
                kept = moved < ends[alive]
                found.append((alive[kept], moved[kept]))
            going = now < ends[alive]
            alive, now, before = alive[going], now[going], before[going]
        who, day = (np.concatenate([part[i] for part in found]).astype(np.int64) for i in (0, 1))
        both = np.unique(who * model.period_days + day)
        return both // model.period_days, both % model.period_days

    def _weekday_shift(self, day: Floats, weekend: Floats, rng: np.random.Generator) -> Floats:
        """Return how far each visit moves to a day that the shop and the member like better, at most two days."""
        weekday = (day[:, None].astype(np.int64) + _SHIFTS + self.start.weekday()) % 7
        liking = np.where(weekday >= 5, weekend[:, None] / 2, (1 - weekend[:, None]) / 5) * self.model.weekdays[weekday]
        cum = np.cumsum(liking * np.array([0.5, 0.8, 1.0, 0.8, 0.5]), axis=1)
        chosen = (cum < rng.random((len(day), 1)) * cum[:, -1:]).sum(axis=1)
        shift: Floats = _SHIFTS[chosen].astype(float)
        return shift

    def _categories(
        self, people: Members, mix: Floats, line: Ints, who: Ints, week: Ints, rng: np.random.Generator
    ) -> Ints:
        """Return each line's category; where the week's promotions speak against it, it is drawn once more.

        Some lines are of the category of the line before them: three yogurts, two soups.
        """
        cum = np.cumsum(mix, axis=1)
        drawn = self._draw_category(people, cum, line, who, rng)
        demand = self._weeks[1]
        refused = rng.random(len(line)) > demand[week, drawn] / demand.max(axis=1)[week]
        drawn[refused] = self._draw_category(people, cum, line[refused], who[refused], rng)
        alike = (rng.random(len(line)) < self.model.kin) & (np.diff(line, prepend=-1) == 0)
        origin = np.maximum.accumulate(np.where(alike, 0, np.arange(len(line))))
        return drawn[origin]

    def _draw_category(self, people: Members, cum: Floats, line: Ints, who: Ints, rng: np.random.Generator) -> Ints:
        n = len(line)
        topic = (cum[line] < rng.random((n, 1))).sum(axis=1).clip(0, cum.shape[1] - 1)
        at = rng.random(n)
        own = rng.random(n) < self.model.favourites
        slot = rng.integers(0, OWN_CATEGORIES, n)[own]
        topic[own] = self._habit(people, who[own], slot)
        at[own] = self._steady(people.number[who[own]], slot, 13)
        found = np.searchsorted(
            (self._topic_cum + np.arange(len(self._topic_cum))[:, None]).ravel(), at + topic, side="right"
        )
        category: Ints = np.clip(found - topic * self._topic_cum.shape[1], 0, self._topic_cum.shape[1] - 1)
        return category

    def _habit(self, people: Members, who: Ints, slot: Ints) -> Ints:
        """Return the topic of a member's own category in each slot."""
        cum = np.cumsum(people.mix, axis=1)[who]
        topic: Ints = (cum < self._steady(people.number[who], slot, 11)[:, None]).sum(axis=1).clip(0, cum.shape[1] - 1)
        return topic

    def _products(self, people: Members, who: Ints, category: Ints, rng: np.random.Generator) -> Ints:
        """Return each line's product: one of the member's own in that category, or any by popularity."""
        n, t = len(who), people.traits
        own = rng.random(n) < np.clip(t["loyalty"][who] * self.model.loyal, 0, 0.98)
        slot = category * OWN_PRODUCTS + (rng.random(n) < 0.35)
        at = np.where(own, self._steady(people.number[who], slot, 17), rng.random(n))
        at = at ** np.exp(-_PRICE_TILT * np.clip(t["price_level"][who], -1, 1))  # products ascend in price
        low, high = self._first[category], self._first[category + 1]
        found = np.searchsorted(self._share_cum + self.model.category, at * 0.999999 + category, side="right")
        kept: Ints = np.clip(found, low, high - 1)
        return kept

    def _money(
        self, people: Members, who: Ints, category: Ints, product: Ints, week: Ints, rng: np.random.Generator
    ) -> dict[str, Ints]:
        model, t, n = self.model, people.traits, len(who)
        quantity = np.maximum(np.rint(_at_knots(model.quantity_knots, category, rng.random(n))), 1).astype(np.int64)
        ratio = model.price_ratio[category]
        shelf = quantity * model.price_minor[product] * np.exp(ratio[:, 0] + ratio[:, 1] * rng.standard_normal(n))
        shelf = np.maximum(np.rint(shelf), 1).astype(np.int64)
        promoted = rng.random(n) < _expit(
            logit(t["promo"][who]) + model.promo[category] + self._weeks[0][week, category]
        )
        off = np.where(promoted, _at_knots(model.discount_knots, category, rng.random(n)), 0.0)
        redeemed = rng.random(n) < _expit(logit(t["coupon"][who]) + model.coupon[category]) * (t["coupon"][who] > 0)
        coupon = np.where(redeemed, _at_knots(model.coupon_knots, category, rng.random(n)), 0.0)
        discount = np.rint(shelf * off).astype(np.int64)
        amount = shelf - discount
        return {
            "quantity": quantity, "amount_minor": amount, "discount_minor": discount,
            "coupon_minor": np.minimum(np.rint(shelf * coupon).astype(np.int64), amount),
        }  # fmt: skip

    def _steady(self, number: Ints, slot: Ints | int, salt: int) -> Floats:
        """Return a uniform number that belongs to a member and a slot for good (SplitMix64, Steele et al. 2014)."""
        with np.errstate(over="ignore"):
            x = np.asarray(number).astype(np.uint64) * np.uint64(1_000_003) + np.asarray(slot).astype(np.uint64)
            x = x * np.uint64(0x9E3779B97F4A7C15) + np.uint64((self.seed * 7919 + salt) % 2**63)
            for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
                x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
            x ^= x >> np.uint64(31)
        found: Floats = (x >> np.uint64(11)).astype(np.float64) / 2.0**53
        return found


def _at_knots(knots: Floats, row: Ints, u: NDArray[np.float64]) -> Floats:
    at = u * (knots.shape[1] - 1)
    low = np.minimum(at.astype(np.int64), knots.shape[1] - 2)
    found: Floats = knots[row, low] + (at - low) * (knots[row, low + 1] - knots[row, low])
    return found


def _expit(x: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-x))
    return found

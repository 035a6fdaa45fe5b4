"""What goes together: association rules between categories and behaviours, mined on half of the members, tested on the others.

FP-growth (Han et al. 2000) finds rules in one half of the members; the other half tests them (holdout evaluation, Webb 2007), by
member: baskets of one member are no independent witnesses. The false discovery rate of what is kept is controlled after
Benjamini and Hochberg (1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, norm

MOST_BASKETS, TOP_CATEGORIES = 20_000, 120
LEAST_SUPPORT, LEAST_LIFT, LONGEST, FDR = 0.01, 1.5, 3, 0.05
PRODUCTIVE = 1.25  # by how much a longer rule must be surer than any shorter one that it holds
MOST_RULES = 400
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rule:
    """`given` → `then`, measured on the testing half: support, confidence and lift; `q` is the FDR-adjusted p-value."""

    given: tuple[str, ...]
    then: str
    support: float
    confidence: float
    lift: float
    q: float
    baskets: int


def mine(lines: pl.DataFrame, *, seed: int) -> dict[str, Any]:
    """Return {"rules": [Rule as dict, best lift first], "mined": n, "kept": n, "baskets": n} for order lines.

    lines : the columns that `features.batch` reads.
    """
    baskets, items = _baskets(lines, seed)
    if baskets.height < 200:
        return {"rules": [], "mined": 0, "kept": 0, "baskets": baskets.height}
    members = baskets["member_id"].unique().sort()
    learning = np.random.default_rng(seed).permutation(len(members)) % 2 == 0
    half = baskets["member_id"].is_in(members.filter(pl.Series(learning)).implode()).to_numpy()
    table = baskets.select(items).to_numpy()
    found = _grown(table[half], items)
    owner = baskets["member_id"].rank("dense").to_numpy().astype(np.int64)
    kept = verified(found, table[~half], owner[~half], items)
    return {
        "rules": [asdict(rule) for rule in kept[:MOST_RULES]],
        "mined": len(found),
        "kept": len(kept),
        "baskets": baskets.height,
    }


def verified(
    rules: Sequence[tuple[tuple[int, ...], int]], table: Flags, owner: NDArray[np.int64], items: Sequence[str]
) -> list[Rule]:
    """Return the rules (columns → column) that hold in `table` (baskets, items) with the FDR controlled, best lift first.

    owner : (baskets,) whose basket it is. One-sided: a rule holds when its consequence is more frequent with it than usual.
    """
    if not rules or not len(table):
        return []
    _, whose = np.unique(owner, return_inverse=True)
    people, measured = int(whose.max()) + 1, []
    for given, then in rules:
        has = table[:, list(given)].all(axis=1)
        n, usual = int(has.sum()), float(table[:, then].mean())
        both = has & table[:, then]
        surplus = np.bincount(whose, both - has * usual, minlength=people)  # by member: more often than usual
        spread = float(surplus.std(ddof=1)) * np.sqrt(people)
        p = float(norm.sf(surplus.sum() / spread)) if spread > 0 and n else 1.0
        measured.append((given, then, n, int(both.sum()), usual, p))
    q = false_discovery_control([row[-1] for row in measured])
    kept = [
        Rule(tuple(items[i] for i in given), items[then], both / len(table), both / n, both / n / usual, float(one), n)
        for (given, then, n, both, usual, _), one in zip(measured, q, strict=True)
        if n and usual > 0 and one <= FDR and both / n / usual >= LEAST_LIFT
    ]
    return sorted(kept, key=lambda rule: (-rule.lift, rule.given, rule.then))


def _baskets(lines: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, list[str]]:
    """Return a sample of baskets as yes/no columns of categories and behaviours, and the names of these columns."""
    known = lines.filter(pl.col("category") != "")
    sold = known["category"].value_counts().sort("count", "category", descending=[True, False])
    top = sold["category"].head(TOP_CATEGORIES).to_list()
    orders = known.group_by("order_id", maintain_order=True).agg(
        pl.col("member_id", "at", "channel").first(), pl.len().alias("lines"), (pl.col("discount_minor") > 0).mean().alias("promoted"),
        (pl.col("coupon_minor") > 0).any().alias("coupon"),
    ).filter(pl.col("lines") >= 2).sort("order_id")  # fmt: skip
    orders = orders.sample(min(MOST_BASKETS, orders.height), seed=seed)
    behaviours = {
        "at the weekend": pl.col("at").dt.weekday() >= 6, "mostly on promotion": pl.col("promoted") > 0.5, "with a coupon": pl.col("coupon"), "ordered online": pl.col("channel") != "store",
    }  # fmt: skip
    wide = known.join(orders.select("order_id"), on="order_id", how="semi").filter(pl.col("category").is_in(top)).with_columns(
        pl.lit(True).alias("one")
    ).pivot(on="category", on_columns=top, index="order_id", values="one", aggregate_function="first")  # fmt: skip
    found = orders.with_columns(**behaviours).join(wide, on="order_id", how="left", maintain_order="left")
    found = found.with_columns(pl.col(top).fill_null(False))
    return found, [*top, *behaviours]


def _grown(table: Flags, items: Sequence[str]) -> list[tuple[tuple[int, ...], int]]:
    """Return the rules of frequent itemsets with one consequence, enough lift, and no shorter rule that says nearly as much."""
    from mlxtend.frequent_patterns import fpgrowth  # noqa: PLC0415  with pandas it takes a second to import
    from pandas import DataFrame  # noqa: PLC0415

    sets = fpgrowth(DataFrame(table, columns=range(len(items))), min_support=LEAST_SUPPORT, max_len=LONGEST)
    support = {
        frozenset(int(i) for i in one): float(s) for one, s in zip(sets["itemsets"], sets["support"], strict=True)
    }
    found = []
    for both, share in support.items():
        for then in sorted(both) if len(both) > 1 else ():
            given = both - {then}
            usual = support[frozenset({then})]
            shorter = [support[given - {one} | {then}] / support[given - {one}] for one in given if len(given) > 1]
            if share / support[given] >= max(LEAST_LIFT * usual, *(PRODUCTIVE * sure for sure in shorter), 0.0):
                found.append((tuple(sorted(given)), then))
    return sorted(found)

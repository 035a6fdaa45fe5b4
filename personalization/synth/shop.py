"""The fitted shop: who comes, when, what goes together in a basket, and how promotions are answered.

Members are rows of traits under a Gaussian mixture on normal scores (a mixture copula): marginals are quantile knots that
leave out the outermost half percent, so that no single member's extreme value comes back. Baskets mix topics of categories
(LDA, Blei et al. 2003). Products that fewer than LEAST_BUYERS members bought are not in the model.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from personalization.synth.traits import TRAITS, Floats, gaps, opens, prepare, traits

LEAST_BUYERS = 5
TOPICS, GROUPS, KNOTS = 20, 4, 101
TRIM = 0.005
SEEN_BASKETS = 30_000
LEAST_SEEN = 30  # lines of a category until it has knots of its own
_TOPIC_FLOOR = 0.01
Ints = NDArray[np.int64]


class SynthError(Exception):
    """Fitting or reading a synthetic shop failed; the message says what to do."""


@dataclass(frozen=True)
class ShopModel:
    """Everything that generating needs. d traits and topics, g groups, k topics, c categories, p products, s stores.

    opens_at : the hour (UTC) at which the shop's day begins. knots : (d, KNOTS) quantiles; weights (g,), means (g, d), factors (g, d, d) : the mixture on normal scores, Cholesky.
    gap_memory : autocorrelation of successive log gaps. weekdays : (7,) visits by weekday, Monday first, against the mean.
    topics : (k, c) rows sum to 1. spread : Dirichlet concentration of a basket's topics; kin : part of lines of the same
    category as the line before; favourites : part of lines from a member's own few categories; loyal : factor from a member's
    repeat share to choosing a favourite product.
    category : (p,) into `categories`, sorted; within a category products ascend in price; share : (p,) sums to 1 in each.
    promo, coupon : (c,) log-odds against everybody's; swing : (c,) spread of weekly promotion log-odds; response : (c,) change
    of the log of a category's share per unit of promoted share. *_knots : (c, 11) quantiles.
    """

    traits: tuple[str, ...]
    period_days: int
    opens_at: int
    knots: Floats
    weights: Floats
    means: Floats
    factors: Floats
    gap_memory: float
    weekdays: Floats
    second_order: float
    hours: tuple[float, float]
    most_lines: int
    topics: Floats
    spread: float
    kin: float
    favourites: float
    loyal: float
    categories: NDArray[np.str_]
    product_ids: NDArray[np.str_]
    category: Ints
    share: Floats
    price_minor: Ints
    promo: Floats
    coupon: Floats
    swing: Floats
    response: Floats
    price_ratio: Floats
    quantity_knots: Floats
    discount_knots: Floats
    coupon_knots: Floats
    stores: NDArray[np.str_]
    store_share: Floats
    about: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the model as plain arrays (.npz)."""
        parts: dict[str, Any] = {
            name: json.dumps(value) if name in {"about", "traits", "hours"} else value
            for name, value in asdict(self).items()
        }
        with path.open("wb") as file:
            np.savez_compressed(file, **parts)

    @classmethod
    def load(cls, path: Path) -> ShopModel:
        """Read what `save` wrote. Raises SynthError for anything else."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                parts = {name: stored[name] for name in stored.files}
            read: dict[str, Any] = {}
            for field in fields(cls):
                value = parts[field.name]
                read[field.name] = value.item() if value.ndim == 0 else value
            for name in ("about", "traits", "hours"):
                read[name] = json.loads(read[name])
        except FileNotFoundError:
            raise SynthError(f"there is no fitted shop at {path}; `aisle synth fit` makes one") from None
        except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile) as error:
            raise SynthError(f"{path} is no fitted shop ({error}); `aisle synth fit` makes one") from error
        return cls(**{**read, "traits": tuple(read["traits"]), "hours": tuple(read["hours"])})


def fit(lines: pl.DataFrame, products: pl.DataFrame, *, seed: int) -> ShopModel:
    """Fit a shop to order lines and products (columns: `traits.prepare`). Raises SynthError below 50 members."""
    known = _known(lines, products)
    if known["member_id"].n_unique() < 50:
        raise SynthError("fewer than 50 members with orders and consent; import orders first (`aisle import`)")
    opens_at = opens(known)
    every = prepare(known, products, opens_at)
    people = traits(every)
    goods = _goods(every, products)
    topics, mixes = _topics(every, goods["categories"], people["member_id"].to_list(), seed)
    table = np.concatenate([people.select(TRAITS).to_numpy(), np.log(mixes + _TOPIC_FLOOR)], axis=1)
    orders = every.group_by("member_id", "order_id", maintain_order=True).agg(
        pl.col("day", "hour").first(), pl.len().alias("lines")
    )
    visits = orders.select("member_id", "day").n_unique()
    stores = (
        every.drop_nulls("store_id")["store_id"]
        .value_counts(sort=True)
        .sort("count", "store_id", descending=[True, False])
    )
    model = ShopModel(
        traits=(*TRAITS, *(f"topic_{number}" for number in range(TOPICS))), period_days=int(every["day"].max()) + 1,  # type: ignore[arg-type]
        opens_at=opens_at,
        knots=np.quantile(table, np.linspace(TRIM, 1 - TRIM, KNOTS), axis=0).T, **_mixture(table, seed),
        gap_memory=_memory(every), weekdays=_weekdays(every), second_order=orders.height / visits - 1,
        hours=(float(orders["hour"].quantile(0.001) or 0), float(orders["hour"].quantile(0.999) or 24)),
        most_lines=int(orders["lines"].quantile(0.999) or 1), topics=topics, spread=3.0, kin=0.1, favourites=0.2, loyal=1.0, **goods,
        **_money(every, goods["categories"]), stores=stores["store_id"].cast(pl.String).to_numpy().astype(str),
        store_share=stores["count"].to_numpy() / max(stores["count"].sum(), 1),
        about={"members": people.height, "order_lines": every.height, "seed": seed},
    )  # fmt: skip
    from personalization.synth.calibrate import calibrated  # noqa: PLC0415  it generates, which needs this module

    return calibrated(model, every, seed=seed)


def _known(lines: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Leave out products of few buyers, and of no category."""
    sold = lines.join(products.filter(pl.col("category") != "").select("product_id"), on="product_id", how="semi")
    buyers = sold.group_by("product_id").agg(pl.col("member_id").n_unique().alias("n"))
    return sold.join(buyers.filter(pl.col("n") >= LEAST_BUYERS), on="product_id", how="semi")


def _mixture(table: Floats, seed: int) -> dict[str, Any]:
    from sklearn.mixture import GaussianMixture  # noqa: PLC0415  generating does not need it

    scores = norm.ppf((rankdata(table, axis=0) - 0.5) / len(table))
    found = GaussianMixture(min(GROUPS, len(table) // 100 + 1), reg_covar=0.05, random_state=seed).fit(scores)
    return {"weights": found.weights_, "means": found.means_, "factors": np.linalg.cholesky(found.covariances_)}


def _memory(every: pl.DataFrame) -> float:
    """Return the correlation of successive log gaps around their member's mean."""
    own = (pl.col("log_gap") - pl.col("log_gap").mean().over("member_id")).alias("x")
    pairs = (
        gaps(every).with_columns(own).with_columns(pl.col("x").shift(1).over("member_id").alias("before")).drop_nulls()
    )
    found = pairs.select(pl.corr("x", "before")).item()
    return float(np.clip(np.nan_to_num(found or 0.0), -0.9, 0.9))


def _weekdays(every: pl.DataFrame) -> Floats:
    counted = every.select("member_id", "day", "weekday").unique(["member_id", "day"])
    n = np.bincount(counted["weekday"].to_numpy() - 1, minlength=7).astype(float)
    found: Floats = n / n.mean()
    return found


def _goods(every: pl.DataFrame, products: pl.DataFrame) -> dict[str, Any]:
    sold = every.group_by("product_id", maintain_order=True).agg(pl.len().alias("n"))
    sold = sold.join(products.select("product_id", "category", "price_minor"), on="product_id").sort(
        "category", "price_minor", "product_id"
    )
    sold = sold.with_columns((pl.col("n") / pl.col("n").sum().over("category")).alias("share"))
    categories = sold["category"].unique().sort()
    number = sold["category"].replace_strict(categories, np.arange(len(categories)), return_dtype=pl.Int64)
    return {
        "categories": categories.to_numpy().astype(str), "product_ids": sold["product_id"].to_numpy().astype(str),
        "category": number.to_numpy(), "share": sold["share"].to_numpy(), "price_minor": sold["price_minor"].to_numpy().astype(np.int64),
    }  # fmt: skip


def _topics(every: pl.DataFrame, categories: NDArray[np.str_], members: list[str], seed: int) -> tuple[Floats, Floats]:
    """Return topics (k, c) from a sample of baskets, and the members' shares of them (m, k)."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415
    from sklearn.decomposition import LatentDirichletAllocation  # noqa: PLC0415

    def counts(key: str, rows: list[str]) -> Any:
        n = every.filter(pl.col(key).is_in(rows)).group_by(key, "category").len().sort(key, "category")
        row = n[key].replace_strict(rows, np.arange(len(rows)), return_dtype=pl.Int64)
        column = n["category"].replace_strict(categories.tolist(), np.arange(len(categories)), return_dtype=pl.Int64)
        return csr_matrix(
            (n["len"].to_numpy().astype(float), (row.to_numpy(), column.to_numpy())), (len(rows), len(categories))
        )

    baskets = every.group_by("order_id").len().filter(pl.col("len") >= 3)["order_id"].sort()
    drawn = baskets.sample(min(SEEN_BASKETS, len(baskets)), seed=seed).to_list()
    model = LatentDirichletAllocation(TOPICS, learning_method="online", batch_size=2048, max_iter=4, random_state=seed)
    model.fit(counts("order_id", drawn))
    return model.components_ / model.components_.sum(axis=1, keepdims=True), model.transform(
        counts("member_id", members)
    )


def _money(every: pl.DataFrame, categories: NDArray[np.str_]) -> dict[str, Any]:
    """Return what is learned of prices, quantities, promotions and coupons in each category."""
    shelf = pl.col("amount_minor") + pl.col("discount_minor")
    priced = every.with_columns(
        (shelf / (pl.col("quantity") * pl.col("price_minor").clip(1))).clip(0.05, 20).log().alias("ratio"),
        (pl.col("discount_minor") / shelf.clip(1)).alias("off"), (pl.col("coupon_minor") / shelf.clip(1)).clip(0, 1).alias("coupon_off"),
        (pl.col("day") // 7).alias("week"),
    )  # fmt: skip
    groups = {str(key[0]): frame for key, frame in priced.group_by("category")}
    each = [groups[name] for name in categories]
    off, coupon_off = pl.col("off") > 0, pl.col("coupon_off") > 0
    swing, response = _promotions(priced, categories)
    return {
        "promo": _log_odds(each, priced, off), "coupon": _log_odds(each, priced, coupon_off), "swing": swing, "response": response,
        "price_ratio": np.array([[frame["ratio"].median(), min(_spread(frame["ratio"]), 0.5)] for frame in each], float),
        "quantity_knots": _knots(each, priced, "quantity"), "discount_knots": _knots(each, priced.filter(off), "off"),
        "coupon_knots": _knots(each, priced.filter(coupon_off), "coupon_off"),
    }  # fmt: skip


def _spread(values: pl.Series) -> float:
    """Return a standard deviation that outliers do not move: from the quartiles."""
    return float((values.quantile(0.75) or 0.0) - (values.quantile(0.25) or 0.0)) / 1.349


def _log_odds(each: list[pl.DataFrame], everybody: pl.DataFrame, what: pl.Expr) -> Floats:
    """Return each category's log-odds of `what` less everybody's, leaning on everybody's where there are few lines."""
    p = float(everybody.select(what.mean()).item())
    share = np.array(
        [(frame.select(what.sum()).item() + p * LEAST_SEEN) / (frame.height + LEAST_SEEN) for frame in each]
    )
    return logit(share) - logit(np.array(p))


def _knots(each: list[pl.DataFrame], everybody: pl.DataFrame, column: str) -> Floats:
    at = np.linspace(0.01, 0.99, 11)
    common = np.quantile(everybody[column].to_numpy(), at) if everybody.height else np.zeros(11)
    found = []
    for frame in each:
        values = frame[column].to_numpy()
        values = values[values > 0]
        found.append(np.quantile(values, at) if len(values) >= LEAST_SEEN else common)
    return np.array(found, float)


def _promotions(priced: pl.DataFrame, categories: NDArray[np.str_]) -> tuple[Floats, Floats]:
    """Return how much a category's weekly promotion log-odds swing, and how its share answers: slopes that lean on the pooled one."""
    week = priced.group_by("category", "week", maintain_order=True).agg(
        pl.len().alias("n"), (pl.col("off") > 0).mean().alias("promo")
    )
    week = week.filter(pl.col("n") >= 10).with_columns(
        (pl.col("n") / pl.col("n").sum().over("week")).log().alias("share"),
        ((pl.col("promo").clip(0.02, 0.98)) / (1 - pl.col("promo").clip(0.02, 0.98))).log().alias("odds"),
    ).sort("category", "week")  # fmt: skip
    within = week.with_columns(
        pl.col("promo", "share", "odds") - pl.col("promo", "share", "odds").mean().over("category")
    )
    sums = within.group_by("category", maintain_order=True).agg(
        (pl.col("promo") * pl.col("share")).sum().alias("xy"),
        (pl.col("promo") ** 2).sum().alias("xx"),
        pl.col("odds").std().alias("swing"),
    )
    pooled = float(sums["xy"].sum()) / max(float(sums["xx"].sum()), 1e-9)
    lean = max(float(sums["xx"].median() or 0.0), 1e-9)  # type: ignore[arg-type]
    slope = {
        category: ((xy + lean * pooled) / (xx + lean), swing or 0.0)
        for category, xy, xx, swing in sums.select("category", "xy", "xx", "swing").iter_rows()
    }
    found = np.array([slope.get(str(name), (pooled, 0.0)) for name in categories])
    return np.clip(found[:, 1], 0, 1.5), np.clip(found[:, 0], -3, 3)


def logit(p: Floats) -> Floats:
    """Return log-odds, of shares kept away from 0 and 1."""
    p = np.clip(p, 1e-4, 1 - 1e-4)
    found: Floats = np.log(p / (1 - p))
    return found

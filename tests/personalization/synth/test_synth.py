"""A synthetic shop: the same for a seed, like the real one, and nobody's copy."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from personalization.profiling.facts import product_facts
from personalization.profiling.sources import admitted
from personalization.synth import fidelity
from personalization.synth.events import events
from personalization.synth.generate import Generator
from personalization.synth.privacy import _measured
from personalization.synth.shop import LEAST_BUYERS, ShopModel, SynthError, fit
from personalization.types import EventType
from tests.small_shop import orders, products

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


@lru_cache
def goods() -> pl.DataFrame:
    rare = pl.DataFrame(
        {"product_id": ["rare"], "category": ["Cheese"], "price_minor": [900]},
        schema_overrides={"price_minor": pl.Int64},
    )
    known = products().select(
        "product_id", "category", (pl.col("price").cast(pl.Float64) * 100).round().cast(pl.Int64).alias("price_minor")
    )
    return pl.concat([known, rare])


@lru_cache
def real() -> pl.DataFrame:
    """Two hundred and forty members of three kinds, half a year of weekly baskets; one product that two members buy."""
    rng = np.random.default_rng(1)
    found = orders(members_per_kind=80, seed=5)
    amount = (pl.col("amount").cast(pl.Float64) * 100).round().cast(pl.Int64)
    lines = found.select(
        pl.col("member").alias("member_id"), "order_id", "product_id", "store_id", pl.lit("store").alias("channel"),
        pl.col("at").str.to_datetime(time_zone="UTC").dt.cast_time_unit("us"), pl.lit(1, dtype=pl.Int64).alias("quantity"), amount.alias("amount_minor"),
        pl.Series("discount_minor", rng.integers(0, 2, len(found)) * 50), pl.Series("coupon_minor", (rng.random(len(found)) < 0.05) * 100),
    )  # fmt: skip
    few = pl.col("member_id").is_in(["pets-1", "baby-1"]) & (pl.col("order_id").str.ends_with("-3"))
    return lines.with_columns(pl.when(few).then(pl.lit("rare")).otherwise("product_id").alias("product_id"))


@lru_cache
def shop() -> ShopModel:
    return fit(real(), goods(), seed=3)


def made(members: int, *, seed: int = 1, first: int = 0, block: int = 200) -> pl.DataFrame:
    return pl.concat(Generator(shop(), seed=seed, until=UNTIL, block=block).lines(members, first))


def test_a_seed_makes_the_same_members_again_and_another_seed_others() -> None:
    assert made(150).equals(made(150))
    assert not set(made(150)["member_id"]) & set(made(150, seed=2)["member_id"])


def test_fitting_again_makes_the_same_shop() -> None:
    again = fit(real().sample(fraction=1.0, shuffle=True, seed=4), goods(), seed=3)
    for field in fields(ShopModel):
        assert np.array_equal(getattr(again, field.name), getattr(shop(), field.name)), field.name


def test_a_part_of_the_members_is_a_part_of_the_whole() -> None:
    whole = made(450)
    ids = whole["member_id"].unique().sort()
    assert made(220, first=150).equals(whole.filter(pl.col("member_id").is_in(ids[150:370].implode())))


@settings(max_examples=8, phases=(Phase.generate,), deadline=None)
@given(st.integers(0, 2**31))
def test_orders_are_sound_whatever_the_seed(seed: int) -> None:
    lines = made(200, seed=seed)
    assert lines["member_id"].n_unique() == 200
    assert lines.select(pl.col("quantity").min()).item() >= 1
    assert lines.select(pl.min_horizontal(pl.col("amount_minor", "discount_minor", "coupon_minor").min())).item() >= 0
    assert (lines["coupon_minor"] <= lines["amount_minor"]).all()
    assert lines["at"].max() < UNTIL  # type: ignore[operator]
    assert lines["at"].min() >= UNTIL - timedelta(days=shop().period_days + 1)  # type: ignore[operator]
    one = lines.group_by("order_id").agg(pl.col("member_id", "store_id", "at", "channel").n_unique())
    assert one.select(pl.max_horizontal(pl.exclude("order_id").max())).item() == 1
    assert set(lines["product_id"]) <= set(shop().product_ids.tolist())


def test_a_product_of_few_buyers_is_not_in_the_model() -> None:
    buyers = real().group_by("product_id").agg(pl.col("member_id").n_unique().alias("n"))
    few = set(buyers.filter(pl.col("n") < LEAST_BUYERS)["product_id"])
    assert "rare" in few
    assert not few & set(shop().product_ids.tolist())


def test_one_members_extreme_does_not_come_back() -> None:
    lines = real()
    baskets = [
        lines.filter(pl.col("order_id") == "pets-0-5").with_columns(pl.lit(f"pets-0-big{n}").alias("order_id"))
        for n in range(3)
    ]
    huge = pl.concat([pl.concat([basket] * 400) for basket in baskets])
    fitted = fit(pl.concat([lines, huge]), goods(), seed=3)
    largest = fitted.knots[fitted.traits.index("lines_log_mean")].max()
    usual = shop().knots[shop().traits.index("lines_log_mean")].max()
    assert largest < usual + 0.5  # without the trimming it would be above 6


def test_generated_members_come_buy_and_choose_like_the_real_ones() -> None:
    facts = product_facts(goods().with_columns(pl.lit(True).alias("recommendable")))
    found = fidelity.compare(real(), made(240), facts)
    away = made(240).with_columns(pl.col("product_id").shuffle(seed=1), pl.col("member_id").shuffle(seed=1))
    wrong = fidelity.compare(real(), away, facts)
    assert (
        found["marginals"]["features, mean Kolmogorov-Smirnov"]
        < wrong["marginals"]["features, mean Kolmogorov-Smirnov"]
    )
    orders_of = [
        lines.group_by("member_id").agg(pl.col("order_id").n_unique())["order_id"].mean()
        for lines in (real(), made(240))
    ]
    assert orders_of[1] == pytest.approx(orders_of[0], rel=0.15)
    assert found["marginals"]["categories, total variation"] < 0.1


def test_lines_that_are_compared_with_themselves_differ_in_nothing() -> None:
    facts = product_facts(goods().with_columns(pl.lit(True).alias("recommendable")))
    for figures in fidelity.compare(real(), real(), facts).values():
        for value in figures.values():
            assert value == pytest.approx(0, abs=1e-9)


def test_the_attack_finds_a_generator_that_copies_and_not_one_that_draws_anew() -> None:
    rng = np.random.default_rng(2)
    inside, outside, anew = (rng.standard_normal((400, 6)) for _ in range(3))
    leaking = _measured(inside, outside, inside + 1e-12, np.random.default_rng(3))
    assert leaking.attack_auc > 0.95
    assert leaking.density_attack_auc > 0.6
    assert leaking.copies == 400
    assert leaking.nearer > 0.95
    fair = _measured(inside, outside, anew, np.random.default_rng(3))
    assert fair.attack_ci[0] <= 0.5 <= fair.attack_ci[1]
    assert fair.nearer_ci[0] <= 0.5 <= fair.nearer_ci[1]
    assert fair.copies == 0


def test_events_pass_the_door_and_hold_every_order() -> None:
    found = list(events(Generator(shop(), seed=1, until=UNTIL, block=200), 40))
    assert len({event["event_id"] for event in found}) == len(found)
    for event in found:
        assert admitted(EventType(event["type"]), event["payload"]).keys() == event["payload"].keys()
    bought = {event["event_id"]: len(event["payload"]["lines"]) for event in found if event["type"] == "bought"}
    counted = made(40).group_by("order_id").len()
    assert bought == dict(counted.iter_rows())
    assert found == list(events(Generator(shop(), seed=1, until=UNTIL, block=200), 40))


def test_a_fitted_shop_is_the_same_after_it_was_stored(tmp_path: Path) -> None:
    shop().save(tmp_path / "shop.npz")
    again = ShopModel.load(tmp_path / "shop.npz")
    [frame] = Generator(again, seed=1, until=UNTIL, block=200).lines(200)
    assert frame.equals(made(200))


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04broken"])
def test_a_file_that_is_no_shop_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop.npz").write_bytes(content)
    with pytest.raises(SynthError, match="aisle synth fit"):
        ShopModel.load(tmp_path / "shop.npz")


def test_too_few_members_are_refused_in_words() -> None:
    few = real().filter(pl.col("member_id").is_in([f"pets-{n}" for n in range(20)]))
    with pytest.raises(SynthError, match="fewer than 50 members"):
        fit(few, goods(), seed=1)

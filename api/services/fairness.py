"""The fairness audit over the log, and the prices by which coupons keep to its limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from personalization.trust.fair_prices import Arrived, enforce, gaps, steered, unit_of, worst
from personalization.trust.fairness import Finding, Measure, Policy, audit
from stores.database import Database
from stores.groups import SqlFairPrices, SqlGroups, arrived, logged_decisions, measures

MOST = 20_000
"""Decisions that are read, the newest."""
VALUE = "coupon_value"


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found; `price` says what keeping to the limit on coupon value would have cost."""

    findings: list[Finding]
    decisions: int
    price: str


def run(
    db: Database, policy: Policy, *, now: datetime, days: int, recognition: list[tuple[str, float]] | None = None
) -> Audited:
    """Audit the decisions of the last `days`; recognition : (member, 0 or 1 for an error), an operator's own measurement."""
    since = now - timedelta(days=days)
    found, declared = logged_decisions(db, since=since, most=MOST), SqlGroups(db).declared()
    each = measures(found, db, since=since, now=now)
    if recognition:
        member, wrong = zip(*recognition, strict=True)
        none = np.zeros(len(wrong), dtype="<U1")
        each.append(
            Measure("recognition_errors", "share", np.array(member, dtype=str), none, np.zeros(len(wrong), np.int64), np.array(wrong, float))
        )  # fmt: skip
    ladders = arrived(found, declared)
    return Audited(audit(each, declared, policy), len(found), _price(ladders, policy, declared))


def steer(db: Database, policy: Policy, *, now: datetime, days: int) -> dict[str, dict[str, float]]:
    """Set the prices of groups by what was given in the last `days`; return them. Without `enforce` in the policy there are none."""
    limit = policy.measures.get(VALUE)
    prices: dict[str, dict[str, float]] = {}
    if limit is not None and limit.enforce:
        declared = SqlGroups(db).declared()
        ladders, rung = _given(db, declared, now - timedelta(days=days))
        if len(rung):
            off = gaps(ladders, rung, _judged(ladders, policy, declared))
            prices = steered(off, unit_of(ladders), limit.within)
    SqlFairPrices(db).set(prices, at=now)
    return prices


def _given(db: Database, declared: dict[str, dict[str, str]], since: datetime) -> tuple[Arrived, np.ndarray]:
    found = [one for one in logged_decisions(db, since=since, most=MOST) if one.allotment is not None]
    return arrived(found, declared), np.array([one.allotment.chosen for one in found if one.allotment], np.int64)


def _judged(ladders: Arrived, policy: Policy, declared: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """Return the groups that are large enough, by how many of their members declared it and arrived."""
    told = {}
    for attribute, label in ladders.label.items():
        names, arrivals = np.unique(label[label != ""], return_counts=True)
        size = dict(zip(names.tolist(), arrivals.tolist(), strict=True))
        members = list(declared[attribute].values())
        told[attribute] = [name for name in size if min(size[name], members.count(name)) >= policy.least_members]
    return told


def _price(ladders: Arrived, policy: Policy, declared: dict[str, dict[str, str]]) -> str:
    """Return what keeping to the limit would have cost, at the money that the best choices without it spend on half of all coupons."""
    limit = policy.measures.get(VALUE)
    if limit is None or not len(ladders.value):
        return ""
    dearest = np.where(ladders.allowed, ladders.cost, 0.0).max(axis=1).sum()
    free = enforce(ladders, dearest / 2, limit.within, {}, steps=1)
    kept = enforce(ladders, dearest / 2, limit.within, _judged(ladders, policy, declared))
    before = worst(gaps(ladders, free.rung, _judged(ladders, policy, declared)))
    share = 1 - kept.worth / free.worth if free.worth else 0.0
    return (
        f"If half of what all coupons would cost were there to give, the best choice would leave groups up to {before:.1%} apart; "
        f"keeping them within {kept.gap:.1%} would cost {share:.1%} of what the coupons bring."
    )

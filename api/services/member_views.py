"""A member as the console's profile page shows them; what they did not agree to is not read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from api import views
from api.services.segment_views import trained_names
from api.wiring import Services
from personalization.profiling.churn.labels import ChurnLabels
from personalization.profiling.labeller import views as member_views
from personalization.types import Label, Money, Purpose, Subject
from stores.member_views import Found
from stores.members import Member

TREND_WEEKS = 12


def row(services: Services, one: Found) -> dict[str, Any]:
    """Return a member in a list."""
    names, told = trained_names(services), one.labels
    spend = told.get("expected_spend")
    return {
        "member_id": one.member_id, "external_id": one.external_id, "display_name": one.display_name, "created_at": one.created_at.isoformat(),
        "consented": one.consented, "segment": names.get(str(told.get("segment")), told.get("segment")), "risk": told.get("lapse_risk"),
        "expected_spend": None if spend is None else views.money(Money(round(float(spend)), services.settings.currency)),
        "orders": one.orders, "recency_days": None if one.recency_days is None else round(one.recency_days, 1),
    }  # fmt: skip


def overview(services: Services, member: Member, *, now: datetime) -> dict[str, Any]:
    """Return everything of a member but the timeline and the risk's trend."""
    granted = services.consents.granted(Subject(member.member_id), at=now)
    labels = services.labels.of_member(member.member_id, at=now)
    agrees = Purpose.PROFILING in granted
    return {
        "member_id": member.member_id, "external_id": member.external_id, "display_name": member.display_name, "email": member.email,
        "created_at": member.created_at.isoformat(), "consented": agrees, "consents": _consents(services, member, now),
        "segments": _segments(services, member, labels) if agrees else [],
        "labels": [views.label(label) for label in labels],
        "vetoed": [views.veto(veto) for veto in services.labels.vetoes(member.member_id)],
        "edited": [
            {"name": e.name, "value": e.value, "reason": e.reason, "by": e.by, "at": e.at.isoformat(), "expires_at": e.expires_at.isoformat()}
            for e in (services.labels.edits(member.member_id) if agrees else [])
        ],
        "worth": _worth(services, member, labels) if agrees else None, **_affect(services, member, granted, now), "basket": _basket(services, member),
        "variety": [
            {"week": f"{at:%Y-%m-%d}", "slates": week.slates, "diversity": round(week.diversity, 3), "novelty": round(week.novelty, 3), "widened": widened}
            for at, week, widened in (services.variety.weeks(member.member_id) if agrees else [])
        ],
    }  # fmt: skip


def risk(services: Services, member: Member, *, now: datetime) -> dict[str, Any]:
    """Return the member's risk of lapsing with its reasons, and what today's model says of each of the last weeks."""
    nothing: dict[str, Any] = {"value": None, "probability": None, "sentence": None, "trend": []}
    if not services.profiles.consented(member.member_id):
        return {**nothing, "why_not": "The member does not agree to profiling."}
    label = next((one for one in services.labels.of_member(member.member_id, at=now) if one.name == "lapse_risk"), None)
    trained = services.artifacts
    if trained is None or trained.churn is None:
        return {**nothing, "why_not": "There is no churn model; `aisle train` makes one."}
    state = services.profiles.state(member.member_id)
    points = []
    if state is not None:
        source, granted = ChurnLabels(trained.churn), {str(member.member_id): frozenset({Purpose.PROFILING})}
        for week in range(TREND_WEEKS - 1, -1, -1):
            at = now - timedelta(weeks=week)
            [made] = source.labels(member_views({member.member_id: state}, at, granted))
            points += [
                {"day": at.date().isoformat(), "probability": float(one.evidence["probability"] or 0)} for one in made
            ]
    if label is None:
        return {**nothing, "trend": points, "why_not": "Who has not ordered for twelve weeks has lapsed already."}
    return {
        "value": label.value, "probability": label.evidence.get("probability"), "sentence": label.sentence, "trend": points, "why_not": None,
    }  # fmt: skip


def _consents(services: Services, member: Member, now: datetime) -> list[dict[str, Any]]:
    latest = {entry.purpose: entry for entry in services.consents.history(member.member_id)}
    found = []
    for purpose in Purpose:
        entry = latest.get(purpose)
        found.append(
            {
                "purpose": purpose.value, "granted": entry is not None and entry.stands(now), "since": entry.at.isoformat() if entry else None,
                "channel": entry.channel if entry else None,
                "expires_at": entry.expires_at.isoformat() if entry and entry.expires_at else None,
            }
        )  # fmt: skip
    return found


def _segments(services: Services, member: Member, labels: list[Label]) -> list[dict[str, Any]]:
    found = [
        {
            "segment_id": str(label.evidence.get("segment_id") or label.value),
            "name": str(label.value),
            "kind": "trained",
        }
        for label in labels
        if label.name == "segment"
    ]
    found += [
        {"segment_id": one.segment_id, "name": one.name, "kind": "own"}
        for one in services.segments.of_member(member.member_id)
    ]
    return found


def _worth(services: Services, member: Member, labels: list[Label]) -> dict[str, Any]:
    orders, spent, first = services.member_views.spent(member.member_id)
    expected = next((label for label in labels if label.name == "expected_spend"), None)

    def told(minor: Any) -> dict[str, Any] | None:
        return None if minor is None else views.money(Money(round(float(minor)), services.settings.currency))

    return {
        "orders": orders, "spent": told(spent), "first_order_at": first.isoformat() if first else None,
        "expected": told(expected.value if expected else None), "low": told(expected.evidence.get("low_minor") if expected else None),
        "high": told(expected.evidence.get("high_minor") if expected else None), "sentence": expected.sentence if expected else None,
    }  # fmt: skip


def _affect(services: Services, member: Member, granted: frozenset[Purpose], now: datetime) -> dict[str, Any]:
    withheld = []
    if Purpose.PROFILING not in granted:
        withheld.append("How messages sounded: the member does not agree to profiling.")
    if Purpose.EXPRESSION not in granted:
        withheld.append("How the face looked: the member does not agree to facial expressions being read.")
    by_channel: dict[str, list[dict[str, Any]]] = {}
    for at, channel, valence in services.member_views.affect(member.member_id, granted, now=now):
        by_channel.setdefault(channel, []).append({"at": at.isoformat(), "valence": round(valence, 2)})
    each = [
        {"channel": channel, "mean": round(sum(p["valence"] for p in points) / len(points), 3), "points": points}
        for channel, points in sorted(by_channel.items())
    ]
    return {"affect": each, "affect_withheld": withheld}


def _basket(services: Services, member: Member) -> list[dict[str, Any]]:
    lines = services.baskets.lines(Subject(member.member_id))
    known = services.catalogue.products([line.product_id for line in lines])
    return [
        {"product_id": line.product_id, "name": known[line.product_id].name, "quantity": line.quantity}
        for line in lines
        if line.product_id in known
    ]

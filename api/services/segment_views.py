"""Segments as the console shows them, and two of them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from api.cursors import read_place, write_place
from api.tags import tag
from api.wiring import Services
from personalization.profiling.own_segments import CHOSEN, WORDS, Condition, SegmentRule
from personalization.profiling.segment_words import in_words
from stores.errors import NotFoundError
from stores.segments import Moments, OwnSegment

Z = 1.959964
SHOWN_LABELS = 40


def trained_names(services: Services) -> dict[str, str]:
    """Return the names of trained segments by their ids."""
    if services.artifacts is None:
        return {}
    return {one["segment_id"]: one["name"] for one in services.artifacts.segments["segments"]}


def every(services: Services, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """Return the segments with their sizes: `limit` own ones, newest first, and before the first of them the trained ones."""
    before = read_place(cursor, 1)
    mine = services.segments.page(before=before[0] if before else None, limit=limit + 1)
    known = services.segments.known()
    found = []
    if before is None:
        sizes = services.segments.trained_sizes()
        found = [
            _trained(one, sizes.get(one["segment_id"], 0), known, services.settings.currency)
            for one in _models(services)
        ]
    found += [own(services, one, known=known) for one in mine[:limit]]
    model = services.artifacts.segments if services.artifacts is not None else {}
    return {
        "members": known,
        "segments": found,
        "next_cursor": write_place(mine[limit - 1].segment_id) if len(mine) > limit else None,
        "stability": model.get("jaccard"),
        "rules_accuracy": model.get("rule_accuracy"),
    }


def one(services: Services, segment_id: str) -> dict[str, Any]:
    """Return a trained or own segment; NotFoundError when there is none."""
    for model in _models(services):
        if model["segment_id"] == segment_id:
            size, known = services.segments.trained_sizes().get(segment_id, 0), services.segments.known()
            return _trained(model, size, known, services.settings.currency)
    return own(services, services.segments.get(segment_id), known=services.segments.known())


def own_tag(segment: OwnSegment) -> str:
    """Return the tag of what its author can change."""
    return tag("segment", segment.updated_at)


def own(services: Services, segment: OwnSegment, *, known: int) -> dict[str, Any]:
    """Return an own segment with its size."""
    members, _ = services.segments.count(segment.rule)
    return {
        "segment_id": segment.segment_id, "kind": "own", "name": segment.name, "description": segment.description,
        "sentence": segment.rule.sentence(trained_names(services), services.settings.currency), "rule": segment.rule.tree(),
        "members": members, "share": round(members / max(known, 1), 4), "author": segment.author, "updated_at": segment.updated_at.isoformat(),
        "etag": own_tag(segment),
    }  # fmt: skip


def compare(services: Services, a: str, b: str) -> dict[str, Any]:
    """Return two segments side by side; NotFoundError for one that there is not."""
    first, second = one(services, a), one(services, b)
    rules = [rule_of(services, a), rule_of(services, b)]
    moments = [services.segments.moments(rule) for rule in rules]
    (n_a, labels_a), (n_b, labels_b) = (services.segments.label_counts(rule) for rule in rules)
    features = [_feature(name, moments[0][name], moments[1][name]) for name in CHOSEN]
    labels: list[dict[str, Any]] = [
        {"name": name, "value": value, "a": _share(labels_a.get((name, value), 0), n_a), "b": _share(labels_b.get((name, value), 0), n_b)}
        for name, value in sorted(labels_a.keys() | labels_b.keys())
        if name != "segment"
    ]  # fmt: skip
    return {
        "a": first, "b": second, "both": services.segments.overlap(*rules),
        "features": sorted((line for line in features if line["a"]["n"] or line["b"]["n"]), key=lambda line: -abs(line["effect"])),
        "labels": sorted(labels, key=lambda line: -abs(line["a"]["value"] - line["b"]["value"]))[:SHOWN_LABELS],
    }  # fmt: skip


def rule_of(services: Services, segment_id: str) -> SegmentRule:
    """Return the rule of an own segment, or the one that names a trained one."""
    if segment_id in trained_names(services):
        return SegmentRule("all", (Condition("segment", "segment", "is", segment_id),))
    if len(segment_id) < 36:
        raise NotFoundError(f"there is no segment {segment_id}")
    return services.segments.get(segment_id).rule


def _models(services: Services) -> list[dict[str, Any]]:
    return [] if services.artifacts is None else list(services.artifacts.segments["segments"])


def _trained(model: Mapping[str, Any], members: int, known: int, currency: str) -> dict[str, Any]:
    told = in_words(model["bounds"], model["liked"], currency) if "bounds" in model else model["description"]
    return {
        "segment_id": model["segment_id"], "kind": "trained", "name": model["name"], "description": told,
        "sentence": told, "rule": None, "bounds": model.get("bounds"), "liked": model.get("liked", []),
        "members": members, "share": round(members / max(known, 1), 4), "author": None, "updated_at": None, "etag": None,
    }  # fmt: skip


def _feature(name: str, a: Moments, b: Moments) -> dict[str, Any]:
    difference = a.mean - b.mean
    error = sqrt(sum(one.variance / one.n for one in (a, b) if one.n))
    spread = sqrt((a.variance + b.variance) / 2)
    title, unit = WORDS[name]
    return {
        "name": name, "title": title, "unit": unit, "a": _mean(a), "b": _mean(b), "difference": _short(difference),
        "low": _short(difference - Z * error), "high": _short(difference + Z * error), "effect": _short(difference / spread if spread else 0.0),
    }  # fmt: skip


def _mean(one: Moments) -> dict[str, Any]:
    error = Z * sqrt(one.variance / one.n) if one.n else 0.0
    return {"n": one.n, "value": _short(one.mean), "low": _short(one.mean - error), "high": _short(one.mean + error)}


def _share(having: int, n: int) -> dict[str, Any]:
    """Return a share with Wilson's interval (1927)."""
    if not n:
        return {"n": 0, "value": 0.0, "low": 0.0, "high": 1.0}
    p, z2 = having / n, Z * Z
    middle, half = (p + z2 / (2 * n)) / (1 + z2 / n), Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return {
        "n": n,
        "value": round(p, 4),
        "low": round(max(middle - half, 0.0), 4),
        "high": round(min(middle + half, 1.0), 4),
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")

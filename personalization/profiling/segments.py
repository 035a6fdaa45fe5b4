"""Segments at serving time: the nearest trained centre, in NumPy, for one member or a million.

A member's point is three transformed features (log orders, log basket value, share of promotions), standardised, and
beside them principal components of category shares (square-rooted: Hellinger), weighted. `clustering.fit` makes the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.profiling.labels import MemberView
from personalization.types import Label, Purpose, Segment

Floats = NDArray[np.float64]
CLUSTERED = ("orders", "basket_value", "promo_share")
CATEGORY_WEIGHT = 0.7
_LOG_SCALE = {"orders": 1.0, "basket_value": 100.0}
LABEL_DAYS = timedelta(days=60)
CHUNK = 100_000


def behaviour(columns: Mapping[str, Floats]) -> Floats:
    """Return the transformed features CLUSTERED, (n, 3)."""
    parts = [np.log1p(columns[name] / _LOG_SCALE[name]) if name in _LOG_SCALE else columns[name] for name in CLUSTERED]
    return np.stack(parts, axis=1)


class SegmentModel:
    """Assigns members to trained segments."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._mean, self._scale = np.asarray(model["mean"]), np.asarray(model["scale"])
        self._category_mean = np.asarray(model["category_mean"], float)
        self._components = np.asarray(model["components"], float).reshape(-1, len(self._category_mean))
        self._centres = np.asarray(model["centres"])
        self.categories: list[str] = list(model["categories"])
        self.segments = [
            Segment(segment["segment_id"], segment["name"], segment["description"]) for segment in model["segments"]
        ]

    def points(self, columns: Mapping[str, Floats], shares: Floats) -> Floats:
        """Return members as points (n, 3 + d). shares : (n, categories), each member's share of spending by category."""
        components = (np.sqrt(shares) - self._category_mean) @ self._components.T
        raw = np.concatenate([behaviour(columns), components], axis=1)
        weights = np.where(np.arange(raw.shape[1]) < len(CLUSTERED), 1.0, CATEGORY_WEIGHT)
        scaled: Floats = (raw - self._mean) / self._scale * weights
        return scaled

    def assign(self, columns: Mapping[str, Floats], shares: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Return each member's segment, (n,), and how clear that is: the other centre's part of the two squared distances."""
        found, clear = [], []
        for start in range(0, len(shares), CHUNK):
            part = {name: columns[name][start : start + CHUNK] for name in CLUSTERED}
            points = self.points(part, shares[start : start + CHUNK])
            distances = ((points[:, None, :] - self._centres) ** 2).sum(axis=2)
            found.append(distances.argmin(axis=1))
            nearest = np.sort(distances, axis=1)[:, :2]
            clear.append(nearest[:, 1] / np.maximum(nearest.sum(axis=1), 1e-12))
        return np.concatenate(found), np.concatenate(clear)

    @cached_property
    def _axes(self) -> Floats:
        """The two directions in which the centres lie furthest apart, (2, 3 + d); one stays the same while the model does."""
        _, _, found = np.linalg.svd(self._centres - self._centres.mean(axis=0), full_matrices=False)
        axes = np.zeros((2, self._centres.shape[1]))
        axes[: len(found)] = found[:2]
        signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
        turned: Floats = axes * np.where(signs == 0, 1, signs)[:, None]
        return turned

    def plane(self, members: Sequence[MemberView]) -> Floats:
        """Return where members lie on the map, (n, 2), near means alike; NaN for who has not ordered in the window."""
        columns = {name: np.array([member.features[name] for member in members]) for name in CLUSTERED}
        shares = np.array([[member.shares.get(name, 0.0) for name in self.categories] for member in members])
        points = self.points(columns, shares.reshape(len(members), len(self.categories)))
        found: Floats = (points - self._centres.mean(axis=0)) @ self._axes.T
        found[columns["orders"] == 0] = np.nan
        return found


class SegmentLabels:
    """The label "segment" of members who ordered in the window."""

    name = "segments"

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._model = SegmentModel(model)

    def labels(self, members: Sequence[MemberView]) -> list[list[Label]]:
        """Return one label for each member with an order, none for the others."""
        columns = {name: np.array([member.features[name] for member in members]) for name in CLUSTERED}
        shares = np.array([[member.shares.get(name, 0.0) for name in self._model.categories] for member in members])
        numbers, clear = self._model.assign(columns, shares.reshape(len(members), -1))
        return [
            [self._label(member, self._model.segments[number], float(sure))] if member.features["orders"] else []
            for member, number, sure in zip(members, numbers, clear, strict=True)
        ]

    def _label(self, member: MemberView, segment: Segment, sure: float) -> Label:
        evidence = {name: round(member.features[name], 4) for name in CLUSTERED}
        return Label(
            member.member_id, "segment", segment.name, round(sure, 3), segment.description,
            {"segment_id": segment.segment_id, **evidence}, self.name, Purpose.PROFILING, member.at, member.at + LABEL_DAYS,
        )  # fmt: skip

"""The profile that a decision reads: the living one, as the worker left it, with features as of now."""

from __future__ import annotations

from datetime import datetime

from personalization.ports import MemberLabels, MemberViews
from personalization.types import Label, MemberId, Money, Profile, Segment


class LivingProfiler:
    """The `Profiler`: features from the member's state at this moment, segment and labels from the label store."""

    def __init__(self, views: MemberViews, labels: MemberLabels, currency: str, version: str) -> None:
        self._views, self._labels, self._currency = views, labels, currency
        self.version = version

    def profile(self, member_id: MemberId, *, at: datetime) -> Profile | None:
        """Return the profile at `at`; None for a member whose events were not folded yet, or who did not agree."""
        view = self._views.view(member_id, at=at)
        if view is None:
            return None
        labels = tuple(self._labels.of_member(member_id, at=at))
        orders = int(view.features["orders"])
        ever = bool(view.features["recency_days"] < view.features["tenure_days"] or orders)
        return Profile(
            member_id, at, view.features["recency_days"] if ever else None, orders,
            Money(round(view.features["spent"]), self._currency) if ever else None, view.shares, _segment(labels), labels, view.features,
        )  # fmt: skip


def _segment(labels: tuple[Label, ...]) -> Segment | None:
    for label in labels:
        if label.name == "segment":
            return Segment(str(label.evidence.get("segment_id", "")), str(label.value), label.sentence)
    return None

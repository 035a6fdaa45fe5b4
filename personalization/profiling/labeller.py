"""From states to labels, and from what changed to alerts. One source that fails takes only its own labels down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import structlog
from numpy.typing import NDArray

from personalization.profiling.features import live
from personalization.profiling.labels import LabelSource, MemberView
from personalization.profiling.sources import may_store
from personalization.profiling.state import US, ProfileState, micros
from personalization.types import EventType, Label, MemberId, Purpose

log = structlog.get_logger(__name__)
SEGMENT, LAPSE_RISK = "segment", "lapse_risk"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that staff or a CRM may want to act on."""

    kind: str
    value: str | float | bool
    before: str | float | bool | None
    sentence: str


class Labeller:
    """All label sources together; `on_failure` is told the name of a source that failed."""

    def __init__(self, sources: Sequence[LabelSource], on_failure: Callable[[str], None] = lambda _: None) -> None:
        self.sources, self._on_failure = tuple(sources), on_failure

    def label(self, members: Sequence[MemberView]) -> dict[MemberId, dict[str, Label]]:
        """Return each member's labels by name; the first source that gives a name wins."""
        found: dict[MemberId, dict[str, Label]] = {member.member_id: {} for member in members}
        for source in self.sources if members else ():
            try:
                several = source.labels(members)
            except Exception as error:  # noqa: BLE001 - whatever a model does, the other labels go on
                log.warning("a label source failed", source=source.name, kind=type(error).__name__)
                self._on_failure(source.name)
                continue
            for member, labels in zip(members, several, strict=True):
                for label in labels:
                    if label.purpose in member.granted:
                        found[member.member_id].setdefault(label.name, label)
        return found


def views(
    states: Mapping[str, ProfileState], at: datetime, granted: Mapping[str, frozenset[Purpose]]
) -> list[MemberView]:
    """Return what labels are made from, for each member; readings without consent to their purpose are left out."""
    found = live.snapshots(list(states.values()), at)
    return [
        MemberView(
            MemberId(member_id),
            at,
            features,
            shares,
            _readings(state, granted[member_id]),
            granted[member_id],
            order_seconds(state, at),
        )
        for (member_id, state), (features, shares) in zip(states.items(), found, strict=True)
    ]


def order_seconds(state: ProfileState, at: datetime) -> NDArray[np.int64]:
    """Return the times of the orders up to `at`, in seconds since 1970."""
    moment = micros(at)
    return np.array([order.at // US for order in state.orders.values() if order.at <= moment], np.int64)


def _readings(state: ProfileState, granted: frozenset[Purpose]) -> dict[str, str]:
    kinds = {"crm": EventType.ATTRIBUTE_SET, "sensor": EventType.SENSED}
    return {
        name: reading.value
        for name, reading in state.readings.items()
        if may_store(kinds[name.partition(":")[0]], granted)
    }


def alerts(before: Mapping[str, Label], after: Mapping[str, Label]) -> list[Alert]:
    """Return what is worth telling: a move to another segment, and a risk of lapsing that has become high."""
    found = []
    was, now = before.get(SEGMENT), after.get(SEGMENT)
    if was and now and was.value != now.value:
        found.append(
            Alert("segment_changed", now.value, was.value, f"Moved from {was.value} to {now.value}. {now.sentence}")
        )
    was, now = before.get(LAPSE_RISK), after.get(LAPSE_RISK)
    if now and now.value == "high" and (was is None or was.value != "high"):
        found.append(Alert("lapse_risk", now.value, was.value if was else None, now.sentence))
    return found

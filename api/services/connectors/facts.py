"""What connectors tell a CRM about a member, read at the moment it is told and only as far as consent goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from personalization.types import Label
from stores.labels import SqlLabels
from stores.members import Member, SqlMembers

DEFAULT_LABELS = "segment,lapse_risk"


@dataclass(frozen=True, slots=True)
class Facts:
    """Reads members and their labels."""

    members: SqlMembers
    labels: SqlLabels

    def member(self, event: Mapping[str, Any]) -> Member | None:
        """Return whom the event is about, None for a visitor or somebody erased meanwhile."""
        member_id = event["data"].get("member_id")
        return None if member_id is None else self.members.get(str(member_id))

    def labelled(
        self, member: Member, wanted: str | None, name: Callable[[str], str], *, at: datetime
    ) -> dict[str, str]:
        """Return the member's labels of the list `wanted`, under the CRM's names; one that is gone or withheld is "" there."""
        names = [one.strip() for one in (wanted or DEFAULT_LABELS).split(",") if one.strip()]
        found: dict[str, Label] = {label.name: label for label in self.labels.of_member(member.member_id, at=at)}
        return {name(one): _text(found.get(one)) for one in names}


def _text(label: Label | None) -> str:
    return "" if label is None else str(label.value).lower() if isinstance(label.value, bool) else str(label.value)


def words(event: Mapping[str, Any]) -> str:
    """Return the event in one line for people."""
    data = event["data"]
    said = {
        "label.added": "{name}: {value}. {sentence}", "churn.warning": "{sentence}", "decision.made": "{explanation}",
        "coupon.issued": "Coupon {code}", "coupon.redeemed": "Coupon {code} redeemed", "handoff.requested": "Asked for a person ({reason})",
        "consent.changed": "Consent to {purpose}: {granted}", "member.updated": "Changed: {changed}",
    }.get(event["topic"], "")  # fmt: skip
    return said.format_map(
        {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in data.items()}
    )

"""The console's pages and what each asks the api for. Whoever adds a page adds a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a page; `{member}`, `{decision}`, `{plan}`, `{segment}`, `{other}`, `{experiment}`, `{name}` stand for what is there."""

    path: str
    method: str = "GET"
    body: Mapping[str, Any] | None = field(default=None)


_RULE = {"match": "all", "conditions": [{"kind": "feature", "name": "orders", "how": "at_least", "value": 10},
                                        {"kind": "label", "name": "promotion_seeker", "how": "is"}]}  # fmt: skip
PAGES: dict[str, tuple[Ask, ...]] = {
    "today": (Ask("/v1/overview?from={month_ago}&to={today}"), Ask("/v1/figures/definitions")),
    "today, 90 days": (Ask("/v1/overview?from={quarter_ago}&to={today}"),),
    "customers": (Ask("/v1/members/search?limit=50"), Ask("/v1/segments")),
    "customers, by name": (Ask("/v1/members/search?q={name}&limit=50"),),
    "customers, by risk": (Ask("/v1/members/search?churn=high&limit=50"),),
    "customers, by segment": (Ask("/v1/members/search?segment={segment}&limit=50"),),
    "customer": (
        Ask("/v1/members/{member}/overview"), Ask("/v1/members/{member}/timeline?limit=50"), Ask("/v1/members/{member}/risk"),
    ),
    "decision": (Ask("/v1/decisions/{decision}"),),
    "segments": (Ask("/v1/segments"), Ask("/v1/segments/map"), Ask("/v1/segments/sizes?from={quarter_ago}&to={today}")),
    "segments, building": (Ask("/v1/segments/vocabulary"), Ask("/v1/segments/count", "POST", {"rule": _RULE})),
    "segments, comparing": (Ask("/v1/segments/compare?a={segment}&b={other}"),),
    "campaigns": (Ask("/v1/campaigns"),),
    "campaign": (Ask("/v1/campaigns/{plan}"),),
    "campaign, new": (Ask("/v1/campaign-choices"), Ask("/v1/campaigns/audience", "POST", {"kind": "everybody"})),
    "tuning": (Ask("/v1/tuning"),),
    "experiments": (Ask("/v1/experiments"),),
    "experiment": (Ask("/v1/experiments/{experiment}/results"),),
    "creatives": (Ask("/v1/creative-campaigns"),),
    "inbox": (Ask("/v1/agents/inbox"), Ask("/v1/agents/canned-answers")),
    "inbox, service level": (Ask("/v1/agents/service-level?from={month_ago}T00:00:00Z&to={today}T23:59:59Z"),),
    "stores": (Ask("/v1/fleet"), Ask("/v1/stores/cameras")),
    "trust": (Ask("/v1/trust/fairness"),),
    "trust, consents": (Ask("/v1/trust/consents?from={quarter_ago}&to={today}"),),
    "trust, jobs": (Ask("/v1/trust/jobs"), Ask("/v1/trust/retention")),
    "trust, models": (Ask("/v1/trust/models"),),
    "trust, audit log": (Ask("/v1/trust/audit-log"), Ask("/v1/trust/audit-log/chain")),
}  # fmt: skip

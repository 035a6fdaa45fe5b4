"""The console's pages and what each asks the api for. Whoever adds a page adds a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from personalization.display import shipped


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a page; `{member}`, `{plan}` and the like stand for what is there (bench/console_stage.py and console_speed.py)."""

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
        Ask("/v1/members/{member}/sessions"),
    ),
    "decision": (Ask("/v1/decisions/{decision}/explanation"),),
    "segments": (Ask("/v1/segments"), Ask("/v1/segments/map"), Ask("/v1/segments/sizes?from={quarter_ago}&to={today}")),
    "segments, building": (Ask("/v1/segments/vocabulary"), Ask("/v1/segments/count", "POST", {"rule": _RULE})),
    "segments, changing": (Ask("/v1/segments/{own}"), Ask("/v1/segments/vocabulary"), Ask("/v1/segments/count", "POST", {"rule": _RULE})),
    "segments, comparing": (Ask("/v1/segments/compare?a={segment}&b={other}"),),
    "campaigns": (Ask("/v1/campaigns"),),
    "campaign": (Ask("/v1/campaigns/{plan}"), Ask("/v1/campaigns/{plan}/simulations/newest")),
    "campaign, pacing": (Ask("/v1/campaigns/{running}"), Ask("/v1/campaigns/{running}/creatives"), Ask("/v1/campaigns/{running}/pacing")),
    "campaign, results": (Ask("/v1/campaigns/{running}"), Ask("/v1/campaigns/{running}/creatives"), Ask("/v1/campaigns/{running}/results")),
    "campaign, plan": (
        Ask("/v1/campaigns/{running}"), Ask("/v1/campaigns/{running}/creatives"), Ask("/v1/campaign-choices"),
        Ask("/v1/campaign-products?ids=p1&ids=p2"),
    ),
    "campaign, posters": (Ask("/v1/creative-campaigns"), Ask("/v1/campaign-products?q=product")),
    "campaign, new": (Ask("/v1/campaign-choices"), Ask("/v1/campaigns/audience", "POST", {"kind": "everybody"})),
    "tuning": (Ask("/v1/tuning"), Ask("/v1/tuning/versions"), Ask("/v1/tuning/preview", "POST", {"values": {"variety": {"widget": 0.5}}})),
    "experiments": (Ask("/v1/experiments"),),
    "experiment": (Ask("/v1/experiments/{experiment}/results"),),
    "experiment, by segment": (Ask("/v1/experiments/{experiment}/segments?by=cluster&correction=holm"),),
    "experiment, new": (Ask("/v1/tuning/versions"), Ask("/v1/experiments/power", "POST", {"metric": "spend", "relative": 0.1})),
    "creatives": (
        Ask("/v1/creative-campaigns"), Ask("/v1/creative-campaigns/{poster}/approvals"), Ask("/v1/creative-campaigns/{poster}/variants"),
    ),
    "creatives, performance": (Ask("/v1/creative-campaigns"), Ask("/v1/creative-campaigns/{poster}/performance")),
    "creatives, brand kit": (Ask("/v1/brand-kit"), Ask("/v1/brand-kit/versions")),
    "display policy": (Ask("/v1/display-policy"), Ask("/v1/display-policy/versions"), Ask("/v1/display-policy/preview", "POST", {"values": shipped().tree()})),
    "accounts": (Ask("/v1/accounts"),),
    "inbox": (Ask("/v1/agents/inbox"),),
    "inbox, a conversation": (
        Ask("/v1/agents/inbox"), Ask("/v1/agents/handoffs/{handoff}"), Ask("/v1/agents/handoffs/{handoff}/suggestions"),
    ),
    "inbox, canned answers": (Ask("/v1/agents/inbox"), Ask("/v1/agents/canned-answers")),
    "inbox, service level": (Ask("/v1/agents/service-level?from={month_ago}T00:00:00Z&to={today}T23:59:59Z"),),
    "stores": (Ask("/v1/fleet"), Ask("/v1/stores/cameras")),
    "trust": (Ask("/v1/trust/fairness"),),
    "trust, variety": (Ask("/v1/trust/variety"),),
    "trust, consents": (Ask("/v1/trust/consents?from={quarter_ago}&to={today}"),),
    "trust, jobs": (Ask("/v1/trust/jobs"), Ask("/v1/trust/deliveries"), Ask("/v1/trust/retention")),
    "trust, models": (Ask("/v1/trust/models"),),
    "trust, audit log": (Ask("/v1/trust/audit-log"), Ask("/v1/trust/audit-log/chain")),
}  # fmt: skip

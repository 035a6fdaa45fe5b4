"""`aisle creative approvals` and `aisle creative evaluate-policy`: who approved what, and what another way to place would have earned."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api.settings import settings


def approvals(
    campaign: Annotated[str, typer.Argument(help="The campaign; left out: all of them.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:  # fmt: skip
    """Print who approved, rejected or retired what, and when; nothing in this history is ever changed."""
    from stores.creatives import SqlCreativeCampaigns

    campaigns = SqlCreativeCampaigns(_database())
    ids = [campaign] if campaign else [one.campaign_id for one in campaigns.page()]
    if campaign:
        campaigns.get(campaign)
    for campaign_id in ids:
        for step in campaigns.history(campaign_id):
            if as_json:
                told = {"campaign_id": campaign_id, "at": step.at.isoformat(), "by": step.by, "state": step.state.value, "subject": step.subject,
                        "of_family": step.of_family, "note": step.note}  # fmt: skip
                print(json.dumps(told, ensure_ascii=False))
            else:
                what = f"family {step.subject}" if step.of_family else step.subject
                note = f"  ({step.note})" if step.note else ""
                print(
                    f"{step.at:%Y-%m-%d %H:%M:%S}  {campaign_id:<20} {step.state.value:<9} {what:<28} by {step.by}{note}"
                )


def evaluate_policy(
    campaign: Annotated[str, typer.Argument(help="The campaign whose placements are the log.")],
    policy: Annotated[str, typer.Option(help="A JSON file with rules, or `uniform`: everything in the set, evenly.")] = "uniform",
    of: Annotated[str, typer.Option("--reward", help="clicks or conversions.")] = "clicks",
    seed: Annotated[int, typer.Option(help="Of the folds of the reward model.")] = 0,
) -> None:  # fmt: skip
    """Estimate what another policy would have earned from the logged propensities: a table for people, then one JSON object.

    A file holds rules, the first that fits counts: [{"audience": {"channel": "kiosk"}, "shares": {"v1": 0.7, "v2": 0.3}}, {"shares": {"v1": 1}}].
    """
    from personalization.creative.policy_log import Policy, judged, log_of, policy_of
    from stores.creative_placing import outcomes
    from stores.creatives import SqlCreativeCampaigns

    if of not in {"clicks", "conversions"}:
        sys.exit(f"aisle: there is no reward {of!r}; there are clicks and conversions")
    db = _database()
    SqlCreativeCampaigns(db).get(campaign)
    try:
        asked = Policy() if policy == "uniform" else policy_of(_read(Path(policy)))
        log = log_of(outcomes(db, campaign, conversions=of == "conversions"), asked, seed=seed)
        found = judged(log)
    except ValueError as error:
        sys.exit(f"aisle: {error}")
    overlap = found[0][0].overlap
    print(
        f"{overlap.n:,} placements of {campaign}, {int(log.reward.sum()):,} {of}: {log.reward.mean():.4%} of impressions"
    )
    print(f"{'estimate':<10}{'new policy':>12}  {'95 % interval':<22}{'gain':>10}  95 % interval")
    for value, more in found:
        inside, apart = f"{value.low:.4%} to {value.high:.4%}", f"{more.low:+.4%} to {more.high:+.4%}"
        print(f"{value.method.value.upper():<10}{value.value:>12.4%}  {inside:<22}{more.value:>+10.4%}  {apart}")
    print(
        f"the log is worth {overlap.effective:,.0f} impressions of the new policy; the largest weight is {overlap.largest:.1f}"
    )
    for warning in overlap.warnings:
        print(f"beware: {warning}")
    told: dict[str, Any] = {
        "campaign_id": campaign, "policy": policy, "reward": of, "n": overlap.n, "old": float(log.reward.mean()),
        "effective": overlap.effective, "largest_weight": overlap.largest, "unseen": overlap.unseen, "warnings": list(overlap.warnings),
        "estimates": {
            value.method.value: {"value": value.value, "interval": [value.low, value.high], "gain": more.value, "gain_interval": [more.low, more.high]}
            for value, more in found
        },
    }  # fmt: skip
    print(json.dumps(told))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error


def _database() -> Any:
    from api.opening import open_database

    return open_database(settings())

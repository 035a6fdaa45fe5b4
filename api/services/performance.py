"""Predicted and real performance of creatives, side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scipy.stats import binomtest

from api.wiring import Services
from personalization.creative.forecast import Forecast, forecast
from personalization.creative.variants import Audience, Variant
from stores.creative_placing import performed

MOST_AUDIENCES = 24


def performance_of(services: Services, campaign_id: str) -> dict[str, Any]:
    """Return what a campaign's variants are predicted to do and did, by audience; those with most views first."""
    came: dict[Audience, dict[str, tuple[int, int]]] = {}
    for audience, variant_id, shown, clicked in performed(services.db, campaign_id):
        came.setdefault(audience, {})[variant_id] = (shown, clicked)
    shares = services.creative_campaigns.sets(campaign_id)
    standings = services.creative_campaigns.standings(campaign_id)
    everybody = list({**dict.fromkeys(came), **dict.fromkeys(shares)}) or [Audience()]
    everybody.sort(key=lambda audience: -sum(shown for shown, _ in came.get(audience, {}).values()))
    everybody = everybody[:MOST_AUDIENCES]
    model = services.creative_campaigns.load_model()
    guessed = forecast(model[0] if model else None, campaign_id, [one.variant for one in standings], everybody)
    return {
        "learned": model is not None and model[2] > 0,
        "audiences": [
            {
                "audience": asdict(audience),
                "variants": [
                    _line(
                        one.variant, shares.get(audience, {}).get(one.variant.variant_id), guessed[audience][one.variant.variant_id],
                        *came.get(audience, {}).get(one.variant.variant_id, (0, 0)),
                    )
                    for one in standings
                ],
            }
            for audience in everybody
        ] if standings else [],
    }  # fmt: skip


def _line(variant: Variant, share: float | None, guess: Forecast, shown: int, clicked: int) -> dict[str, Any]:
    low, high = binomtest(clicked, shown).proportion_ci(method="wilson") if shown else (None, None)
    return {
        "variant_id": variant.variant_id, "family": variant.family, "share": share, "predicted": guess.ratio, "predicted_low": guess.low, "predicted_high": guess.high,
        "shown": shown, "clicked": clicked, "rate": clicked / shown if shown else None, "rate_low": low, "rate_high": high,
    }  # fmt: skip

"""A core to try dials out with: it keeps nothing, and of two questions that differ in the dials only the dials make the difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, cast

import numpy as np

from api import trained
from api.wiring import Services
from personalization.core import Core
from personalization.decisions import Decision
from personalization.offers import BudgetState, Coupon
from personalization.ranking.shopper import Shoppers
from personalization.types import CampaignId, Subject

T = TypeVar("T")
SEED = 0


class _Nowhere:
    """A decision log that keeps nothing."""

    def append(self, decision: Decision) -> None:
        """Keep nothing."""

    def get(self, decision_id: str) -> None:
        """Know nothing."""


class _Pretended:
    """The ledger's figures; no coupon is held, and none is kept."""

    def __init__(self, services: Services) -> None:
        self._ledger = services.ledger

    def reserve(self, coupon: Coupon, subject: Subject, **_: Any) -> bool:
        """Say yes, and store nothing."""
        return True

    def open_coupon(self, subject: Subject, *, at: datetime) -> None:
        """Hold none."""

    def state(self, campaign_id: CampaignId) -> BudgetState | None:
        """Return the real figures."""
        return self._ledger.state(campaign_id)


class _Remembered:
    """Answers a question that comes again as it did at first: the shop goes on meanwhile, with its prices of money and what is shown."""

    def __init__(self, store: Any) -> None:
        self._store, self._answers = store, dict[str, Any]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._asking(name, found) if callable(found) else found

    def _asking(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*given: Any, **named: Any) -> Any:
            question = repr((name, given, sorted(named.items())))
            if question not in self._answers:
                self._answers[question] = ask(*given, **named)
            return self._answers[question]

        return answer


def remembered(store: T) -> T:
    """Return `store`, as it answered first."""
    return cast(T, _Remembered(store))


def trial_core(services: Services) -> Core:
    """Return a core that decides as the shop's does, without experiments, and takes its time: what a busy moment leaves out of a live slate is no effect of a dial."""
    live, known = services.core_dependencies, services.artifacts
    ranker = None
    if known is not None:
        ranker = trained.ranker(known, Shoppers(known.items), remembered(services.responses), budget_ms=math.inf)
    return Core(
        replace(
            live, decisions=_Nowhere(), ledger=remembered(_Pretended(services)), experiments=None, tunings=None, creative=None,
            on_fallback=lambda _: None, ranker=ranker, allocator=services.allocator(np.random.default_rng(SEED), remembered),
            catalogue=remembered(live.catalogue), purchases=remembered(live.purchases), consents=remembered(live.consents),
            campaigns=remembered(live.campaigns), profiler=live.profiler and remembered(live.profiler),
            exposures=live.exposures and remembered(live.exposures), pressure=live.pressure and remembered(live.pressure),
        )
    )  # fmt: skip

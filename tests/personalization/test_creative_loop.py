"""The loop gives each campaign what it wants: clicks, or clicks that end in a purchase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from personalization.creative.loop import CLICK, CONVERSION, CreativeLoop, Credit, Running
from personalization.creative.placement import Limits, Shares
from personalization.creative.screening import Rules
from personalization.creative.variants import Audience, Variant
from tests.personalization.creative_world import CALM, VARIANTS

NOW = datetime(2026, 11, 1, tzinfo=UTC)
IDS = tuple(one.variant_id for one in VARIANTS)


class Memory:
    """A `CreativeStore` with one campaign."""

    def __init__(self, objective: str, log: Sequence[Credit]) -> None:
        self.objective, self.log = objective, log
        self.sets: dict[Audience, Shares | None] = {CALM: None}

    def credits(self, *, after: int, most: int) -> Sequence[Credit]:
        return [one for one in self.log if one.seq > after][:most]

    def running(self, *, at: datetime) -> Sequence[Running]:
        return [Running("spring", self.objective, VARIANTS, frozenset(IDS), {}, Limits(), Rules(size=4), self.sets)]

    def variants(self, campaign_id: str, variant_ids: Sequence[str]) -> Mapping[str, Variant]:
        return {one.variant_id: one for one in VARIANTS if campaign_id == "spring"}

    def save_sets(
        self, campaign_id: str, sets: Mapping[Audience, Shares], *, retired: Sequence[str], at: datetime
    ) -> None:
        self.sets.update(sets)

    def load_model(self) -> None:
        return None

    def save_model(self, clicks: bytes, conversions: bytes, *, seq: int, at: datetime) -> None:
        """Keep nothing."""


def chosen_for(objective: str) -> list[str]:
    """Return the layouts that are shown once everybody clicks on tall posters, and buys after wide ones alone."""
    told = [(CLICK, "tall"), (CLICK, "tall"), (CLICK, "wide"), (CONVERSION, "wide"), (CONVERSION, "wide")] * 60
    even = tuple([1 / len(IDS)] * len(IDS))
    log = [
        Credit(seq, kind, "spring", CALM, [name for name in IDS if name.startswith(layout)][seq % 6], IDS, even)
        for seq, (kind, layout) in enumerate(told, 1)
    ]
    store = Memory(objective, log)
    loop = CreativeLoop(store, np.random.default_rng(0))
    for number in range(3):
        loop.advance(now=NOW + timedelta(minutes=11 * number))
    shares = store.sets[CALM]
    assert shares is not None
    return [name.split("-")[0] for name in shares.variant_ids]


def test_a_campaign_for_conversions_shows_what_sells_and_one_for_clicks_what_is_clicked() -> None:
    assert chosen_for("clicks").count("tall") >= 3
    assert chosen_for("conversions").count("wide") >= 3

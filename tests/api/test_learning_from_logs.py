"""The loop closed: decisions are shown, shoppers respond, training learns from the pair, and the next decision uses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from api.wiring import Services
from personalization import artifacts
from personalization.decisions import Decision
from personalization.ranking.emer.data import Recipe
from personalization.ranking.learning import Plan
from personalization.ranking.objectives import NAMES
from personalization.training import train
from personalization.types import Channel, Context, MemberId, Subject
from stores.database import new_id
from stores.purchases import SqlTrainingSource
from tests.api.conftest import Api
from tests.small_shop import KINDS

PLAN = Plan(origins=7, trees=0.2, recipe=Recipe(epochs=1, hidden=16, layers=1), least_logged=120, least_positive=40)


def trained(api: Api) -> tuple[dict[str, Any], Services]:
    manifest = train(SqlTrainingSource(api.services.db), api.services.artifacts_dir, seed=1, progress=lambda *_: None, plan=PLAN)  # fmt: skip
    settings = api.services.settings.model_copy(update={"ranking_budget_ms": 60_000})
    return manifest, Services(settings, api.services.db)


def respond(api: Api, rng: np.random.Generator, decision: Decision) -> list[dict[str, Any]]:
    """Events of a shopper who looks at all, opens half and takes half of those."""
    told = []
    for item in decision.slate:
        opened = rng.random() < 0.5
        kinds = [
            "viewed",
            *(["clicked"] if opened else []),
            *(["added_to_basket"] if opened and rng.random() < 0.5 else []),
        ]
        for after, kind in enumerate(kinds, 1):
            told.append({
                "event_id": new_id(), "type": kind, "at": (decision.at + timedelta(seconds=after)).isoformat(), "channel": "widget",
                "member_id": decision.subject.member_id, "decision_id": decision.decision_id, "product_id": item.product.product_id,
            })  # fmt: skip
    return told


def test_training_learns_from_what_was_shown_and_what_came_of_it(api: Api) -> None:
    manifest, services = trained(api)
    assert manifest["ranking"]["logged"] == {"requests": 0, "learned": []}
    rng, at = np.random.default_rng(3), datetime.now(UTC)
    subjects = [
        Subject(MemberId(api.member(f"{kind}-{number}").member_id)) for kind in KINDS for number in range(20)
    ] * 3
    for subject in subjects:
        decision = services.core.decide(subject, Context(Channel.WIDGET, at))
        assert decision.candidates is not None
        assert decision.candidates.objectives == NAMES
        answer = api.client.post("/v1/events", json={"events": respond(api, rng, decision)}, headers=api.headers())
        assert answer.json()["rejected"] == []

    before, (manifest, services) = manifest, trained(api)
    assert manifest["ranking"]["logged"]["learned"] == ["click", "basket"]
    assert manifest["ranking"]["logged"]["requests"] == len(subjects)
    assert set(manifest["ranking"]["objectives"]) == {*NAMES, "click", "basket"}
    assert set(manifest["ranking"]["weights"]) == {*NAMES, "click", "basket"}
    assert manifest["data_sha256"] != before["data_sha256"]
    assert artifacts.load(api.services.artifacts_dir).ranking.best == "emer"
    decision = services.core.decide(subjects[0], Context(Channel.WIDGET, at))
    found = services.decisions.candidates(decision.decision_id)
    assert found is not None
    assert found.objectives == (*NAMES, "click", "basket")
    assert len(decision.slate) == 5

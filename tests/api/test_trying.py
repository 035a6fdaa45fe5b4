"""The preview of dials: what differs between its two sides is the dials, whatever goes on in the shop meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from api import trained as parts
from api.services.tuning import preview, sample
from api.wiring import Services
from personalization.ranking.deadline import Deadline
from personalization.ranking.scoring import Models
from personalization.tuning import SHIPPED, TuningPolicy, parse
from tests.api.conftest import Api
from tests.personalization.test_core import trained

Floats = NDArray[np.float64]


def tried(services: Services, values: TuningPolicy) -> dict[str, Any]:
    return preview(services, SHIPPED, values, sample(services), at=datetime.now(UTC))


def unchanged(services: Services) -> None:
    found = tried(services, parse(SHIPPED.tree()))
    assert found["sentence"].startswith("0 of 6 sample shoppers would see something else.")
    for one in found["members"]:
        assert one["before"] == one["after"]
    for part in ("metrics", "coupons", "moods"):
        assert all(one["before"] == one["after"] for one in found[part])


class Contrary:
    """Predicts the opposite of what the sources propose."""

    def predict(self, features: Floats, *, only: int | None = None, threads: int = 1) -> Floats:
        return 1 / (1 + np.exp(np.clip(np.nan_to_num(features, neginf=0, posinf=0).sum(axis=1), -20, 20)))[:, None]


@pytest.fixture
def learned(api: Api, monkeypatch: pytest.MonkeyPatch) -> Services:
    found = replace(trained(), ranking=Models(predictors=cast(Any, Contrary())))
    monkeypatch.setattr(parts, "load", lambda _: found)
    return Services(api.services.settings, api.services.db)


def test_unturned_dials_change_nothing_while_the_shop_is_too_busy_to_rank(
    learned: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    late = lambda _: time.perf_counter() - (60 if rng.random() < 0.5 else 0)  # noqa: E731  every other one has no time left
    monkeypatch.setattr(Deadline, "start", late)
    unchanged(learned)
    turned = tried(learned, parse({"discounts": {"deepest": 0.05}}))
    assert any(one["changed"] for one in turned["members"]), "a turned dial shows"


def test_unturned_dials_change_nothing_while_money_gets_dearer_and_profiles_go_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, rng = api.services, np.random.default_rng(1)
    monkeypatch.setattr(services.pacing, "price", lambda *_, **__: 1e6 * rng.integers(2))
    monkeypatch.setattr(services.variety, "offered", lambda *_, **__: 99 * rng.integers(2))
    unchanged(services)

"""What training left, as parts of the core: labels and candidate sources. What is missing or broken is done without, and said so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from personalization import artifacts
from personalization.ports import CandidateSource, Responses
from personalization.profiling.churn.labels import ChurnLabels
from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import LabelSource, RuleLabels, ToldLabels, load_rules
from personalization.profiling.segments import SegmentLabels
from personalization.profiling.spending import SpendingLabels
from personalization.profiling.uplift import ActionLabels, UpliftModel
from personalization.ranking.promoted import PromotionSource
from personalization.ranking.ranker import EnsembleRanker
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import SearchSource, SimilarSource, shopper_sources
from personalization.ranking.together import TogetherSource
from stores.promotions import SqlPromotions

log = structlog.get_logger(__name__)


def load(folder: Path) -> artifacts.Artifacts | None:
    """Return the trained artifacts; None, and a warning, where they cannot be used."""
    try:
        found = artifacts.load(folder)
    except artifacts.ArtifactError as error:
        log.warning("serving without trained artifacts", reason=str(error))
        return None
    for part, reason in found.broken.items():
        log.warning("serving without a part of the trained artifacts; run `aisle train`", part=part, reason=reason)
    return found


def uplift(path: Path) -> UpliftModel | None:
    """Return what says which action helps whom; None where there is none, and a warning where it cannot be used."""
    try:
        return UpliftModel.from_json(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("no actions are suggested: the uplift model cannot be used", reason=str(error))
        return None


def labeller(
    known: artifacts.Artifacts | None, actions: UpliftModel | None, currency: str, failed: Callable[[str], None]
) -> Labeller:
    """Return what labels members; `failed` is told of a source that did not answer."""
    learned: list[LabelSource] = []
    if known is not None:
        learned = [SegmentLabels(known.segments)]
        if known.churn is not None:
            learned.append(ChurnLabels(known.churn))
        if known.spending is not None:
            learned.append(SpendingLabels(known.spending, currency))
    if actions is not None:
        learned.append(ActionLabels(actions))
    return Labeller([RuleLabels(load_rules()), ToldLabels(), *learned], failed)


def ranker(known: artifacts.Artifacts, shoppers: Shoppers, responses: Responses, *, budget_ms: float) -> EnsembleRanker:
    """Return what orders candidates, in that much time."""
    return EnsembleRanker(known.items, shoppers, known.ranking, responses, version=known.version, budget_ms=budget_ms)


def sources(known: artifacts.Artifacts, shoppers: Shoppers, promotions: SqlPromotions) -> list[CandidateSource]:
    """Return where candidates come from."""
    found: list[CandidateSource] = [
        *shopper_sources(known.items, shoppers),
        SearchSource(known.items.product_ids, known.search_terms, known.search_matrix),
        PromotionSource(known.items, shoppers, promotions),
        TogetherSource(known.items, shoppers, known.rules["rules"]),
    ]
    if known.sentences is not None:
        found.append(SimilarSource(known.items, known.sentences))
    return found

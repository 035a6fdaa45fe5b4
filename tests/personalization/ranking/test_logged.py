"""Learning from logged requests: shoppers who click on what is known are learned from, within the bounds of what was shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from personalization.decisions import LoggedRequest
from personalization.ranking import learning, metrics, shown
from personalization.ranking.catalogue import Catalogue, items_at
from personalization.ranking.emer.data import ShardWriter, read_shards
from personalization.ranking.emer.tokens import CONTEXT
from personalization.ranking.features import FEATURES
from personalization.ranking.history import History, as_day, of_lines
from personalization.ranking.learning import Learned
from personalization.ranking.logged import BLOCK, FEEDBACK, Block, Log, keep, tally
from personalization.ranking.objectives import NAMES
from personalization.ranking.requests import Requests
from personalization.types import Affect, CandidateSet, Channel, Context, DecisionId, EventType, MemberId, ProductId
from tests.personalization.ranking.test_features import products
from tests.personalization.ranking.test_ranker import NOW, SMALL, frame, trained

SHOWN = 5
REQUESTS = 900
FADING = (1.0, 0.8, 0.6, 0.5, 0.4)  # how likely a shopper looks at each place


@lru_cache
def shop() -> tuple[Catalogue, History, pl.Series]:
    bought = frame()
    catalogue = Catalogue.of(products(), bought)
    members = bought["member_id"].unique().sort()
    return catalogue, of_lines(bought, members, catalogue.product_ids, catalogue.stores), members


@lru_cache
def asked(seed: int) -> tuple[Requests, NDArray[np.float64]]:
    """Every member's candidates four weeks ago, with how likely each is clicked at the first place.

    Shoppers click on what they have never bought: the opposite of what they buy, so orders cannot teach it.
    """
    catalogue, history, members = shop()
    plan = replace(SMALL, origins=1)
    requests = learning.gather(history, catalogue, len(members), as_day(NOW), plan, seed=seed)
    assert requests is not None
    new = requests.features[:, FEATURES.index("item_n")] == 0
    return requests, np.where(new, 0.6, 0.1)


def log_of(seed: int, count: int = REQUESTS, **context: object) -> Iterator[LoggedRequest]:
    """Requests of the last four weeks: five candidates are shown at random, and some are clicked and taken."""
    rng = np.random.default_rng(seed)
    requests, liked = asked(1)
    catalogue, _, members = shop()
    predictors = trained()[1].models.predictors
    assert predictors is not None
    ids = catalogue.product_ids.to_numpy()
    chosen = rng.integers(0, len(requests), count)
    for number, one in enumerate(chosen.tolist()):
        a, b = requests.starts[one : one + 2]
        rows = a + rng.permutation(b - a)[:SHOWN]
        at = NOW - timedelta(days=28) + timedelta(days=28) * number / count
        outcomes = {ProductId(str(ids[requests.item[row]])): {EventType.VIEWED: 0.5} for row in rows}
        for place, row in enumerate(rows):
            if rng.random() < liked[row] * FADING[place]:
                outcomes[ProductId(str(ids[requests.item[row]]))] |= {EventType.CLICKED: 3.0} | (
                    {EventType.ADDED_TO_BASKET: 9.0} if rng.random() < 0.5 else {}
                )
        predictions = predictors.predict(requests.features[a:b])[:, : len(NAMES)].astype(np.float32)
        yield LoggedRequest(
            DecisionId(f"d{seed}-{number}"), MemberId(str(members[int(requests.member[a])])),
            replace(Context(Channel.WIDGET, at), **context),  # type: ignore[arg-type]
            CandidateSet(
                tuple(ProductId(str(ids[item])) for item in requests.item[a:b]), NAMES, tuple(map(tuple, predictions.tolist())),
                (0.0,) * (b - a), "emer",
            ),
            tuple(outcomes), outcomes,
        )  # fmt: skip


def kept(folder: Path, requests: Iterator[LoggedRequest]) -> Log:
    catalogue, history, members = shop()
    return keep(requests, folder, history, catalogue, members, every=14.0, seed=1)


def learn(log: Log, **more: Any) -> Learned:
    catalogue, history, members = shop()
    return learning.learn(history, catalogue, len(members), as_day(NOW), SMALL, seed=1, log=log, **more)


@lru_cache
def with_log() -> tuple[Log, Learned]:
    log = kept(Path(mkdtemp()), log_of(2, affect=Affect(0.4, 0.0)))
    return log, learn(log)


def test_what_was_learned_is_named() -> None:
    _, learned = with_log()
    assert learned.models.predictors is not None
    assert learned.models.predictors.names == (*NAMES, "click", "basket")
    assert learned.report["logged"]["learned"] == ["click", "basket"]
    assert learned.report["logged"]["requests"] == REQUESTS
    assert list(learned.report["objectives"]) == list(learned.models.predictors.names)


def test_clicks_are_calibrated_on_members_that_the_predictor_did_not_see() -> None:
    _, learned = with_log()
    for name in ("click", "basket"):
        assert learned.report["objectives"][name]["ece"] < 0.05


def test_what_place_explains_is_not_taken_for_the_items_doing() -> None:
    """Asked for the first place, the predictor says how likely items are clicked there, not on average over all places."""
    _, learned = with_log()
    assert learned.models.predictors is not None
    requests, liked = asked(1)
    predicted = learned.models.predictors.predict(requests.features)[:, -2]
    average = liked.mean() * np.mean(FADING)
    assert abs(predicted.mean() - liked.mean()) < abs(predicted.mean() - average)


def test_clicks_are_ranked_better_than_without_the_log(tmp_path: Path) -> None:
    """Group AUC over what was shown in requests that nothing learned from: the paired 95 % interval of the gain is above zero."""
    blocks = list(kept(tmp_path, log_of(3, count=300)).blocks())

    def judged(models: learning.Models, column: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the group AUC of one objective's predictions and of the ensemble, (requests,) each."""
        assert models.predictors is not None
        assert models.ensemble is not None
        found = []
        for block in blocks:
            predictions = models.predictors.predict(block.features)
            for number, (a, b) in enumerate(pairwise(block.starts.tolist())):
                told = dict(zip(CONTEXT, block.context[number].tolist(), strict=True))
                y = models.ensemble.score_request(block.features[a:b], predictions[a:b], told)
                seen, clicked = block.seen[a:b], block.feedback[a:b, 0].astype(float)
                ends = np.array([0, seen.sum()])
                found.append(
                    [metrics.group_auc(s[seen], clicked[seen], ends)[0] for s in (predictions[a:b, column], y)]
                )
        return np.array(found)[:, 0], np.array(found)[:, 1]

    click, ensemble = judged(with_log()[1].models, len(NAMES))
    purchase, before = judged(trained()[1].models, 0)
    assert metrics.paired(click, purchase, seed=1)[1] > 0
    assert metrics.paired(ensemble, before, seed=1)[1] > 0


def test_below_the_minimum_the_models_are_those_without_a_log(tmp_path: Path) -> None:
    few = learn(kept(tmp_path, log_of(2, count=SMALL.least_logged - 1)))
    without = trained()[1]
    assert few.models.predictors is not None
    assert without.models.predictors is not None
    assert few.models.predictors.as_strings() == without.models.predictors.as_strings()
    assert few.onnx == without.onnx
    assert few.report["logged"]["learned"] == []
    assert str(SMALL.least_logged) in few.report["logged"]["note"]
    assert few.log_sha256 == ""


def test_the_same_log_teaches_the_same_even_if_training_was_killed_in_between(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(share: float) -> None:
        if share > 0.9:  # in the second of the ensemble's two epochs
            raise KilledError

    log, learned = with_log()
    with pytest.raises(KilledError):
        learn(log, checkpoint=tmp_path / "state", progress=kill)
    assert (tmp_path / "state").exists()
    again = learn(log, checkpoint=tmp_path / "state")
    assert again.onnx == learned.onnx
    assert again.log_sha256 == learned.log_sha256 != ""


def test_models_with_and_without_the_new_objectives_can_be_read(tmp_path: Path) -> None:
    for learned in (with_log()[1], trained()[1]):
        learning.write(tmp_path, learned)
        again = learning.read(tmp_path)
        features = np.random.default_rng(0).random((20, len(FEATURES))).astype(np.float32)
        assert again.predictors is not None
        assert learned.models.predictors is not None
        assert again.predictors.names == learned.models.predictors.names
        np.testing.assert_allclose(
            again.predictors.predict(features), learned.models.predictors.predict(features), rtol=1e-6
        )
    told = (tmp_path / "predictors.json").read_text()
    (tmp_path / "predictors.json").write_text(told.replace('"wait"', '"haste"'))
    (tmp_path / "predictor_haste.txt").write_text((tmp_path / "predictor_wait.txt").read_text())
    with pytest.raises(ValueError, match="haste"):
        learning.read(tmp_path)


def test_the_ensemble_learns_from_what_was_seen_and_hears_what_was_told(tmp_path: Path) -> None:
    log, learned = with_log()
    assert learned.models.ensemble is not None
    heard = dict(zip(CONTEXT, learned.models.ensemble.tokenizer.heard.tolist(), strict=True))
    assert heard == {"widget": True, "kiosk": False, "query": False, "valence": True, "arousal": False}
    from_log, _ = shown.fit(log, seed=1, scale=0.2, least_requests=500, least_positive=200)
    assert from_log is not None
    objectives = learned.models.predictors.objectives if learned.models.predictors else ()
    tokenizer = from_log.hear(learned.models.ensemble.tokenizer)
    from_log.write(ShardWriter(tmp_path), tokenizer, learning.signs(objectives), 28.0)
    shards = list(read_shards(tmp_path))
    assert sum(len(shard) for shard in shards) == REQUESTS
    for shard, block in zip(shards, log.blocks(), strict=True):
        assert shard.shown.sum() == SHOWN * len(block)
        assert not shard.satisfaction[~shard.shown].any()
        assert shard.goals.shape == (len(shard.shown), len(NAMES) + 2)
        np.testing.assert_array_equal(shard.satisfaction, block.feedback.sum(axis=1))
        told = shard.tokens[:, -len(CONTEXT) :].astype(np.float32)
        np.testing.assert_allclose(told, np.tile([1.0, 0.0, 0.0, 0.4, 0.0], (len(told), 1)), atol=1e-3)
        np.testing.assert_allclose(shard.goals[:, 0], block.predictions[:, 0])


def test_requests_that_a_fallback_ranked_teach_clicks_but_not_the_ensemble(tmp_path: Path) -> None:
    bare = (replace(r, candidates=replace(r.candidates, objectives=(), predictions=((),) * len(r.candidates.scores)))
            for r in log_of(2))  # fmt: skip
    from_log, report = shown.fit(
        kept(tmp_path / "log", bare), seed=1, scale=0.2, least_requests=500, least_positive=200
    )
    assert from_log is not None
    assert report["learned"] == ["click", "basket"]
    tokenizer = trained()[1].models.ensemble.tokenizer  # type: ignore[union-attr]
    assert not from_log.hear(tokenizer).heard.any()
    from_log.write(ShardWriter(tmp_path / "shards"), tokenizer, np.ones(len(NAMES) + 2), 28.0)
    assert list(read_shards(tmp_path / "shards")) == []


def test_the_log_is_read_request_by_request(tmp_path: Path) -> None:
    """No request is asked for before the block that is full was written."""

    def watched() -> Iterator[LoggedRequest]:
        for number, request in enumerate(log_of(4, count=3 * BLOCK + 5)):
            assert len(list(tmp_path.glob("*.npz"))) >= (number - 1) // BLOCK
            yield request

    log = kept(tmp_path, watched())
    assert [len(block) for block in log.blocks()] == [BLOCK, BLOCK, BLOCK, 5]


def test_counting_ends_where_it_is_enough() -> None:
    def endless() -> Iterator[LoggedRequest]:
        while True:
            yield from log_of(5, count=10)

    count, positive = tally(endless(), 50, 20)
    assert count >= 50
    assert positive >= 20
    assert tally(iter(()), 50, 20) == (0, 0)


def one(**changes: object) -> LoggedRequest:
    ids = tuple(map(ProductId, ("p00", "p01", "p02", "gone")))
    plain = LoggedRequest(
        DecisionId("d"), MemberId("m003"), Context(Channel.KIOSK, NOW), CandidateSet(ids, (), ((),) * 4, (0.0,) * 4, "sources"),
        (ids[2], ids[3], ids[0]), {},
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def read(tmp_path: Path, request: LoggedRequest) -> Block:
    [block] = kept(tmp_path, iter([request])).blocks()
    return block


def test_places_are_those_of_the_slate_and_what_is_no_longer_sold_is_left_out(tmp_path: Path) -> None:
    block = read(tmp_path, one(outcomes={ProductId("p02"): {EventType.BOUGHT: 60.0}}))
    assert block.place.tolist() == [3, 0, 1]
    assert block.seen.tolist() == [True, False, True]
    assert block.feedback[2].tolist() == [kind is EventType.BOUGHT for kind in FEEDBACK]
    assert not block.feedback[:2].any()
    assert np.isnan(block.predictions).all()


def test_where_views_are_told_of_only_what_was_viewed_was_seen(tmp_path: Path) -> None:
    block = read(tmp_path, one(outcomes={ProductId("p02"): {EventType.VIEWED: 1.0}}))
    assert block.seen.tolist() == [False, False, True]


def test_an_outcome_of_what_was_not_shown_is_no_feedback(tmp_path: Path) -> None:
    block = read(tmp_path, one(outcomes={ProductId("p01"): {EventType.BOUGHT: 60.0}}))
    assert not block.feedback.any()


def test_features_are_those_of_then(tmp_path: Path) -> None:
    catalogue, history, members = shop()
    at = NOW - timedelta(days=40)
    block = read(tmp_path, one(context=Context(Channel.KIOSK, at)))
    row = int(members.search_sorted("m003"))
    mine = history.where((history.member == row) & (history.item == 0)).before(as_day(at))
    assert block.member.tolist() == [row]
    assert block.features[0, FEATURES.index("item_n")] == len(mine)
    items = items_at(catalogue, history.before(as_day(at)), len(members), as_day(at), seed=1)
    assert block.features[0, FEATURES.index("catalogue_buyers")] == items.facts[0, 3]


def test_someone_who_never_bought_and_a_request_with_nothing_to_compare(tmp_path: Path) -> None:
    nobody = one(member_id=MemberId("new"))
    alone = one(candidates=CandidateSet((ProductId("p00"), ProductId("gone")), (), ((), ()), (0.0, 0.0), "sources"))
    log = kept(tmp_path, iter([nobody, alone]))
    [block] = log.blocks()
    assert len(block) == log.requests == 1
    assert block.member.tolist() == [len(shop()[2])]
    assert log.members == len(shop()[2]) + 1
    assert (block.features[:, FEATURES.index("member_n")] == 0).all()
    assert log.members_since(as_day(NOW) + 1).tolist() == []
    assert {f.name for f in fields(block)} == set(Block.__slots__)

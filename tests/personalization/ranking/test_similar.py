"""Search by meaning: what is near, what is too far, and that words still come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from api import views
from personalization import artifacts
from personalization.artifacts import Artifacts
from personalization.ranking import index
from personalization.ranking.features import CATALOGUE
from personalization.ranking.items import Items
from personalization.ranking.ranker import EnsembleRanker
from personalization.ranking.scoring import Models
from personalization.ranking.sentences import texts
from personalization.ranking.sentences.encoder import MOST_KEPT, Encoder, Pretrained
from personalization.ranking.sentences.nearest import Approximate, Exact
from personalization.ranking.sentences.texts import Sentences, product_texts
from personalization.ranking.sentences.wordpiece import MOST_TOKENS, WordPiece
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import (
    ITEMS_OF_TEXT,
    LEAST_SIMILAR,
    LEAST_SIMILAR_UNKNOWN,
    SearchSource,
    SimilarSource,
)
from personalization.training import train
from personalization.types import Candidate, Channel, Context, ProductId
from tests.personalization import fakes
from tests.personalization.fakes import NOW
from tests.personalization.test_core import SmallSource, decide, dependencies


def context(query: str | None, size: int = 4) -> Context:
    return Context(Channel.WIDGET, NOW, query=query, slate_size=size)


def at_angle(cosine: float) -> np.ndarray:
    """Return a vector of length 1 whose cosine with the first axis is given."""
    return np.array([cosine, np.sqrt(1 - cosine**2), 0.0], np.float32)


class MadeEncoder:
    """Every query lies on the first axis; it knows the words that it is told."""

    def __init__(self, *known: str) -> None:
        self._known = known

    def knows(self, word: str) -> bool:
        return word in self._known

    def query(self, _text: str) -> np.ndarray:
        return np.array([1.0, 0.0, 0.0], np.float32)


def made_items(popularity: Sequence[float]) -> Items:
    n = len(popularity)
    zeros = np.zeros(n, np.int64)
    return Items(
        product_ids=np.array([f"p{i}" for i in range(n)]), categories=np.array([f"c{i}" for i in range(n)]),
        category=np.arange(n, dtype=np.int32), kind=np.arange(n), department=zeros, popularity=np.array(popularity, np.float32),
        buyers=zeros.astype(np.int32), facts=np.zeros((n, len(CATALOGUE)), np.float32), neighbours=csr_matrix((n, n), dtype=np.float32),
        stores=np.array(["s"]), store_popularity=csc_matrix((1, n), dtype=np.float32),
    )  # fmt: skip


def source(
    *cosines: float, text: Sequence[int] | None = None, popularity: Sequence[float] | None = None, known: bool = True
) -> SimilarSource:
    """A source whose texts have these cosines with every query; one item each unless `text` says more."""
    belongs = np.array(range(len(cosines)) if text is None else text, np.int32)
    items = made_items(popularity or [0.5] * len(belongs))
    vectors = np.array([at_angle(cosine) for cosine in cosines], np.float32)
    encoder = MadeEncoder("barbecue") if known else MadeEncoder()
    return SimilarSource(items, Sentences(encoder, Exact(vectors), belongs))  # type: ignore[arg-type]


def proposed(found: SimilarSource, query: str | None = "something for a barbecue", limit: int = 60) -> list[Candidate]:
    return list(found.candidates(context(query), None, (), limit))


def test_the_nearest_text_comes_first_and_says_how_near_it_is() -> None:
    found = proposed(source(0.6, 0.8, 0.7))
    assert [c.product_id for c in found] == ["p1", "p2", "p0"][: len(found)]
    assert found[0].facts["similar"] == {"query": "something for a barbecue", "match": 0.8}
    scores = [c.scores["similar"] for c in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_what_is_far_below_the_best_is_left_out() -> None:
    assert [c.product_id for c in proposed(source(0.9, 0.74, 0.7))] == ["p0", "p1"]


def test_nothing_is_proposed_without_a_query_or_with_empty_words() -> None:
    found = source(0.9)
    assert proposed(found, None) == []
    assert proposed(found, "") == []
    assert proposed(found, "what do you have for me?") == []  # only words that say nothing of a product


def test_what_is_too_far_is_not_proposed() -> None:
    assert proposed(source(LEAST_SIMILAR - 0.01)) == []
    assert proposed(source(LEAST_SIMILAR + 0.01)) != []


def test_a_query_of_unknown_words_needs_a_closer_text() -> None:
    assert proposed(source(LEAST_SIMILAR_UNKNOWN - 0.01, known=False), "xqzv wkkj") == []
    assert proposed(source(LEAST_SIMILAR_UNKNOWN + 0.01, known=False), "xqzv wkkj") != []


def test_of_one_text_the_best_sellers_are_proposed_and_only_a_few() -> None:
    many = ITEMS_OF_TEXT + 3
    found = proposed(source(0.9, 0.85, text=[0] * many + [1], popularity=[i / many for i in range(many)] + [0.0]))
    assert [c.product_id for c in found if c.product_id != f"p{many}"] == [f"p{many - 1 - i}" for i in range(ITEMS_OF_TEXT)]  # fmt: skip
    assert f"p{many}" in {c.product_id for c in found}
    assert len(proposed(source(0.9, text=[0] * many), limit=2)) == 2


def test_a_catalogue_without_products_proposes_nothing() -> None:
    empty = Sentences(MadeEncoder("barbecue"), Exact(np.zeros((0, 3), np.float32)), np.zeros(0, np.int32))  # type: ignore[arg-type]
    assert proposed(SimilarSource(made_items([]), empty)) == []


# --- together with the words ---------------------------------------------------------------------------------------


def ranked(candidates: Sequence[Candidate], query: str, n: int = 3) -> list[tuple[str, str]]:
    """Rank candidates of `made_items`, where the later ones sell far better; return ids and reason codes."""
    items = made_items([0.1 + 0.8 * i / n for i in range(n)])
    ranker = EnsembleRanker(items, Shoppers(items), Models(), fakes.FakeResponses())
    goods = {ProductId(f"p{i}"): fakes.product(f"p{i}", f"c{i}") for i in range(n)}
    slate = ranker.rank(context(query), None, (), candidates, goods).slate
    return [(item.product.product_id, item.reason.code) for item in slate]


def candidate(number: int, facts: dict[str, object] | None = None, **scores: float) -> Candidate:
    return Candidate(ProductId(f"p{number}"), scores, {"search": facts} if facts else {})  # type: ignore[dict-item]


def test_what_the_query_names_comes_before_what_only_means_the_same() -> None:
    named = candidate(0, {"exact": True}, search=0.5)
    alike = candidate(2, similar=1.0, popular=1.0)
    assert [p for p, _ in ranked([alike, named], "charcoal")] == ["p0", "p2"]


def test_what_shares_one_word_with_a_long_query_gives_way_to_what_means_it() -> None:
    stray = candidate(0, {"exact": False}, search=0.5)
    alike = candidate(2, similar=1.0)
    assert [p for p, _ in ranked([stray, alike], "snacks for a movie night")] == ["p2", "p0"]


def test_a_search_that_only_meaning_answers_shows_nothing_else_and_says_why() -> None:
    found = ranked([candidate(0, popular=1.0), candidate(1, similar=0.8)], "something for a barbecue")
    assert found == [("p1", "matches_query")]


def test_without_the_encoder_search_ranks_by_words_alone() -> None:
    rows = [candidate(0, {"exact": False}, search=1.0), candidate(1, {"exact": True}, search=0.6)]
    assert [p for p, _ in ranked(rows, "q")] == [p for p, _ in ranked([replace(c, facts={}) for c in rows], "q")]


def test_search_says_which_matches_are_exact() -> None:
    names = ["Charcoal", "Evening primrose", "Friends magazine", "Napkins with stars"]
    n, empty = len(names), [""] * len(names)
    products = pl.DataFrame(
        {"product_id": [f"p{i}" for i in range(n)], "name": names, "category": empty, "brand": empty}
    )
    items = made_items([0.5] * n)
    search = SearchSource(items.product_ids, *index.build(products, items.popularity))

    def exact(query: str) -> dict[str, object]:
        return {
            c.product_id: c.facts["search"]["exact"] for c in search.candidates(context(query), None, (), 10)
        }  # fmt: skip

    assert exact("charcoal")["p0"] is True
    assert exact("charcol")["p0"] is True  # a slip of the pen
    assert exact("charcoal, primrose, friends, magazine, napkins, stars").get("p0") is not True  # one word of many


def test_the_api_says_that_a_similar_item_was_found() -> None:
    decision = decide(dependencies(), query="bread")
    item = decision.slate[0]
    assert views.card(replace(item, sources=("popular", "similar")))["matched"] is True
    assert views.card(replace(item, sources=("search",)))["matched"] is True
    assert views.card(replace(item, sources=("popular",)))["matched"] is False


# --- vectors -------------------------------------------------------------------------------------------------------


def unit(rng: np.random.Generator, n: int, *, around: np.ndarray | None = None) -> np.ndarray:
    found = rng.normal(size=(n, 64)).astype(np.float32)
    found = found if around is None else around[rng.integers(0, len(around), n)] + 0.6 * found
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_the_graph_finds_nearly_what_comparing_with_all_finds() -> None:
    rng = np.random.default_rng(5)
    vectors = unit(rng, 6_000, around=rng.normal(size=(300, 64)).astype(np.float32))
    queries = unit(rng, 100, around=vectors * 8)
    exact, graph = Exact(vectors), Approximate.of(vectors)
    restored = Approximate.load(graph.dump())
    found = 0
    for query in queries:
        best, cosine = exact.find(query, 10)
        near, likeness = graph.find(query, 10)
        found += len(np.intersect1d(best, near))
        assert np.all(np.diff(likeness) <= 1e-6)
        assert likeness[0] == pytest.approx(float(cosine[0]), abs=1e-4) or near[0] != best[0]
        assert np.array_equal(restored.find(query, 10)[0], near)
    assert found / (10 * len(queries)) >= 0.9


def test_exact_search_asks_for_no_more_than_there_is() -> None:
    vectors = np.eye(3, dtype=np.float32)
    positions, cosine = Exact(vectors).find(np.array([0.0, 1.0, 0.0], np.float32), 10)
    assert positions[0] == 1
    assert len(positions) == len(cosine) == 3


def test_a_products_text_ends_before_its_package_size_and_repeats_nothing() -> None:
    rows = [
        ("Can dog food, 13.2 oz", "13.2 oz", "Dog foods", "Own brand"),
        ("Yogurt", "", "Yogurt", ""),
        ("Cola 12 oz", "12 oz", "Soft drinks", "Cola"),
        ("12 oz", "12 oz", "", ""),
    ]
    frame = pl.DataFrame(rows, schema=["name", "package_size", "category", "brand"], orient="row")
    assert product_texts(frame) == ["Can dog food, Dog foods, Own brand", "Yogurt", "Cola, Soft drinks", "12 oz"]


# --- words ---------------------------------------------------------------------------------------------------------


def wordpiece(*words: str) -> WordPiece:
    return WordPiece({word: number for number, word in enumerate(("[UNK]", "[CLS]", "[SEP]", *words))})


def test_words_are_spelled_from_their_longest_known_pieces() -> None:
    pieces = wordpiece("tooth", "##paste", "##pa", "!", "creme", "茶")
    assert pieces.tokens("Toothpaste!") == [1, 3, 4, 6, 2]
    assert pieces.tokens("Crème") == [1, 7, 2]  # accents and capitals do not count
    assert pieces.tokens("茶茶") == [1, 8, 8, 2]
    assert pieces.tokens("toothbrush") == [1, 0, 2]  # not to be spelled
    assert pieces.tokens("tooth\u200b\u0000paste \t") == [1, 3, 4, 2]
    assert pieces.tokens("") == [1, 2]
    assert pieces.tokens("tooth" * 30) == [1, 0, 2]


def test_a_long_text_is_cut() -> None:
    found = wordpiece("a").tokens("a " * 1000)
    assert len(found) == MOST_TOKENS
    assert found[-1] == 2


# --- without and with the real model -------------------------------------------------------------------------------


def test_training_without_the_model_says_so_and_search_goes_on(tmp_path: Path) -> None:
    manifest = train(SmallSource(), tmp_path / "a", seed=1, progress=lambda *_: None, models=tmp_path)
    assert "aisle models pull" in manifest["texts"]["note"]
    assert artifacts.load(tmp_path / "a").sentences is None


def test_a_damaged_model_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "minilm_l6_v2.safetensors").write_bytes(b"\x10" + bytes(7) + b"not really json!")
    (tmp_path / "minilm_l6_v2_tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="safetensors"):
        Pretrained.load(tmp_path)


@pytest.fixture(scope="module")
def pretrained(models_dir: Path) -> Pretrained:
    return Pretrained.load(models_dir)


def test_the_network_computes_what_the_model_was_published_with(pretrained: Pretrained) -> None:
    words = WordPiece.from_tokenizer_json(pretrained.tokenizer)
    assert words.tokens("Crème brûlée, don't stop!") == [101, 13675, 21382, 7987, 9307, 2063, 1010, 2123, 1005, 1056, 2644, 999, 102]  # fmt: skip
    whole, quick = (Encoder(model, words) for model in (pretrained.whole, pretrained.quick))
    reference = {  # of the transformers package 5.24 with torch 2.13
        "something for a barbecue": [-0.01916, 0.08927, -0.07621, 0.06028, -0.05936, -0.02623],
        "Crème brûlée, don't stop!": [0.02388, -0.08416, 0.04063, -0.02624, 0.00366, -0.01943],
    }
    for text, expected in reference.items():
        assert whole.query(text)[:6] == pytest.approx(expected, abs=2e-4)
        assert np.linalg.norm(whole.query(text)) == pytest.approx(1.0, abs=1e-5)
        assert float(quick.query(text) @ whole.query(text)) > 0.96


def test_many_texts_at_once_are_the_same_as_one_by_one(pretrained: Pretrained) -> None:
    encoder = Encoder(pretrained.whole, WordPiece.from_tokenizer_json(pretrained.tokenizer))
    names = ["Milk", "Can dog food, Dog foods", "Bbq sauce", "Eggs, Eggs", "Milk"]
    told: list[float] = []
    together = encoder.all(names, told.append)
    assert together == pytest.approx(np.stack([encoder.query(name) for name in names]), abs=1e-4)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_only_the_last_queries_are_kept(pretrained: Pretrained) -> None:
    encoder = Encoder(pretrained.quick, WordPiece.from_tokenizer_json(pretrained.tokenizer))
    first = encoder.query("bread")
    assert encoder.query("bread") is first
    for number in range(MOST_KEPT):
        encoder.query(f"bread {number}")
    assert encoder.query("bread") is not first


@lru_cache
def trained(models: Path) -> Artifacts:
    with TemporaryDirectory() as name:
        manifest = train(SmallSource(), Path(name) / "a", seed=1, progress=lambda *_: None, models=models)
        assert manifest["texts"]["encoder"] == texts.NAME
        assert manifest["texts"]["distinct"] == 36
        return artifacts.load(Path(name) / "a")


@pytest.mark.parametrize(
    ("query", "category"),
    [("a treat for my terrier", "Dog food"), ("the infant is hungry", "Baby food"), ("spaghetti or macaroni", "Pasta")],
)
def test_what_is_meant_is_found_where_the_words_do_not_match(models_dir: Path, query: str, category: str) -> None:
    found = trained(models_dir)
    assert found.sentences is not None
    similar = SimilarSource(found.items, found.sentences)
    decision = decide(dependencies(sources=[*dependencies().sources, similar]), member=None, query=query)
    assert decision.slate[0].product.category == category
    assert "similar" in decision.slate[0].sources


@pytest.mark.parametrize("query", ["xqzv wkkj", "asdf jkl", "blorptastic fnord", "where are my orders"])
def test_what_means_no_product_finds_none(models_dir: Path, query: str) -> None:
    found = trained(models_dir)
    assert found.sentences is not None
    assert proposed(SimilarSource(found.items, found.sentences), query) == []

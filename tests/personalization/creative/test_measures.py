"""What is read from a drawn poster tells what a person would see."""

from __future__ import annotations

import numpy as np
import pytest

from personalization.creative.features import MEASURES
from personalization.creative.measures import measured
from personalization.creative.picture import drawing
from personalization.creative.poster import Material, Poster, compose
from personalization.creative.space import Space
from personalization.creative.studio import inputs_of
from personalization.creative.words import by_key, messages
from tests.personalization.creative.conftest import BRAND, FACTS


def poster(seed: int, **given: str) -> Poster:
    picture, texts = drawing("bread"), messages(FACTS, BRAND)
    space = Space(inputs_of(FACTS, picture, BRAND, texts, aspects=("4:5",)))
    spec = space.sample(np.random.default_rng(seed), given=given)
    return compose(spec, Material(FACTS, by_key(texts)[spec["message"]], picture, BRAND))


def mean(name: str, **given: str) -> float:
    return float(np.mean([measured(poster(seed, **given))[name] for seed in range(6)]))


def test_measures_are_those_that_the_predictor_reads_and_lie_between_0_and_1() -> None:
    for seed in range(8):
        found = measured(poster(seed))
        assert set(found) == set(MEASURES)
        assert all(0 <= value <= 1 for value in found.values())
        assert found["contrast"] > np.log(4.5) / np.log(21)  # every text of a poster can be read


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("clutter", {"texture": "terrazzo", "scheme": "light"}, {"texture": "none", "scheme": "light"}),
        ("colourfulness", {"scheme": "vivid"}, {"scheme": "paper"}),
        ("text_share", {"layout": "hero_top", "scale": "huge"}, {"layout": "hero_top", "scale": "quiet"}),
    ],
)
def test_what_looks_like_more_measures_more(name: str, more: dict[str, str], less: dict[str, str]) -> None:
    assert mean(name, **more) > mean(name, **less)

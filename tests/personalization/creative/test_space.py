"""The design space: counted exactly, sampled evenly and for coverage, every creative within the rules."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.creative import space as grammar
from personalization.creative.space import DIMENSIONS, CreativeSpec, Inputs, Space

INPUTS = st.builds(
    Inputs,
    picture=st.sampled_from(["cutout", "photo"]),
    colours=st.integers(0, 2),
    messages=st.lists(st.sampled_from(DIMENSIONS["message"]), min_size=1, unique=True).map(tuple),
    priced=st.booleans(),
    coupon=st.booleans(),
    film=st.booleans(),
    aspects=st.sampled_from([(), ("kiosk",), ("16:9", "1:1")]),
)


def test_one_cover_and_one_track_have_more_than_700_million_films() -> None:
    assert Space(Inputs(picture="photo", film=True)).size() > 700_000_000


def test_the_count_is_that_of_going_through_all(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {name: options[:2] for name, options in DIMENSIONS.items()}
    small |= {
        "layout": ("centred", "ticket", "big_price"),
        "focal": ("plain", "pattern", "plinth"),
        "type": ("caveat", "space"),
    }
    monkeypatch.setattr(grammar, "DIMENSIONS", small)
    inputs = Inputs(coupon=True, messages=small["message"])
    rules = grammar.rules_for(inputs)
    names = list(small)
    counted = 0
    for options in itertools.product(*small.values()):
        chosen = dict(zip(names, options, strict=True))
        counted += all(rule.allows(*(chosen[name] for name in rule.dimensions)) for rule in rules)
    assert Space(inputs).size() == counted > 0


@given(INPUTS, st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_whatever_is_drawn_breaks_no_rule(inputs: Inputs, seed: int) -> None:
    rng, space = np.random.default_rng(seed), Space(inputs)
    drawn = space.sample(rng)
    for spec in (drawn, *space.spread(3, rng), space.neighbour(drawn, rng)):
        assert space.broken_by(spec) is None


def test_spread_uses_every_option_and_no_two_designs_are_the_same() -> None:
    found = Space().spread(200, np.random.default_rng(7), given={"aspect": "4:5"})
    assert len({spec.spec_id for spec in found}) == 200
    for name in ("focal", "scheme", "anchor", "type", "texture", "crop"):
        used = Counter(spec[name] for spec in found)
        assert len(used) == len(DIMENSIONS[name])
        assert max(used.values()) <= 3 * min(used.values())


def test_an_id_names_the_choices_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    spec = Space().sample(rng)
    assert CreativeSpec(dict(reversed(spec.choices.items()))).spec_id == spec.spec_id
    assert Space().neighbour(spec, rng).spec_id != spec.spec_id
    with pytest.raises(ValueError, match="layout is one of"):
        CreativeSpec({**spec.choices, "layout": "pyramid"})
    with pytest.raises(ValueError, match="message is one of"):
        CreativeSpec({**spec.choices, "message": "m7"})
    earlier = CreativeSpec({**spec.choices, "message": "m7"}, "1")  # stored before texts had keys
    assert earlier["message"] == "m7"
    with pytest.raises(ValueError, match="no creative has layout ticket"):
        Space(Inputs(coupon=False)).sample(rng, given={"layout": "ticket"})

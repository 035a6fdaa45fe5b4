"""What a camera made in passing joins a member's templates only if it is plainly theirs, whatever was tried before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.adapt import ABOVE, QUALITY, SAME, Sample, Verdict, judge
from vision.faces import Template, unit
from vision.gallery import Gallery

SIZE, THRESHOLD = 64, 0.45
SEEDS = st.integers(0, 2**32 - 1)


def near(template: Template, similarity: float, rng: np.random.Generator, size: int = SIZE) -> Template:
    """A template of exactly this cosine similarity to another."""
    other = rng.normal(size=size).astype(np.float32)
    other -= (other @ template) * template
    return unit(similarity * template + np.sqrt(1 - similarity**2) * unit(other))


def somebody(rng: np.random.Generator) -> Template:
    return unit(rng.normal(size=SIZE).astype(np.float32))


def offered(template: Template, *, quality: float = 0.9, live: bool | None = None) -> Sample:
    return Sample("maya", template, quality, live)


def verdict(sample: Sample, enrolled: list[Template], adapted: list[Template] | None = None, *, beside: float = -1.0,
            needs_life: bool = False) -> Verdict:  # fmt: skip
    return judge(
        sample, enrolled=enrolled, adapted=adapted or [], beside=beside, threshold=THRESHOLD, needs_life=needs_life
    )


@settings(deadline=None)
@given(SEEDS, st.floats(-1, THRESHOLD - 1e-3), st.integers(1, 5), st.integers(0, 3))
def test_an_impostor_below_the_threshold_can_never_change_a_gallery(
    seed: int, alike: float, many: int, more: int
) -> None:
    """Not even one who is just like what was adapted before, with a perfect picture of a living face."""
    rng = np.random.default_rng(seed)
    enrolled = [somebody(rng)]
    impostor = near(enrolled[0], alike, rng)
    while len(enrolled) < many:
        one = near(enrolled[0], 0.8, rng)
        if one @ impostor < THRESHOLD:
            enrolled.append(one)
    adapted = [near(impostor, 0.9, rng) for _ in range(more)]
    found = verdict(offered(impostor, quality=1.0, live=True), enrolled, adapted)
    assert found is not Verdict.TAKEN


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_a_chain_of_templates_each_like_the_one_before_does_not_drift_from_what_was_enrolled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    enrolled = [somebody(rng)]
    target, adapted, last = somebody(rng), list[Template](), enrolled[0]
    for _ in range(60):
        last = unit(last + 0.08 * target)  # a walk towards somebody else, in steps that look harmless
        if verdict(offered(last), enrolled, adapted) is Verdict.TAKEN:
            adapted.append(last)
            adapted = adapted[-3:]
    assert adapted, "what is plainly theirs is taken"
    assert all(float(one @ enrolled[0]) >= THRESHOLD + ABOVE - 1e-6 for one in adapted)
    assert Gallery([("maya", one) for one in enrolled + adapted], THRESHOLD).match(enrolled[0]) is not None


def test_only_good_pictures_of_the_living_teach_anything() -> None:
    rng = np.random.default_rng(1)
    enrolled = [somebody(rng)]
    mine = near(enrolled[0], 0.75, rng)
    assert verdict(offered(mine), enrolled) is Verdict.TAKEN
    assert verdict(offered(mine, quality=QUALITY - 0.01), enrolled) is Verdict.POOR
    for live in (None, False):
        assert verdict(offered(mine, live=live), enrolled, needs_life=True) is Verdict.POOR
    assert verdict(offered(mine, live=True), enrolled, needs_life=True) is Verdict.TAKEN


def test_who_could_be_somebody_else_too_teaches_nothing() -> None:
    rng = np.random.default_rng(2)
    enrolled = [somebody(rng)]
    mine = near(enrolled[0], 0.75, rng)
    twin = near(mine, 0.7, rng)
    everybody = Gallery([("maya", enrolled[0]), ("twin", twin)], THRESHOLD)
    assert verdict(offered(mine), enrolled, beside=everybody.beside(mine, "maya")) is Verdict.AMBIGUOUS
    staff = Gallery([("maya", enrolled[0])], THRESHOLD, staff=[twin])
    assert verdict(offered(mine), enrolled, beside=staff.beside(mine, "maya")) is Verdict.AMBIGUOUS
    alone = Gallery([("maya", enrolled[0]), ("maya", twin)], THRESHOLD)
    assert alone.beside(mine, "maya") == -1.0


def test_what_is_known_already_is_not_stored_again() -> None:
    rng = np.random.default_rng(3)
    enrolled = [somebody(rng)]
    mine = near(enrolled[0], 0.75, rng)
    assert verdict(offered(near(enrolled[0], SAME + 0.02, rng)), enrolled) is Verdict.KNOWN
    assert verdict(offered(near(mine, SAME + 0.05, rng)), enrolled, [mine]) is Verdict.KNOWN


@pytest.mark.parametrize(
    "wrong",
    [np.zeros(SIZE), np.full(SIZE, np.nan), np.full(SIZE, 1.0), np.ones(3) / 3**0.5],
    ids=["zeros", "NaN", "long", "short"],
)
def test_what_is_no_template_is_refused(wrong: Template) -> None:
    enrolled = [somebody(np.random.default_rng(4))]
    assert verdict(offered(wrong.astype(np.float32)), enrolled) is Verdict.MALFORMED
    assert verdict(offered(enrolled[0]), []) is Verdict.MALFORMED


def test_staff_win_over_a_member_who_is_more_alike() -> None:
    rng = np.random.default_rng(5)
    seen = somebody(rng)
    gallery = Gallery([("maya", near(seen, 0.9, rng))], THRESHOLD, staff=[near(seen, 0.5, rng)])
    found = gallery.match(seen)
    assert found is not None
    assert (found.staff, found.member_id) == (True, None)


def test_the_best_of_a_members_templates_counts() -> None:
    rng = np.random.default_rng(6)
    seen = somebody(rng)
    several = [("maya", near(seen, alike, rng)) for alike in (0.1, 0.2, 0.8, 0.3)]
    found = Gallery([*several, ("ben", near(seen, 0.6, rng))], THRESHOLD).match(seen)
    assert found is not None
    assert found.member_id == "maya"
    assert found.similarity == pytest.approx(0.8, abs=1e-3)

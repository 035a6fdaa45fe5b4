"""The page of the benchmark tells every policy and every interval, and draws the regret."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from bench import creative_pages as pages
from bench.creative_market import REPORTED
from bench.creative_placing import LINEAR, OURS, TESTS, UNIFORM, Game
from bench.creative_policies import Played
from bench.creative_value import KINDS, Judged
from personalization.creative.policy_value import Method


def test_the_page_tells_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)

    def played(level: float) -> Played:
        return Played(level * rng.uniform(90, 110, (6, 5)), np.full((6, 5), 200.0), np.full((6, 5), 10_000.0))

    names = (OURS, *UNIFORM, *TESTS, *LINEAR)
    found = [
        Game(kind, REPORTED, {name: played(1.5 if name == OURS else 1.0) for name in names}, 0.7, 0.72)
        for kind in ("stationary", "drifting", "unseen")
    ]
    runs = [Judged(kind, method, True, 0.2, 0.05, 900.0) for kind in KINDS for method in Method for _ in range(3)]
    monkeypatch.setattr(pages, "PAGE", tmp_path)
    text = "\n".join(pages.section(found, runs))
    for name in names:
        assert f"| {name} |" in text
    assert "+50" in text or "+49" in text or "+51" in text
    assert text.count("100.0%") == len(KINDS) * len(Method)
    for kind in ("stationary", "drifting", "unseen"):
        drawing = Xml.parse(tmp_path / f"creative-regret-{kind}.svg").getroot()
        assert len(drawing.findall("{http://www.w3.org/2000/svg}polygon")) == 5

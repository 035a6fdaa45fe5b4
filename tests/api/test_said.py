"""Whatever the api says by a code has its Arabic words in the console, and nothing is worded that is never said."""

from __future__ import annotations

import re
from pathlib import Path

from personalization.figures import FIGURES, MEANINGS
from personalization.profiling.own_segments import WORDS
from personalization.said import Said

ROOT = Path(__file__).parents[2]
TOLD = ROOT / "web/src/console/told"
BY_THE_CONSOLE = {"experiment.alarm", "simulation.fairness"}
"""Sentences that the console makes of figures that the answer has anyway."""


def _said() -> list[str]:
    files = [path for folder in ("api", "personalization") for path in (ROOT / folder).rglob("*.py")]
    return [code for path in files for code in re.findall(r'Said\(\s*f?"([a-z_.{}\[\]\']+)"', path.read_text())]


def test_every_code_is_worded_in_arabic() -> None:
    worded = set(re.findall(r'^  "([a-z_.]+)":', (TOLD / "sentences.ar.ts").read_text(), re.MULTILINE))
    patterns = [
        re.compile(re.sub(r"\{[^}]*\}", "[a-z_]+", re.escape(code).replace(r"\{", "{").replace(r"\}", "}")))
        for code in _said()
    ]
    assert len(patterns) > 30
    assert [one.pattern for one in patterns if not any(one.fullmatch(code) for code in worded)] == []
    assert {code for code in worded if not any(one.fullmatch(code) for one in patterns)} == BY_THE_CONSOLE


def test_every_feature_and_figure_has_its_arabic_name() -> None:
    features = set(re.findall(r"^  (\w+):", (TOLD / "features.ar.ts").read_text(), re.MULTILINE))
    assert features == set(WORDS)
    counts, units = (TOLD / "figures.ar.ts").read_text().split("export const UNITS")
    assert set(re.findall(r"^  (\w+):", counts, re.MULTILINE)) == {*FIGURES, *MEANINGS}
    assert {one.unit for one in (*FIGURES.values(), *MEANINGS.values())} == set(
        re.findall(r'^  "?([\w-]+)"?:', units, re.MULTILINE)
    )


def test_facts_are_told_as_json() -> None:
    assert Said("a.b", "A b.", {"names": ("x", "y"), "n": 1}).told() == {
        "code": "a.b",
        "facts": {"names": ["x", "y"], "n": 1},
    }

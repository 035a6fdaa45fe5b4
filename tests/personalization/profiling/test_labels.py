"""Labels by rule: the file is checked, the facts are true, consent decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personalization.profiling.features.definitions import FEATURES, SIGNALS
from personalization.profiling.labeller import LAPSE_RISK, SEGMENT, Labeller, alerts
from personalization.profiling.labels import LabelRuleError, MemberView, RuleLabels, ToldLabels, load_rules
from personalization.profiling.sources import SOURCES
from personalization.types import EventType, Label, MemberId, Purpose
from tests.personalization.profiling.made import AT

PROFILING = frozenset({Purpose.PROFILING})


def member(granted: frozenset[Purpose] = PROFILING, **features: float) -> MemberView:
    values = dict.fromkeys((*FEATURES, *SIGNALS), 0.0) | features
    return MemberView(MemberId("m"), AT, values, {}, {}, granted, np.zeros(0, np.int64))


def labelled(one: MemberView) -> dict[str, Label]:
    return Labeller([RuleLabels(load_rules())]).label([one])[one.member_id]


def test_a_rule_that_holds_tells_its_facts_its_confidence_and_its_expiry() -> None:
    label = labelled(member(orders=16, promo_share=0.75, gap_mean_days=9))["promotion_seeker"]
    assert label.value is True
    assert label.sentence.startswith("75% of the money")
    assert label.evidence == {"orders": 16, "promo_share": 0.75}
    assert label.confidence == pytest.approx(16 / 24, abs=1e-3)
    assert (label.expires_at - label.created_at).days == 60


def test_more_evidence_makes_a_label_surer_and_too_little_makes_none() -> None:
    few, many = (labelled(member(orders=n, promo_share=0.9))["promotion_seeker"].confidence for n in (4, 40))
    assert few < many < 1
    assert "promotion_seeker" not in labelled(member(orders=3, promo_share=0.9))


def test_the_first_rule_of_a_label_that_holds_is_the_one() -> None:
    assert labelled(member(orders=10, gap_mean_days=7))["shopping_rhythm"].value == "weekly"
    assert labelled(member(orders=90, gap_mean_days=1.4))["shopping_rhythm"].value == "every few days"
    assert labelled(member(orders=10, gap_mean_days=20))["shopping_rhythm"].value == "occasional"


def test_a_label_needs_the_consent_of_its_purpose() -> None:
    seen = {"face_valence_28d": -0.6, "dwell_seconds_28d": 40.0}
    assert "unhappy_in_store" not in labelled(member(**seen))
    assert "unhappy_in_store" in labelled(member(PROFILING | {Purpose.EXPRESSION}, **seen))


def told(text: str, granted: frozenset[Purpose] = PROFILING) -> Label | None:
    one = replace(member(granted), readings={"crm:avoids": text})
    return Labeller([ToldLabels()]).label([one])[one.member_id].get("avoids")


@pytest.mark.parametrize(
    ("text", "value", "listed"),
    [
        ("nuts;pork", "nuts;pork", "nuts and pork"),
        (" Nuts ; ;PORK;nuts", "nuts;pork", "nuts and pork"),
        ("milk", "milk", "milk"),
        ("milk;nuts;pork", "milk;nuts;pork", "milk, nuts and pork"),
    ],
)
def test_what_a_member_told_to_avoid_is_a_label(text: str, value: str, listed: str) -> None:
    label = told(text)
    assert label is not None
    assert (label.value, label.sentence) == (value, f"You told us that you avoid {listed}.")
    assert (label.confidence, label.source, label.purpose) == (1.0, "told", Purpose.PROFILING)


def test_who_told_nothing_or_did_not_agree_has_no_such_label() -> None:
    assert told(" ; ") is None
    assert told("nuts", frozenset()) is None
    assert Labeller([ToldLabels()]).label([member()])[MemberId("m")] == {}


def test_a_source_that_fails_takes_only_its_own_labels_down() -> None:
    class Broken:
        name = "broken"

        def labels(self, members: object) -> list[list[Label]]:
            raise RuntimeError("no model")

    failed: list[str] = []
    found = Labeller([Broken(), RuleLabels(load_rules())], failed.append).label([member(orders=10, gap_mean_days=7)])
    assert "shopping_rhythm" in found[MemberId("m")]
    assert failed == ["broken"]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("- {label: x, when: {no_such_feature: {above: 1}}, confidence: {evidence: orders, half: 1}, days: 1, says: x}", "no_such_feature"),
        ("- {label: x, when: {orders: {over: 1}}, confidence: {evidence: orders, half: 1}, days: 1, says: x}", "over"),
        ("- {label: x, when: {}, confidence: {evidence: orders, half: 1}, days: 1, says: '{nothing}'}", "rule 1"),
        ("- {label: x, wen: {}}", "wen"),
        ("- {label: x, when: {orders: {above: 1}}, confidence: {evidence: orders, half: 1}, days: 1, says: x, purpose: fun}", "fun"),
        ("label: x", "not a list"),
        ("- [", "cannot be read"),
    ],
)  # fmt: skip
def test_a_rules_file_that_makes_no_sense_says_which_rule_and_why(tmp_path: Path, rule: str, told: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(rule)
    with pytest.raises(LabelRuleError, match=told):
        load_rules(path)


def label(name: str, value: str) -> dict[str, Label]:
    return {name: Label(MemberId("m"), name, value, 0.5, f"{value}.", {}, "t", Purpose.PROFILING, AT, AT)}


def test_a_move_between_segments_and_a_risk_that_becomes_high_are_alerts_once() -> None:
    moved = alerts(label(SEGMENT, "Rare"), label(SEGMENT, "Frequent"))
    assert [(alert.kind, alert.before, alert.value) for alert in moved] == [("segment_changed", "Rare", "Frequent")]
    assert alerts({}, label(SEGMENT, "Rare")) == []
    assert [alert.kind for alert in alerts(label(LAPSE_RISK, "low"), label(LAPSE_RISK, "high"))] == ["lapse_risk"]
    assert alerts(label(LAPSE_RISK, "high"), label(LAPSE_RISK, "high")) == []
    assert alerts(label(LAPSE_RISK, "high"), label(LAPSE_RISK, "low")) == []


def test_every_kind_of_event_declares_its_consent_retention_and_what_is_dropped() -> None:
    assert set(SOURCES) == set(EventType)
    for source in SOURCES.values():
        assert source.retention_days >= 30
        assert source.dropped
    assert SOURCES[EventType.EXPRESSED].purpose is Purpose.EXPRESSION
    assert SOURCES[EventType.SENSED].purpose is Purpose.SENSORS
    assert "text" not in SOURCES[EventType.MESSAGE_SENT].fields

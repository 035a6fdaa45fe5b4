"""The chat's benchmark: what counts as lost, what the widget weighs, and what a missing part says."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bench.auroc import auroc
from bench.chat import BARS, PARTS, part, widget
from bench.chat_load import Away, Said, _during, lost_or_reordered
from bench.chat_scripts import FOLDER, QUICK, _sample, counted, missing
from bench.conversations.outcomes import Outcomes
from bench.conversations.play import Player
from bench.conversations.run import chosen
from bench.conversations.score import UPSET
from bench.conversations.script import load
from tests.bench.talks import PaperTalk, answer, outcomes_of, scripts_of


def stored(told: str) -> list[dict[str, Any]]:
    """A conversation as one letter a message: capitals are the shopper's, a dot is an answer."""
    return [{"role": "bot", "text": "…"} if sign == "." else {"role": "user", "text": sign} for sign in told]


@pytest.mark.parametrize(
    ("sent", "kept", "wrong"),
    [
        ("ABC", ".A.B.C.", 0),
        ("ABA", ".A.B.A..", 0),
        ("ABC", ".A.C.", 1),  # lost
        ("ABC", ".A.B.B.C.", 1),  # taken twice
        ("ABC", ".A.C.B.", 2),  # two have changed places
        ("ABC", ".AB.C.", 1),  # A was not answered
        ("ABC", ".A.B.C", 1),  # C was not answered
        ("ABC", ".", 3),
    ],
)
def test_lost_doubled_reordered_and_unanswered_messages_count(sent: str, kept: str, wrong: int) -> None:
    assert lost_or_reordered([Said(text, text) for text in sent], stored(kept)) == wrong


def test_the_widget_weighs_what_it_can_ever_load(tmp_path: Path) -> None:
    (tmp_path / ".vite").mkdir()
    chunks = {
        "src/widget/panel.ts": {"file": "panel.js", "imports": ["_lib.js"], "dynamicImports": ["de.ts"]},
        "_lib.js": {"file": "lib.js"},
        "de.ts": {"file": "de.js", "imports": ["_lib.js"]},
        "kiosk.html": {"file": "kiosk.js"},
    }
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(chunks))
    for name in ("widget.js", "panel.js", "lib.js", "de.js", "kiosk.js"):
        (tmp_path / name).write_text(name * 1000)
    first, whole = widget(tmp_path)
    weigh = {
        name: len(gzip.compress((name * 1000).encode(), 9)) / 1000
        for name in ("widget.js", "panel.js", "lib.js", "de.js")
    }
    assert first.value == pytest.approx(weigh["widget.js"], abs=0.011)
    assert whole.value == pytest.approx(sum(weigh.values()), abs=0.011)
    assert whole.n == 4  # not the kiosk's


def test_what_cannot_be_measured_says_why(tmp_path: Path) -> None:
    found = [*widget(tmp_path), *part("bench.chat_of_tomorrow", ("intent_f1",), True, None), *missing("no shop")]
    assert all(metric.value is None and metric.reason for metric in found)
    assert {metric.metric for metric in found} >= {
        "chat.widget_gzip_kb",
        "chat.intent_f1",
        "chat.task_success",
        "chat.loops",
    }


def test_every_metric_of_a_part_has_a_bar() -> None:
    assert {f"chat.{name}" for names in PARTS.values() for name in names} - set(BARS) == set()


def test_scripts_that_were_played_become_metrics(tmp_path: Path) -> None:
    [script] = scripts_of(tmp_path, {"user": "hi", "does": "greets"})
    result = Player(outcomes_of(tmp_path), lambda _: None).play(script, PaperTalk([answer()]))
    found = {metric.metric: metric for metric in counted([result], [], outcomes_of(tmp_path))}
    assert found["chat.task_success"].value == 1.0
    assert found["chat.task_success"].baseline == {"talk": "1/1"}
    assert found["chat.loops"].value == 0
    assert found["chat.handoff_within_2"].reason == "no script came to it"
    assert found["chat.false_alarms"].reason == "no script came to it"


def test_who_only_sounds_upset_and_is_heard_as_upset_is_a_false_alarm(tmp_path: Path) -> None:
    [script] = scripts_of(tmp_path, {"user": "hi", "does": "greets"}, {"user": "mad for hummus", "does": "any"})
    heard = [answer(), answer(affect={"state": "angry"})]
    calm = Player(outcomes_of(tmp_path), lambda _: None).play(replace(script, id="calm-hummus"), PaperTalk(heard))
    found = {metric.metric: metric for metric in counted([calm], [calm], outcomes_of(tmp_path))}
    assert (found["chat.false_alarms"].value, found["chat.false_alarms"].n) == (0.5, 2)


def test_a_message_waits_for_what_was_away_only_when_it_was_due_meanwhile() -> None:
    away = [Away("the api", 10.0, 14.0)]
    assert [_during(Said("hi", "1", due), away) for due in (9.9, 10.0, 13.0, 14.1)] == [False, True, True, False]


def test_the_quick_sample_has_shoppers_who_become_upset() -> None:
    held_out = chosen(load(FOLDER, Outcomes.of(FOLDER).names), split="held_out")
    drawn = _sample([script for script in held_out if script.shop == "groceries"])
    assert len(drawn) == QUICK
    assert any(set(UPSET) & set(step.emotion) for script in drawn for step in script.steps)


def test_the_area_by_ranks_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    truth, scores = rng.random(200) < 0.3, np.round(rng.random(200), 1)  # with ties
    assert auroc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
    assert np.isnan(auroc(np.ones(3, bool), scores[:3]))

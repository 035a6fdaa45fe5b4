"""What Rasa is served with: without TensorFlow where the project does without, and with actions that need no domain."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from chatbot.actions import build_executor
from chatbot.rasa.serve import needs_tensorflow
from chatbot.rasa_project import PROJECT
from tests.chatbot.test_rasa import FakeShop


def test_the_project_as_it_is_needs_no_tensorflow_and_one_with_a_neural_part_does(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    assert not needs_tensorflow()
    for part in ("DIETClassifier", "ResponseSelector", "some.component.of.an.Operator"):
        config.write_text(
            f"pipeline:\n  - name: WhitespaceTokenizer\n  - name: {part}\npolicies:\n  - name: RulePolicy\n"
        )
        assert needs_tensorflow(config), part
    config.write_text("language: en\n")
    assert needs_tensorflow(config), "Rasa chooses the parts itself"


def test_what_stands_in_can_be_derived_from_and_says_what_is_missing_when_it_is_used() -> None:
    code = """
import sys
sys.path.insert(0, sys.argv[1])
from serve import _Stand
sys.meta_path.insert(0, _Stand())
import tensorflow as tf
from tensorflow.keras.layers import Layer
class Mine(tf.keras.layers.Dense): pass
def typed(tensor: tf.Tensor) -> Layer: ...
try:
    tf.constant(1)
except RuntimeError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(PROJECT)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "needs TensorFlow, which is not loaded" in done.stdout


def test_an_action_is_answered_without_the_domain() -> None:
    tracker = {
        "sender_id": "c",
        "slots": {},
        "latest_message": {"text": "hi", "intent": {"name": "greet"}},
        "events": [],
    }
    call = {"next_action": "action_greet", "sender_id": "c", "tracker": tracker, "version": "3.6.21"}
    done = asyncio.run(build_executor(FakeShop()).run(call))
    assert done.responses[0]["custom"]["act"].startswith("conversation.greet")
